/** Blocks of pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, packets. Blocks of other types are passed over. */
import { Clock } from './clock.ts';
import { isReadable, linkTypeName } from './link.ts';
import { optionText, readOptions, type EachOption } from './options.ts';
import { DIRECTION, type CaptureInterface, type CaptureLimits, type FrameSink, type Packet } from './packet.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const TYPE = { interface: 1, packet: 2, simple: 3, enhanced: 6 } as const;
const OPTION = { name: 2, description: 3, flags: 2, resolution: 9, offset: 14 } as const;
/** Type and length before the body, length again behind it. */
const FRAME = 12;
/** The fixed part of an enhanced (and of the older) packet block's body. */
const PACKET_BODY = 20;
/** Options may follow a frame; more of them are not worth gathering. */
const MOST_OPTIONS = 1 << 16;
const MOST_STEPS = 32;

/** What the reader knows of an interface beyond what it shows. */
interface Source { readonly clock: Clock; readonly global: number; readonly linkType: number; readonly snapLength: number }

export class Blocks {
  /** Bytes that must be there for `read` to go on, and bytes it wants passed over. */
  need = FRAME;
  skip = 0;
  /** Whether a length was wrong, so that the next section header has to be searched for. */
  lost = false;
  readonly #packet: Packet;
  readonly #sink: FrameSink;
  readonly #limits: CaptureLimits;
  readonly #interfaces: CaptureInterface[];
  #sources: Source[] = [];
  #section = 0;
  #little = false;

  constructor(packet: Packet, sink: FrameSink, limits: CaptureLimits, interfaces: CaptureInterface[]) {
    this.#packet = packet;
    this.#sink = sink;
    this.#limits = limits;
    this.#interfaces = interfaces;
  }

