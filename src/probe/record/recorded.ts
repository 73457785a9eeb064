/** From the sets of a recording, as `nft list table` prints them, back to messages. */
import { bytesAt, CHUNK, counterOf, NARROW, nameIn, TAILS } from './taps.ts';
import type { Tap } from './taps.ts';

export interface End {
  readonly address: string;
  readonly port: number;
}

/** A message at a tap. */
export interface Recorded {
  readonly tap: string;
  /** The IP id, which a router keeps (0 for many phones); with IPv6 the flow label. */
  readonly id: number;
  readonly from: End;
  readonly to: End;
  /** UDP's checksum as it stands in the packet; of one that is finished by the device, a part of it. TCP: its sequence number. */
  readonly check: number;
  /** Bytes of the payload as the packet says; null for TCP where they cannot be told. */
  readonly length: number;
  /** The bytes, from the first one on: all, or, of a message longer than Limits.bytes or Tap.bytes, as many whole chunks as fit. */
  readonly bytes: Uint8Array;
  /** Milliseconds until its elements would go, as the kernel counts: what came later has more. About 10 ms exact. */
  readonly expires: number;
  /** TTL or hop limit; null for TCP. */
  readonly ttl: number | null;
  /** So many packets had these numbers and bytes: a phone that numbers all its packets 0 repeats itself so. */
  readonly times: number;
  /** A piece of it was not listed, though its tap records it: the next listing may show it. */
  readonly isPartial?: boolean;
  /** TCP: up to which byte of the other side it says to have got everything. */
  readonly ack: number | null;
}

export interface Recording {
  /** By tap, then by time. */
  readonly messages: readonly Recorded[];
  /** Packets that matched at each tap, also those that found no room. */
  readonly packets: ReadonlyMap<string, number>;
  /** Packets by the name of each chain that begins with a counter. */
  readonly counted: ReadonlyMap<string, number>;
  /** Messages that could not be put together: two that look alike at once, or one without room for its first bytes. */
  readonly unclear: number;
}

