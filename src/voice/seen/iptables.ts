/** What of the voice rules is in iptables and ipset, what they have counted, and what this router's iptables can do. */
import type { Host, Reading } from '../../host/host.ts';
import { parseSave } from '../../languages/iptables/save.ts';
import type { SavedRuleset } from '../../languages/iptables/save.ts';
import type { Facts } from '../../observe/facts.ts';
import { answered, orElse, present, understood } from '../../observe/reading.ts';
import { readPrefix, writePrefix } from '../../languages/address/prefixes.ts';
import { hash } from '../../host/hash.ts';
import type { Attempt, InForce, IptablesSeen, PolicyFacts } from '../facts.ts';
import { digit, LIMIT_EXPIRES, METHODS, MOST_PEERS, OURS, PEER_SETS } from '../own.ts';
import type { Family } from '../own.ts';
import { counterName, markOf, ownTables, shapeOf } from './iptables-own.ts';

/** What `observeIptablesPolicy` adds to the facts. */
export interface SeenPolicy {
  extensions: Record<string, boolean>;
  inForce: { ipv4: Reading<InForce>; ipv6: Reading<InForce> };
  iptables: NonNullable<PolicyFacts['iptables']>;
}

/** One rule for each match and target, such as the voice rules need it. */
const PROBES: Readonly<Record<string, string>> = {
  comment: '-m comment --comment probe',
  conntrack: '-m conntrack --ctdir ORIGINAL',
  multiport: '-p tcp -m multiport --ports 5060',
  u32: '-m u32 --u32 "0=0"',
  recent: `-m recent --set --name ${OURS}probe`,
  dscp: '-m dscp --dscp 0x2e',
  DSCP: '-j DSCP --set-dscp 0x2e',
  hashlimit: `-m hashlimit --hashlimit-above 1/minute --hashlimit-mode srcip --hashlimit-name ${OURS}probe`,
};
/** It is known by the words it refuses an unknown set with. */
const SET_PROBES = [`-m set --match-set ${OURS}probe src -j RETURN`, `-j SET --add-set ${OURS}probe src --exist --timeout 1`];

async function probe(host: Host, restore: string, ...rules: string[]): Promise<{ taken: boolean; said: string }> {
  const input = ['*mangle', ...rules.map((rule) => `-A PREROUTING ${rule}`), 'COMMIT', ''].join('\n');
  const outcome = await host.run([restore, '--noflush', '--wait', '10', '--test'], { input });
  return { taken: outcome.state === 'exited' && outcome.code === 0, said: outcome.state === 'exited' ? outcome.stderr : '' };
}

/** All at once where all are there; the kernel's own lists have the last word, for the tool alone may know more than its kernel. */
async function observeExtensions(host: Host, restore: string, ipset: boolean): Promise<Record<string, boolean>> {
  const names = Object.keys(PROBES);
  const all = (await probe(host, restore, ...Object.values(PROBES))).taken;
  const has: Record<string, boolean> = {};
  for (const name of names) has[name] = all || (await probe(host, restore, PROBES[name] as string)).taken;
  has['set'] = ipset;
  for (const rule of ipset ? SET_PROBES : []) has['set'] &&= /doesn't exist/i.test((await probe(host, restore, rule)).said);
  if (restore.includes('nft')) return has;
  for (const [file, only] of [
    ['/proc/net/ip_tables_matches', (name: string) => name !== 'DSCP'],
    ['/proc/net/ip_tables_targets', (name: string) => name === 'DSCP'],
  ] as const) {
    const listed = orElse(await host.read(file), '').split('\n');
    for (const name of Object.keys(has)) if (only(name) && listed.length > 1 && !listed.includes(name)) has[name] = false;
  }
  return has;
}

/** Sets that drop; banIP has about forty. */
const MOST_BLOCKS = 64;

/** The command that shows a family's rules: the one whose rules were seen already, legacy first, for fw3 writes those. */
function saveOf(facts: Facts, family: Family): string {
  const plain = family === 'ipv4' ? 'iptables-save' : 'ip6tables-save';
  const seen = facts.iptables.flatMap((reading) =>
    reading.state === 'present' && reading.value.save.startsWith(plain.slice(0, -5)) ? [reading.value.save] : [],
  );
  return seen.find((save) => !save.includes('nft')) ?? seen[0] ?? plain;
}

