/** Rules of nftables that turn packets away, and sets that hold a peer of calls: what of both could be voice's. */
import type { Host, Reading } from '../../host/host.ts';
import { blockSetOf, declaredSets } from '../../languages/nft/blocks.ts';
import { dropRule } from '../../languages/nft/drops.ts';
import type { DropRule } from '../../languages/nft/drops.ts';
import { createRulesetReader, RULE } from '../../languages/nft/ruleset.ts';
import type { Rule, Ruleset } from '../../languages/nft/ruleset.ts';
import type { Facts } from '../facts.ts';
import { answered, orElse, present, runInParts, understood } from '../reading.ts';
import { countedMarks, givesRandomPorts, portSet, sipRedirect } from '../../languages/nft/translations.ts';
import type { CallFacts, Counted, MarkCount, PortSet, SipRedirect } from './facts.ts';

const LIST = ['nft', '-j', '-t', 'list', 'ruleset'];
/** Each question is a process. */
const MOST_QUESTIONS = 48;
const MOST_RULES = 200;

export interface Rules {
  drops: Reading<DropRule[]>;
  redirects: Reading<SipRedirect[]>;
  randomPorts: Reading<string[]>;
  portSets: Reading<PortSet[]>;
  marks: Reading<MarkCount[]>;
  /** Counted rules that ask for nothing but the device a packet came by: where everything ends that no rule let in. */
  ends: DropRule[];
  /** Sets by which some rule drops, as `family table name`. */
  sets: Set<string>;
  /** Sets of ipset by which some rule of iptables drops. */
  ipsets: { name: string; family: 'ipv4' | 'ipv6' }[];
}

const isEnd = ({ asks, more, limits, packets }: DropRule): boolean =>
  packets !== null && !more && !limits && asks.length > 0 && asks.every(({ of, not }) => of === 'in' && !not);

const narrows = ({ asks }: DropRule): boolean => asks.some(({ of }) => of !== 'in' && of !== 'out' && of !== 'protocol');

/** Keeps of rules, as they come, what turns packets away. */
export function createDropReader() {
  const sets = new Set<string>();
  const drops: DropRule[] = [];
  const ends: DropRule[] = [];
  const redirects: SipRedirect[] = [];
  const randomPorts: string[] = [];
  const portSets: PortSet[] = [];
  const marks: MarkCount[] = [];
  return {
    take(rule: Rule, { chains }: Ruleset): void {
      translations(rule);
      const set = blockSetOf(rule);
      if (set !== null) sets.add(`${rule.family} ${rule.table} ${set}`);
      const drop = dropRule(rule, (chain) =>
        chains.find(({ family, table, name }) => family === chain.family && table === chain.table && name === chain.chain),
      );
      if (drop === null || `${rule.family} ${rule.table}` === 'inet sipalg') return;
      if (isEnd(drop)) ends.push(drop);
      if (narrows(drop) && drops.length < MOST_RULES) drops.push(drop);
    },
    /** @param listed whether they could be listed at all */
    end: (listed: Reading<unknown>): Rules => ({
      drops: understood(listed, () => drops),
      redirects: understood(listed, () => redirects),
      randomPorts: understood(listed, () => randomPorts),
      portSets: understood(listed, () => portSets),
      marks: understood(listed, () => marks),
      ends: listed.state === 'present' ? ends : [],
      sets,
      ipsets: [],
    }),
  };

  function translations(rule: Rule): void {
    const where = `${rule.family} ${rule.table} ${rule.chain} handle ${rule.handle}`;
    const redirect = sipRedirect(rule);
    // Those of /etc/config/firewall are told by that file (firewall4: dstnat_ZONE).
    if (redirect !== null && !(rule.table === 'fw4' && rule.chain.startsWith('dstnat_')) && redirects.length < MOST_RULES)
      redirects.push(redirect);
    if (givesRandomPorts(rule)) randomPorts.push(where);
    const kept = portSet(rule);
    if (kept !== null && portSets.length < MOST_RULES) portSets.push(kept);
    const counted = countedMarks(rule);
    if (counted !== null && marks.length < MOST_RULES) marks.push({ by: `nft ${where}`, ...counted });
  }
}

/** The same rules listed once more, for a second look. */
export async function observeDropRules(host: Host, facts: Pick<Facts, 'iptables' | 'system'>): Promise<Rules> {
  const drops = createDropReader();
  const reader = createRulesetReader((rule, ruleset) => {
    drops.take(rule, ruleset);
    return false;
  });
  const answer = answered(await runInParts(host, LIST, { parts: { at: RULE, take: reader.take } }));
  return withIptables(host, facts, drops.end(understood(answer, () => reader.end())));
}