  /** Reads the blocks that lie whole between `at` and `end`; returns where it came to. See `CaptureReader`. */
  read(bytes: Uint8Array, at: number, end: number, base: number): number {
    this.skip = 0;
    for (;;) {
      this.need = FRAME;
      if (end - at < FRAME) return at;
      if (this.lost) {
        at = this.#search(bytes, at, end, base);
        if (this.lost) return at;
        continue;
      }
      const isSection = big(bytes, at) === SECTION_HEADER;
      if (isSection && !this.#setOrder(bytes, at + 8)) {
        this.#lose(base + at, `a section header has ${big(bytes, at + 8).toString(16).padStart(8, '0')} where 1a2b3c4d or 4d3c2b1a `
          + 'tells its byte order');
        at++;
        continue;
      }
      const length = this.#u32(bytes, at + 4);
      if (length < FRAME || length % 4 !== 0) {
        this.#lose(base + at, `a block says to be ${length} bytes long; 12 and more are possible, in steps of 4`);
        at++;
        continue;
      }
      const type = isSection ? SECTION_HEADER : this.#u32(bytes, at);
      const wanted = isSection || type === TYPE.enhanced || type === TYPE.interface || type === TYPE.simple || type === TYPE.packet;
      if (!wanted || length > this.#limits.frame + MOST_OPTIONS) {
        if (wanted) this.#leaveOut(type, length, base + at);
        this.skip = Math.max(0, length - (end - at));
        at = Math.min(at + length, end);
        if (this.skip > 0) return at;
        continue;
      }
      if (length > end - at) {
        this.need = length;
        return at;
      }
      const next = at + length;
      if (this.#u32(bytes, next - 4) !== length) {
        this.#sink.problem('block-trailer', base + next - 4, `At byte ${base + next - 4} a block ends with the length `
          + `${this.#u32(bytes, next - 4)}, and began with ${length}; that is believed.`);
      }
      if (type === TYPE.enhanced || type === TYPE.packet) this.#enhanced(type, bytes, at, next, base);
      else if (type === TYPE.simple) this.#simple(bytes, at, next, base);
      else if (type === TYPE.interface) this.#interface(bytes, at, next, base);
      else this.#sectionHeader(bytes, at, next, base);
      at = next;
    }
  }

  #u32(bytes: Uint8Array, at: number): number {
    return this.#little
      ? (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0
      : big(bytes, at);
  }

  #u16(bytes: Uint8Array, at: number): number {
    return this.#little ? bytes[at]! | bytes[at + 1]! << 8 : bytes[at]! << 8 | bytes[at + 1]!;
  }

  #setOrder(bytes: Uint8Array, at: number): boolean {
    this.#little = bytes[at] === 0x4d;
    return this.#u32(bytes, at) === BYTE_ORDER;
  }

  #lose(offset: number, what: string): void {
    this.lost = true;
    this.#sink.problem('block-length', offset, `At byte ${offset}, after packet ${this.#packet.number}, ${what}. `
      + 'Reading goes on at the next section header, if there is one.');
  }

  /** The next section header: its type reads the same in both byte orders and is spoilt by any transfer as text. */
  #search(bytes: Uint8Array, at: number, end: number, base: number): number {
    const last = end - FRAME;
    // A leap costs as much as many steps: it pays where line feeds are rare, as they are in anything but what was made for it.
    for (let steps = 0; at <= last; at++) {
      if (bytes[at] !== 0x0a) {
        if (++steps < MOST_STEPS) continue;
        steps = 0;
        const found = bytes.indexOf(0x0a, at);
        if (found < 0 || found > last) return last + 1;
        at = found;
      }
      if (bytes[at + 1] === 0x0d && big(bytes, at) === SECTION_HEADER && this.#setOrder(bytes, at + 8)) {
        this.lost = false;
        this.#sink.problem('resumed', base + at, `At byte ${base + at} a section begins, and reading goes on.`);
        return at;
      }
    }
    return at;
  }

  #leaveOut(type: number, length: number, offset: number): void {
    this.#sink.problem('block-size', offset, `At byte ${offset} a block of type ${type} says to be ${length} bytes long; `
      + `blocks of more than ${this.#limits.frame + MOST_OPTIONS} are passed over.`);
    // Packets name interfaces by their place, so the place is kept.
    if (type === TYPE.interface) this.#add({ linkType: -1, name: '', description: '', snapLength: 0 }, new Clock());
    else if (type === SECTION_HEADER) this.#beginSection();
    else this.#packet.number++;
  }

  #beginSection(): void {
    this.#section++;
    this.#sources = [];
  }

  #sectionHeader(bytes: Uint8Array, at: number, next: number, base: number): void {
    const [major, minor] = next - at >= 28 ? [this.#u16(bytes, at + 12), this.#u16(bytes, at + 14)] : [-1, -1];
    this.#beginSection();
    if (major === 1) return;
    this.lost = true;
    this.#sink.problem('version', base + at, major < 0
      ? `At byte ${base + at} a section header is ${next - at} bytes long; it has 28 at least. Its section is passed over.`
      : `At byte ${base + at} a section says to be pcapng ${major}.${minor}; version 1 is the one there is. It is passed over.`);
  }

  #interface(bytes: Uint8Array, at: number, next: number, base: number): void {
    if (next - at < FRAME + 8) {
      this.#sink.problem('block', base + at,
        `At byte ${base + at} the description of an interface is ${next - at} bytes long; it has 20 at least.`);
      this.#add({ linkType: -1, name: '', description: '', snapLength: 0 }, new Clock());
      return;
    }
    if (this.#interfaces.length >= this.#limits.interfaces) return; // packets that name it are left out, each said
    let [name, description, resolution, offset] = ['', '', 6, 0n];
    this.#options(bytes, at + 16, next - 4, base, (code, from, length) => {
      if (code === OPTION.name) name = optionText(bytes, from, length);
      else if (code === OPTION.description) description = optionText(bytes, from, length);
      else if (code === OPTION.resolution && length >= 1) resolution = bytes[from]!;
      else if (code === OPTION.offset && length >= 8) {
        const [low, high] = this.#little ? [from, from + 4] : [from + 4, from];
        offset = BigInt.asIntN(64, BigInt(this.#u32(bytes, high)) << 32n | BigInt(this.#u32(bytes, low)));
      }
    });
    const linkType = this.#u16(bytes, at + 8);
    this.#add({ linkType, name, description, snapLength: this.#u32(bytes, at + 12) }, new Clock(resolution, offset));
    this.checkLinkType(this.#interfaces.length - 1, base + at + 8);
  }

  #add(about: Pick<CaptureInterface, 'linkType' | 'name' | 'description' | 'snapLength'>, clock: Clock): void {
    if (this.#interfaces.length >= this.#limits.interfaces) return;
    this.#sources.push({ clock, global: this.#interfaces.length, linkType: about.linkType, snapLength: about.snapLength });
    this.#interfaces.push({ ...about, section: this.#section, index: this.#sources.length - 1 });
  }

  /** Says that the packets of an interface cannot be read, once for all of them. */
  checkLinkType(index: number, offset: number): void {
    const { linkType, name } = this.#interfaces[index]!;
    if (isReadable(linkType)) return;
    const which = name === '' ? String(index) : `${index} (${JSON.stringify(name)})`;
    this.#sink.problem('link-type', offset, `At byte ${offset} interface ${which} has the link type ${linkTypeName(linkType)}, whose `
      + 'packets are not read here; capture on an interface with Ethernet, or on -i any.');
  }

  /** Calls `each` with every option's code, place and length. */
  #options(bytes: Uint8Array, at: number, end: number, base: number, each: EachOption): void {
    const bad = readOptions(bytes, at, end, this.#little, each);
    if (bad >= 0) {
      this.#sink.problem('option', base + bad, `At byte ${base + bad} option ${this.#u16(bytes, bad)} says to be `
        + `${this.#u16(bytes, bad + 2)} bytes long, and its block ends after ${end - bad - 4}; it is not read.`);
    }
  }

  /** Enhanced packet blocks (§4.3), and the packet blocks they took the place of (appendix A of the draft). */
  #enhanced(type: number, bytes: Uint8Array, at: number, next: number, base: number): void {
    const packet = this.#packet;
    packet.number++;
    const body = at + 8;
    if (next - at < FRAME + PACKET_BODY) {
      this.#sink.problem('block', base + at,
        `At byte ${base + at} the block of packet ${packet.number} is ${next - at} bytes long; it has 32 at least.`);
      return;
    }
    const captured = this.#u32(bytes, body + 12);
    const frame = body + PACKET_BODY;
    if (captured > next - 4 - frame) {
      this.#sink.problem('block', base + at, `At byte ${base + at} packet ${packet.number} says to hold ${captured} bytes, and its block `
        + `has room for ${next - 4 - frame}; it is left out.`);
      return;
    }
    const source = this.#source(type === TYPE.enhanced ? this.#u32(bytes, body) : this.#u16(bytes, body), base + at);
    if (source === undefined) return;
    source.clock.read(this.#u32(bytes, body + 4), this.#u32(bytes, body + 8));
    packet.timed = true;
    packet.seconds = source.clock.seconds;
    packet.nanoseconds = source.clock.nanoseconds;
    packet.direction = DIRECTION.unknown;
    const options = frame + (captured + 3 & ~3);
    if (next - 4 - options >= 8) {
      this.#options(bytes, options, next - 4, base, (code, from, length) => this.#flags(code, bytes, from, length));
    }
    this.#hand(source, bytes, frame, frame + captured, this.#u32(bytes, body + 16), base + at);
  }

  /** epb_flags: bits 0-1 inbound or outbound, bits 2-4 how it was addressed (§4.3.1). */
  #flags(code: number, bytes: Uint8Array, from: number, length: number): void {
    if (code !== OPTION.flags || length !== 4) return;
    const flags = this.#u32(bytes, from);
    if ((flags & 3) === 2) this.#packet.direction = DIRECTION.outgoing;
    else if ((flags & 3) === 1) {
      const how = flags >> 2 & 7;
      const { toUs, broadcast, multicast, toOthers } = DIRECTION;
      this.#packet.direction = how === 2 ? multicast : how === 3 ? broadcast : how === 4 ? toOthers : toUs;
    }
  }

  /** Simple packet blocks (§4.4): of the section's first interface, cut at its snap length, without a time. */
  #simple(bytes: Uint8Array, at: number, next: number, base: number): void {
    const packet = this.#packet;
    packet.number++;
    const source = this.#source(0, base + at);
    if (source === undefined) return;
    const room = next - at - FRAME - 4;
    if (room < 0) {
      this.#sink.problem('block', base + at,
        `At byte ${base + at} the simple block of packet ${packet.number} is ${next - at} bytes long; it has 16 at least.`);
      return;
    }
    const length = this.#u32(bytes, at + 8);
    packet.timed = false;
    packet.seconds = 0;
    packet.nanoseconds = 0;
    packet.direction = DIRECTION.unknown;
    const captured = Math.min(length, source.snapLength === 0 ? length : source.snapLength, room);
    this.#hand(source, bytes, at + 12, at + 12 + captured, length, base + at);
  }

  #source(index: number, offset: number): Source | undefined {
    const source = this.#sources[index];
    if (source !== undefined) return source;
    const most = this.#limits.interfaces;
    const full = this.#interfaces.length >= most ? ` (of a file the first ${most} are read)` : '';
    this.#sink.problem('interface', offset, `At byte ${offset} packet ${this.#packet.number} was seen on interface ${index}, and the `
      + `section describes ${this.#sources.length}${full}; it is left out.`);
    return undefined;
  }

  #hand(source: Source, bytes: Uint8Array, frame: number, end: number, length: number, offset: number): void {
    const packet = this.#packet;
    packet.offset = offset;
    packet.interface = source.global;
    packet.linkType = source.linkType;
    packet.bytes = bytes;
    packet.frame = frame;
    packet.frameEnd = end;
    packet.frameLength = length;
    this.#sink.frame(packet);
  }
}

function big(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}
