/**
 * Puts rules, map elements and objects back into nftables beside the neighbours
 * they had, and takes them out again. Both look at what stands there, and come to
 * nothing where nothing is missing, so they are safe after a half-done step too.
 */
import type { TakenNft, TakenRule } from '../journal/taken.ts';
import { withoutCounters } from '../languages/nft/listing.ts';
import { renderScript } from '../languages/nft/script.ts';
import type { Command } from '../languages/nft/script.ts';
import type { ChainRules, Facts, NftFacts } from '../observe/facts.ts';
import { chainKey } from '../observe/nft.ts';
import { NOTHING, one, refuse } from './files.ts';
import type { Part } from './files.ts';
import { addHelper, transaction } from './nft.ts';
import { nftLine } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import { say } from '../words/say.ts';

function chainOf(nft: NftFacts, rule: TakenRule): ChainRules | undefined {
  return nft.chains.find((one) => chainKey(one) === chainKey(rule));
}

/**
 * Whether a rule that was taken has lost the packets it had: fw4 keeps the chain and no longer leads to it, after a load
 * without the helper. There only another load brings it back.
 */
export function isForsaken(nft: NftFacts, rule: TakenRule): boolean {
  const own = rule.family === 'inet' && rule.table === 'fw4';
  return own && rule.unreached !== true && (nft.unreached ?? []).includes(chainKey(rule));
}

/** The rules of an entry that are missing: of twins, as many as are missing. */
function missingRules(nft: NftFacts, taken: TakenNft): TakenRule[] {
  const wanted = new Map<string, number>();
  return taken.rules.filter((rule) => {
    const chain = chainOf(nft, rule);
    if (chain === undefined || isForsaken(nft, rule)) return false;
    const text = withoutCounters(rule.rule);
    const key = `${chainKey(rule)} ${text}`;
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    return chain.rules.filter((one) => withoutCounters(one.text) === text).length < (wanted.get(key) as number);
  });
}

function missingElements(nft: NftFacts, taken: TakenNft): TakenNft['elements'] {
  return taken.elements
    .map(({ elements, ...map }) => ({
      ...map,
      elements: elements.filter(
        (element) =>
          !nft.assignments.some(
            (one) =>
              one.family === map.family && one.table === map.table && one.map?.name === map.map && one.map.elements.includes(element),
          ),
      ),
    }))
    .filter(({ elements }) => elements.length > 0);
}

/** What of an entry is not there, as far as its table and chain still are. */
function missing(nft: NftFacts, taken: TakenNft): TakenNft {
  const hasTable = ({ family, table }: { family: string; table: string }): boolean => nft.tables.includes(`${family} ${table}`);
  return {
    kind: 'nft',
    rules: missingRules(nft, taken),
    elements: missingElements(nft, taken).filter(hasTable),
    helpers: taken.helpers.filter(
      (helper) =>
        hasTable(helper)
        && !nft.helpers.some((one) => one.family === helper.family && one.table === helper.table && one.name === helper.name),
    ),
  };
}

/** Of places that fit, the one nearest to where it was; null where none does. */
export function nearest(count: number, place: number, fits: (at: number) => boolean): number | null {
  let best: number | null = null;
  for (let at = 0; at < count; at++) if (fits(at) && (best === null || Math.abs(at - place) < Math.abs(best - place))) best = at;
  return best;
}

/**
 * A rule between the neighbours it had, nearest to where it was, for a rule may
 * have twins; else beside the one that is still there; else last. Rules taken side
 * by side share their gap; each put before what stands behind the gap, in their
 * order, they stand as they stood. What is left of a rule gives way to the whole.
 * @param given handles of such remains that have given way already
 */
