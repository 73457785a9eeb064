/** The messages that came last and passed unchanged, in their order: a queue of entries, which are used again. */
import type { Entry } from './entry.ts';
import type { Sighting } from './sighting.ts';

const NONE: readonly never[] = [];

export class Recent {
  /** Its size is a power of two. */
  #entries: (Entry | null)[] = new Array(4096).fill(null);
  #first = 0;
  #end = 0;
  readonly #blank: Entry[] = [];

  /** How many were taken out, and taken out or in, since the beginning: what lies between these numbers is in the queue. */
  get first(): number {
    return this.#first;
  }
  get end(): number {
    return this.#end;
  }

  /** The entry with a number; null where it was taken out. */
  at(number: number): Entry | null {
    return this.#entries[number & (this.#entries.length - 1)]!;
  }

  /** An entry for a pair or a lone message. */
  entry(inner: Sighting | null, outer: Sighting | null, toProvider: boolean, equal: boolean): Entry {
    const entry = this.#blank.pop();
    if (entry === undefined) {
      const unsaid = { what: '', method: '', sdp: false, signature: '' };
      return { inner, outer, toProvider, equal, fate: 'same', differences: NONE, ...unsaid, number: -1, held: null };
    }
    entry.inner = inner;
    entry.outer = outer;
    entry.toProvider = toProvider;
    entry.equal = equal;
    entry.fate = 'same';
    entry.differences = NONE;
    entry.what = entry.method = entry.signature = '';
    entry.sdp = false;
    entry.number = -1;
    return entry;
  }

  /** Nobody keeps it any more. */
  recycle(entry: Entry): void {
    entry.inner = entry.outer = entry.held = null;
    this.#blank.push(entry);
  }

  push(entry: Entry): void {
    const size = this.#entries.length;
    if (this.#end - this.#first === size) {
      const larger = new Array<Entry | null>(2 * size).fill(null);
      for (let number = this.#first; number < this.#end; number++) larger[number & (2 * size - 1)] = this.at(number);
      this.#entries = larger;
    }
    entry.number = this.#end;
    this.#entries[this.#end++ & (this.#entries.length - 1)] = entry;
  }

  /** Takes it out, wherever it stands. */
  take(entry: Entry): void {
    this.#entries[entry.number & (this.#entries.length - 1)] = null;
    while (this.#first < this.#end && this.at(this.#first) === null) this.#first++;
  }
}

