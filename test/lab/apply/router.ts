/** A router of the lab with the driver on it, and all of its state that a change must leave, or bring back, as it was. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { bundled } from '../../bundled.ts';
import { startOf } from '../../engines/start.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { comparable } from '../listing.ts';
import type { Process, Ran } from '../member.ts';
import { IPTABLES, loadCrowd } from './crowd.ts';

const DRIVER = '/usr/lib/sipalg/driver';
const LOG = '/tmp/driver.log';
export const WISH = '/etc/config/sipalg';
export const JOURNAL = '/etc/sipalg.journal';
export const LOCKS = ['/var/run/sipalg.lock', '/var/run/fw4.lock', '/var/run/fw3.lock'];

/** Everything durable and every rule: path or place to what stands there. */
export type State = ReadonlyMap<string, string>;

export type Told = Ran & {
  /** The changes it made or tried, in order, as the driver wrote them down. */
  readonly changes: readonly string[];
};

export type Router = {
  readonly lab: Lab;
  /** Runs the driver, in a session of its own, behind the words of another command if given (setpriv, env). */
  sipalg(words: readonly string[], trouble?: string, behind?: readonly string[]): Promise<Told>;
  /** Starts it and comes back at once. */
  start(words: readonly string[], trouble?: string): Process;
  state(): Promise<State>;
  /** Makes sure that a live flow is under the helper, with expectations open, in both families. */
  call(): Promise<void>;
  /** How many flows are under the helper. */
  flows(): Promise<number>;
  /** Waits until what a killed run had started has ended; an error where a lock stays held. */
  quiet(): Promise<void>;
  close(): Promise<void>;
};

export type RouterOptions = LabOptions & {
  /** Rules of other owners are there too (crowd.ts). */
  readonly crowd?: boolean;
  /** `fw4 check` fails once the modules are blocked. */
  readonly picky?: boolean;
};

const release = fs.readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();

/** Options of a router whose SIP modules are files and not in the kernel, and whose kmodloader reads the blacklist. */
export const ON_DISK: RouterOptions = {
  ruleset: 'stock-alg-absent',
  files: {
    [`/lib/modules/${release}/nf_conntrack_sip.ko`]: 'not really',
    [`/lib/modules/${release}/nf_nat_sip.ko`]: 'not really',
    '/sbin/kmodloader': 'reads /etc/modules.conf',
  },
};

const PICKY = `#!/bin/sh
if [ "$1" = check ] && grep -q '^blacklist nf_conntrack_sip' /etc/modules.conf; then
  echo 'Error: Could not process rule: No such file or directory' >&2
  exit 1
fi
exec /sbin/fw4.real "$@"
`;

/** A router in the words of a test's title. */
export function nameOf({ ruleset, fw3, crowd, picky, files, engine }: RouterOptions): string {
  return [
    fw3 === undefined ? ruleset : `fw3, ${fw3}`,
    ...(files ? ['modules on disk'] : []),
    ...(crowd ? ["other owners' rules"] : []),
    ...(picky ? ['a firewall that needs the module'] : []),
    ...(engine === 'quickjs' ? ['on QuickJS'] : []),
  ].join(', ');
}

export async function openRouter({ crowd, picky, ...options }: RouterOptions = {}): Promise<Router> {
  const engine = options.engine ?? 'node';
  const driver = await bundled(`test/lab/apply/driver-${engine}.ts`, engine);
  const program = `${DRIVER}.${engine === 'node' ? 'cjs' : 'mjs'}`;
  const start = await startOf(engine);
  const lab = await openLab(options);
  try {
    lab.files.write(program, driver);
    if (crowd) await loadCrowd(lab);
    if (picky) {
      await lab.router.must(['mv', '/sbin/fw4', '/sbin/fw4.real']);
      lab.files.write('/sbin/fw4', PICKY, 0o755);
    }
  } catch (error) {
    await lab.close();
    throw error;
  }
  const way = (words: readonly string[], trouble: string, behind: readonly string[] = []): string[] => [
    'setsid',
    '--wait',
    'env',
    `TROUBLE=${trouble}`,
    `DRIVER_LOG=${LOG}`,
    ...behind,
    ...start,
    program,
    ...words,
  ];
  return {
    lab,
    async sipalg(words, trouble = 'count', behind) {
      lab.files.write(LOG, '');
      const ran = await lab.router.run(way(words, trouble, behind), { timeout: 60_000 });
      return {
        ...ran,
        changes: lab.files
          .read(LOG)
          .split('\n')
          .filter((line) => line !== ''),
      };
    },
    start: (words, trouble = 'count') => lab.router.spawn(way(words, trouble)),
    state: () => stateOf(lab),
    async call() {
      for (const family of [4, 6] as const) await lab.sendInvite({ from: 'phone', to: 'provider', family });
    },
    async flows() {
      const { stdout } = await lab.router.run(['sh', '-c', 'conntrack -L -f ipv4; conntrack -L -f ipv6']);
      return stdout.split('\n').filter((line) => line.includes('helper=sip')).length;
    },
    async quiet() {
      await lab.router.must([
        'sh',
        '-ec',
        `
        tries=0
        while ps -e -o comm= | grep -Eqx 'nft|xtables-.*|ip6?tables.*|ipset|conntrack|fw[34]'; do
          tries=$((tries + 1)); [ $tries -lt 200 ]; sleep 0.02
        done
        for lock in ${LOCKS.join(' ')}; do flock -w 2 $lock true || { echo "$lock is still held" >&2; exit 1; }; done`,
      ]);
    },
    close: () => lab.close(),
  };
}

