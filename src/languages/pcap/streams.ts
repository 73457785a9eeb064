/**
 * TCP (RFC 9293) as a bystander sees it: each direction of a connection becomes its bytes in order, each once, whatever was
 * lost, doubled, reordered or cut differently on the way. A capture may begin in the middle of a connection and miss any
 * part of it, so nothing is taken for granted but sequence numbers; what never comes is a gap that is said.
 */
import { DIRECTION, type Address, type CaptureLimits, type Packet, type Tell } from './packet.ts';
import { Stream, type StreamEnd, type StreamSink } from './stream.ts';

const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
/** Beyond the largest window (RFC 7323 §2.3 allows 2^30, nobody's is near it): a segment so far off is of another connection. */
const FAR = 1 << 24;
/** What holding a segment costs beside its bytes, about. */
const OVERHEAD = 160;
/** Segments held in one stream; each new one is put in its place among them. */
const MOST_HELD = 1024;
/** Seconds that bytes may come late although the receiver has already acknowledged them: captures mix up what is near in time. */
const LATE = 1;

export class Streams {
  readonly #limits: CaptureLimits;
  readonly #sink: StreamSink;
  readonly #problem: Tell;
  readonly #table = new Map<number, Stream>();
  #known = 0;
  #begun = 0;
  /** Streams with a hole, the oldest hole first. */
  readonly #holding = new Set<Stream>();
  /** Those of them whose receiver has what lacks here, the one that said so first before the others. */
  readonly #confirmed = new Set<Stream>();
  #cost = 0;

  constructor(limits: CaptureLimits, sink: StreamSink, problem: Tell) {
    this.#limits = limits;
    this.#sink = sink;
    this.#problem = problem;
  }

  /** Takes a segment: `packet.start` to `packet.end` is its payload. */
  add(packet: Packet, sequence: number, acknowledgement: number, flags: number): void {
    if (this.#holding.size > 0 && packet.timed) this.#age(packet);
    if ((flags & FLAG.ack) !== 0 && this.#holding.size > 0) this.#acknowledge(packet, acknowledgement);
    const stream = this.#segment(packet, sequence, flags);
    if ((flags & FLAG.rst) === 0) return;
    if (stream !== undefined) this.#end(stream, packet, 'reset');
    const other = this.#reverse(packet);
    if (other !== undefined) this.#end(other, packet, 'reset');
  }

  /** Reads a segment; returns the stream it belongs to, where there is one. */
  #segment(packet: Packet, sequence: number, flags: number): Stream | undefined {
    const length = packet.end - packet.start + packet.missing;
    let stream = this.#find(packet, packet.source, packet.sourcePort, packet.destination, packet.destinationPort, packet.direction);
    const syn = (flags & FLAG.syn) !== 0;
    const first = syn ? sequence + 1 | 0 : sequence | 0;
    if (stream !== undefined && this.#isAnother(stream, first, length, syn)) {
      this.#end(stream, packet, 'reused');
      this.#forget(stream);
      stream = undefined;
    }
    if (stream === undefined) {
      // Without a SYN and without a byte there is nothing to read, and no telling where the first byte is.
      if (!syn && length === 0) return undefined;
      stream = this.#begin(packet, first, syn);
    }
    stream.last = packet.number;
    if (stream.ended) return stream;
    if ((flags & FLAG.fin) !== 0) stream.fin = first + length | 0;
    if (length > 0 && stream.wanted) this.#take(stream, packet, first, length);
    else if (length > 0) stream.next = first + length | 0;
    if (stream.fin !== undefined && (stream.next - stream.fin | 0) >= 0) this.#end(stream, packet, 'closed');
    return stream;
  }

  /** Whether a segment belongs to a later connection between the same ports. */
  #isAnother(stream: Stream, first: number, length: number, syn: boolean): boolean {
    const ahead = first - stream.next | 0;
    if (syn) return first !== stream.begin;
    if (length === 0) return false;
    return ahead > FAR || ahead < -FAR || stream.ended && ahead >= 0;
  }

