/**
 * What is in force stays: a LAN without carrier, or whose address is not there yet, takes no call away; a stopped firewall stays
 * stopped.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lab, LabOptions } from '../lab.ts';
import { openLab } from '../lab.ts';
import type { Ran } from '../member.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';

const WISH = `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config provider 'lab'
	list signalling '${ADDRESS.provider}'
	list signalling '${ADDRESS6.provider}'
	option inbound '1'
	list pbx '${ADDRESS.phone}'
	list pbx '${ADDRESS6.phone}'
`;

let ports = 30_000;

/** Whether a call of the provider's reaches the PBX. */
async function reaches(lab: Lab): Promise<boolean> {
  const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
  const there = await near.udp(ADDRESS.phone, 5060);
  const here = await far.udp(ADDRESS.provider, ports++);
  try {
    await here.send(Buffer.from('INVITE sip:pbx SIP/2.0\r\n\r\n'), { address: ADDRESS.wan, port: 5060 });
    return (await there.next(700)) !== undefined;
  } finally {
    await Promise.all([here.close(), there.close()]);
  }
}

const apply = (lab: Lab): Promise<Ran> => lab.router.run(['sipalg', 'apply'], { timeout: 60_000 });

const changes = ({ stderr }: Ran): string[] => stderr.split('\n').filter((line) => line.startsWith('[#]'));

const test = suite('voice rules in force');

const FW4: LabOptions = { ruleset: 'stock-alg-absent' };
const FW3: LabOptions = { fw3: 'auto-helper-off' };

/** Its command and the file that is there while it is loaded. */
const firewallOf = ({ fw3 }: LabOptions): 'fw3' | 'fw4' => (fw3 === undefined ? 'fw4' : 'fw3');

const nameOf = (options: LabOptions): string => `${firewallOf(options)} and ${options.engine ?? 'node'}`;

async function onLab(options: LabOptions, use: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    lab.files.write('/etc/config/sipalg', WISH);
    await lab.router.must([firewallOf(options), '-q', 'reload']);
    const first = await apply(lab);
    assert.is(first.status, 0, first.stderr);
    assert.ok(await reaches(lab));
    await use(lab);
  } finally {
    await lab.close();
  }
}

for (const options of [FW4, { ...FW4, engine: 'quickjs' }, FW3] satisfies LabOptions[]) {
  test(`stay without a carrier on the LAN, and while its address is not there yet, on ${nameOf(options)}`, () =>
    onLab(options, async (lab) => {
      const { router, files } = lab;
      const before = files.read('/etc/config/firewall');
      const unchanged = async (what: string): Promise<void> => {
        const ran = await apply(lab);
        assert.equal([ran.status, changes(ran)], [0, []], `${what}: ${ran.stdout}${ran.stderr}`);
        assert.is(files.read('/etc/config/firewall'), before, what);
        const { stdout } = await router.run(['sipalg', 'policy']);
        assert.match(stdout, 'The voice firewall rules are in force.', what);
      };
      await lab.phone.must(['ip', 'link', 'set', 'eth0', 'down']);
      await lab.phone2.must(['ip', 'link', 'set', 'eth0', 'down']);
      for (const deadline = Date.now() + 5000; !/NO-CARRIER/.test(await router.must(['ip', 'link', 'show', 'br-lan']));)
        if (Date.now() > deadline) throw new Error('the bridge of the lab keeps its carrier');
      await unchanged('no carrier');
      await router.must(['ip', 'addr', 'flush', 'dev', 'br-lan']);
      await unchanged('no address');
      await router.must(['ip', 'link', 'set', 'br-lan', 'down']);
      await unchanged('down');
      // A network whose address is nowhere written: what is in force tells where the PBX is.
      const network = files.read('/etc/config/network');
      files.write('/etc/config/network', "config interface 'lan'\n\toption device 'br-lan'\n\toption proto 'dhcp'\n");
      await unchanged('no address, and none that is fixed');
      files.write('/etc/config/network', network);
      await router.must([
        'sh',
        '-ec',
        `ip link set br-lan up; ip addr add ${ADDRESS.router}/24 dev br-lan; ip addr add ${ADDRESS6.router}/64 dev br-lan nodad`,
      ]);
      await lab.phone.must(['sh', '-ec', `ip link set eth0 up; ip route replace default via ${ADDRESS.router}`]);
      for (let tries = 0; tries < 5 && !(await reaches(lab)); tries++);
      assert.ok(await reaches(lab), 'the cable is back, and so are calls, without a run');
      // In no network at all: that is known, and the calls go.
      files.write('/etc/config/sipalg', WISH.replace(ADDRESS.phone, '192.168.7.10'));
      const { stdout } = await router.run(['sipalg', 'policy']);
      assert.match(stdout.replace(/\s+/g, ' '), /192\.168\.7\.10 are not let in: the address is in no network of this router/);
    }));
}

/** What tells that the firewall's own rules are there. */
const RULES = { fw4: 'nft list tables | grep "inet fw4"', fw3: 'iptables-save | grep zone_lan' };

for (const options of [FW4, FW3]) {
  const firewall = firewallOf(options);
  test(`do not start a firewall that its owner has stopped, and say what is not in force, on ${firewall}`, () =>
    onLab(options, async (lab) => {
      for (const verb of ['stop', 'flush']) {
        await lab.router.must([firewall, verb]);
        const ran = await apply(lab);
        assert.is((await lab.router.run(['sh', '-c', RULES[firewall]])).stdout, '', `${verb}: ${ran.stderr}`);
        assert.match(ran.stderr, /the firewall that lets them in is not loaded/, verb);
        assert.is(lab.files.exists(`/var/run/${firewall}.state`), false);
        const { stdout } = await lab.router.run(['sipalg', 'policy']);
        assert.not.match(stdout, 'The voice firewall rules are in force.');
        assert.match(stdout.replace(/\s+/g, ' '), /Calls that providers may open are not let in: the firewall that lets them in is not loaded/);
        assert.is((await lab.router.run(['sipalg', 'status'])).status, 1);
        await lab.router.must([firewall, '-q', 'start']);
        assert.ok(await reaches(lab), `${verb}: the firewall's own start brings them`);
        const status = await lab.router.run(['sipalg', 'status']);
        assert.is(status.status, 0, status.stdout);
      }
    }));
}

test.run();
