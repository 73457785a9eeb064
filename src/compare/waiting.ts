/** Messages that wait, in the order in which they began to; nothing is allocated for one. */
import type { Sighting } from './sighting.ts';

export class Waiting {
  oldest: Sighting | null = null;
  #latest: Sighting | null = null;

  add(sighting: Sighting): void {
    sighting.before = this.#latest;
    sighting.after = null;
    if (this.#latest === null) this.oldest = sighting;
    else this.#latest.after = sighting;
    this.#latest = sighting;
  }

  remove(sighting: Sighting): void {
    const { before, after } = sighting;
    if (before === null) this.oldest = after;
    else before.after = after;
    if (after === null) this.#latest = before;
    else after.before = before;
    sighting.before = sighting.after = null;
  }
}
