/**
 * Puts rules, map elements and objects back into nftables beside the neighbours
 * they had, and takes them out again. Both look at what stands there, and come to
 * nothing where nothing is missing, so they are safe after a half-done step too.
 */
import type { TakenNft, TakenRule } from '../journal/taken.ts';
import { withoutCounters } from '../nft/listing.ts';
import { renderScript } from '../nft/script.ts';
import type { Command } from '../nft/script.ts';
import type { ChainRules, Facts, NftFacts } from '../observe/facts.ts';
import { chainKey } from '../observe/nft.ts';
import { NOTHING } from './files.ts';
import type { Part } from './files.ts';
import { addHelper, transaction } from './rules.ts';
import { nftLine } from './shell.ts';
import { RANK } from './step.ts';

function chainOf(nft: NftFacts, rule: TakenRule): ChainRules | undefined {
  return nft.chains.find((one) => chainKey(one) === chainKey(rule));
}

/** The rules of an entry that are missing: of twins, as many as are missing. */
function missingRules(nft: NftFacts, taken: TakenNft): TakenRule[] {
  const wanted = new Map<string, number>();
  return taken.rules.filter((rule) => {
    const chain = chainOf(nft, rule);
    if (chain === undefined) return false;
    const text = withoutCounters(rule.rule);
    const key = `${chainKey(rule)} ${text}`;
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    return chain.rules.filter((one) => withoutCounters(one.text) === text).length < (wanted.get(key) as number);
  });
}

function missingElements(nft: NftFacts, taken: TakenNft): TakenNft['elements'] {
  return taken.elements.map(({ elements, ...map }) => ({
    ...map,
    elements: elements.filter((element) => !nft.assignments.some((one) =>
      one.family === map.family && one.table === map.table && one.map?.name === map.map && one.map.elements.includes(element))),
  })).filter(({ elements }) => elements.length > 0);
}

/** What of an entry is not there, as far as its table and chain still are. */
function missing(nft: NftFacts, taken: TakenNft): TakenNft {
  const hasTable = ({ family, table }: { family: string; table: string }): boolean => nft.tables.includes(`${family} ${table}`);
  return {
    kind: 'nft',
    rules: missingRules(nft, taken),
    elements: missingElements(nft, taken).filter(hasTable),
    helpers: taken.helpers.filter((helper) => hasTable(helper)
      && !nft.helpers.some((one) => one.family === helper.family && one.table === helper.table && one.name === helper.name)),
  };
}

/**
 * A rule beside the neighbours it had; where it had two that stand side by side,
 * there, for a rule may have twins. Rules taken side by side share their
 * neighbours; put before the next one in their order, or last in their order,
 * they stand as they stood. What is left of a rule gives way to the whole of it.
 */
function putRule(nft: NftFacts, taken: TakenRule): { put: Command; then: Command[] } {
  const { family, table, chain, rule, remains } = taken;
  const rules = (chainOf(nft, taken)?.rules ?? []).map(({ handle, text }) => ({ handle, text: withoutCounters(text) }));
  const [left, previous, next] = [remains, taken.previous, taken.next].map((text) => text === null ? null : withoutCounters(text)) as [string | null, string | null, string | null];
  const place = { family, table, chain };
  const find = (text: string | null): number | null => text === null ? null : rules.find((one) => one.text === text)?.handle ?? null;
  const between = next === null ? undefined : rules.find(({ text }, at) => text === next && (rules[at - 1]?.text ?? null) === previous);
  const remaining = find(left);
  if (remaining !== null) {
    // Not `replace rule`: nft (1.0.6) aborts over one that holds a range in braces.
    return { put: { do: 'insert rule', ...place, handle: remaining, rule }, then: [{ do: 'delete rule', ...place, handle: remaining }] };
  }
  const behind = between?.handle ?? find(next);
  if (behind !== null) return { put: { do: 'insert rule', ...place, handle: behind, rule }, then: [] };
  // Nothing stands behind it any more: last, unless the rule before it is known and is not the last.
  const before = next === null ? null : find(previous);
  return { put: { do: 'add rule', ...place, handle: before, rule }, then: [] };
}

/** The commands that put back what is missing of an entry; none where nothing is. */
export function putBack(nft: NftFacts, taken: TakenNft): Command[] {
  const { helpers, elements, rules } = missing(nft, taken);
  const put = rules.map((rule) => putRule(nft, rule));
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
    const found = (nft.chains.find((one) => chainKey(one) === chainKey(place))?.rules ?? [])
      .find(({ handle, text }) => withoutCounters(text) === withoutCounters(rule) && !gone.has(ruleKey(place, handle)));
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
    if (nft.helpers.some((one) => one.family === family && one.table === table && one.name === name)) commands.push({ do: 'delete helper', family, table, name });
  }
  return commands;
}

export function giveBackNft(facts: Facts, taken: TakenNft): Part {
  const { nft } = facts;
  if (taken.rules.length + taken.elements.length + taken.helpers.length === 0) return NOTHING;
  if (nft.state !== 'present') return { ...NOTHING, refused: [`nftables could not be read (${nft.source}), so its rules can not be given back.`] };
  const commands = putBack(nft.value, taken);
  if (commands.length === 0) return NOTHING;
  const stood = nft.value.chains.flatMap((chain) => chain.rules.map(({ handle }) => ruleKey(chain, handle)));
  return {
    steps: [{
      rank: RANK.rules, why: 'journal', text: 'Put the SIP helper\'s objects and rules back into nftables, in one transaction.',
      actions: [transaction(commands)], undo: [{ do: 'take rules', taken: missing(nft.value, taken), stood }], commands: [nftLine(renderScript(commands))],
    }],
    takes: [], refused: [],
  };
}
