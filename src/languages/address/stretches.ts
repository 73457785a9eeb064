/** The addresses that networks cover, as stretches without a gap: what two lists of networks are compared by. */
import { lastOf } from './prefix-sets.ts';
import { readPrefix } from './prefixes.ts';

type Range = string | readonly [first: string, last: string];

/**
 * The first and the last address of an IPv4 network, as numbers. Read digit by digit: ten thousand are read at each look, and
 * this takes a tenth of what patterns and pieces of text do.
 */
function read4(text: string): { first: number; last: number } | null {
  let [address, value, digits, parts] = [0, 0, 0, 0];
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : -1;
    if (code >= 48 && code <= 57) {
      value = value * 10 + code - 48;
      if (++digits > 3) return null;
      continue;
    }
    // Four bytes, the last one before a slash or the end, and then the length.
    const ends = code === -1 || code === 47;
    if (digits === 0 || value > (parts < 4 ? 255 : 32) || (parts < 3 ? code !== 46 : parts === 3 ? !ends : code !== -1)) return null;
    if (parts === 4) return network4(address, value);
    address = address * 256 + value;
    parts++;
    if (code === -1) return network4(address, 32);
    value = digits = 0;
  }
  return null;
}

function network4(address: number, length: number): { first: number; last: number } {
  const size = 2 ** (32 - length);
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

function read6(text: string): { first: string; last: string } | null {
  const prefix = readPrefix(text);
  return 'wrong' in prefix || prefix.family !== 'ipv6' ? null : { first: prefix.bits, last: lastOf(prefix) };
}

/** Whether `next` is the address after `last`, both as hex digits of one width. */
function follows6(last: string, next: string): boolean {
  let at = last.length - 1;
  while (at >= 0 && last[at] === 'f' && next[at] === '0') at--;
  return at >= 0 && parseInt(last[at] as string, 16) + 1 === parseInt(next[at] as string, 16) && last.slice(0, at) === next.slice(0, at);
}

function joined<T extends number | string>(
  ranges: readonly Range[],
  readOne: (text: string) => { first: T; last: T } | null,
  follows: (last: T, next: T) => boolean,
): { first: T; last: T }[] | null {
  const all: { first: T; last: T }[] = [];
  let sorted = true;
  for (const range of ranges) {
    const from = readOne(typeof range === 'string' ? range : range[0]);
    const to = typeof range === 'string' ? from : readOne(range[1]);
    if (from === null || to === null) return null;
    const before = all.at(-1);
    sorted &&= before === undefined || before.first <= from.first;
    all.push({ first: from.first, last: to.last });
  }
  if (!sorted) all.sort((one, other) => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0));
  const found: { first: T; last: T }[] = [];
  for (const each of all) {
    const before = found.at(-1);
    if (before === undefined || (each.first > before.last && !follows(before.last, each.first))) found.push({ ...each });
    else if (each.last > before.last) before.last = each.last;
  }
  return found;
}

/**
 * @param ranges networks as text, each alone or as the first and the last of a range; of one family, in any order
 * @returns first and last address of each stretch, as `FIRST-LAST`, sorted: numbers for IPv4, 32 hex digits for IPv6; null where
 *   one is no network
 */
export function stretchesOf(ranges: readonly Range[]): string[] | null {
  const [one = ''] = ranges;
  const six = (typeof one === 'string' ? one : one[0]).includes(':');
  const found = six ? joined(ranges, read6, follows6) : joined(ranges, read4, (last, next) => last + 1 === next);
  return found?.map(({ first, last }) => `${first}-${last}`) ?? null;
}
