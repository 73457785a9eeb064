/** A direction of a TCP connection: what is shown of it, and what has to be known to put its segments in order. */
import type { Address, Packet } from './packet.ts';

/** How a stream came to its end. */
export type StreamEnd = 'closed' | 'reset' | 'reused' | 'forgotten' | 'capture ended';

/** One direction of a TCP connection, at one place of the capture. It is the same object from its first byte to its end. */
export interface TcpStream {
  /** Counted from 1. */
  readonly number: number;
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Where it is seen; see Packet. */
  readonly interface: number;
  readonly device: number;
  readonly direction: number;
  readonly vlan: number;
  readonly pppoe: number;
  /** False: the capture began in its middle (or lost its SYN). */
  readonly fromStart: boolean;
  /** For whoever takes the bytes: what was made of them so far. */
  context: unknown;
  /** Set to false by whoever takes the bytes: no more are given, and nothing is held for it. */
  wanted: boolean;
}

/** Where streams go. `packet` is the one that made it happen; its time is when the bytes could be read. */
export interface StreamSink {
  /** The stream's next bytes: those of `bytes` from `start` to before `end`, which hold until the function returns. */
  stream(stream: TcpStream, packet: Packet, bytes: Uint8Array, start: number, end: number): void;
  /** `missing` bytes of the stream are not in the capture; what is given next comes after them. */
  streamGap(stream: TcpStream, packet: Packet, missing: number): void;
  streamEnd(stream: TcpStream, packet: Packet, how: StreamEnd): void;
}

/** A segment that waits for what comes before it; `from` is its sequence number. */
export interface Segment { readonly from: number; readonly bytes: Uint8Array; readonly missing: number }

export class Stream implements TcpStream {
  readonly number: number;
  readonly key: number;
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly interface: number;
  readonly device: number;
  readonly direction: number;
  readonly vlan: number;
  readonly pppoe: number;
  fromStart = false;
  context: unknown = undefined;
  wanted = true;
  /** Sequence number of the first byte seen and of the next one, as all of them modulo 2^32 in a signed number. */
  readonly begin: number;
  next: number;
  /** Sequence number behind the last byte, once a FIN said it. */
  fin: number | undefined = undefined;
  ended = false;
  /** Segments behind a hole, by sequence number; what they cost; when the hole was first seen. */
  held: Segment[] = [];
  cost = 0;
  since = 0;
  /** When the other side first acknowledged what is behind the hole. */
  confirmed = 0;
  /** The packet that last belonged to it. */
  last = 0;
  /** Of the same key. */
  chained: Stream | undefined = undefined;

  constructor(number: number, key: number, packet: Packet, begin: number) {
    this.number = number;
    this.key = key;
    this.begin = begin;
    this.next = begin;
    this.source = packet.source;
    this.destination = packet.destination;
    this.sourcePort = packet.sourcePort;
    this.destinationPort = packet.destinationPort;
    this.interface = packet.interface;
    this.device = packet.device;
    this.direction = packet.direction;
    this.vlan = packet.vlan;
    this.pppoe = packet.pppoe;
  }
}
