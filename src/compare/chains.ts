/** Messages of the store by a number that several may have, in the order in which they were added; nothing is allocated for one. */

const BUCKETS = 4096;

export class Chains {
  /** Of each bucket the first slot and the last one, by slot the next one and the number it was added with; -1 is none. */
  readonly #first = new Int32Array(BUCKETS).fill(-1);
  readonly #last = new Int32Array(BUCKETS).fill(-1);
  #next = new Int32Array(BUCKETS);
  #keys = new Int32Array(BUCKETS);

  /** The first slot that was added with a number; -1 where there is none. */
  first(key: number): number {
    return this.#from(this.#first[bucketOf(key)]!, key);
  }

  /** The next one with the same number. */
  after(slot: number): number {
    return this.#from(this.#next[slot]!, this.#keys[slot]!);
  }

  #from(slot: number, key: number): number {
    while (slot >= 0 && this.#keys[slot] !== key) slot = this.#next[slot]!;
    return slot;
  }

  /** @param key 32 bits, signed */
  add(key: number, slot: number): void {
    if (slot >= this.#next.length) this.#grow(slot);
    const bucket = bucketOf(key);
    this.#keys[slot] = key;
    this.#next[slot] = -1;
    const last = this.#last[bucket]!;
    if (last < 0) this.#first[bucket] = slot;
    else this.#next[last] = slot;
    this.#last[bucket] = slot;
  }

  remove(key: number, slot: number): void {
    const bucket = bucketOf(key);
    let before = -1;
    for (let at = this.#first[bucket]!; at >= 0; before = at, at = this.#next[at]!) {
      if (at !== slot) continue;
      const next = this.#next[at]!;
      if (before < 0) this.#first[bucket] = next;
      else this.#next[before] = next;
      if (next < 0) this.#last[bucket] = before;
      return;
    }
  }

  #grow(slot: number): void {
    const larger = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const array = new Int32Array(Math.max(slot + 1, 2 * old.length));
      array.set(old);
      return array;
    };
    this.#next = larger(this.#next);
    this.#keys = larger(this.#keys);
  }
}

const bucketOf = (key: number): number => (key ^ (key >>> 13)) & (BUCKETS - 1);