/**
 * `jiffies` of the kernel now and how many there are in a second; null where it does not say. They begin five minutes before they
 * overflow (include/linux/jiffies.h).
 */
async function clock(host: Host): Promise<{ now: number; hz: number } | null> {
  const [list, uptime] = await Promise.all([
    host.read('/proc/timer_list', { select: { holding: ['jiffies: '] } }),
    host.read('/proc/uptime'),
  ]);
  const now = Number(/jiffies: (\d+)/.exec(orElse(list, ''))?.[1] ?? NaN) % 2 ** 32;
  const up = parseFloat(orElse(uptime, ''));
  const off = (hz: number): number => {
    const apart = (((now - hz * (up - 300)) % 2 ** 32) + 2 ** 32) % 2 ** 32;
    return Math.min(apart, 2 ** 32 - apart) / hz;
  };
  const hz = [100, 250, 300, 1000].sort((one, other) => off(one) - off(other))[0] as number;
  return off(hz) < 60 ? { now, hz } : null;
}

/**
 * A list of the match `recent` (xt_recent.c): each source with its last stamps: 32 of them, of the last 100 sources, unless the
 * module was told otherwise.
 */
interface Remembered {
  source: string;
  stamps: number[];
}

async function readRecent(host: Host, name: string): Promise<Remembered[]> {
  const text = orElse(await host.read(`/proc/net/xt_recent/${OURS}${name}`), '');
  return [...text.matchAll(/^src=(\S+) .*oldest_pkt: \d+ ([\d, ]+)$/gm)].map(([, source, stamps]) => ({
    source: short(source as string),
    stamps: (stamps as string).split(', ').map(Number),
  }));
}

/** The kernel writes `2001:0db8:0000:...` in /proc. */
function short(address: string): string {
  const prefix = readPrefix(address);
  return 'wrong' in prefix ? address : writePrefix(prefix);
}

async function observeAttempts(host: Host, family: Family): Promise<Attempt[]> {
  if (!orElse(await host.list('/proc/net/xt_recent'), []).includes(`${OURS}tcp${digit(family)}`)) return observeLimited(host, family);
  const time = await clock(host);
  const at = (stamp: number): number | null =>
    time === null ? null : Math.round(host.now() - (((((time.now - stamp) % 2 ** 32) + 2 ** 32) % 2 ** 32) / time.hz) * 1000);
  const n = digit(family);
  const found = await Promise.all(
    METHODS.map(async (method): Promise<Attempt[]> => {
      const [single, more, dropped] = await Promise.all(
        [`single_${method}`, method, `limited_${method}`].map((list) => readRecent(host, `${list}${n}`)),
      );
      const seen = new Map<string, number[]>();
      for (const { source, stamps } of [...(single ?? []), ...(more ?? [])]) seen.set(source, [...(seen.get(source) ?? []), ...stamps]);
      return [...seen].map(([source, stamps]) => {
        const times = stamps.map(at).filter((stamp) => stamp !== null);
        return {
          source,
          method: method.toUpperCase(),
          seen: stamps.length,
          dropped: dropped?.find((one) => one.source === source)?.stamps.length ?? 0,
          first: times.length > 0 ? Math.min(...times) : null,
          last: times.length > 0 ? Math.max(...times) : null,
        };
      });
    }),
  );
  return found.flat();
}

/** Without `recent`: who is in hashlimit's tables, which is who asked within the last two minutes. */
async function observeLimited(host: Host, family: Family): Promise<Attempt[]> {
  const folder = family === 'ipv4' ? '/proc/net/ipt_hashlimit' : '/proc/net/ip6t_hashlimit';
  const names = orElse(await host.list(folder), []).filter((name) => name.startsWith(OURS));
  const found = await Promise.all(
    names.map(async (name) => {
      const method = { r: 'REGISTER', i: 'INVITE', o: 'OPTIONS', x: 'OTHER', t: 'TCP' }[name.charAt(OURS.length)];
      if (method === undefined) return [];
      const text = orElse(await host.read(`${folder}/${name}`), '');
      return [...text.matchAll(/^(\d+) (\S+?):\d+->/gm)].map(([, left, source]): Attempt => ({
        source: short(source as string),
        method,
        seen: 1,
        dropped: 0,
        first: null,
        last: host.now() - (LIMIT_EXPIRES - Number(left)) * 1000,
      }));
    }),
  );
  return found.flat();
}

