/**
 * A capture file, pushed in pieces as they come from a disk or a pipe, becomes UDP datagrams and TCP streams:
 *
 *     const capture = new Capture({ datagram(packet) { … }, stream(…) { … }, … });
 *     for (const chunk of chunks) capture.push(chunk);
 *     capture.end();
 *
 * Nothing throws, whatever the bytes are, and nothing grows with the file: see LIMITS.
 */
import { Addresses } from './addresses.ts';
import { CaptureReader } from './container.ts';
import { Fragments } from './fragments.ts';
import { IP, passExtensions, readIpv4, readIpv6 } from './internet.ts';
import { BROKEN, NOT_IP, readLink } from './link.ts';
import {
  LIMITS, Packet, PROTOCOL, type Address, type CaptureCounts, type CaptureInterface, type CaptureLimits, type Problem, type ProblemCode,
  type Tell,
} from './packet.ts';
import type { StreamSink } from './stream.ts';
import { Streams } from './streams.ts';

/** Who is told what a capture holds, in the order of the file. What is handed over holds until the function returns. */
export interface CaptureHandler extends StreamSink {
  /** A UDP datagram: its payload is `packet.data` from `packet.start` to before `packet.end`. */
  datagram(packet: Packet): void;
  /** An IP packet of another protocol (ICMP and the like); `start` and `end` are what IP carries. */
  other?(packet: Packet): void;
  problem(problem: Problem): void;
}

export class Capture {
  /** Filled as the file tells of them; an interface is there before its first packet. */
  readonly interfaces: readonly CaptureInterface[];
  readonly counts: CaptureCounts = {
    packets: 0, cut: 0, datagrams: 0, segments: 0, fragments: 0, reassembled: 0, otherProtocols: 0, notIp: 0, unreadable: 0,
  };
  readonly #handler: CaptureHandler;
  readonly #limits: CaptureLimits;
  readonly #packet = new Packet();
  readonly #addresses: Addresses;
  readonly #reader: CaptureReader;
  readonly #fragments: Fragments;
  readonly #streams: Streams;
  /** How often each kind of problem was there. */
  readonly #problems = new Map<ProblemCode, number>();
  #ended = false;

  constructor(handler: CaptureHandler, limits: Partial<CaptureLimits> = {}) {
    const problem: Tell = (code, offset, message) => this.#tell(code, offset, message);
    this.#handler = handler;
    this.#limits = { ...LIMITS, ...limits };
    this.#addresses = new Addresses(this.#limits.addresses);
    this.#fragments = new Fragments(this.#limits, problem);
    this.#streams = new Streams(this.#limits, handler, problem);
    this.#reader = new CaptureReader(this.#packet, { frame: (packet) => this.#frame(packet), problem }, this.#limits);
    this.interfaces = this.#reader.interfaces;
  }

