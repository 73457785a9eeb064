/**
 * Addresses and networks of both families as text, read strictly and written
 * canonically (RFC 4632; RFC 5952). Nothing but digits, hex digits, dots, colons
 * and a slash ever comes out, whatever went in.
 */
import { quote } from '../refused.ts';

export interface Prefix {
  family: 'ipv4' | 'ipv6';
  /** The address as 8 or 32 hex digits, host bits cleared: sorted as text, it is sorted as a number. */
  bits: string;
  length: number;
}

/** A network, or the end of a sentence that says what is wrong with it. */
export type Read = Prefix | { wrong: string };

const WIDTH = { ipv4: 32, ipv6: 128 } as const;
/** No provider's network is larger: a shorter prefix is a slip of the hand, and would let half the internet in. */
const SHORTEST = { ipv4: 8, ipv6: 16 } as const;

function v4(text: string): string | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.map((part) => Number(part).toString(16).padStart(2, '0')).join('');
}

function v6(text: string): string | null {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text)) return null;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const tail = dotted ? v4(dotted[2] as string) : '';
  if (tail === null) return null;
  const plain = dotted ? `${dotted[1]}${tail.slice(0, 4)}:${tail.slice(4)}` : text;
  const halves = plain.split('::');
  if (halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const lacking = 8 - left.length - right.length;
  if (halves.length === 1 ? lacking !== 0 : lacking < 1) return null;
  const groups = [...left, ...Array<string>(lacking).fill('0'), ...right];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => group.toLowerCase().padStart(4, '0')).join('')
    : null;
}

/** An address as 8 or 32 hex digits; null for what is none. */
export const bitsOf = (text: string): string | null => v4(text) ?? v6(text);

/** The first `length` bits, the rest `0` or `f`: the first address of a network, or its last. */
export function filled(bits: string, length: number, rest: '0' | 'f'): string {
  const whole = length >> 2;
  const left = length & 3;
  const first = parseInt(bits[whole] as string, 16);
  const digit = left === 0 ? '' : (rest === '0' ? first & (0xf0 >> left) : first | (0xf >> left)).toString(16);
  return (bits.slice(0, whole) + digit).padEnd(bits.length, rest);
}

/** Networks that are nobody's on the internet, and never a provider's. */
const NOBODYS = (
  [
    ['00000000', 8, 'this network'],
    ['7f000000', 8, 'loopback'],
    ['e0000000', 4, 'multicast'],
    ['f0000000', 4, 'reserved'],
    ['0'.repeat(32), 128, 'the unspecified address'],
    ['1'.padStart(32, '0'), 128, 'loopback'],
    ['ff'.padEnd(32, '0'), 8, 'multicast'],
    ['fe8'.padEnd(32, '0'), 10, 'link-local'],
    ['a9fe0000', 16, 'link-local'],
    ['ffff00000000'.padStart(32, '0'), 96, 'IPv4 written as IPv6'],
  ] as const
).map(([first, length, what]) => ({ first, last: filled(first, length, 'f'), what }));

/**
 * Reads an address or a network as a provider's. Host bits that are set are cleared.
 * @returns what it is; or what is wrong, beginning with the text given
 */
export function readPrefix(text: string): Read {
  const [address = '', length, ...more] = text.split('/');
  const four = v4(address);
  const bits = four ?? v6(address);
  if (bits === null || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) {
    return { wrong: `${quote(text)} is no address and no network, such as 203.0.113.0/24 or 2001:db8::/32` };
  }
  const family = four === null ? 'ipv6' : 'ipv4';
  const size = length === undefined ? WIDTH[family] : Number(length);
  if (size > WIDTH[family])
    return { wrong: `${quote(text)} is an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} network, whose prefix has ${WIDTH[family]} bits at most` };
  if (size < SHORTEST[family])
    return { wrong: `${quote(text)} covers too much of the internet; a prefix has ${SHORTEST[family]} bits at least` };
  const network = filled(bits, size, '0');
  const last = filled(bits, size, 'f');
  const nobodys = NOBODYS.find((each) => each.first.length === bits.length && network <= each.last && last >= each.first);
  if (nobodys !== undefined) return { wrong: `${quote(text)} is ${nobodys.what}, or holds it, and that is no provider's` };
  return { family, bits: network, length: size };
}

/** Canonical text; the length is left out where it is a single address. */
export function writePrefix({ family, bits, length }: Prefix): string {
  const address = family === 'ipv4' ? (bits.match(/../g) as string[]).map((byte) => parseInt(byte, 16)).join('.') : writeIpv6(bits);
  return length === WIDTH[family] ? address : `${address}/${length}`;
}

/**
 * RFC 5952: the longest run of two or more zero groups, the first of several, becomes `::`.
 * @param bits 32 hex digits
 */
export function writeIpv6(bits: string): string {
  const groups = (bits.match(/..../g) as string[]).map((group) => parseInt(group, 16).toString(16));
  let at = 0;
  let most = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === '0') end++;
    if (end - start > most) [at, most] = [start, end - start];
  }
  return most < 2 ? groups.join(':') : `${groups.slice(0, at).join(':')}::${groups.slice(at + most).join(':')}`;
}