/** Those of the firewall's own, for calls from providers, are others. */
const OUR_SETS = new RegExp(`^${OURS}(signalling|media|sites|swap|${Object.keys(PEER_SETS).join('|')})[46]$`);

/** Sets of ipset, with how many entries each has (null where an old one does not say); null where there is no ipset. */
async function observeSets(host: Host): Promise<Map<string, number | null> | null> {
  const listed = answered(await host.run(['ipset', 'list', '-t']));
  if (listed.state !== 'present') return null;
  return new Map(
    listed.value
      .split(/^Name: /m)
      .slice(1)
      .flatMap((text) => {
        const name = text.slice(0, text.indexOf('\n'));
        const entries = /^Number of entries: (\d+)$/m.exec(text)?.[1];
        return OUR_SETS.test(name) ? [[name, entries === undefined ? null : Number(entries)] as const] : [];
      }),
  );
}

async function observePhones(host: Host, family: Family, sets: ReadonlyMap<string, unknown> | null): Promise<string[]> {
  const name = `phones${digit(family)}`;
  if (sets?.has(OURS + name) !== true) return (await readRecent(host, name)).map(({ source }) => source);
  const saved = answered(await host.run(['ipset', 'save', OURS + name]));
  return [...orElse(saved, '').matchAll(/^add \S+ (\S+)/gm)].map(([, address]) => address as string);
}

/** What chain FORWARD says of our rule against the offload, which must not stand before anything of its owner's: fw3's is a target. */
export function keptOut(forward: readonly (readonly string[])[]): Required<Pick<IptablesSeen, 'keeps' | 'offloadAt' | 'misplaced'>> {
  const keep = forward.findIndex((args) => args.includes(`${OURS}keep`));
  const others = forward.filter((args) => !args.includes(`${OURS}keep`));
  const offload = others.findIndex((args) => args.includes('FLOWOFFLOAD'));
  const place = offload < 0 ? others.length : offload;
  return { keeps: keep >= 0 && keep <= place, offloadAt: offload < 0 ? null : offload + 1, misplaced: keep >= 0 && keep !== place };
}

/** Sets of ipset by whose addresses a rule that is not ours drops, of source or destination alone. */
function blockSetsOf({ tables }: SavedRuleset): string[] {
  const names = tables
    .flatMap(({ rules }) => rules)
    .flatMap(({ args }): string[] => {
      const at = args.indexOf('--match-set');
      const drops = /drop|reject|deny/i.test(args[Math.max(args.lastIndexOf('-j'), args.lastIndexOf('-g')) + 1] ?? '');
      const [name = '', side = ''] = args.slice(at + 1);
      return at > 0 && args[at - 1] !== '!' && drops && ['src', 'dst'].includes(side) && !name.startsWith(OURS) ? [name] : [];
    });
  return [...new Set(names)].slice(0, MOST_BLOCKS);
}

/** How many sources a list of `recent` holds before it forgets the one it has not seen for longest. */
async function mostRecent(host: Host): Promise<number> {
  return Number(orElse(await host.read('/sys/module/xt_recent/parameters/ip_list_tot'), '').trim()) || 100;
}

