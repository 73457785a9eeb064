// ADB, the format of apk-tools 3's files (doc/apk-v3.5.scd and src/adb.h there; written against version 3.0.6): a header
// that names a schema, then blocks. One block holds values, which point at each other; the others hold signatures and
// the contents of files. What the values mean is the schema's business (apk.mjs). All numbers are little-endian.
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** The types of blocks. A file has one ADB, then any SIG, then any DATA. */
export const BLOCK = /** @type {const} */ ({ ADB: 0, SIG: 1, DATA: 2 });
/** A block's length stands in 30 bits, its own four bytes included. Longer ones have another header, which apk writes and we do not. */
const LONGEST_BLOCK = 0x3fffffff;

/** The types of values, in the upper four bits of their word; number or offset is in the other 28. */
const TYPE = { NULL: 0x0, INT: 0x1, INT32: 0x2, INT64: 0x3, BLOB8: 0x8, BLOB16: 0x9, BLOB32: 0xa, ARRAY: 0xd, OBJECT: 0xe };
const BELOW = 0x10000000;
/** The first eight bytes of the values: two version bytes, two that are reserved, the root's word. */
const HEADER = 8;

/**
 * A value as its container holds it: type and number, or type and offset. 0 is "nothing is here".
 * @typedef {number} Word
 */

const word = (/** @type {number} */ type, /** @type {number} */ number) => (type * BELOW + number) >>> 0;
const typeOf = (/** @type {Word} */ value) => value >>> 28;
const numberOf = (/** @type {Word} */ value) => value % BELOW;

/** How many bytes hold the length of a blob of this type, which is its alignment too. @type {Record<number, 1 | 2 | 4>} */
const WIDTH = { [TYPE.BLOB8]: 1, [TYPE.BLOB16]: 2, [TYPE.BLOB32]: 4 };

const words = (/** @type {readonly Word[]} */ all) => {
  const bytes = Buffer.alloc(4 * all.length);
  all.forEach((one, at) => bytes.writeUInt32LE(one, 4 * at));
  return bytes;
};

/**
 * Puts values one behind another, as apk does it and so to the same bytes: what has been written before, to the byte, is
 * not written again but pointed at. So the order of the calls decides every offset; parts come before what holds them.
 */
export class AdbWriter {
  /** @type {Buffer[]} */
  #chunks = [];
  #length = HEADER;
  /** Where bytes were put last, by the bytes. @type {Map<string, number>} */
  #places = new Map();

  /** @param {Buffer} bytes @param {number} alignment @returns {number} */
  #append(bytes, alignment) {
    const gap = (alignment - (this.#length % alignment)) % alignment;
    const place = this.#length + gap;
    if (place + bytes.length > BELOW) {
      throw new Error(`The values take more than ${BELOW} bytes, and an offset has 28 bits. Make several packages of this one.`);
    }
    this.#chunks.push(Buffer.alloc(gap), bytes);
    this.#length = place + bytes.length;
    return place;
  }

  /** @param {Buffer} bytes @param {number} alignment @returns {number} */
  #put(bytes, alignment) {
    const key = bytes.toString('latin1');
    const known = this.#places.get(key);
    if (known !== undefined && known % alignment === 0) return known;
    const place = this.#append(bytes, alignment);
    this.#places.set(key, place); // apk forgets the badly aligned one
    return place;
  }

