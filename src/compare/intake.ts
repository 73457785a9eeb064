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
import type { Address, AddressBook, SharedFlow, Side, Sighting, ToText } from './sighting.ts';
import { STAGE } from './store.ts';
import type { Store } from './store.ts';

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
const UPPER_S = 83;
/** `/2.0`, big endian; how long `SIP/2.0` is. */
const SLASH_2_0 = 0x2f322e30;
const VERSION_LENGTH = 7;

/** Entries of the table of flows; a power of two. */
const FLOWS = 4096;
const PROBES = 8;

/** What all captures of one comparison share. */
export interface Shared {
  readonly book: AddressBook;
  readonly store: Store;
  readonly toText: ToText;
}

/** Who is handed the messages. */
export interface IntakeSink {
  take(sighting: Sighting): void;
  /** Whether it is known already that a datagram is one message. */
  isAwaited(sighting: Sighting): boolean;
}

/** A packet, by when and where it was seen. */
type Stamp = Pick<Sighting, 'number' | 'time' | 'place' | 'direction' | 'ttl'>;

/** A stream that is read; how many bytes of it were no message so far. */
interface Reading {
  readonly framer: StreamFramer;
  readonly flow: SharedFlow;
  /** The latest packet with bytes of it. What ends a stream may be any packet, as where the capture ends. */
  readonly latest: Stamp;
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
  readonly #take: IntakeSink['take'];
  readonly #isAwaited: IntakeSink['isAwaited'];
  readonly #store: Store;
  readonly #source: number;
  #carried: 'udp' | 'tcp' = 'udp';
  /** The latest flows, so that most messages need no new object for theirs. */
  readonly #flows: (SharedFlow | undefined)[] = new Array(FLOWS).fill(undefined);
  /** IPv6 addresses of this capture's numbering in the book's. */
  readonly #known = new Map<Address, Address>();

  /** @param source which of the captures it is, from 0 */
  constructor(source: number, side: Side, shared: Shared, sink: IntakeSink, limits: Partial<CaptureLimits> = {}) {
    this.#source = source;
    this.#side = side;
    this.#book = shared.book;
    this.#store = shared.store;
    this.#toText = shared.toText;
    this.#take = sink.take;
    this.#isAwaited = sink.isAwaited;
    this.capture = new Capture(
      {
        datagram: (packet) => this.#datagram(packet),
        stream: (stream, packet, bytes, start, end) => this.#stream(stream, packet, bytes, start, end),
        streamGap: (stream, packet, missing) => this.#gap(stream, packet, missing),
        streamEnd: (stream) => this.#streamEnd(stream),
        other: (packet) => this.#seen(packet),
        problem: (problem) => this.problems.push(problem),
      },
      { ...LIMITS, ...limits },
    );
  }

  push(chunk: Uint8Array, carried: 'udp' | 'tcp' = 'udp'): void {
    this.#carried = carried;
    this.size += chunk.length;
    // Node's Buffer is a Uint8Array whose subarray() is a Buffer again.
    const plain = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = 0; at < plain.length; at += STAGE) {
      const piece = at === 0 && plain.length <= STAGE ? plain : plain.subarray(at, Math.min(plain.length, at + STAGE));
      this.capture.push(this.#store.stage(this.#source, piece));
    }
  }

  end(): void {
    this.capture.end();
  }

