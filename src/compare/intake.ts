/** One capture, pushed in pieces, as the messages of SIP in it: datagrams of UDP and streams of TCP. */
import { Capture } from '../languages/pcap/capture.ts';
import { LIMITS } from '../languages/pcap/packet.ts';
import type { CaptureLimits, Packet, Problem } from '../languages/pcap/packet.ts';
import type { TcpStream } from '../languages/pcap/stream.ts';
import { framesOf } from '../languages/sip/datagram.ts';
import { looksLikeSip } from '../languages/sip/message.ts';
import { seekStartLine } from '../languages/sip/seek.ts';
import { StreamFramer } from '../languages/sip/stream.ts';
import { bytesOf } from '../languages/sip/text.ts';
import { Sighting } from './sighting.ts';
import type { Address, AddressBook, Flow, Side, ToText } from './sighting.ts';

/** What a capture was, in numbers. */
export interface IntakeCounts {
  messages: number;
  /** TLS connections to or from port 5061, which nobody can read without their keys. */
  encrypted: number;
}

const IPV6 = 2 ** 32;
const SIP_PORT = 5060;
const TLS_PORT = 5061;
/** A stream that has not shown a message within so many bytes is something else, and no more of it is looked at. */
const MOST_UNKNOWN = 65_536;
/** `SIP/`, big endian. */
const SIP = 0x5349502f;
const LF = 10;

/** A stream that is read; how many bytes of it were no message so far. */
interface Reading {
  readonly framer: StreamFramer;
  readonly flow: Flow;
  found: boolean;
  unknown: number;
}

export class Intake {
  readonly capture: Capture;
  readonly counts: IntakeCounts = { messages: 0, encrypted: 0 };
  readonly problems: Problem[] = [];
  /** Seconds since 1970 of the first packet and of the latest one; NaN while there is none. */
  first = NaN;
  last = NaN;
  /** Bytes of the file so far. */
  size = 0;
  readonly #side: Side;
  readonly #book: AddressBook;
  readonly #toText: ToText;
  readonly #take: (sighting: Sighting) => void;
  #piece: Uint8Array | null = null;
  #dense = false;
  /** Bytes of messages in this piece. */
  #taken = 0;
  /** IPv6 addresses of this capture's numbering in the book's. */
  readonly #known = new Map<Address, Address>();

  constructor(side: Side, book: AddressBook, toText: ToText, take: (sighting: Sighting) => void, limits: Partial<CaptureLimits> = {}) {
    this.#side = side;
    this.#book = book;
    this.#toText = toText;
    this.#take = take;
    this.capture = new Capture(
      {
        datagram: (packet) => this.#datagram(packet),
        stream: (stream, packet, bytes, start, end) => this.#stream(stream, packet, bytes, start, end),
        streamGap: (stream, packet, missing) => this.#gap(stream, packet, missing),
        streamEnd: (stream, packet) => this.#streamEnd(stream, packet),
        other: (packet) => this.#seen(packet),
        problem: (problem) => this.problems.push(problem),
      },
      { ...LIMITS, ...limits },
    );
  }

  push(chunk: Uint8Array): void {
    this.size += chunk.length;
    // Copying a piece at once is cheaper than each message of it, and keeps it whole in memory as long as one of them is
    // kept; so it is done where much of the piece before was SIP. (Node's Buffer is a Uint8Array whose slice() copies nothing.)
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#piece = this.#dense ? plain.slice() : null;
    this.#taken = 0;
    this.capture.push(this.#piece ?? plain);
    this.#dense = this.#taken > chunk.length / 4;
    this.#piece = null;
  }

  end(): void {
    this.capture.end();
  }

  #seen(packet: Packet): number {
    const time = packet.seconds + packet.nanoseconds / 1e9;
    if (packet.timed) {
      if (!(this.first <= time)) this.first = time;
      if (!(this.last >= time)) this.last = time;
    }
    return time;
  }

