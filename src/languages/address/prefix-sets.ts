/** Sets of networks: sorted, merged, compared. */
import { filled, readPrefix, writePrefix } from './prefixes.ts';
import type { Prefix } from './prefixes.ts';

/** Prefixes in canonical text, sorted, disjoint: none lies in another. */
export interface Prefixes {
  ipv4: string[];
  ipv6: string[];
}

/** The last address of a network. */
export const lastOf = ({ bits, length }: Prefix): string => filled(bits, length, 'f');

/** Sorted, each once, none within another: as one set of intervals takes them. */
export function mergePrefixes(prefixes: readonly Prefix[]): Prefixes {
  const merged: Prefixes = { ipv4: [], ipv6: [] };
  const before = (one: Prefix, other: Prefix): number =>
    one.bits < other.bits ? -1 : one.bits > other.bits ? 1 : one.length - other.length;
  for (const family of ['ipv4', 'ipv6'] as const) {
    let last = '';
    for (const prefix of prefixes.filter((each) => each.family === family).sort(before)) {
      // Sorted, a network that begins within the one before lies in it as a whole.
      if (prefix.bits <= last) continue;
      merged[family].push(writePrefix(prefix));
      last = lastOf(prefix);
    }
  }
  return merged;
}

/**
 * The first of `others` that has an address in common with one of `these`; null where none has. Both as `mergePrefixes`
 * gives them, of one family.
 */
export function firstShared(these: readonly string[], others: readonly string[]): string | null {
  const mine = these.map((text) => readPrefix(text) as Prefix);
  let at = 0;
  return (
    others.find((text) => {
      const other = readPrefix(text) as Prefix;
      while (at < mine.length && lastOf(mine[at] as Prefix) < other.bits) at++;
      return at < mine.length && (mine[at] as Prefix).bits <= lastOf(other);
    }) ?? null
  );
}
