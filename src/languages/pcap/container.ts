/**
 * The two formats of capture files, read as they come: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng).
 *
 * Bytes are pushed in pieces cut anywhere. A frame that lies whole in a piece is handed on where it lies; of one that does
 * not, only its own bytes are gathered. No length in the file makes anything be allocated beyond the limits.
 */
import { Blocks } from './blocks.ts';
import type { CaptureInterface, CaptureLimits, FrameSink, Packet } from './packet.ts';

const FILE_HEADER = 24;
const RECORD_HEADER = 16;

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const SECTION_HEADER = 0x0a0d0d0a;

/** What people hand over by mistake, by how it begins (big endian, the bits of the mask), and what to do about it. */
const FOREIGN: readonly (readonly [mask: number, magic: number, what: string])[] = [
  [0xffff0000, 0x1f8b0000, 'it is compressed with gzip: unpack it (gunzip) and give the result'],
  [0xffffffff, 0x28b52ffd, 'it is compressed with zstd: unpack it (unzstd) and give the result'],
  [0xffffffff, 0xfd377a58, 'it is compressed with xz: unpack it (unxz) and give the result'],
  [0xffffffff, 0x504b0304, 'it is a zip archive: unpack it and give the capture in it'],
  [0xffffffff, 0xa1b2cd34, 'it is "modified" pcap: convert it with editcap -F pcapng'],
  [0xffffffff, 0x34cdb2a1, 'it is "modified" pcap: convert it with editcap -F pcapng'],
  [0xffffffff, 0x736e6f6f, 'it is a capture of snoop: convert it with editcap -F pcapng'],
];

type State = 'begin' | 'records' | 'blocks' | 'stopped';

/** Reads a capture file pushed in pieces into frames. */
export class CaptureReader {
  readonly interfaces: CaptureInterface[] = [];
  /** Bytes pushed so far. */
  length = 0;
  readonly #packet: Packet;
  readonly #sink: FrameSink;
  readonly #limits: CaptureLimits;
  readonly #blocks: Blocks;
  #state: State = 'begin';
  #little = false;
  /** Nanoseconds in a unit of the file's fractions of a second: 1000 or 1. */
  #unit = 1000;
  /** Bytes of something that goes on in the next piece, how many there are, and how many are needed to go on. */
  #carry = new Uint8Array(0);
  #held = 0;
  #need = 4;
  /** Bytes still to be passed over. */
  #skip = 0;

  constructor(packet: Packet, sink: FrameSink, limits: CaptureLimits) {
    this.#packet = packet;
    this.#sink = sink;
    this.#limits = limits;
    this.#blocks = new Blocks(packet, sink, limits, this.interfaces);
  }

