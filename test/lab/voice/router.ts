/**
 * The lab with the voice rules in it: a PBX at phone2's address that the internet can reach on port 5060 (a port forward for
 * IPv4, a rule for IPv6), scanners at addresses of the internet that are no provider's, and /etc/config/sipalg.
 */
import type { RouterFacts } from '../../../src/survey/survey.ts';
import type { InForce } from '../../../src/voice/facts.ts';
import { bundled } from '../../bundled.ts';
import { openLab } from '../lab.ts';
import type { Lab, LabOptions } from '../lab.ts';
import type { Member, Process, Ran } from '../member.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import type { Pbx, Scan } from '../scanner.ts';

/** Addresses of the internet where scanners are, at the provider's end of the cable. */
export const SCANNERS = ['203.0.113.66', '203.0.113.67', '203.0.113.68'] as const;
export const SCANNER6 = '2001:db8:113::66';

const FORWARD = `
config redirect 'pbx'
	option name 'PBX'
	option src 'wan'
	option dest 'lan'
	option proto 'udp'
	option src_dport '5060'
	option dest_ip '${ADDRESS.phone2}'
	option dest_port '5060'
	option target 'DNAT'

config rule 'pbx6'
	option name 'PBX6'
	option src 'wan'
	option dest 'lan'
	option family 'ipv6'
	option proto 'udp'
	option dest_ip '${ADDRESS6.phone2}'
	option dest_port '5060'
	option target 'ACCEPT'
`;

/** The provider of the lab, in the words of the configuration. */
export const PROVIDER = `
config provider 'lab'
	list signalling '${ADDRESS.provider}'
	list signalling '${ADDRESS6.provider}'
`;

/** /etc/config/sipalg with the voice rules wanted, or not, and the ALG left alone. */
export const configuration = (sections = '', policy: 0 | 1 = 1): string => `config sipalg 'main'
	option alg 'unmanaged'
	option policy '${policy}'
${sections}`;

export type House = Lab & {
  /** Writes the configuration and runs `sipalg apply`. */
  apply(config: string): Promise<Ran>;
  /** Like `apply`; anything but the exit code 0 is an error. */
  mustApply(config: string): Promise<void>;
  /** Our table as nft lists it; '' where there is none. */
  table(): Promise<string>;
  /** The timeouts of conntrack for UDP, those of OpenWrt to begin with. */
  udpTimeouts(unreplied: number, replied: number): Promise<void>;
  pbx(): Promise<Pbxing>;
  scan(options: Partial<Omit<Scan, 'role'>>): Promise<Scanned>;
};

/** Replies are counted by their status code, where a password was given. */
export type Scanned = { sent: number; answered: number; replies?: Record<string, number> };

export type Pbxing = { heard(): Promise<Record<string, number>>; end(): Promise<void> };

export async function openHouse(options: LabOptions = {}): Promise<House> {
  const lab = await openLab({ ruleset: 'stock-alg-absent', ...options });
  try {
    await lab.provider.must([
      'sh',
      '-ec',
      `${SCANNERS.map((address) => `ip addr add ${address}/24 dev eth0; `).join('')} ip addr add ${SCANNER6}/64 dev eth0 nodad`,
    ]);
    lab.files.write('/etc/config/firewall', lab.files.read('/etc/config/firewall') + FORWARD);
    await lab.router.must(['fw4', '-q', 'reload']);
    return furnished(lab);
  } catch (error) {
    await lab.close();
    throw error;
  }
}