/** What the rules fill, where it holds something: sets of ipset, and who tried in lists of `recent`. */
async function observeLists(
  host: Host,
  family: Family,
  sets: ReadonlyMap<string, number | null> | null,
): Promise<InForce['lists']> {
  const n = digit(family);
  const filled = Object.keys(PEER_SETS).flatMap((name) => {
    const entries = sets?.get(`${OURS}${name}${n}`) ?? 0;
    return entries > 0 ? [{ name: `${name}${n}`, entries, most: MOST_PEERS }] : [];
  });
  // Who is trusted stands in its list for one packet: that it is full says nothing.
  const there = orElse(await host.list('/proc/net/xt_recent'), []).filter(
    (name) => name.startsWith(OURS) && name.endsWith(`${n}`) && name !== `${OURS}trusted${n}`,
  );
  const most = there.length === 0 ? 0 : await mostRecent(host);
  const recent = await Promise.all(
    there.map(async (name) => {
      const entries = orElse(await host.read(`/proc/net/xt_recent/${name}`), '').split('\n').filter((line) => line !== '').length;
      return { name: name.slice(OURS.length), entries, most };
    }),
  );
  return [...filled, ...recent.filter(({ entries }) => entries > 0)];
}

async function observeFamily(
  host: Host,
  facts: Facts,
  family: Family,
  sets: Map<string, number | null> | null,
): Promise<{ seen: Reading<IptablesSeen>; inForce: Reading<InForce> }> {
  const none = family === 'ipv6' ? await host.kind('/proc/net/if_inet6') : null;
  // A kernel without IPv6 has no tables for it, even where the commands are installed.
  if (none?.state === 'absent') return { seen: none, inForce: none };
  const save = saveOf(facts, family);
  const restore = save.replace(/-save$/, '-restore');
  const ruleset = understood(answered(await host.run([save, '-c'])), parseSave);
  if (ruleset.state !== 'present') return { seen: ruleset, inForce: ruleset };
  const tables = ownTables(ruleset.value);
  const counted: Record<string, string> = {};
  const counters: InForce['counters'] = [];
  for (const { chain, counters: count } of ruleset.value.tables.flatMap(({ rules }) => rules)) {
    const name = counterName(chain);
    if (name === null || count === null || counted[chain] !== undefined) continue;
    counted[chain] = count;
    const [packets = 0, bytes = 0] = count.slice(1, -1).split(':').map(Number);
    counters.push({ name, packets, bytes });
  }
  const forward = ruleset.value.tables.find(({ name }) => name === 'filter')?.rules.filter(({ chain }) => chain === 'FORWARD') ?? [];
  const blocks = blockSetsOf(ruleset.value);
  const seen = present(ruleset.source, {
    ...(blocks.length > 0 ? { blocks } : {}),
    restore,
    tables,
    counted,
    ...keptOut(forward.map(({ args }) => args)),
  });
  if (tables.length === 0) return { seen, inForce: { state: 'absent', source: ruleset.source } };
  const own = sets === null ? [] : [...sets.keys()].filter((name) => name.endsWith(String(digit(family))));
  return {
    seen,
    inForce: present(ruleset.source, {
      mark: markOf(tables),
      shape: hash(shapeOf(ruleset.value)),
      loaded: null,
      networks: null,
      counters,
      objects: [
        ...tables.flatMap(({ chains }) => chains.map((name) => ({ kind: 'chain' as const, name }))),
        ...own.map((name) => ({ kind: 'set' as const, name })),
      ],
      attempts: await observeAttempts(host, family),
      phones: await observePhones(host, family, sets),
      lists: await observeLists(host, family, sets),
    }),
  };
}

/**
 * Looks at both families. Never throws.
 * @param wanted `option policy` is 1: only then it is asked what iptables can do
 */
export async function observeIptablesPolicy(host: Host, facts: Facts, wanted: boolean): Promise<SeenPolicy> {
  const sets = await observeSets(host);
  const [ipv4, ipv6] = await Promise.all([observeFamily(host, facts, 'ipv4', sets), observeFamily(host, facts, 'ipv6', sets)]);
  const extensions = wanted && ipv4.seen.state === 'present' ? await observeExtensions(host, ipv4.seen.value.restore, sets !== null) : {};
  return {
    extensions,
    inForce: { ipv4: ipv4.inForce, ipv6: ipv6.inForce },
    iptables: { ipv4: ipv4.seen, ipv6: ipv6.seen, sets: [...(sets ?? [])].map(([name, entries]) => ({ name, entries })) },
  };
}
