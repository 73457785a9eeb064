/** What the chains of iptables match with: bytes of a packet (xt_u32), lists of ports, and what remembers addresses. */
import { OURS } from '../../own.ts';
import type { Family } from '../../own.ts';

/** Which matches and targets are to be had, by name; `set` stands for ipset, its match and its target. */
export type Extensions = Readonly<Record<string, boolean>>;

const hex = (value: number): string => `0x${value.toString(16)}`;

/**
 * Where four bytes of a UDP datagram are, in iptables' own spelling, by which a jump is known again; behind IPv6's own header, for
 * one without extension headers. @param at bytes from the UDP header, which has 8
 */
const datagram = (family: Family, at: number): string => (family === 'ipv4' ? `0x0>>0x16&0x3c@${hex(at)}` : hex(40 + at));
/** The same of its payload. */
export const byte = (family: Family, at: number): string => datagram(family, 8 + at);
/** The first four bytes behind the ports: length, and checksum. */
export const lengthOf = (family: Family): string => `${datagram(family, 4)}>>0x10`;

export const u32 = (...tests: string[]): string => `-m u32 --u32 "${tests.join('&&')}"`;

/** A payload that holds this text (ASCII) so many bytes from its beginning. */
export function holds(family: Family, at: number, text: string): string[] {
  const tests: string[] = [];
  for (let from = 0; from < text.length; from += 4) {
    const part = text.slice(from, from + 4);
    const value = hex([...part].reduce((sum, char) => sum * 256 + char.charCodeAt(0), 0));
    tests.push(`${byte(family, at + from)}${part.length === 4 ? '' : `>>${hex((4 - part.length) * 8)}`}=${value}`);
  }
  return tests;
}

/** Lists of ports as multiport takes them: 15 at most. */
export function portLists(which: '--ports' | '--dports', list: readonly number[]): string[] {
  const sorted = [...new Set(list)].sort((one, other) => one - other);
  return Array.from(
    { length: Math.ceil(sorted.length / 15) },
    (_, nth) => `-m multiport ${which} ${sorted.slice(nth * 15, nth * 15 + 15).join(',')}`,
  );
}

export interface Memory {
  learn(end: 'src' | 'dst'): string;
  knows(end: 'src' | 'dst'): string;
  lacks(end: 'src' | 'dst'): string;
}

/**
 * What remembers addresses: ipset where there is one, else the last hundred of the match `recent`.
 * @param both remember the port too, which `recent` cannot
 */
export function memory(name: string, has: Extensions, seconds: number, both = false): Memory {
  const side = { src: '--rsource', dst: '--rdest' };
  const ends = (end: string): string => (both ? `${end},${end}` : end);
  const recent = (not: string, end: 'src' | 'dst'): string =>
    `-m recent${not} --rcheck --seconds ${seconds} --name ${OURS}${name} ${side[end]}`;
  return has['set']
    ? {
        learn: (end) => `-j SET --add-set ${OURS}${name} ${ends(end)} --exist --timeout ${seconds}`,
        knows: (end) => `-m set --match-set ${OURS}${name} ${ends(end)}`,
        lacks: (end) => `-m set ! --match-set ${OURS}${name} ${ends(end)}`,
      }
    : {
        learn: (end) => `-m recent --set --name ${OURS}${name} ${side[end]}`,
        knows: (end) => recent('', end),
        lacks: (end) => recent(' !', end),
      };
}