function furnished(lab: Lab): House {
  const house: House = {
    ...lab,
    async apply(config) {
      lab.files.write('/etc/config/sipalg', config);
      return lab.router.run(['sipalg', 'apply'], { timeout: 60_000 });
    },
    async mustApply(config) {
      const ran = await house.apply(config);
      if (ran.status !== 0) throw new Error(`sipalg apply ended with ${ran.status ?? ran.signal}\n${ran.stdout}${ran.stderr}`);
    },
    async table() {
      const { status, stdout } = await lab.router.run(['nft', 'list', 'table', 'inet', 'sipalg']);
      return status === 0 ? stdout : '';
    },
    async udpTimeouts(unreplied, replied) {
      await lab.router.must([
        'sh',
        '-ec',
        `cd /proc/sys/net/netfilter; echo ${unreplied} > nf_conntrack_udp_timeout; echo ${replied} > nf_conntrack_udp_timeout_stream`,
      ]);
    },
    async pbx() {
      const config: Pbx = { role: 'pbx', at: { address: '::', port: 5060 } };
      const running = lines(lab.phone2.spawn([process.execPath, '-e', await bundled('test/lab/scanner.ts'), JSON.stringify(config)]));
      await running.next();
      return {
        async heard() {
          running.process.child.stdin.write('\n');
          const { heard } = (await running.next()) as { heard: Record<string, number> };
          return Object.fromEntries(Object.entries(heard).map(([key, count]) => [key.replace('::ffff:', ''), count]));
        },
        async end() {
          running.process.child.stdin.end();
          await running.process.ended;
        },
      };
    },
    async scan(given) {
      const config: Scan = {
        role: 'scan',
        from: { address: SCANNERS[0], port: 5060 },
        to: { address: ADDRESS.wan, port: 5060 },
        methods: ['REGISTER'],
        count: 100,
        every: 10,
        batch: 5,
        ...given,
      };
      return scanFrom(lab.provider, config);
    },
  };
  return house;
}

/** Sends from any member; a scanner of the internet is the provider's. */
export async function scanFrom(member: Member, config: Scan): Promise<Scanned> {
  const said = await member.must([process.execPath, '-e', await bundled('test/lab/scanner.ts'), JSON.stringify(config)], {
    timeout: 60_000,
  });
  return JSON.parse(said) as Scanned;
}

function lines(process_: Process): { process: Process; next(): Promise<unknown> } {
  const waiting: ((line: unknown) => void)[] = [];
  const had: string[] = [];
  let rest = '';
  process_.child.stdout.on('data', (data: Buffer) => {
    const parts = (rest + data).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const taker = waiting.shift();
      if (taker) taker(JSON.parse(part));
      else had.push(part);
    }
  });
  process_.child.stderr.resume();
  return {
    process: process_,
    next() {
      const first = had.shift();
      return first === undefined
        ? new Promise((resolve, reject) => {
            waiting.push(resolve);
            process_.ended.then(() => reject(new Error('the PBX of the lab ended')), reject);
          })
        : Promise.resolve(JSON.parse(first) as unknown);
    },
  };
}

export const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What conntrack holds for UDP between two ports of the phone's side and the far side, as it lists them. */
export async function flowsOf(
  lab: Lab,
  source: string,
  port: number,
  family: 'ipv4' | 'ipv6' = 'ipv4',
): Promise<{ left: number; text: string }[]> {
  const { stdout } = await lab.router.run([
    'conntrack',
    '-L',
    '-f',
    family,
    '-p',
    'udp',
    '--orig-src',
    source,
    '--orig-port-dst',
    String(port),
  ]);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('udp'))
    .map((text) => ({ left: Number(/^udp\s+17\s+(\d+)/.exec(text)?.[1] ?? NaN), text }));
}

/** Requests a minute and source address, as they are where nothing is configured; SUBSCRIBE is one of the other methods. */
export const RATES = { REGISTER: 5, INVITE: 10, OPTIONS: 10, SUBSCRIBE: 20 } as const;

/** What `sipalg status` sees of the rules in the kernel. */
export async function inForceOf(house: House): Promise<InForce> {
  const { stdout, stderr } = await house.router.run(['sipalg', 'status', '--json']);
  const { facts } = JSON.parse(stdout || `"${stderr}"`) as { facts: RouterFacts };
  const seen = facts.policy.state === 'present' ? facts.policy.value.inForce.all : facts.policy;
  if (seen.state !== 'present') throw new Error(JSON.stringify(seen));
  return seen.value as InForce;
}

/** Lets TCP through to the PBX, over IPv6. */
export function allowTcp(house: House): void {
  house.files.write(
    '/etc/config/firewall',
    `${house.files.read('/etc/config/firewall')}
config rule 'pbx6tcp'
	option src 'wan'
	option dest 'lan'
	option family 'ipv6'
	option proto 'tcp'
	option dest_ip '${ADDRESS6.phone2}'
	option dest_port '5060'
	option target 'ACCEPT'
`,
  );
}
