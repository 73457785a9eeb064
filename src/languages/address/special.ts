/** What kind of network an address is of: whether the internet may lead to it. */
import { bitsOf, filled } from './prefixes.ts';

/** IANA's registries of special addresses, as far as a host behind a router may bear one (RFC 6890 and its updates). */
const NOT_PUBLIC: readonly (readonly [first: string, length: number, what: string])[] = [
  ['0a000000', 8, 'private'],
  ['ac100000', 12, 'private'],
  ['c0a80000', 16, 'private'],
  ['64400000', 10, "a carrier's own (RFC 6598)"],
  ['7f000000', 8, 'loopback'],
  ['a9fe0000', 16, 'link-local'],
  ['00000000', 8, 'of no network'],
  ['c0000000', 29, "a carrier's own (RFC 7335)"],
  ['fc'.padEnd(32, '0'), 7, 'private'],
  ['fe8'.padEnd(32, '0'), 10, 'link-local'],
  ['1'.padStart(32, '0'), 128, 'loopback'],
  ['0'.repeat(32), 128, 'of no network'],
];

/** @returns null: an address of the internet, as far as its number says; else what it is. undefined: no address at all. */
export function notPublic(address: string): string | null | undefined {
  const bits = bitsOf(address);
  if (bits === null) return undefined;
  const found = NOT_PUBLIC.find(
    ([first, length]) => first.length === bits.length && bits >= first && bits <= filled(filled(first, length, '0'), length, 'f'),
  );
  return found?.[2] ?? null;
}

/** Whether two texts are one address. */
export function sameAddress(one: string, other: string): boolean {
  const bits = bitsOf(one);
  return bits === null ? one.toLowerCase() === other.toLowerCase() : bits === bitsOf(other);
}