function putRule(nft: NftFacts, taken: TakenRule, given: Set<number>): { put: Command; then: Command[] } {
  const { family, table, chain, rule, remains, place } = taken;
  const rules = (chainOf(nft, taken)?.rules ?? []).map(({ handle, text }) => ({ handle, text: withoutCounters(text) }));
  const [left, previous, next] = [remains, taken.previous, taken.next].map((text) => (text === null ? null : withoutCounters(text))) as [
    string | null,
    string | null,
    string | null,
  ];
  const at = { family, table, chain };
  const textAt = (index: number): string | null => rules[index]?.text ?? null;
  if (left !== null) {
    const isLeft = (index: number): boolean => textAt(index) === left && !given.has(rules[index]?.handle ?? 0);
    const found =
      nearest(rules.length, place, (index) => isLeft(index) && textAt(index - 1) === previous && textAt(index + 1) === next)
      ?? nearest(rules.length, place, isLeft);
    if (found !== null) {
      const { handle } = rules[found] as { handle: number };
      given.add(handle);
      // Not `replace rule`: some rules make nft 1.0.6 end by a signal when they come that way.
      return { put: { do: 'insert rule', ...at, handle, rule }, then: [{ do: 'delete rule', ...at, handle }] };
    }
  }
  const gap =
    nearest(rules.length + 1, place, (index) => textAt(index) === next && textAt(index - 1) === previous)
    ?? (next === null ? null : nearest(rules.length, place, (index) => textAt(index) === next))
    ?? (previous === null || next === null ? null : nearest(rules.length + 1, place, (index) => textAt(index - 1) === previous));
  const behind = gap === null ? undefined : rules[gap];
  return {
    put: behind === undefined ? { do: 'add rule', ...at, handle: null, rule } : { do: 'insert rule', ...at, handle: behind.handle, rule },
    then: [],
  };
}

/** The commands that put back what is missing of an entry; none where nothing is. */
export function putBack(nft: NftFacts, taken: TakenNft): Command[] {
  const { helpers, elements, rules } = missing(nft, taken);
  const given = new Set<number>();
  const put = rules.map((rule) => putRule(nft, rule, given));
  return [
    ...helpers.map(addHelper),
    ...elements.flatMap(({ elements: all, ...map }) => all.map((element): Command => ({ do: 'add element', ...map, element }))),
    ...put.map((one) => one.put),
    // Only now: until here they mark the place for others.
    ...put.flatMap(({ then }) => then),
  ];
}

/** One name for a rule as long as it stands. */
const ruleKey = (chain: { family: string; table: string; chain: string }, handle: number): string => `${chainKey(chain)} ${handle}`;

/** The commands that take out again what `putBack` put in: nothing that stood there before. */
export function takeOut(nft: NftFacts, put: TakenNft, stood: readonly string[]): Command[] {
  const commands: Command[] = [];
  const gone = new Set(stood);
  for (const { family, table, chain, rule, remains } of put.rules) {
    const place = { family, table, chain };
    const found = (nft.chains.find((one) => chainKey(one) === chainKey(place))?.rules ?? []).find(
      ({ handle, text }) => withoutCounters(text) === withoutCounters(rule) && !gone.has(ruleKey(place, handle)),
    );
    if (found === undefined) continue;
    gone.add(ruleKey(place, found.handle));
    if (remains !== null) commands.push({ do: 'insert rule', ...place, handle: found.handle, rule: remains });
    commands.push({ do: 'delete rule', ...place, handle: found.handle });
  }
  for (const { family, table, map, elements } of put.elements) {
    const there = nft.assignments.find((one) => one.family === family && one.table === table && one.map?.name === map)?.map?.elements ?? [];
    for (const element of elements) if (there.includes(element)) commands.push({ do: 'delete element', family, table, map, element });
  }
  for (const { family, table, name } of put.helpers) {
    if (nft.helpers.some((one) => one.family === family && one.table === table && one.name === name))
      commands.push({ do: 'delete helper', family, table, name });
  }
  return commands;
}

export function giveBackNft(facts: Facts, taken: TakenNft): Part {
  const { nft } = facts;
  if (taken.rules.length + taken.elements.length + taken.helpers.length === 0) return NOTHING;
  if (nft.state !== 'present')
    return refuse([
      say('refused-nft-unread', 'nftables could not be read ({source}), so its rules cannot be given back.', { source: nft.source }),
    ]);
  const commands = putBack(nft.value, taken);
  if (commands.length === 0) return NOTHING;
  const stood = nft.value.chains.flatMap((chain) => chain.rules.map(({ handle }) => ruleKey(chain, handle)));
  return one({
    rank: RANK.rules,
    why: 'journal',
    ...say('step-back-nft', "Put the SIP helper's objects and rules back into nftables, in one transaction."),
    actions: [transaction(commands)],
    undo: [{ do: 'take rules', taken: missing(nft.value, taken), stood }],
    commands: [nftLine(renderScript(commands))],
  });
}