interface Element {
  /** As it is listed, without what changes. */
  readonly key: string;
  readonly parts: readonly string[];
  readonly expires: number;
  /** Packets, where its set counts them; else 1. */
  readonly packets: number;
}

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** `1m4s995ms` (nft(8), time_print). */
function milliseconds(text: string): number {
  return [...text.matchAll(/(\d+)(ms|[dhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS],
    0,
  );
}

/** What is listed between two marks, by name: so that regular expressions need not run over a text of megabytes. */
function sections(text: string, kind: 'set' | 'counter'): Map<string, string> {
  const found = new Map<string, string>();
  const begins = `\n\t${kind} `;
  for (let at = text.indexOf(begins); at >= 0; at = text.indexOf(begins, at + 1)) {
    const open = text.indexOf(' {', at + begins.length);
    const end = text.indexOf('\n\t}', open);
    if (open < 0 || end < 0) break;
    found.set(text.slice(at + begins.length, open), text.slice(open + 2, end));
  }
  return found;
}

const ELEMENTS = 'elements = {';

/**
 * The elements of a set by what they share with the others of their packet: its two first parts. The kernel may show an element
 * twice in one listing: while a table of hashes is made larger or smaller, a walk goes over the old one and the new (nft_set_hash.c,
 * nft_rhash_walk; rhashtable.c, rhashtable_walk_next). So what looks the same is one.
 * @param wanted groups; null: all
 */
function grouped(inside: string | undefined, wanted: ReadonlySet<string> | null): Map<string, Element[]> {
  const groups = new Map<string, Element[]>();
  const from = inside?.indexOf(ELEMENTS) ?? -1;
  if (inside === undefined || from < 0) return groups;
  for (const one of inside.slice(from + ELEMENTS.length, inside.lastIndexOf('}')).split(',')) {
    const text = one.trim();
    const second = text.indexOf(' . ');
    const third = text.indexOf(' . ', second + 3);
    if (second < 0 || third < 0) continue;
    const group = text.slice(0, third);
    if (wanted !== null && !wanted.has(group)) continue;
    const [all = '', expires = ''] = text.split(' expires ');
    const key = all.replace(/ (?:counter|timeout) .*$/, '');
    const element: Element = {
      key,
      parts: key.split(' . ').map((part) => part.trim()),
      expires: milliseconds(expires),
      packets: Number(/ counter packets (\d+)/.exec(text)?.[1] ?? 1),
    };
    const known = groups.get(group);
    const twin = known?.findIndex((other) => other.key === key) ?? -1;
    if (known === undefined) groups.set(group, [element]);
    else if (twin < 0) known.push(element);
    else if (known[twin]!.packets < element.packets) known[twin] = element;
  }
  return groups;
}

/** Packets by counter. */
export const countersIn = (text: string): Map<string, number> =>
  new Map([...sections(text, 'counter')].map(([name, inside]) => [name, Number(/packets (\d+)/.exec(inside)?.[1] ?? 0)]));

/** A number as nft prints it, in decimal or with 0x, as that many bytes. */
function bytesOf(number: string, size: number): Uint8Array {
  const digits = (number.startsWith('0x') ? number.slice(2) : BigInt(number).toString(16)).padStart(size * 2, '0');
  return Uint8Array.from({ length: size }, (_, at) => parseInt(digits.slice(at * 2, at * 2 + 2), 16));
}

/** What a packet's elements say before its bytes are put together. */
export type Head = Pick<Recorded, 'tap' | 'id' | 'check' | 'length' | 'expires' | 'times'>;

function headOf(tap: Tap, heads: readonly Element[]): Head {
  const [head] = heads as [Element, ...Element[]];
  const said = Number(head.parts[2]);
  return {
    tap: tap.name,
    id: Number(head.parts[0]),
    check: Number(head.parts[1]),
    length: tap.transport === 'tcp' ? said - (tap.family === 'ip' ? 20 : 0) - Number(head.parts[3]) * 4 : said - 8,
    expires: Math.max(...heads.map(({ expires }) => expires)),
    times: heads.reduce((sum, { packets }) => sum + packets, 0),
  };
}

type IsKnown = (head: Head) => boolean;

function assemble(tap: Tap, sets: ReadonlyMap<string, string>, most: number, isKnown: IsKnown): { found: Recorded[]; unclear: number } {
  const inSet = (suffix: string, wanted: ReadonlySet<string> | null): Map<string, Element[]> =>
    grouped(sets.get(`${nameIn(tap)}_${suffix}`), wanted);
  const size = inSet('size', null);
  for (const [group, heads] of size) if (isKnown(headOf(tap, heads))) size.delete(group);
  if (size.size === 0) return { found: [], unclear: 0 };
  const wanted = new Set(size.keys());
  const [from, to, acks] = [inSet('from', wanted), inSet('to', wanted), inSet('ack', wanted)];
  const chunks = Array.from({ length: Math.floor(most / CHUNK) }, (_, index) => inSet(`b${index * CHUNK}`, wanted));
  const tails = TAILS.map((width) => [width, inSet(`t${width}`, wanted)] as const);
  const found: Recorded[] = [];
  let unclear = 0;
  for (const [group, heads] of size) {
    const [head, source, destination] = [heads[0]!, from.get(group) ?? [], to.get(group) ?? []];
    // The same message again, in another packet, differs in nothing but perhaps its TTL.
    if (source.length !== 1 || destination.length !== 1 || new Set(heads.map(({ parts }) => parts[2])).size !== 1) {
      unclear++;
      continue;
    }
    const isTcp = tap.transport === 'tcp';
    const known = headOf(tap, heads);
    const { length } = known;
    const bytes = new Uint8Array(Math.min(Math.max(length, 0), most));
    let at = 0;
    let isAmbiguous = false;
    const put = (elements: readonly Element[] | undefined, width: number): boolean => {
      if (elements !== undefined && elements.length > 1) isAmbiguous = true;
      if (elements === undefined || elements.length !== 1 || at + width > bytes.length) return false;
      // A chunk is two numbers, a tail one.
      const numbers = elements[0]!.parts.slice(2);
      numbers.forEach((number, index) => bytes.set(bytesOf(number, width / numbers.length), at + (index * width) / numbers.length));
      at += width;
      return true;
    };
    for (const chunk of chunks) if (at + CHUNK > bytes.length || !put(chunk.get(group), CHUNK)) break;
    // Tails are recorded of what stands behind the last whole chunk of the packet alone.
    if (at === Math.floor(length / CHUNK) * CHUNK)
      for (const [width, tail] of tails) if (((length - at) & width) !== 0 && !put(tail.get(group), width)) break;
    if (isAmbiguous || (at === 0 && length > 0)) {
      unclear++;
      continue;
    }
    // A header of TCP with options that no tap knows, and a set without room, leave it so for good.
    const { least = 1, tails: tailed = most } = tap;
    const expected = length > Math.min(most, tailed) ? Math.floor(Math.min(length, most) / CHUNK) * CHUNK : length - (length % least);
    const end = ({ parts }: Element): End => ({ address: parts[2]!, port: Number(parts[3]) });
    found.push({
      ...known,
      from: end(source[0]!),
      to: end(destination[0]!),
      bytes: bytes.slice(0, at),
      ...(at < expected ? { isPartial: true } : {}),
      ttl: isTcp ? null : Number(head.parts[3]),
      ack: isTcp ? Number(acks.get(group)?.[0]?.parts[2] ?? NaN) : null,
    });
  }
  return { found: found.sort((one, other) => one.expires - other.expires), unclear };
}

/**
 * @param text    what `nft list table netdev NAME` printed of tables that recordingScript made
 * @param bytes   Limits.bytes of that script
 * @param isKnown messages of which nothing more is asked; they are left out
 */
export function readRecording(text: string, taps: readonly Tap[], bytes: number = NARROW, isKnown: IsKnown = () => false): Recording {
  const sets = sections(text, 'set');
  const counters = countersIn(text);
  const counted = new Map<string, number>();
  if (text.includes('\n\tchain '))
    for (const [, name = '', count] of text.matchAll(/^\tchain (\S+) \{\n\t\tcounter packets (\d+)/gm)) counted.set(name, Number(count));
  const packets = new Map(taps.map((tap) => [tap.name, counters.get(counterOf(tap)) ?? counted.get(`${nameIn(tap)}_r`) ?? 0]));
  const all = taps.map((tap) => assemble(tap, sets, bytesAt(tap, bytes), isKnown));
  return { messages: all.flatMap(({ found }) => found), packets, counted, unclear: all.reduce((sum, { unclear }) => sum + unclear, 0) };
}
