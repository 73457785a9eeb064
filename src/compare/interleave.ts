/** The messages of two captures in the order of time, though each is read a piece at a time. */
import type { Sighting } from './sighting.ts';
import type { Store } from './store.ts';

/** How far a capture has been read. */
export interface Reach {
  /** Seconds since 1970; NaN while no packet was seen. */
  readonly last: number;
  readonly open: boolean;
}

export class Interleaved {
  readonly #queues: [Sighting[], Sighting[]] = [[], []];
  readonly #at: [number, number] = [0, 0];
  readonly #give: (sighting: Sighting) => void;

  readonly #store: Store;

  constructor(store: Store, give: (sighting: Sighting) => void) {
    this.#store = store;
    this.#give = give;
  }

  add(sighting: Sighting): void {
    this.#store.hold(sighting);
    this.#queues[sighting.side === 1 ? 1 : 0].push(sighting);
  }

  /**
   * Hands on what no earlier message can come before any more.
   * @param ahead seconds that the clock of the second capture is ahead of the first one's
   * @param all   everything, for times are not to be trusted
   */
  drain(reaches: readonly [Reach, Reach], ahead: number, all: boolean): void {
    for (;;) {
      const [one, other] = [this.#queues[0][this.#at[0]], this.#queues[1][this.#at[1]]];
      if (one === undefined && other === undefined) break;
      const side = other === undefined || (one !== undefined && one.time <= other.time - ahead) ? 0 : 1;
      const head = (side === 0 ? one : other)!;
      if ((side === 0 ? other : one) === undefined && !all) {
        const reach = reaches[side === 0 ? 1 : 0];
        const reached = side === 0 ? reach.last - ahead : reach.last + ahead;
        if (reach.open && !(reached >= head.time)) break;
      }
      this.#at[side]++;
      this.#give(head);
      this.#store.free(head);
    }
    for (const side of [0, 1] as const) {
      if (this.#at[side] === 0) continue;
      this.#queues[side] = this.#queues[side].slice(this.#at[side]);
      this.#at[side] = 0;
    }
  }
}
