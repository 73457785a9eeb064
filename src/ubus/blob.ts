/**
 * Blob attributes, the frame of everything in ubus (libubox blob.h): a big-endian
 * word `id_len` (bit 31 extended, bits 24..30 id, low 24 bits length with this
 * word included), the payload, and zeros up to a multiple of 4.
 */
import { Status, UbusError } from './status.ts';
import { textLength, writeText } from './text.ts';

/** The largest blob ubusd takes, its own header included (UBUS_MAX_MSGLEN): 1 MiB. */
export const MAX_BLOB = 1024 * 1024;

/** `length` rounded up to the 4 bytes that everything is aligned to. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

/** One attribute: its payload is `bytes[from..to)` of what it was read from. */
export interface Attribute {
  id: number;
  /** The payload begins with a name (blobmsg). */
  extended: boolean;
  from: number;
  to: number;
}

/**
 * The attributes in `bytes[from..to)`, in order.
 * @throws UbusError PARSE_ERROR where one is shorter than its header or longer than what is left
 */
export function readAttributes(bytes: Uint8Array, from: number, to: number): Attribute[] {
  const attributes: Attribute[] = [];
  while (from < to) {
    const left = to - from;
    const length = left < 4 ? 0 : (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!;
    if (length < 4 || padded(length) > left) {
      throw new UbusError(
        Status.PARSE_ERROR,
        left < 4
          ? `${left} stray bytes where an attribute should begin`
          : `an attribute says it is ${length} bytes long; 4 to ${left} are allowed here`,
      );
    }
    const first = bytes[from]!;
    attributes.push({ id: first & 0x7f, extended: first > 0x7f, from: from + 4, to: from + length });
    from += padded(length);
  }
  return attributes;
}

/** Writes attributes into a buffer that grows, up to the size ubusd takes. */
export class BlobWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  readonly #most: number;

  /** @param most how many bytes may be written; beyond, every method throws UbusError */
  constructor(most: number) {
    this.#most = most;
  }

  /** What was written. The buffer is handed over: write no more. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Begins an attribute; give what comes back to {@link close}. */
  open(id: number, extended = false): number {
    this.u32(((extended ? 0x80 : 0) | id) << 24);
    return this.#end - 4;
  }

  /** Ends an attribute: fills its length in and pads it. */
  close(start: number): void {
    const length = this.#end - start;
    this.#bytes[start + 1] = length >> 16;
    this.#bytes[start + 2] = length >> 8;
    this.#bytes[start + 3] = length;
    this.pad();
  }

  /** Zeros up to the next multiple of 4. */
  pad(): void {
    this.#room(padded(this.#end) - this.#end);
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
  }

  /** Writes over two bytes that are there already. */
  u16At(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  u64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value);
  }

  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** UTF-8 and the NUL that ends it. Returns the number of bytes before the NUL. */
  text(text: string): number {
    if (text.includes('\0')) {
      throw new UbusError(Status.INVALID_ARGUMENT, `${JSON.stringify(text.slice(0, 80))} holds a NUL: ubus ends a string there`);
    }
    const length = textLength(text);
    const at = this.#room(length + 1);
    writeText(text, this.#bytes, at);
    return length;
  }

  /** Makes room for `count` zeros at the end and returns where they begin. The buffer may be another one after it. */
  #room(count: number): number {
    const start = this.#end;
    const end = start + count;
    if (end > this.#most) {
      throw new UbusError(Status.INVALID_ARGUMENT, `the message is larger than the ${MAX_BLOB} bytes ubusd takes: send less, or in parts`);
    }
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(Math.max(end, this.#bytes.length * 2), this.#most));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#end = end;
    return start;
  }
}