  /** @param {number | bigint} value a whole number from 0, below 2^64 @returns {Word} */
  integer(value) {
    const whole = typeof value === 'bigint' || Number.isSafeInteger(value) ? BigInt(value) : -1n;
    if (whole < 0n || whole >= 1n << 64n) throw new Error(`"${value}" is no number that fits: whole numbers from 0 to 2^64 - 1 do.`);
    if (whole < BELOW) return word(TYPE.INT, Number(whole));
    const bytes = Buffer.alloc(whole < 1n << 32n ? 4 : 8);
    if (bytes.length === 4) bytes.writeUInt32LE(Number(whole));
    else bytes.writeBigUInt64LE(whole);
    return word(bytes.length === 4 ? TYPE.INT32 : TYPE.INT64, this.#put(bytes, 4));
  }

  /** @param {string | Uint8Array} value a string is written as UTF-8; an empty one is nothing @returns {Word} */
  blob(value) {
    const { type, bytes } = blobOf(value);
    return type === TYPE.NULL ? 0 : word(type, this.#put(bytes, WIDTH[type] ?? 1));
  }

  /**
   * A blob with bytes of its own, which nothing else points at and which can so be changed afterwards.
   * @param {Uint8Array} value not empty @returns {{ value: Word, place: number }} `place` is where its first byte stands
   */
  ownBlob(value) {
    const { type, bytes } = blobOf(value);
    const width = WIDTH[type];
    if (width === undefined) throw new Error('Empty bytes are no value, and have no place to change.');
    const place = this.#append(bytes, width);
    return { value: word(type, place), place: place + width };
  }

  /**
   * An object or an array, which are stored alike.
   * @param {readonly Word[]} slots from slot 1 on; 0 where nothing is @returns {Word} 0 where all of them are
   */
  object(slots) {
    const last = slots.findLastIndex((one) => one !== 0);
    return last < 0 ? 0 : word(TYPE.OBJECT, this.#put(words([last + 2, ...slots.slice(0, last + 1)]), 4));
  }

  /** A value of another container, with all it points at. @param {AdbReader} from @param {Word} value @returns {Word} */
  copy(from, value) {
    const type = typeOf(value);
    if (type === TYPE.NULL || type === TYPE.INT) return value;
    if (type === TYPE.OBJECT || type === TYPE.ARRAY) {
      const slots = from.slots(value).map((one) => this.copy(from, one));
      return word(type, this.#put(words([slots.length + 1, ...slots]), 4));
    }
    // A long number is aligned to its whole length here, and to half of it where it is written new: so does apk.
    return word(type, this.#put(from.stored(value), type === TYPE.INT64 ? 8 : (WIDTH[type] ?? 4)));
  }

  /** @param {Word} root @returns {Buffer} the payload of an ADB block; the writer is done with */
  finish(root) {
    const header = Buffer.alloc(HEADER);
    header.writeUInt32LE(root, 4);
    return Buffer.concat([header, ...this.#chunks]);
  }
}

/** @param {string | Uint8Array} value @returns {{ type: number, bytes: Buffer }} with its length before it */
function blobOf(value) {
  const bytes = Buffer.from(value);
  const type = bytes.length === 0 ? TYPE.NULL : bytes.length < 0x100 ? TYPE.BLOB8 : bytes.length < 0x10000 ? TYPE.BLOB16 : TYPE.BLOB32;
  const length = Buffer.alloc(WIDTH[type] ?? 0);
  if (type !== TYPE.NULL) length.writeUIntLE(bytes.length, 0, length.length);
  return { type, bytes: Buffer.concat([length, bytes]) };
}

/** Reads values. Each method throws where the value is of another type, or points outside. */
export class AdbReader {
  #bytes;

  /** @param {Buffer} payload of an ADB block */
  constructor(payload) {
    if (payload.length < HEADER) throw new Error(`The values are ${payload.length} bytes, and their header alone is ${HEADER}.`);
    if (payload[0] !== 0) throw new Error(`The values are of version ${payload[0]}; only 0 is known.`);
    this.#bytes = payload;
  }

  get root() {
    return this.#bytes.readUInt32LE(4);
  }

  /** @param {number} place @param {number} length */
  #at(place, length) {
    if (place < HEADER || place + length > this.#bytes.length) {
      throw new Error(`A value of ${length} bytes is said to be at ${place}; there are bytes from ${HEADER} to ${this.#bytes.length}.`);
    }
    return this.#bytes.subarray(place, place + length);
  }

  /**
   * What is stored where a value points: a blob with its length, a number, slots with their count.
   * @param {Word} value @returns {Buffer}
   */
  stored(value) {
    const [type, place] = [typeOf(value), numberOf(value)];
    const width = WIDTH[type];
    if (width !== undefined) return this.#at(place, width + this.#at(place, width).readUIntLE(0, width));
    if (type === TYPE.INT32) return this.#at(place, 4);
    if (type === TYPE.INT64) return this.#at(place, 8);
    if (type === TYPE.OBJECT || type === TYPE.ARRAY) return this.#at(place, 4 * Math.max(1, this.#at(place, 4).readUInt32LE(0)));
    throw new Error(`The value 0x${value.toString(16)} is of the type ${type}, which points at nothing.`);
  }

  /** @param {Word} value @returns {Buffer} empty where there is none */
  blob(value) {
    if (value === 0) return Buffer.alloc(0);
    const width = WIDTH[typeOf(value)];
    if (width === undefined) throw new Error(`The value 0x${value.toString(16)} is no blob.`);
    return this.stored(value).subarray(width);
  }

  /** @param {Word} value @returns {string} UTF-8; empty where there is none */
  text(value) {
    return this.blob(value).toString();
  }

  /** @param {Word} value @returns {number | undefined} undefined where there is none */
  integer(value) {
    const type = typeOf(value);
    if (value === 0) return undefined;
    if (type === TYPE.INT) return numberOf(value);
    if (type === TYPE.INT32) return this.stored(value).readUInt32LE(0);
    if (type !== TYPE.INT64) throw new Error(`The value 0x${value.toString(16)} is no number.`);
    const number = this.stored(value).readBigUInt64LE(0);
    if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`The number ${number} is larger than 2^53 - 1, and is not read.`);
    return Number(number);
  }

  /** @param {Word} value an object or array @returns {Word[]} its slots from 1 on; none where there is nothing */
  slots(value) {
    if (value === 0) return [];
    const type = typeOf(value);
    if (type !== TYPE.OBJECT && type !== TYPE.ARRAY) throw new Error(`The value 0x${value.toString(16)} is neither object nor array.`);
    const bytes = this.stored(value);
    const slots = Array.from({ length: bytes.length / 4 - 1 }, (_, at) => bytes.readUInt32LE(4 * at + 4));
    // Without this, a circle of objects would never be read to its end.
    const late = slots.find((one) => typeOf(one) > TYPE.INT && numberOf(one) >= numberOf(value));
    if (late !== undefined) throw new Error(`The object at ${numberOf(value)} points behind itself, at ${numberOf(late)}.`);
    return slots;
  }
}

/**
 * @param {number} type one of BLOCK @param {readonly Uint8Array[]} payload its parts
 * @returns {Buffer} with the zeros up to the next block
 */
export function block(type, ...payload) {
  const size = payload.reduce((sum, { length }) => sum + length, 4);
  if (size > LONGEST_BLOCK) throw new Error(`A block of ${size} bytes was to be written; at most ${LONGEST_BLOCK} can. Leave it out.`);
  const head = Buffer.alloc(4);
  head.writeUInt32LE((type * 0x40000000 + size) >>> 0);
  return Buffer.concat([head, ...payload, Buffer.alloc((8 - (size % 8)) % 8)]);
}

/**
 * @typedef {object} AdbFile
 * @property {string} schema four letters: `pckg`, `indx`
 * @property {Buffer} adb payload of the ADB block
 * @property {Buffer[]} signatures payloads of the SIG blocks
 * @property {Buffer[]} data payloads of the DATA blocks
 */

/** An uncompressed file. @param {AdbFile} parts @returns {Buffer} */
export const writeAdb = ({ schema, adb, signatures, data }) =>
  Buffer.concat([
    Buffer.from(`ADB.${schema}`, 'latin1'),
    block(BLOCK.ADB, adb),
    ...signatures.map((one) => block(BLOCK.SIG, one)),
    ...data.map((one) => block(BLOCK.DATA, one)),
  ]);

/**
 * An uncompressed file taken apart. Throws where its blocks are not in their order, or not whole.
 * @param {Buffer} bytes @returns {AdbFile}
 */
export function readAdb(bytes) {
  if (bytes.length < 8 || bytes.toString('latin1', 0, 4) !== 'ADB.') {
    throw new Error(`The file begins with "${bytes.toString('latin1', 0, 4)}"; an uncompressed one of apk-tools 3 begins with "ADB.".`);
  }
  /** @type {[adb: Buffer[], signatures: Buffer[], data: Buffer[]]} */
  const kinds = [[], [], []];
  let last = 0;
  for (let at = 8; at < bytes.length;) {
    const head = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0;
    const [type, size] = [head >>> 30, head % 0x40000000];
    const kind = kinds[type];
    if (kind === undefined || type < last) throw new Error(`The block at ${at} is of the type ${type}; the one before it was of ${last}.`);
    if (size < 4 || at + size > bytes.length) throw new Error(`The block at ${at} has ${size} bytes; ${bytes.length - at} are left.`);
    const next = at + Math.ceil(size / 8) * 8;
    if (next > bytes.length || bytes.subarray(at + size, next).some((byte) => byte !== 0)) {
      throw new Error(`The block at ${at} is not filled up with zeros.`);
    }
    kind.push(bytes.subarray(at + 4, at + size));
    [at, last] = [next, type];
  }
  const [[adb, ...more], signatures, data] = kinds;
  if (adb === undefined) throw new Error('The file has no block of values, which comes first in every one.');
  if (more.length > 0) throw new Error(`The file has ${1 + more.length} blocks of values; one is wanted.`);
  return { schema: bytes.toString('latin1', 4, 8), adb, signatures, data };
}

/**
 * `deflate` is what apk writes unless it is told otherwise (`mkpkg`, `mkndx`); with a level, 1 to 9, the header says which.
 * The bytes depend on the zlib that makes them: Node's gives others than apk's, and both are read by either.
 * @typedef {'none' | 'deflate' | `deflate:${number}`} Compression
 */

/** @param {Buffer} bytes an uncompressed file @param {Compression} compression @returns {Buffer} */
export function compress(bytes, compression) {
  if (compression === 'none') return bytes;
  const [, given] = /^deflate(?::([1-9]))?$/.exec(compression) ?? [undefined, ''];
  if (given === '') throw new Error(`The compression "${compression}" is not known; none, deflate and deflate:1 to deflate:9 are.`);
  const packed = deflateRawSync(bytes, { level: Number(given ?? 9), windowBits: 15, memLevel: 8 });
  return Buffer.concat([Buffer.from(given === undefined ? 'ADBd' : `ADBc\x01${String.fromCharCode(Number(given))}`, 'latin1'), packed]);
}

/** @param {Buffer} bytes a file as it lies there @returns {{ compression: Compression, bytes: Buffer }} */
export function decompress(bytes) {
  const magic = bytes.toString('latin1', 0, 4);
  if (magic === 'ADB.') return { compression: 'none', bytes };
  if (magic === 'ADBd') return { compression: 'deflate', bytes: inflateRawSync(bytes.subarray(4)) };
  if (magic !== 'ADBc') throw new Error(`The file begins with "${magic}"; those of apk-tools 3 begin with "ADB.", "ADBd" or "ADBc".`);
  if (bytes[4] !== 1) throw new Error(`The file is compressed by the method ${bytes[4]}; 1 (deflate) is read here.`);
  return { compression: `deflate:${bytes[5] ?? 0}`, bytes: inflateRawSync(bytes.subarray(6)) };
}
