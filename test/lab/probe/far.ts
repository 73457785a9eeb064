/** What stands beyond the lab's router for a probe: a SIP server that people run, a mirror, and a second router. */
import * as assert from 'uvu/assert';
import type { MirrorProbe as MirrorResult } from '../../../src/probe/mirror/result.ts';
import type { ProviderProbe as ProviderResult } from '../../../src/probe/provider/result.ts';
import { bundled, type Engine } from '../../bundled.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { hold, type Member, type Process } from '../member.ts';
import { ADDRESS, ADDRESS6, inHostPids } from '../network.ts';
import type { Published } from '../../../src/words/published.ts';

type MirrorProbe = Published<MirrorResult>;
type ProviderProbe = Published<ProviderResult>;

/** Answers every request, wherever Via says it is to be answered; nothing more. */
const KAMAILIO = `
debug=0
log_stderror=yes
children=1
auto_aliases=no
listen=udp:${ADDRESS.provider}:5060
listen=tcp:${ADDRESS.provider}:5060
loadmodule "sl.so"
loadmodule "pv.so"

request_route { sl_send_reply("404", "Not Found"); exit; }
`;

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits for a socket in a member, by the hexadecimal port of /proc. */
async function listens(member: Member, process: Process, said: () => string, table: string, port: number): Promise<void> {
  const mark = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (let tries = 0; !(await member.must(['cat', `/proc/net/${table}`])).includes(mark); tries++) {
    if (tries === 600 || process.child.exitCode !== null) throw new Error(`nobody listens at ${port}: ${said()}`);
    await pause(50);
  }
}

async function started(member: Member, argv: readonly string[], tables: readonly (readonly [string, number])[]): Promise<Process> {
  const process = member.spawn(argv);
  let said = '';
  for (const stream of [process.child.stdout, process.child.stderr]) stream.on('data', (data: Buffer) => (said += data));
  for (const [table, port] of tables) await listens(member, process, () => said, table, port);
  return process;
}

export async function kamailio({ provider }: Lab): Promise<void> {
  await provider.must(['sh', '-c', 'cat >/tmp/kamailio.cfg'], { input: KAMAILIO });
  const options = ['-DD', '-E', '-Y', '/tmp', '-P', '/tmp/kamailio.pid', '-m', '16', '-M', '4'];
  await started(
    provider,
    ['kamailio', '-f', '/tmp/kamailio.cfg', ...options],
    [
      ['udp', 5060],
      ['tcp', 5060],
    ],
  );
}

/** The same over TLS, with a certificate that is good for nobody. */
export async function overTls({ provider }: Lab): Promise<void> {
  await started(
    provider,
    [process.execPath, '-e', await bundled('test/lab/probe/tls-server.ts'), 'serve', ADDRESS.provider],
    [['tcp', 5061]],
  );
}

const PROGRAM = [process.execPath, `${process.cwd()}/dist/sipalg.js`];

export const mirror = ({ provider }: Lab): Promise<Process> =>
  started(
    provider,
    [...PROGRAM, 'mirror'],
    [
      ['udp', 5060],
      ['udp6', 5080],
      ['tcp6', 5080],
    ],
  );

/** What the provider's own name server would say of it is left out: addresses are asked. */
export async function probing<T extends ProviderProbe | MirrorProbe>(
  lab: Lab,
  from: 'phone' | 'phone2' | 'router',
  words: readonly string[],
): Promise<{ status: number | null; probe: T }> {
  const argv = from === 'router' ? ['sipalg'] : PROGRAM;
  const { status, stdout, stderr } = await lab[from].run([...argv, 'probe', ...words, '--json'], { timeout: 180_000 });
  assert.is(stderr, '', stdout);
  return { status, probe: JSON.parse(stdout) as T };
}

export async function inLab(options: LabOptions & { engine?: Engine }, work: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    await work(lab);
  } finally {
    await lab.close();
  }
}

/** The router's WAN, once another router stands before it. */
export const BETWEEN = { router: '192.168.178.2', upstream: '192.168.178.1' } as const;

/**
 * Puts a second router between the first and the provider, with a translation of its own. What was the first one's public
 * address is the second one's then.
 *
 *   [router] wan 192.168.178.2 --- lan 192.168.178.1 [upstream] wan 203.0.113.20 --- 203.0.113.10 provider
 */
export async function putUpstream(lab: Lab, { alg }: { alg: boolean }): Promise<Member> {
  const upstream = await hold('Upstream');
  try {
    await lab.router.must(['ip', 'link', 'del', 'wan']); // its other end was the provider's
    await inHostPids(
      upstream,
      `
      ip link add lan type veth peer name wan netns ${lab.router.pid}
      ip link add wan type veth peer name eth0 netns ${lab.provider.pid}
      ip addr add ${BETWEEN.upstream}/24 dev lan
      ip addr add ${ADDRESS.wan}/24 dev wan
      ip link set lan up
      ip link set wan up
      echo 1 > /proc/sys/net/ipv4/ip_forward
      `,
    );
    const up = (address: string, device: string, more: string): string =>
      `ip addr add ${address}/24 dev ${device}; ip link set ${device} up; ${more}`;
    await lab.router.must(['sh', '-ec', up(BETWEEN.router, 'wan', `ip route add default via ${BETWEEN.upstream}`)]);
    await lab.provider.must(['sh', '-ec', up(ADDRESS.provider, 'eth0', `ip addr add ${ADDRESS6.provider}/64 dev eth0 nodad`)]);
    const helper = alg
      ? `ct helper sip { type "sip" protocol udp; }
         chain helper { type filter hook prerouting priority filter; iifname "lan" udp dport 5060 ct helper set "sip"; }`
      : '';
    await upstream.must(['nft', '-f', '-'], {
      input: `table inet up {
        ${helper}
        chain nat { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
      }
      `,
    });
    return upstream;
  } catch (error) {
    upstream.end();
    throw error;
  }
}

/** The same as `inLab`, with a second router. */
export const behindTwo = (options: LabOptions, alg: boolean, work: (lab: Lab, upstream: Member) => Promise<void>): Promise<void> =>
  inLab(options, async (lab) => {
    const upstream = await putUpstream(lab, { alg });
    try {
      await work(lab, upstream);
    } finally {
      upstream.end();
      await upstream.gone;
    }
  });

/** Fragments after the first are lost on the way to the provider, before it puts any together. */
export const loseFragments = ({ provider }: Lab): Promise<string> =>
  provider.must(['nft', '-f', '-'], {
    input: 'table ip lossy { chain in { type filter hook prerouting priority -450; ip frag-off & 0x1fff != 0 drop; }; }',
  });
