/** A map that holds so many at most: what was put in or renewed longest ago goes first. */
export class Bounded<K, V> {
  readonly #map = new Map<K, V>();
  readonly #most: number;
  readonly #gone: ((value: V) => void) | undefined;
  /** How many had to go. */
  evicted = 0;

  /** @param gone gets what goes for want of room */
  constructor(most: number, gone?: (value: V) => void) {
    this.#most = most;
    this.#gone = gone;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  /** Puts it in as the newest. */
  set(key: K, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size <= this.#most) return;
    for (const [oldest, old] of this.#map) {
      this.#map.delete(oldest);
      this.evicted++;
      this.#gone?.(old);
      return;
    }
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  delete(key: K): boolean {
    return this.#map.delete(key);
  }

  keys(): IterableIterator<K> {
    return this.#map.keys();
  }

  values(): IterableIterator<V> {
    return this.#map.values();
  }

  entries(): IterableIterator<[K, V]> {
    return this.#map.entries();
  }
}
