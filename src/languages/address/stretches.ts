/** The addresses that networks cover, as stretches without a gap: what two lists of networks are compared by. */
import { lastOf } from './prefix-sets.ts';
import { readPrefix } from './prefixes.ts';

/** Whether `next` is the address after `last`, both as hex digits of one width. */
function follows(last: string, next: string): boolean {
  let at = last.length - 1;
  while (at >= 0 && last[at] === 'f' && next[at] === '0') at--;
  return at >= 0 && parseInt(last[at] as string, 16) + 1 === parseInt(next[at] as string, 16) && last.slice(0, at) === next.slice(0, at);
}

/**
 * @param ranges networks as text, each alone or as the first and the last of a range; of one family, in any order
 * @returns first and last address of each stretch, as `FIRST-LAST` in hex digits, sorted; null where one is no network that a
 *   provider can have
 */
export function stretchesOf(ranges: readonly (string | readonly [string, string])[]): string[] | null {
  const all: [first: string, last: string][] = [];
  for (const range of ranges) {
    const first = readPrefix(typeof range === 'string' ? range : range[0]);
    const last = typeof range === 'string' ? first : readPrefix(range[1]);
    if ('wrong' in first || 'wrong' in last) return null;
    all.push([first.bits, lastOf(last)]);
  }
  all.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const joined: [string, string][] = [];
  for (const [first, last] of all) {
    const before = joined.at(-1);
    if (before === undefined || (first > before[1] && !follows(before[1], first))) joined.push([first, last]);
    else if (last > before[1]) before[1] = last;
  }
  return joined.map(([first, last]) => `${first}-${last}`);
}