/** Packets of audio that the voice rules have marked; null where they are none of nftables, or not there. */
export async function observeMarked(host: Host): Promise<number | null> {
  const said = answered(await host.run(['nft', 'list', 'counter', 'inet', 'sipalg', 'voice_media']));
  const [, packets] = /\bpackets (\d+) bytes \d+/.exec(orElse(said, '')) ?? [];
  return packets === undefined ? null : Number(packets);
}

/** The commands that show rules of iptables: those that showed some already, and fw3's. */
function savesOf({ iptables, system }: Pick<Facts, 'iptables' | 'system'>): string[] {
  const seen = iptables.flatMap((reading) => (reading.state === 'present' ? [reading.value.save] : []));
  return seen.length > 0 || orElse(system.firewall, 'fw4') !== 'fw3' ? seen : ['iptables-save', 'ip6tables-save'];
}

/** The drop rules of iptables beside those of nftables; what of either could not be read, is not known of both. */
export async function withIptables(host: Host, facts: Pick<Facts, 'iptables' | 'system'>, rules: Rules): Promise<Rules> {
  const failed = facts.iptables.find(({ state }) => state === 'failed');
  const saves = savesOf(facts);
  if (saves.length === 0) return failed?.state === 'failed' ? { ...rules, drops: failed } : rules;
  const { savedDropsIn } = await import('./iptables.ts');
  const all = await Promise.all(saves.map((save) => savedDropsIn(host, save)));
  const lost = failed ?? all.find(({ state }) => state === 'failed');
  const found = all.flatMap((reading) => orElse(reading, []));
  const sets = found.flatMap(({ set, family }) =>
    set === null ? [] : [{ name: set, family: family === 'ip' ? ('ipv4' as const) : ('ipv6' as const) }],
  );
  const plain = found.map(({ set: _, ...drop }): DropRule => drop);
  const seen = rules.drops.state !== 'absent' || all.some(({ state }) => state === 'present');
  const drops =
    lost?.state === 'failed'
      ? lost
      : rules.drops.state === 'failed'
        ? rules.drops
        : seen
          ? present('iptables-save -c', [...orElse(rules.drops, []), ...plain.filter(narrows).slice(0, MOST_RULES)])
          : rules.drops;
  return { ...rules, drops, ends: [...rules.ends, ...plain.filter(isEnd)], ipsets: sets };
}

/** Packets from the internet that were turned away; null where no rule counts them. */
export function rejectedOf({ ends }: Pick<Rules, 'ends'>, wan: readonly string[]): Counted | null {
  const from = ends.filter(({ asks }) => asks.every(({ values }) => values.some((name) => wan.includes(name))));
  const sum = (of: 'packets' | 'bytes'): number => from.reduce((all, rule) => all + (rule[of] ?? 0), 0);
  return from.length === 0 ? null : { packets: sum('packets'), bytes: sum('bytes') };
}

interface Question {
  set: string;
  address: string;
  argv: string[];
}

/** nft and ipset both end with 1 where an element is not there. */
const isNot = /No such file or directory|is NOT in set/;

/** Asks each set, where a look spends nothing of it, for each of these addresses. */
export async function observeBlocked(
  host: Host,
  { sets, ipsets }: Pick<Rules, 'sets' | 'ipsets'>,
  peers: readonly string[],
): Promise<CallFacts['blocked']> {
  const source = ipsets.length > 0 ? 'ipset test' : 'nft get element';
  if (sets.size + ipsets.length === 0 || peers.length === 0) return { state: 'absent', source };
  const of = (family: 'ipv4' | 'ipv6'): string[] => peers.filter((address) => address.includes(':') === (family === 'ipv6'));
  const questions: Question[] = [...new Map(ipsets.map((one) => [one.name, one])).values()].flatMap(({ name, family }) =>
    of(family).map((address) => ({ set: `ipset ${name}`, address, argv: ['ipset', 'test', name, address] })),
  );
  if (sets.size > 0) {
    const listed = answered(await host.run(['nft', '-t', 'list', 'sets']));
    if (listed.state === 'failed') return listed;
    const asked = declaredSets(orElse(listed, '')).filter(({ key, limited }) => sets.has(key) && !limited);
    for (const { key, family } of asked)
      for (const address of of(family))
        questions.push({ set: key, address, argv: ['nft', 'get', 'element', ...key.split(' '), `{ ${address} }`] });
  }
  const holding: { set: string; address: string }[] = [];
  for (const { set, address, argv } of questions.slice(0, MOST_QUESTIONS)) {
    const outcome = await host.run(argv);
    if (outcome.state === 'exited' && outcome.code === 1 && isNot.test(outcome.stderr)) continue;
    const answer = answered(outcome);
    if (answer.state === 'failed') return answer;
    if (answer.state === 'absent') return { state: 'failed', source: argv.join(' '), because: 'it is not installed' };
    holding.push({ set, address });
  }
  return present(source, holding);
}