  #seen(packet: Packet): void {
    const time = packet.seconds + packet.nanoseconds / 1e9;
    if (packet.timed) {
      if (!(this.first <= time)) this.first = time;
      if (!(this.last >= time)) this.last = time;
    }
  }

  #address(address: Address): Address {
    if (address < IPV6) return address;
    let known = this.#known.get(address);
    if (known === undefined) this.#known.set(address, (known = this.#book.ipv6(this.capture.addressText(address))));
    return known;
  }

  #flow(transport: 'udp' | 'tcp', of: Packet | TcpStream): SharedFlow {
    const { source, sourcePort, destination, destinationPort } = of;
    const ports = (sourcePort << 16) ^ destinationPort;
    const mixed = Math.imul(Math.imul(source | 0, 0x9e3779b1) ^ (destination | 0), 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35);
    const first = mixed ^ (mixed >>> 15);
    for (let step = 0; step < PROBES; step++) {
      const known = this.#flows[(first + step) & (FLOWS - 1)];
      if (known === undefined) break;
      if (
        known.source === source
        && known.destination === destination
        && known.sourcePort === sourcePort
        && known.destinationPort === destinationPort
        && known.transport === transport
      ) {
        return known;
      }
    }
    const ends = { source: this.#address(source), sourcePort, destination: this.#address(destination), destinationPort };
    const flow = { transport, ...ends, sourceWritten: null, destinationWritten: null };
    if (source >= IPV6) return flow; // numbered otherwise in the capture
    let slot = first & (FLOWS - 1);
    for (let step = 0; step < PROBES; step++) {
      if (this.#flows[(first + step) & (FLOWS - 1)] !== undefined) continue;
      slot = (first + step) & (FLOWS - 1);
      break;
    }
    return (this.#flows[slot] = flow);
  }

  #datagram(packet: Packet): void {
    this.#seen(packet);
    const { data, start, end } = packet;
    if (end - start < 12) return;
    const kind = likeness(data, start, end);
    if (kind === 'sip') {
      this.#give(packet, this.#flow(this.#carried, packet), data, start, end, packet.missing);
      return;
    }
    if (kind === 'no' && packet.sourcePort !== SIP_PORT && packet.destinationPort !== SIP_PORT) return;
    // Odd beginnings, which a router that searches the whole datagram takes for SIP too.
    const text = this.#toText(data, start, end);
    const from = looksLikeSip(text) ? 0 : seekStartLine(text, 0, text.length);
    if (from < 0) return;
    this.#give(packet, this.#flow(this.#carried, packet), data, start + from, end, packet.missing);
  }

  /** Hands on what may be several messages in one datagram. */
  #give(packet: Packet, flow: SharedFlow, bytes: Uint8Array, start: number, end: number, missing: number): void {
    const whole = this.#sighting(packet, flow, bytes, start, end, missing);
    if (!this.#isAwaited(whole) && severalIn(bytes, start, end)) {
      const text = this.#toText(bytes, start, end);
      const frames = framesOf(text).flatMap((frame) => (frame.kind === 'message' ? [frame.message] : []));
      if (frames.length > 1) {
        this.#store.settle(whole); // nobody has asked for it
        for (const { start: from, end: to } of frames) {
          this.#put(this.#sighting(packet, flow, bytes, start + from, start + to, 0));
        }
        return;
      }
    }
    this.#put(whole);
  }

  #put(sighting: Sighting): void {
    this.counts.messages++;
    this.#take(sighting);
    this.#store.settle(sighting);
  }

  #sighting(packet: Packet, flow: SharedFlow, bytes: Uint8Array, start: number, end: number, missing: number): Sighting {
    const sighting = this.#blank(packet, flow);
    sighting.id = packet.id;
    sighting.missing = missing;
    sighting.wireLength = end - start + missing;
    this.#store.place(sighting, bytes, start, end);
    return sighting;
  }

  #blank(packet: Packet, flow: SharedFlow): Sighting {
    const sighting = this.#store.blank();
    sighting.side = this.#side;
    sighting.flow = flow;
    stamp(sighting, packet);
    return sighting;
  }

  #stream(stream: TcpStream, packet: Packet, bytes: Uint8Array, start: number, end: number): void {
    this.#seen(packet);
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
      const latest = { number: 0, time: 0, place: 0, direction: 0, ttl: 0 };
      reading = { framer: new StreamFramer(this.#toText), flow: this.#flow('tcp', stream), latest, found: false, unknown: 0 };
      stream.context = reading;
    }
    stamp(reading.latest, packet);
    this.#frames(reading, reading.framer.push(bytes.subarray(start, end)));
    if (reading.found) return;
    reading.unknown += end - start;
    if (reading.unknown > MOST_UNKNOWN) stream.wanted = false;
  }

  #frames(reading: Reading, frames: ReturnType<StreamFramer['push']>): void {
    for (const frame of frames) {
      if (frame.kind !== 'message') continue;
      reading.found = true;
      const bytes = bytesOf(frame.message.text.slice(frame.message.start, frame.message.end));
      const sighting = this.#store.blank();
      sighting.side = this.#side;
      sighting.flow = reading.flow;
      const { number, time, place, direction, ttl } = reading.latest;
      sighting.number = number;
      sighting.time = time;
      sighting.place = place;
      sighting.direction = direction;
      sighting.ttl = ttl;
      sighting.id = -1;
      sighting.missing = 0;
      sighting.wireLength = bytes.length;
      sighting.own(bytes, 0, bytes.length);
      this.#put(sighting);
    }
  }

  #gap(stream: TcpStream, packet: Packet, missing: number): void {
    const reading = stream.context as Reading | undefined;
    if (reading === undefined) return;
    this.#seen(packet);
    this.#frames(reading, reading.framer.gap(missing));
  }

  #streamEnd(stream: TcpStream): void {
    const reading = stream.context as Reading | undefined;
    if (reading !== undefined) this.#frames(reading, reading.framer.end());
  }
}

function stamp(to: Stamp, packet: Packet): void {
  to.number = packet.number;
  to.time = packet.seconds + packet.nanoseconds / 1e9;
  to.place = placeOf(packet);
  to.direction = packet.direction;
  to.ttl = packet.ttl;
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

/** Whether a datagram may hold a second message: `SIP/2.0` ends a line behind the first one, or begins one. */
function severalIn(bytes: Uint8Array, start: number, end: number): boolean {
  const last = end - VERSION_LENGTH;
  for (let at = bytes.indexOf(UPPER_S, start + 1); at >= 0 && at <= last; at = bytes.indexOf(UPPER_S, at + 1)) {
    if (bytes[at + 1] !== 73 || word(bytes, at + 3) !== SLASH_2_0 || bytes[at + 2] !== 80) continue;
    const next = bytes[at + VERSION_LENGTH];
    if (at === last) return false;
    if (next === 32 && bytes[at - 1] === LF) return true;
    // Of the first line it is no news.
    if ((next === 13 || next === LF) && bytes.indexOf(LF, start) < at) return true;
  }
  return false;
}