  #take(stream: Stream, packet: Packet, first: number, length: number): void {
    const ahead = first - stream.next | 0;
    if (ahead > 0) {
      this.#hold(stream, packet, first);
      return;
    }
    if (-ahead >= length) return;
    this.#give(stream, packet, packet.data, packet.start - ahead, packet.end, first + length | 0);
    if (stream.held.length > 0) this.#release(stream, packet);
  }

  /** Hands on what is next; of a segment that was cut, what is there and then the gap. `start` may lie in what was cut off. */
  #give(stream: Stream, packet: Packet, bytes: Uint8Array, start: number, end: number, next: number): void {
    const missing = (next - stream.next | 0) - Math.max(0, end - start);
    stream.next = next;
    if (start < end) this.#sink.stream(stream, packet, bytes, start, end);
    if (missing > 0) this.#gap(stream, packet, missing, 'the capture cut them off');
  }

  #hold(stream: Stream, packet: Packet, first: number): void {
    const { held } = stream;
    if (held.length === 0) {
      stream.since = timeOf(packet);
      this.#holding.add(stream);
    }
    let [place, above] = [0, held.length];
    while (place < above) {
      const middle = place + above >> 1;
      if ((held[middle]!.from - first | 0) > 0) above = middle;
      else place = middle + 1;
    }
    const before = held[place - 1];
    // Sent again while still waited for.
    if (before?.from === first && before.bytes.length >= packet.end - packet.start) return;
    held.splice(place, 0, { from: first, bytes: packet.data.slice(packet.start, packet.end), missing: packet.missing });
    const cost = packet.end - packet.start + OVERHEAD;
    stream.cost += cost;
    this.#cost += cost;
    if (stream.cost > this.#limits.streamBytes || held.length > MOST_HELD) this.#giveUp(stream, packet, 'too much has come after them');
    while (this.#cost > this.#limits.streamBytesInAll) {
      const [oldest] = this.#holding;
      if (oldest === undefined) return;
      this.#giveUp(oldest, packet, 'too much has come after them in this and other streams');
    }
  }

  /** Gives what is held up to the next hole. */
  #release(stream: Stream, packet: Packet): void {
    let taken = 0;
    for (const segment of stream.held) {
      const ahead = segment.from - stream.next | 0;
      if (ahead > 0) break;
      taken++;
      const cost = segment.bytes.length + OVERHEAD;
      stream.cost -= cost;
      this.#cost -= cost;
      const length = segment.bytes.length + segment.missing;
      if (-ahead < length && stream.wanted) {
        this.#give(stream, packet, segment.bytes, -ahead, segment.bytes.length, segment.from + length | 0);
      }
    }
    stream.held.splice(0, taken);
    this.#holding.delete(stream);
    this.#confirmed.delete(stream);
    if (!stream.wanted) this.#clear(stream);
    if (stream.held.length === 0) return;
    stream.since = timeOf(packet);
    this.#holding.add(stream);
  }

  #clear(stream: Stream): void {
    this.#cost -= stream.cost;
    stream.cost = 0;
    stream.held = [];
  }

  /** Waits no longer for what lacks before the first held segment. */
  #giveUp(stream: Stream, packet: Packet, why: string): void {
    const first = stream.held[0]!;
    const missing = first.from - stream.next | 0;
    stream.next = first.from;
    this.#gap(stream, packet, missing, why);
    this.#release(stream, packet);
  }

  #gap(stream: Stream, packet: Packet, missing: number, why: string): void {
    this.#problem('stream-gap', packet.offset, `At byte ${packet.offset}, packet ${packet.number}: ${missing} bytes of TCP stream `
      + `${stream.number} (port ${stream.sourcePort} to ${stream.destinationPort}) are not in the capture; ${why}.`);
    this.#sink.streamGap(stream, packet, missing);
  }

  #age(packet: Packet): void {
    for (const stream of this.#confirmed) {
      if (Math.abs(timeOf(packet) - stream.confirmed) <= LATE) break;
      this.#giveUp(stream, packet, 'their receiver has them');
    }
    for (const stream of this.#holding) {
      if (Math.abs(timeOf(packet) - stream.since) <= this.#limits.streamAge) break;
      this.#giveUp(stream, packet, `they did not come within ${this.#limits.streamAge} s`);
    }
  }

  /** Notes that the receiver of a stream has what lacks here. */
  #acknowledge(packet: Packet, acknowledgement: number): void {
    const stream = this.#reverse(packet);
    if (stream === undefined || stream.held.length === 0 || this.#confirmed.has(stream)) return;
    if ((acknowledgement - stream.held[0]!.from | 0) < 0) return;
    stream.confirmed = timeOf(packet);
    this.#confirmed.add(stream);
  }

  /** A stream that has ended stays known, so that what comes late and twice is not taken for a new one. */
  #end(stream: Stream, packet: Packet, how: StreamEnd): void {
    if (stream.ended) return;
    while (stream.held.length > 0) this.#giveUp(stream, packet, how === 'capture ended' ? 'it has ended' : 'the stream has ended');
    stream.ended = true;
    this.#sink.streamEnd(stream, packet, how);
    stream.context = undefined;
  }

  #find(packet: Packet, source: Address, sourcePort: number, destination: Address, destinationPort: number,
    direction: number): Stream | undefined {
    let stream = this.#table.get(keyOf(packet, source, sourcePort, destination, destinationPort));
    while (stream !== undefined) {
      if (stream.sourcePort === sourcePort && stream.destinationPort === destinationPort && stream.source === source
        && stream.destination === destination && stream.direction === direction && stream.device === packet.device
        && stream.interface === packet.interface && stream.vlan === packet.vlan && stream.pppoe === packet.pppoe) break;
      stream = stream.chained;
    }
    return stream;
  }

  /** The other direction of a packet's connection at the same place: what comes in there goes out here. */
  #reverse(packet: Packet): Stream | undefined {
    const { toUs, outgoing } = DIRECTION;
    const direction = packet.direction === toUs ? outgoing : packet.direction === outgoing ? toUs : packet.direction;
    return this.#find(packet, packet.destination, packet.destinationPort, packet.source, packet.sourcePort, direction);
  }

  #begin(packet: Packet, first: number, fromStart: boolean): Stream {
    if (this.#known >= this.#limits.streams) this.#forgetOldest(packet);
    const key = keyOf(packet, packet.source, packet.sourcePort, packet.destination, packet.destinationPort);
    const stream = new Stream(++this.#begun, key, packet, first);
    stream.fromStart = fromStart;
    stream.chained = this.#table.get(key);
    this.#table.set(key, stream);
    this.#known++;
    return stream;
  }

  #forget(stream: Stream): void {
    this.#known--;
    const first = this.#table.get(stream.key);
    if (first === stream) {
      if (stream.chained === undefined) this.#table.delete(stream.key);
      else this.#table.set(stream.key, stream.chained);
      return;
    }
    for (let at = first; at !== undefined; at = at.chained) if (at.chained === stream) at.chained = stream.chained;
  }

  #all(): Stream[] {
    const all: Stream[] = [];
    for (const first of this.#table.values()) {
      for (let at: Stream | undefined = first; at !== undefined; at = at.chained) all.push(at);
    }
    return all;
  }

  /** Makes room for a quarter: ended streams first, then those that were silent longest. */
  #forgetOldest(packet: Packet): void {
    const all = this.#all().sort((a, b) => Number(b.ended) - Number(a.ended) || a.last - b.last);
    const open = all.slice(0, Math.ceil(all.length / 4)).filter((stream) => {
      this.#forget(stream);
      return !stream.ended;
    });
    if (open.length === 0) return;
    this.#problem('streams', packet.offset, `At byte ${packet.offset}, packet ${packet.number}: more than ${this.#limits.streams} TCP `
      + `streams are open; the ${open.length} that were silent longest are taken for ended.`);
    for (const stream of open) this.#end(stream, packet, 'forgotten');
  }

  /** The capture has ended. */
  end(packet: Packet): void {
    for (const stream of this.#all().sort((a, b) => a.number - b.number)) this.#end(stream, packet, 'capture ended');
    this.#table.clear();
    this.#known = 0;
  }
}

/** Seconds; exact to a microsecond, which is more than waiting needs. */
function timeOf(packet: Packet): number { return packet.seconds + packet.nanoseconds / 1e9; }

function keyOf(packet: Packet, source: Address, sourcePort: number, destination: Address, destinationPort: number): number {
  let key = Math.imul(source | 0, 0x9e3779b1) ^ Math.imul(destination | 0, 0x85ebca6b);
  key ^= Math.imul(sourcePort << 16 | destinationPort, 0xc2b2ae35);
  key ^= Math.imul(packet.interface + 64 * packet.device + 4096 * packet.vlan, 0x27d4eb2f);
  return (key ^ key >>> 15) >>> 2;
}
