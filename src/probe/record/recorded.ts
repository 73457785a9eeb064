/** From the sets of a recording, as `nft list table` prints them, back to messages. */
import { bytesAt, CHUNK, NARROW, nameIn, TAILS } from './taps.ts';
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

/** Elements by set, and counts of packets by chain: the first counter of each. */
function parse(text: string): { sets: Map<string, Element[]>; packets: Map<string, number> } {
  const sets = new Map<string, Element[]>();
  for (const [, name = '', inside = ''] of text.matchAll(/^\tset (\S+) \{\n(.*?)^\t\}/gms)) {
    const [, listed = ''] = /elements = \{([^}]*)\}/s.exec(inside) ?? [];
    sets.set(
      name,
      listed
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
        .map((one) => {
          const [key = '', expires = ''] = one.split(' expires ');
          return {
            parts: key
              .replace(/ (?:counter|timeout) .*$/, '')
              .split(' . ')
              .map((part) => part.trim()),
            expires: milliseconds(expires),
            packets: Number(/ counter packets (\d+)/.exec(one)?.[1] ?? 1),
          };
        }),
    );
  }
  const packets = new Map<string, number>();
  for (const [, name = '', count] of text.matchAll(/^\tchain (\S+) \{\n\t\tcounter packets (\d+)/gm)) packets.set(name, Number(count));
  return { sets, packets };
}

/** A number as nft prints it, in decimal or with 0x, as that many bytes. */
function bytesOf(number: string, size: number): Uint8Array {
  const digits = (number.startsWith('0x') ? number.slice(2) : BigInt(number).toString(16)).padStart(size * 2, '0');
  return Uint8Array.from({ length: size }, (_, at) => parseInt(digits.slice(at * 2, at * 2 + 2), 16));
}

function assemble(tap: Tap, sets: ReadonlyMap<string, readonly Element[]>, most: number): { found: Recorded[]; unclear: number } {
  /** Elements of a set by what they share with the others of their packet. */
  const grouped = (suffix: string): Map<string, Element[]> => {
    const groups = new Map<string, Element[]>();
    for (const element of sets.get(`${nameIn(tap)}_${suffix}`) ?? []) {
      const group = element.parts.slice(0, 2).join(' ');
      groups.set(group, [...(groups.get(group) ?? []), element]);
    }
    return groups;
  };
  const [from, to, size, acks] = [grouped('from'), grouped('to'), grouped('size'), grouped('ack')];
  const chunks = Array.from({ length: Math.floor(most / CHUNK) }, (_, index) => grouped(`b${index * CHUNK}`));
  const tails = TAILS.map((width) => [width, grouped(`t${width}`)] as const);
  const found: Recorded[] = [];
  let unclear = 0;
  for (const [group, heads] of size) {
    const [head, source, destination] = [heads[0]!, from.get(group) ?? [], to.get(group) ?? []];
    // The same message again, in another packet, differs in nothing but perhaps its TTL.
    if (source.length !== 1 || destination.length !== 1 || new Set(heads.map(({ parts }) => parts[2])).size !== 1) {
      unclear++;
      continue;
    }
    const said = Number(head.parts[2]);
    const isTcp = tap.transport === 'tcp';
    const length = isTcp ? said - (tap.family === 'ip' ? 20 : 0) - Number(head.parts[3]) * 4 : said - 8;
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
    const end = ({ parts }: Element): End => ({ address: parts[2]!, port: Number(parts[3]) });
    found.push({
      tap: tap.name,
      id: Number(head.parts[0]),
      from: end(source[0]!),
      to: end(destination[0]!),
      check: Number(head.parts[1]),
      length,
      bytes: bytes.slice(0, at),
      expires: Math.max(...heads.map(({ expires }) => expires)),
      ttl: isTcp ? null : Number(head.parts[3]),
      times: heads.reduce((sum, { packets }) => sum + packets, 0),
      ack: isTcp ? Number(acks.get(group)?.[0]?.parts[2] ?? NaN) : null,
    });
  }
  return { found: found.sort((one, other) => one.expires - other.expires), unclear };
}

/**
 * @param text  what `nft list table netdev NAME` printed of a table that recordingScript made
 * @param bytes Limits.bytes of that script
 */
export function readRecording(text: string, taps: readonly Tap[], bytes: number = NARROW): Recording {
  const { sets, packets: counted } = parse(text);
  const packets = new Map(taps.map((tap) => [tap.name, counted.get(`${nameIn(tap)}_r`) ?? 0]));
  const all = taps.map((tap) => assemble(tap, sets, bytesAt(tap, bytes)));
  return { messages: all.flatMap(({ found }) => found), packets, counted, unclear: all.reduce((sum, { unclear }) => sum + unclear, 0) };
}
