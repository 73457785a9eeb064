/**
 * Several runs may each have taken something, and a run that was cut off may have
 * written down what it then did not take. What is to be given back is therefore
 * the union: of a rule that is written twice in one entry two, of a rule written
 * in two entries one.
 */
import { withoutCounters } from '../languages/nft/listing.ts';
import type { TakenIptables, TakenNft } from './taken.ts';

/** The members of all lists; of those with one key, as many as the list that has most of them. */
function union<T>(lists: readonly (readonly T[])[], key: (member: T) => string): T[] {
  const merged: T[] = [];
  const held = new Map<string, number>();
  for (const list of lists) {
    const here = new Map<string, number>();
    for (const member of list) {
      const name = key(member);
      const nth = (here.get(name) ?? 0) + 1;
      here.set(name, nth);
      if (nth <= (held.get(name) ?? 0)) continue;
      held.set(name, nth);
      merged.push(member);
    }
  }
  return merged;
}

export function mergeNft(entries: readonly TakenNft[]): TakenNft {
  const elements = union(
    entries.map((entry) => entry.elements.flatMap(({ elements: all, ...map }) => all.map((element) => ({ ...map, elements: [element] })))),
    (one) => JSON.stringify(one),
  );
  return {
    kind: 'nft',
    rules: union(
      entries.map(({ rules }) => rules),
      ({ family, table, chain, rule }) => JSON.stringify([family, table, chain, withoutCounters(rule)]),
    ),
    elements,
    helpers: union(
      entries.map(({ helpers }) => helpers),
      ({ family, table, name }) => JSON.stringify([family, table, name]),
    ),
  };
}

/** One entry per save command. */
export function mergeIptables(entries: readonly TakenIptables[]): TakenIptables[] {
  return [...new Set(entries.map(({ save }) => save))].map((save) => {
    const same = entries.filter((entry) => entry.save === save);
    return {
      ...(same[0] as TakenIptables),
      rules: union(
        same.map(({ rules }) => rules),
        ({ table, chain, rule }) => JSON.stringify([table, chain, rule]),
      ),
    };
  });
}