  /** Takes the next bytes of the file. They are not kept: the caller may use the array again. */
  push(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    let copied = 0; // of this piece, into what is carried over
    while (at < end) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, end - at);
        this.#skip -= passed;
        at += passed;
      } else if (this.#held === 0) {
        at += this.#read(chunk, at, end, this.length);
        if (at < end && this.#skip === 0) {
          this.#room(Math.max(this.#need, end - at));
          this.#carry.set(chunk.subarray(at, end));
          this.#held = end - at;
          at = end;
        }
      } else {
        const taken = Math.max(0, Math.min(this.#need - this.#held, end - at));
        this.#room(this.#held + taken);
        this.#carry.set(chunk.subarray(at, at + taken), this.#held);
        this.#held += taken;
        at += taken;
        copied += taken;
        if (this.#held >= this.#need) this.#readCarried(this.length + at - this.#held);
        // What is left of it lies in this piece as a whole, and is read there. (A search takes single bytes otherwise.)
        if (this.#held <= copied) {
          at -= this.#held;
          this.#held = 0;
        }
      }
    }
    this.length += end;
  }

  #readCarried(offset: number): void {
    const held = this.#held;
    const used = this.#read(this.#carry, 0, held, offset);
    if (used > 0) this.#carry.copyWithin(0, used, held);
    this.#held = held - used;
  }

  /** Grows what is carried over, what is in it stays. */
  #room(size: number): void {
    if (size <= this.#carry.length) return;
    const larger = new Uint8Array(Math.max(size, this.#carry.length * 2, 4096));
    larger.set(this.#carry.subarray(0, this.#held));
    this.#carry = larger;
  }

  /** The file ends here, or the pipe did. */
  end(): void {
    const left = this.#held + this.#skip;
    if (this.length === 0) {
      this.#sink.problem('empty', 0, 'The capture is empty: it has no bytes, not even the header that each capture begins with.');
    } else if (this.#state === 'begin') {
      this.#sink.problem('format', 0,
        `It is no capture: it ends after ${this.length} bytes, before the header of pcap (24 bytes) or pcapng (28) does.`);
    } else if (left > 0 && this.#state !== 'stopped' && !this.#blocks.lost) {
      this.#sink.problem('cut-short', this.length, `The capture breaks off at byte ${this.length}, in the middle of what comes after `
        + `packet ${this.#packet.number}, as it does when its writer is stopped; all before is read.`);
    }
    this.#state = 'stopped';
    this.#held = 0;
    this.#skip = 0;
  }

  /**
   * Reads what lies whole between `at` and `end`.
   * @param base what makes an index into `bytes` an offset in the file when it is added
   * @returns how many bytes were used; unless it is all, `#need` or `#skip` says what lacks
   */
  #read(bytes: Uint8Array, at: number, end: number, base: number): number {
    const from = at;
    if (this.#state === 'begin') at += this.#begin(bytes, at, end);
    if (this.#state === 'records') at = this.#records(bytes, at, end, base);
    else if (this.#state === 'blocks') {
      at = this.#blocks.read(bytes, at, end, base);
      this.#need = this.#blocks.need;
      this.#skip = this.#blocks.skip;
    } else if (this.#state === 'stopped') {
      at = end;
    }
    return at - from;
  }

  #begin(bytes: Uint8Array, at: number, end: number): number {
    this.#need = 4;
    if (end - at < 4) return 0;
    const magic = big(bytes, at);
    if (magic === SECTION_HEADER) {
      this.#state = 'blocks';
      return 0;
    }
    const swapped = little(bytes, at);
    this.#little = swapped === MICROSECONDS || swapped === NANOSECONDS;
    const read = this.#little ? little : big;
    const found = read(bytes, at);
    if (found !== MICROSECONDS && found !== NANOSECONDS) {
      this.#state = 'stopped';
      const known = FOREIGN.find(([mask, each]) => (magic & mask) >>> 0 === each);
      this.#sink.problem('format', 0, `It is no capture that can be read here: it begins with the bytes ${hex(magic)}; `
        + `${known?.[2] ?? 'pcap begins with a1b2c3d4 or a1b23c4d in either order, pcapng with 0a0d0d0a'}.`);
      return 0;
    }
    this.#need = FILE_HEADER;
    if (end - at < FILE_HEADER) return 0;
    this.#unit = found === MICROSECONDS ? 1000 : 1;
    const version = this.#little ? bytes[at + 4]! | bytes[at + 5]! << 8 : bytes[at + 4]! << 8 | bytes[at + 5]!;
    if (version !== 2) {
      this.#state = 'stopped';
      this.#sink.problem('version', 4, `At byte 4 it says to be pcap of version ${version}; version 2 is the one there is.`);
      return 0;
    }
    // Above the link type's 16 bits stand the length of a frame check sequence and reserved bits.
    const linkType = read(bytes, at + 20) & 0xffff;
    this.interfaces.push({ linkType, name: '', description: '', snapLength: read(bytes, at + 16), section: 1, index: 0 });
    this.#packet.linkType = linkType;
    this.#blocks.checkLinkType(0, 20);
    this.#state = 'records';
    return FILE_HEADER;
  }

  #records(bytes: Uint8Array, at: number, end: number, base: number): number {
    const packet = this.#packet;
    const most = this.#limits.frame;
    const read = this.#little ? little : big;
    while (end - at >= RECORD_HEADER) {
      const captured = read(bytes, at + 8);
      if (captured > most) {
        this.#state = 'stopped';
        this.#sink.problem('frame-size', base + at, `At byte ${base + at}, after packet ${packet.number}, a record says to hold `
          + `${captured} bytes; more than ${most} cannot be right, and nothing tells where the next one begins. The rest is not read.`);
        return end;
      }
      const frame = at + RECORD_HEADER;
      const next = frame + captured;
      if (next > end) {
        this.#need = RECORD_HEADER + captured;
        return at;
      }
      let seconds = read(bytes, at);
      let fraction = read(bytes, at + 4) * this.#unit;
      if (fraction >= 1e9) {
        seconds += Math.floor(fraction / 1e9);
        fraction %= 1e9;
      }
      packet.number++;
      packet.offset = base + at;
      packet.seconds = seconds;
      packet.nanoseconds = fraction;
      packet.bytes = bytes;
      packet.frame = frame;
      packet.frameEnd = next;
      packet.frameLength = read(bytes, at + 12);
      this.#sink.frame(packet);
      at = next;
    }
    this.#need = RECORD_HEADER;
    return at;
  }
}

function little(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0;
}

function big(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

function hex(word: number): string { return word.toString(16).padStart(8, '0'); }