/** Opens a router, uses it, takes it away. */
export async function onRouter(options: RouterOptions, use: (router: Router) => Promise<void>): Promise<void> {
  const router = await openRouter(options);
  try {
    await use(router);
  } finally {
    await router.close();
  }
}

/** What it said on standard error, commands aside. */
export function complaints({ stderr }: { stderr: string }): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('[#]'));
}

async function stateOf(lab: Lab): Promise<State> {
  // A router with fw3 has no nft, and one flavour of iptables.
  const script = [
    `if command -v nft >/dev/null; then nft -j list ruleset; else echo '{"nftables": []}'; echo '=== ipset'; ipset save; fi`,
    ...IPTABLES.map((command) => `if command -v ${command}-save >/dev/null; then echo '=== ${command}'; ${command}-save; fi`),
  ].join('\n');
  const said = await lab.router.must(['sh', '-ec', script]);
  const [rules = '', ...saves] = said.split(/^=== /m);
  const state = new Map<string, string>();
  const places = new Map<string, number>();
  for (const entry of comparable((JSON.parse(rules) as { nftables: unknown[] }).nftables)) {
    const [kind, value] = Object.entries(entry as Record<string, { family?: string; table?: string; chain?: string; name?: string }>)[0]!;
    const where = `nft ${kind} ${value.family} ${value.table ?? ''} ${value.chain ?? ''} ${value.name ?? ''}`;
    const nth = (places.get(where) ?? 0) + 1;
    places.set(where, nth);
    state.set(`${where} ${nth}`, withoutAge(JSON.stringify(value)));
  }
  for (const save of saves) {
    const [name, ...lines] = save.split('\n');
    state.set(
      String(name),
      name === 'ipset'
        ? // Members come in the order of a hash with a seed of its own.
          lines
            .map((line) => line.replace(/ initval \S+/, ''))
            .sort()
            .join('\n')
        : lines
            .filter((line) => !line.startsWith('#'))
            .join('\n')
            .replace(/\[\d+:\d+\]/g, '[0:0]'),
    );
  }
  walk(lab.files.host('/etc'), '/etc', state);
  return state;
}

/** A set's element tells how long it has left. */
const withoutAge = (json: string): string => json.replace(/"expires":\d+/g, '"expires":0');

const hashes = new Map<string, string>();

/** A file read once is not read again while the kernel says that it is the same (inode, change time). */
function walk(folder: string, name: string, state: Map<string, string>): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    const stat = fs.lstatSync(path, { bigint: true });
    const about = `${(Number(stat.mode) & 0o177777).toString(8)} ${stat.uid}:${stat.gid}`;
    let content = '';
    if (entry.isSymbolicLink()) content = fs.readlinkSync(path);
    if (entry.isFile()) {
      const key = `${path} ${stat.dev} ${stat.ino} ${stat.ctimeNs} ${stat.size}`;
      content = hashes.get(key) ?? createHash('sha256').update(fs.readFileSync(path)).digest('hex');
      hashes.set(key, content);
    }
    state.set(`${name}/${entry.name}`, `${about} ${content}`);
    if (entry.isDirectory()) walk(path, `${name}/${entry.name}`, state);
  }
}

/** What differs, in lines one can read; empty exactly when the two are the same, `except` aside. */
export function differences(before: State, after: State, except: readonly string[] = []): string[] {
  const places = [...new Set([...before.keys(), ...after.keys()])].filter((place) => !except.includes(place));
  return places.flatMap((place) => {
    const [was, is] = [before.get(place), after.get(place)];
    if (was === is) return [];
    return [`${place}: ${was ?? 'was not there'} -> ${is ?? 'is not there'}`];
  });
}
