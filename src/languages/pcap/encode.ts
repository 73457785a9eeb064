/** The other half of container.ts and blocks.ts: bytes of pcap and pcapng. */

/** How a file is written; what is not said is as tcpdump and dumpcap do it. */
export interface PcapOptions {
  /** Default: little endian. */
  readonly bigEndian?: boolean;
  /** Default: microseconds. */
  readonly nanoseconds?: boolean;
  /** LINKTYPE_ value; default 1, Ethernet. */
  readonly linkType?: number;
  /** Default 262,144. */
  readonly snapLength?: number;
}

/** A frame and when it was seen. */
export interface Frame {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly bytes: Uint8Array;
  /** On the wire; default: the length of `bytes`. */
  readonly length?: number;
}

/** Puts numbers and bytes one behind the other, in one byte order. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;
  readonly #little: boolean;

  constructor(bigEndian = false) { this.#little = !bigEndian; }

  #room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = new Uint8Array((this.#length + size) * 2);
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  u16(value: number): this { return this.#little ? this.u8(value).u8(value >>> 8) : this.u8(value >>> 8).u8(value); }

  u32(value: number): this { return this.#little ? this.u16(value).u16(value >>> 16) : this.u16(value >>> 16).u16(value); }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  end(): Uint8Array { return this.#bytes.slice(0, this.#length); }
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The 24 bytes a pcap file begins with. */
export function pcapHeader({ bigEndian = false, nanoseconds = false, linkType = 1, snapLength = 262_144 }: PcapOptions = {}): Uint8Array {
  return new Writer(bigEndian).u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0).u32(snapLength).u32(linkType).end();
}

/** One record of a pcap file. */
export function pcapRecord(frame: Frame, { bigEndian = false, nanoseconds = false }: PcapOptions = {}): Uint8Array {
  return new Writer(bigEndian).u32(frame.seconds).u32(nanoseconds ? frame.nanoseconds : Math.floor(frame.nanoseconds / 1000))
    .u32(frame.bytes.length).u32(frame.length ?? frame.bytes.length).bytes(frame.bytes).end();
}

export const BLOCK = { section: 0x0a0d0d0a, interface: 1, packet: 2, simple: 3, names: 4, statistics: 5, enhanced: 6 } as const;

export type Option = readonly [code: number, value: Uint8Array];

/** Any block: type, length, body padded to 32 bits, length again. */
export function block(type: number, body: Uint8Array, bigEndian = false): Uint8Array {
  const padding = new Uint8Array(-body.length & 3);
  const length = 12 + body.length + padding.length;
  return new Writer(bigEndian).u32(type).u32(length).bytes(body).bytes(padding).u32(length).end();
}

/** Options and the mark of their end; nothing where there are none. */
export function options(list: readonly Option[], bigEndian = false): Uint8Array {
  const writer = new Writer(bigEndian);
  for (const [code, value] of list) writer.u16(code).u16(value.length).bytes(value).bytes(new Uint8Array(-value.length & 3));
  return list.length === 0 ? writer.end() : writer.u32(0).end();
}

/** Begins a section; its length is not said, as writers into a pipe do it. */
export function sectionHeader(bigEndian = false, more: readonly Option[] = []): Uint8Array {
  const body = new Writer(bigEndian).u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).bytes(options(more, bigEndian));
  return block(BLOCK.section, body.end(), bigEndian);
}

/** Describes the section's next interface. */
export function interfaceDescription(linkType = 1, more: readonly Option[] = [],
  { bigEndian = false, snapLength = 262_144 } = {}): Uint8Array {
  const body = new Writer(bigEndian).u16(linkType).u16(0).u32(snapLength).bytes(options(more, bigEndian));
  return block(BLOCK.interface, body.end(), bigEndian);
}

/** A packet whose time is given in units of its interface, in two halves. */
export function enhancedPacket(index: number, high: number, low: number, frame: Pick<Frame, 'bytes' | 'length'>,
  more: readonly Option[] = [], bigEndian = false): Uint8Array {
  const { bytes } = frame;
  const body = new Writer(bigEndian).u32(index).u32(high).u32(low).u32(bytes.length).u32(frame.length ?? bytes.length)
    .bytes(bytes).bytes(new Uint8Array(-bytes.length & 3)).bytes(options(more, bigEndian));
  return block(BLOCK.enhanced, body.end(), bigEndian);
}

/** A packet of the first interface, without a time. */
export function simplePacket(frame: Pick<Frame, 'bytes' | 'length'>, bigEndian = false): Uint8Array {
  return block(BLOCK.simple, new Writer(bigEndian).u32(frame.length ?? frame.bytes.length).bytes(frame.bytes).end(), bigEndian);
}