  /** Takes the next bytes of the file, cut anywhere. They may be overwritten afterwards. */
  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#reader.push(chunk);
    this.counts.packets = this.#packet.number;
  }

  /** The file has ended, or was cut off here. Calls the handler with what was still waiting for more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader.end();
    this.#fragments.end();
    this.#streams.end(this.#packet);
    for (const [code, times] of this.#problems) {
      if (times <= this.#limits.problems) continue;
      const offset = this.#reader.length;
      this.#handler.problem({ code: 'repeated', offset, message: `Up to byte ${offset} the capture has ${times} problems of the kind `
        + `"${code}"; the first ${this.#limits.problems} of them are told.` });
    }
  }

  /** `192.168.1.10`, `2001:db8::10` (RFC 5952). */
  addressText(address: Address): string { return this.#addresses.text(address); }

  /** 4 or 16 bytes, in the order of the wire. */
  addressBytes(address: Address): Uint8Array { return this.#addresses.bytes(address); }

  #tell(code: ProblemCode, offset: number, message: string): void {
    const times = (this.#problems.get(code) ?? 0) + 1;
    this.#problems.set(code, times);
    if (times <= this.#limits.problems) this.#handler.problem({ code, offset, message });
  }

  #frame(packet: Packet): void {
    const captured = packet.frameEnd - packet.frame;
    if (packet.frameLength > captured) this.counts.cut++;
    else packet.frameLength = captured; // less than was captured cannot be
    const family = readLink(packet);
    packet.family = 0;
    packet.sourcePort = 0;
    packet.destinationPort = 0;
    if (family <= 0) {
      if (family === NOT_IP) this.counts.notIp++;
      else if (family === BROKEN) this.#unreadable(packet, 'the header of its link layer');
      else this.counts.unreadable++;
      return;
    }
    packet.family = family;
    const result = family === 4 ? readIpv4(packet) : readIpv6(packet, this.#addresses);
    if (result === IP.whole) this.#transport(packet);
    else if (result === IP.fragment) this.#fragment(packet);
    else if (result === IP.full) {
      this.counts.unreadable++;
      this.#tell('addresses', packet.offset, `At byte ${packet.offset} packet ${packet.number} has an IPv6 address too many: `
        + `${this.#limits.addresses} different ones are read. It is left out.`);
    } else {
      this.#unreadable(packet, `its IPv${family} header`);
    }
  }

  #fragment(packet: Packet): void {
    this.counts.fragments++;
    if (!this.#fragments.add(packet)) return;
    this.counts.reassembled++;
    if (packet.family === 6 && passExtensions(packet) !== IP.whole) this.#unreadable(packet, 'an IPv6 extension header');
    else this.#transport(packet);
  }

  /** Where the capture cut a frame, a header that breaks off is nobody's fault: it is counted and not told. */
  #unreadable(packet: Packet, what: string): void {
    this.counts.unreadable++;
    if (packet.frameLength > packet.frameEnd - packet.frame) return;
    this.#tell('malformed', packet.offset,
      `At byte ${packet.offset} packet ${packet.number} cannot be read: ${what} breaks off or contradicts itself.`);
  }

  #transport(packet: Packet): void {
    if (packet.protocol === PROTOCOL.udp) this.#udp(packet);
    else if (packet.protocol === PROTOCOL.tcp) this.#tcp(packet);
    else {
      this.counts.otherProtocols++;
      this.#handler.other?.(packet);
    }
  }

  /** RFC 768. The checksum is not looked at: network cards fill it in behind the capture's back. */
  #udp(packet: Packet): void {
    const bytes = packet.data;
    const at = packet.start;
    const room = packet.end - at;
    const length = room < 8 ? -1 : bytes[at + 4]! << 8 | bytes[at + 5]!;
    // 0: longer than the field can say (RFC 2675 §4).
    if (length < 8 && length !== 0 || length > room + packet.missing) {
      this.#unreadable(packet, 'its UDP header');
      return;
    }
    packet.sourcePort = bytes[at]! << 8 | bytes[at + 1]!;
    packet.destinationPort = bytes[at + 2]! << 8 | bytes[at + 3]!;
    packet.start = at + 8;
    if (length !== 0) {
      packet.missing = length > room ? length - room : 0;
      if (length < room) packet.end = at + length;
    }
    this.counts.datagrams++;
    this.#handler.datagram(packet);
  }

  /** RFC 9293 §3.1. */
  #tcp(packet: Packet): void {
    const bytes = packet.data;
    const at = packet.start;
    const room = packet.end - at;
    const header = room < 20 ? 0 : (bytes[at + 12]! >> 4) * 4;
    if (header < 20 || header > room) {
      this.#unreadable(packet, 'its TCP header');
      return;
    }
    packet.sourcePort = bytes[at]! << 8 | bytes[at + 1]!;
    packet.destinationPort = bytes[at + 2]! << 8 | bytes[at + 3]!;
    packet.start = at + header;
    this.counts.segments++;
    this.#streams.add(packet, word(bytes, at + 4), word(bytes, at + 8), bytes[at + 13]!);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}
