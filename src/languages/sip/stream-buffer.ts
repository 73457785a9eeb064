/** The bytes of a stream that are not framed yet, and how far they were looked through: each byte is looked at once. */

const LF = 10;
const CR = 13;

/** A line of the buffer; offsets from the buffer's first byte. */
export interface BufferLine {
  readonly start: number;
  /** Where its line end begins. */
  readonly stop: number;
  readonly next: number;
}

export class StreamBuffer {
  readonly #toText: (bytes: Uint8Array, start: number, end: number) => string;
  #bytes = new Uint8Array(4096);
  #from = 0;
  #to = 0;
  #offset = 0;
  /** Where the next line begins. */
  scanned = 0;
  /** The next LF and CR from `scanned` on, as far as they were found; up to `#seen...` there is none. */
  #lf = -1;
  #cr = -1;
  #seenLf = 0;
  #seenCr = 0;

  constructor(toText: (bytes: Uint8Array, start: number, end: number) => string) { this.#toText = toText; }

  get length(): number { return this.#to - this.#from; }

  /** Where the buffer's first byte stands in the stream. */
  get offset(): number { return this.#offset; }

  byte(at: number): number { return this.#bytes[this.#from + at] as number; }

  text(start: number, end: number): string { return this.#toText(this.#bytes, this.#from + start, this.#from + end); }

  push(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#bytes.length) {
      const length = this.length;
      // Moving costs `length`, and at least as many bytes were taken or come until the next time.
      const room = this.#from >= length && length + bytes.length <= this.#bytes.length ? this.#bytes
        : new Uint8Array(Math.max(this.#bytes.length, 2 * (length + bytes.length)));
      room.set(this.#bytes.subarray(this.#from, this.#to), 0);
      this.#bytes = room;
      this.#from = 0;
      this.#to = length;
    }
    this.#bytes.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Takes the first bytes out. */
  take(length: number): void {
    this.#from += length;
    this.#offset += length;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    this.rewind();
  }

  /** Leaves out bytes that never came. The buffer is empty then. */
  skip(length: number): void {
    this.take(this.length);
    this.#offset += length;
  }

  /** Lines begin again at the first byte. */
  rewind(): void {
    this.scanned = 0;
    this.#lf = this.#cr = -1;
    this.#seenLf = this.#seenCr = 0;
  }

  /**
   * The next line; null where its end has not come yet.
   * @param final whether no more bytes come: then what is left is a line
   * @param most a longer line is cut there
   */
  line(final: boolean, most: number): BufferLine | null {
    const start = this.scanned;
    if (start >= this.length) return null;
    if (this.#lf < start) [this.#lf, this.#seenLf] = this.#find(LF, Math.max(start, this.#seenLf));
    if (this.#cr < start) [this.#cr, this.#seenCr] = this.#find(CR, Math.max(start, this.#seenCr));
    const lf = this.#lf < 0 ? this.length : this.#lf;
    const cr = this.#cr < 0 ? this.length : this.#cr;
    let stop = Math.min(lf, cr);
    let next: number;
    if (stop > start + most) stop = next = start + most;
    else if (stop === this.length) {
      if (!final) return null;
      next = stop;
    } else if (cr < lf && cr + 1 === this.length && !final) return null; // an LF may follow
    else next = lf === cr + 1 && lf < this.length ? lf + 1 : stop + 1;
    this.scanned = next;
    return { start, stop, next };
  }

  /** By its ends alone whether a line may be a start line: SIP/2.0 at its end, or at its beginning, or within. */
  mayBeStartLine({ start, stop }: BufferLine): boolean {
    const from = this.#from + start;
    const found = this.#bytes.subarray(from, this.#from + stop).indexOf(83); // S
    return found >= 0 && stop - start - found >= 7;
  }

  #find(byte: number, from: number): [at: number, seen: number] {
    const at = this.#bytes.subarray(0, this.#to).indexOf(byte, this.#from + from);
    return at < 0 ? [-1, this.length] : [at - this.#from, at - this.#from];
  }
}
