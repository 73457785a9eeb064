/** Many routers beside a computer from which they are managed over SSH: dropbear, no Python, no SFTP server. */
import { readFileSync } from 'node:fs';
import { bundled } from '../../bundled.ts';
import { archive, type Manager } from '../../machine/qemu/packages.ts';
import { filesOf, type Files } from '../files.ts';
import { hold, type Member } from '../member.ts';
import { hideModules } from '../modules.ts';
import { furnish } from '../openwrt.ts';
import { rootFolder } from '../root.ts';
import type { Ruleset } from '../lab.ts';

export interface Router {
  name: string;
  address: string;
  ruleset: Ruleset;
  /** 25.12 and later have apk. */
  manager: Manager;
  member: Member;
  files: Files;
}

export interface Fleet {
  controller: Member;
  /** The controller's; it has a /tmp of its own, and sees the machine's programs. */
  files: Files;
  routers: Router[];
  close(): Promise<void>;
}

const FIXTURES = 'test/fixtures/fw4';
const MANAGED = 'test/machine/qemu/root';
/** In the controller. */
export const KEY = '/tmp/key';

/** Runs on the host, in the controller's network: only from there is each router's namespace to be seen. */
async function cables(controller: Member, routers: readonly Router[]): Promise<void> {
  const script = routers
    .map(
      ({ member, address }, at) => `
      ip link add r${at} type veth peer name br-lan netns ${member.pid}
      ip link set r${at} master lan up
      nsenter --target ${member.pid} --net -- ip addr add ${address}/16 dev br-lan
      nsenter --target ${member.pid} --net -- ip link set br-lan up`,
    )
    .join('');
  const { spawnSync } = await import('node:child_process');
  const { status, stderr } = spawnSync(
    'nsenter',
    [
      '--target',
      String(controller.pid),
      '--net',
      '--',
      'sh',
      '-ec',
      `ip link add lan type bridge stp_state 0 forward_delay 0
       ip addr add 10.55.0.1/16 dev lan
       ip link set lan up
       ${script}`,
    ],
    { encoding: 'utf8', timeout: 60_000 },
  );
  if (status !== 0) throw new Error(`The routers could not be reached by cables: ${stderr}`);
}

async function furnished({ member, files, ruleset, manager }: Router, key: string, fw4: string, node: Buffer): Promise<void> {
  furnish(files, readFileSync(`${FIXTURES}/${ruleset}.config`, 'utf8'));
  if (ruleset === 'user-include')
    files.write('/etc/nftables.d/20-user.nft', readFileSync(`${FIXTURES}/${ruleset}.nftables.d-20-user.nft`, 'utf8'));
  files.write('/sbin/fw4', fw4, 0o755);
  for (const path of ['/lib/functions.sh', '/lib/functions/procd.sh', '/etc/rc.common'])
    files.write(path, readFileSync(MANAGED + path), 0o755);
  // /lib and /bin are folders on OpenWrt, and links here, which GNU tar would replace by a package's folder.
  files.write('/lib/lab/manager', readFileSync(`test/machine/qemu/managers/${manager}`), 0o755);
  files.write(`/bin/${manager}`, '#!/bin/sh\nexport TAR_OPTIONS=--keep-directory-symlink\nexec /lib/lab/manager "$@"\n', 0o755);
  files.write('/tmp/node.pack', node);
  files.write('/root/.ssh/authorized_keys', key, 0o600);
  files.write('/etc/dropbear/.keep', '');
  files.write('/tmp/rules.nft', readFileSync(`${FIXTURES}/${ruleset}.print.nft`));
  files.write('/var/run/fw4.state', '{}\n');
  if (ruleset === 'stock-alg-absent') await hideModules(member, (name) => name === 'nf_conntrack_sip' || name === 'nf_nat_sip');
  await member.must(
    [
      'sh',
      '-ec',
      // sshd of the machine asks for these, and a router has them.
      `chmod 700 /root /root/.ssh
       [ -e /tmp/log ] || mkdir -p /tmp/log
       nft -f /tmp/rules.nft
       ${manager === 'opkg' ? 'opkg install /tmp/node.pack >/dev/null' : ''}
       dropbear -R -E -s -p 22 </dev/null >/tmp/dropbear.log 2>&1`,
    ],
    { timeout: 60_000 },
  );
}

/** @param kinds rulesets of test/fixtures/fw4, one for each router, and what installs packages there */
export async function openFleet(kinds: readonly (readonly [Ruleset, Manager])[]): Promise<Fleet> {
  const root = rootFolder();
  const members: Member[] = [];
  const holdAnd = async (name: string, folder?: string): Promise<Member> => {
    const member = await hold(name, folder);
    members.push(member);
    return member;
  };
  const close = async (): Promise<void> => {
    for (const member of members) member.end();
    await Promise.all(members.map(({ gone }) => gone));
  };
  try {
    const controller = await holdAnd('controller');
    const files = filesOf(controller.pid);
    const routers: Router[] = [];
    for (const [at, [ruleset, manager]] of kinds.entries()) {
      const member = await holdAnd('OpenWrt', root);
      routers.push({
        name: `site-${String(at + 1).padStart(2, '0')}`,
        address: `10.55.1.${at + 1}`,
        ruleset,
        manager,
        member,
        files: filesOf(member.pid),
      });
    }
    await cables(controller, routers);
    await controller.must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', KEY]);
    const fw4 = `#!${process.execPath}\n${await bundled('test/lab/fw4.ts')}`;
    const node = archive('opkg', { name: 'node', version: '20-r1', files: { '/lib/lab/node': '' } });
    const key = files.read(`${KEY}.pub`);
    // Four at a time: each starts a dozen programs.
    const waiting = [...routers];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await furnished(one, key, fw4, node);
      }),
    );
    return { controller, files, routers, close };
  } catch (error) {
    await close();
    throw error;
  }
}