  #address(address: Address): Address {
    if (address < IPV6) return address;
    let known = this.#known.get(address);
    if (known === undefined) this.#known.set(address, (known = this.#book.ipv6(this.capture.addressText(address))));
    return known;
  }

  #flow(transport: 'udp' | 'tcp', { source, sourcePort, destination, destinationPort }: Packet | TcpStream): Flow {
    return { transport, source: this.#address(source), sourcePort, destination: this.#address(destination), destinationPort };
  }

  #datagram(packet: Packet): void {
    const time = this.#seen(packet);
    const { data, start, end } = packet;
    if (end - start < 12) return;
    const kind = likeness(data, start, end);
    if (kind === 'sip') {
      this.#give(packet, time, this.#flow('udp', packet), data, start, end, packet.missing);
      return;
    }
    if (kind === 'no' && packet.sourcePort !== SIP_PORT && packet.destinationPort !== SIP_PORT) return;
    // Odd beginnings, which a router that searches the whole datagram takes for SIP too.
    const text = this.#toText(data, start, end);
    const from = looksLikeSip(text) ? 0 : seekStartLine(text, 0, text.length);
    if (from < 0) return;
    this.#give(packet, time, this.#flow('udp', packet), data, start + from, end, packet.missing);
  }

  /** Hands on what may be several messages in one datagram. */
  #give(packet: Packet, time: number, flow: Flow, bytes: Uint8Array, start: number, end: number, missing: number): void {
    const { ttl, id, fragments, number } = packet;
    const place = placeOf(packet);
    const { direction } = packet;
    const side = this.#side;
    const lasting = bytes === this.#piece;
    this.#taken += end - start;
    const put = (from: number, to: number, lacking: number): void => {
      this.counts.messages++;
      this.#take(
        new Sighting(
          { side, number, time, flow, place, direction, ttl, id, fragments, missing: lacking, lasting, bytes, start: from, end: to },
          this.#toText,
        ),
      );
    };
    if (severalIn(bytes, start, end)) {
      const text = this.#toText(bytes, start, end);
      const frames = framesOf(text).flatMap((frame) => (frame.kind === 'message' ? [frame.message] : []));
      if (frames.length > 1) {
        for (const { start: from, end: to } of frames) put(start + from, start + to, 0);
        return;
      }
    }
    put(start, end, missing);
  }

  #stream(stream: TcpStream, packet: Packet, bytes: Uint8Array, start: number, end: number): void {
    const time = this.#seen(packet);
    let reading = stream.context as Reading | undefined;
    if (reading === undefined) {
      const first = bytes[start] ?? 0;
      if (first === 0x16 && (stream.sourcePort === TLS_PORT || stream.destinationPort === TLS_PORT)) {
        this.counts.encrypted++;
        stream.wanted = false;
        return;
      }
      const sipPort = stream.sourcePort === SIP_PORT || stream.destinationPort === SIP_PORT;
      // In its middle a stream may begin with anything; elsewhere only a message begins a stream of SIP.
      if (!sipPort && stream.fromStart && !mayBegin(first)) {
        stream.wanted = false;
        return;
      }
      reading = { framer: new StreamFramer(this.#toText), flow: this.#flow('tcp', stream), found: false, unknown: 0 };
      stream.context = reading;
    }
    this.#frames(reading, packet, time, reading.framer.push(bytes.subarray(start, end)));
    if (reading.found) return;
    reading.unknown += end - start;
    if (reading.unknown > MOST_UNKNOWN) stream.wanted = false;
  }

  #frames(reading: Reading, packet: Packet, time: number, frames: ReturnType<StreamFramer['push']>): void {
    for (const frame of frames) {
      if (frame.kind !== 'message') continue;
      reading.found = true;
      const bytes = bytesOf(frame.message.text.slice(frame.message.start, frame.message.end));
      this.counts.messages++;
      this.#take(
        new Sighting(
          {
            side: this.#side,
            number: packet.number,
            time,
            flow: reading.flow,
            place: placeOf(packet),
            direction: packet.direction,
            ttl: packet.ttl,
            id: -1,
            fragments: 1,
            missing: 0,
            lasting: true,
            bytes,
            start: 0,
            end: bytes.length,
          },
          this.#toText,
        ),
      );
    }
  }

  #gap(stream: TcpStream, packet: Packet, missing: number): void {
    const reading = stream.context as Reading | undefined;
    if (reading !== undefined) this.#frames(reading, packet, this.#seen(packet), reading.framer.gap(missing));
  }

  #streamEnd(stream: TcpStream, packet: Packet): void {
    const reading = stream.context as Reading | undefined;
    if (reading !== undefined) this.#frames(reading, packet, packet.seconds + packet.nanoseconds / 1e9, reading.framer.end());
  }
}

const placeOf = ({ interface: port, device, vlan, pppoe }: Packet): number =>
  port + 64 * device + 65_536 * (vlan + 1) + 2 ** 29 * (pppoe + 1);

const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;
const mayBegin = (code: number): boolean => isLetter(code) || code === 13 || code === LF || code === 32;

/** By its first line alone: the question asked of every datagram, audio too. */
function likeness(bytes: Uint8Array, start: number, end: number): 'sip' | 'perhaps' | 'no' {
  const first = bytes[start]!;
  if (!mayBegin(first)) return 'no';
  if (!isLetter(first)) return 'perhaps';
  if (word(bytes, start) === SIP) return 'sip';
  const line = bytes.indexOf(LF, start);
  if (line < 0 || line >= end || line - start < 12) return 'no';
  const stop = bytes[line - 1] === 13 ? line - 1 : line;
  // `SIP/2.0` behind the Request-URI
  if (word(bytes, stop - 7) === SIP) return 'sip';
  return 'perhaps';
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** `SIP/2.0`, and how far a search may go on from a byte that stands where its last one would (Horspool). */
const VERSION = Uint8Array.of(83, 73, 80, 47, 50, 46, 48);
const LAST = VERSION.length - 1;
const SKIP = new Uint8Array(256).fill(VERSION.length);
for (let index = 0; index < LAST; index++) SKIP[VERSION[index]!] = LAST - index;

/** Whether a datagram may hold a second message: `SIP/2.0` ends a line behind the first one, or begins one. */
function severalIn(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start + 2 * LAST; at < end; at += SKIP[bytes[at]!]!) {
    if (bytes[at] !== 48 || bytes[at - 1] !== 46 || bytes[at - 2] !== 50 || bytes[at - 3] !== 47 || word(bytes, at - LAST) !== SIP)
      continue;
    const next = bytes[at + 1];
    if (next === 32 && bytes[at - LAST - 1] === LF) return true;
    // Of the first line it is no news.
    if ((next === 13 || next === LF) && bytes.indexOf(LF, start) < at - LAST) return true;
    if (next === undefined) return false;
  }
  return false;
}
