/** Rules of nftables that turn packets away, and sets that hold a peer of calls: what of both could be voice's. */
import type { Host, Reading } from '../../host/host.ts';
import { blockSetOf, declaredSets } from '../../languages/nft/blocks.ts';
import { dropRule } from '../../languages/nft/drops.ts';
import type { DropRule } from '../../languages/nft/drops.ts';
import { createRulesetReader, RULE } from '../../languages/nft/ruleset.ts';
import type { Rule, Ruleset } from '../../languages/nft/ruleset.ts';
import { answered, orElse, present, runInParts, understood } from '../reading.ts';
import { countedMarks, givesRandomPorts, sipRedirect } from '../../languages/nft/translations.ts';
import type { CallFacts, Counted, MarkCount, SipRedirect } from './facts.ts';

const LIST = ['nft', '-j', '-t', 'list', 'ruleset'];
/** Each question is a process. */
const MOST_QUESTIONS = 48;
const MOST_RULES = 200;

interface Rules {
  drops: Reading<DropRule[]>;
  redirects: Reading<SipRedirect[]>;
  randomPorts: Reading<string[]>;
  marks: Reading<MarkCount[]>;
  /** Counted rules that ask for nothing but the device a packet came by: where everything ends that no rule let in. */
  ends: DropRule[];
  /** Sets by which some rule drops, as `family table name`. */
  sets: Set<string>;
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
      marks: understood(listed, () => marks),
      ends: listed.state === 'present' ? ends : [],
      sets,
    }),
  };

  function translations(rule: Rule): void {
    const where = `${rule.family} ${rule.table} ${rule.chain} handle ${rule.handle}`;
    const redirect = sipRedirect(rule);
    // Those of /etc/config/firewall are told by that file (firewall4: dstnat_ZONE).
    if (redirect !== null && !(rule.table === 'fw4' && rule.chain.startsWith('dstnat_')) && redirects.length < MOST_RULES)
      redirects.push(redirect);
    if (givesRandomPorts(rule)) randomPorts.push(where);
    const counted = countedMarks(rule);
    if (counted !== null && marks.length < MOST_RULES) marks.push({ by: `nft ${where}`, ...counted });
  }
}

/** The same rules listed once more, for a second look. */
export async function observeDropRules(host: Host): Promise<Rules> {
  const drops = createDropReader();
  const reader = createRulesetReader((rule, ruleset) => {
    drops.take(rule, ruleset);
    return false;
  });
  const answer = answered(await runInParts(host, LIST, { parts: { at: RULE, take: reader.take } }));
  return drops.end(understood(answer, () => reader.end()));
}

/** Packets from the internet that were turned away; null where no rule counts them. */
export function rejectedOf({ ends }: Pick<Rules, 'ends'>, wan: readonly string[]): Counted | null {
  const from = ends.filter(({ asks }) => asks.every(({ values }) => values.some((name) => wan.includes(name))));
  const sum = (of: 'packets' | 'bytes'): number => from.reduce((all, rule) => all + (rule[of] ?? 0), 0);
  return from.length === 0 ? null : { packets: sum('packets'), bytes: sum('bytes') };
}

/** Asks each set, where a look spends nothing of it, for each of these addresses. */
export async function observeBlocked(host: Host, sets: ReadonlySet<string>, peers: readonly string[]): Promise<CallFacts['blocked']> {
  const source = 'nft get element';
  if (sets.size === 0 || peers.length === 0) return { state: 'absent', source };
  const listed = answered(await host.run(['nft', '-t', 'list', 'sets']));
  if (listed.state === 'failed') return listed;
  const asked = declaredSets(orElse(listed, '')).filter(({ key, limited }) => sets.has(key) && !limited);
  const holding: { set: string; address: string }[] = [];
  const questions = asked.flatMap(({ key, family }) =>
    peers.filter((address) => address.includes(':') === (family === 'ipv6')).map((address) => ({ key, address })),
  );
  for (const { key, address } of questions.slice(0, MOST_QUESTIONS)) {
    const outcome = await host.run(['nft', 'get', 'element', ...key.split(' '), `{ ${address} }`]);
    if (outcome.state === 'exited' && outcome.code === 1 && /No such file or directory/.test(outcome.stderr)) continue;
    const answer = answered(outcome);
    if (answer.state !== 'present') return answer.state === 'failed' ? answer : { state: 'absent', source };
    holding.push({ set: key, address });
  }
  return present(source, holding);
}
