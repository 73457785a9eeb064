/**
 * HEP3, the Homer Encapsulation Protocol: a captured message and where it was seen, as one datagram (sipcapture/HEP, HEP3
 * specification; held against kamailio 5.6.3 and sngrep 1.6.0). `HEP3`, the length of all, then chunks: vendor, type, length with
 * these six bytes, data; all numbers big endian.
 */
import { Refused } from '../refused.ts';

/** Chunks of vendor 0 that are written and read here. */
export const CHUNK = {
  family: 1,
  protocol: 2,
  source4: 3,
  destination4: 4,
  source6: 5,
  destination6: 6,
  sourcePort: 7,
  destinationPort: 8,
  seconds: 9,
  microseconds: 10,
  type: 11,
  agent: 12,
  key: 14,
  payload: 15,
  correlation: 17,
} as const;

export const UDP = 17;
export const TCP = 6;

export interface HepMessage {
  /** Four or sixteen bytes each, both of the same kind. */
  source: Uint8Array;
  destination: Uint8Array;
  sourcePort: number;
  destinationPort: number;
  protocol: typeof UDP | typeof TCP;
  /** When it was seen: seconds since 1970, and microseconds of that second. */
  seconds: number;
  microseconds: number;
  /** Number of who saw it, 32 bits. */
  agent: number;
  /** '' for none. */
  key: string;
  /** One for all that belongs to one call, on whatever side it was seen; ASCII. */
  correlation: string;
  payload: Uint8Array;
}

const HEAD = 6;
/** What one datagram of UDP over IPv4 can carry (RFC 768, RFC 791). */
export const MOST_FRAME = 65_507;
const SIP = 1;
const FAMILY4 = 2;
/** Linux' AF_INET6, which capture servers expect whatever they run on. */
const FAMILY6 = 10;

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => (char.charCodeAt(0) < 128 ? char.charCodeAt(0) : 63));

function number(value: number, bytes: 1 | 2 | 4): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => Math.floor(value / 2 ** (8 * (bytes - 1 - at))) % 256);
}

/** @throws Refused for addresses of two kinds, and for what one datagram cannot carry */
export function encodeHep(message: HepMessage): Uint8Array {
  const { source, destination, payload } = message;
  const six = source.length === 16;
  if ((source.length !== 4 && !six) || destination.length !== source.length)
    throw new Refused(`addresses of ${source.length} and ${destination.length} bytes are none of one IP`);
  const chunks: [number, Uint8Array][] = [
    [CHUNK.family, number(six ? FAMILY6 : FAMILY4, 1)],
    [CHUNK.protocol, number(message.protocol, 1)],
    [six ? CHUNK.source6 : CHUNK.source4, source],
    [six ? CHUNK.destination6 : CHUNK.destination4, destination],
    [CHUNK.sourcePort, number(message.sourcePort, 2)],
    [CHUNK.destinationPort, number(message.destinationPort, 2)],
    [CHUNK.seconds, number(message.seconds, 4)],
    [CHUNK.microseconds, number(message.microseconds, 4)],
    [CHUNK.type, number(SIP, 1)],
    [CHUNK.agent, number(message.agent, 4)],
    ...(message.key === '' ? [] : [[CHUNK.key, ascii(message.key)] as [number, Uint8Array]]),
    [CHUNK.correlation, ascii(message.correlation)],
    [CHUNK.payload, payload],
  ];
  const length = chunks.reduce((sum, [, data]) => sum + HEAD + data.length, HEAD);
  if (length > MOST_FRAME) throw new Refused(`a frame of ${length} bytes does not fit into a datagram, which takes ${MOST_FRAME}`);
  const frame = new Uint8Array(length);
  frame.set(ascii('HEP3'));
  frame.set(number(length, 2), 4);
  let at = HEAD;
  for (const [type, data] of chunks) {
    frame.set(number(type, 2), at + 2);
    frame.set(number(HEAD + data.length, 2), at + 4);
    frame.set(data, at + HEAD);
    at += HEAD + data.length;
  }
  return frame;
}

/**
 * The chunks of vendor 0 in a frame, by type; others are passed by, as the specification asks.
 * @throws Refused where it is no whole frame
 */
export function chunksOf(frame: Uint8Array): Map<number, Uint8Array> {
  const two = (at: number): number => (frame[at] as number) * 256 + (frame[at + 1] as number);
  if (frame.length < HEAD || String.fromCharCode(...frame.subarray(0, 4)) !== 'HEP3') throw new Refused('it does not begin with HEP3');
  if (two(4) !== frame.length) throw new Refused(`it says that it has ${two(4)} bytes, and has ${frame.length}`);
  const chunks = new Map<number, Uint8Array>();
  for (let at = HEAD; at < frame.length;) {
    const length = at + HEAD <= frame.length ? two(at + 4) : 0;
    if (length < HEAD || at + length > frame.length) throw new Refused(`the chunk at byte ${at} does not end within the frame`);
    if (two(at) === 0) chunks.set(two(at + 2), new Uint8Array(frame.subarray(at + HEAD, at + length)));
    at += length;
  }
  return chunks;
}
