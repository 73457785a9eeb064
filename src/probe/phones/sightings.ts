/** Messages of real phones, each once and with its time, from what a recorder shows again and again while the kernel keeps it. */
import type { Recorded, Recording } from '../record/recorded.ts';
import type { Placed } from './places.ts';

/** A message of a phone at one side of the router. */
export interface PhoneMessage {
  /** Milliseconds since 1970; some milliseconds exact. */
  readonly at: number;
  readonly inside: boolean;
  readonly fromPhone: boolean;
  readonly recorded: Recorded;
  /** All of its bytes were recorded. */
  readonly whole: boolean;
}

/** What the kernel is about to forget may be gone in part while it is listed. */
const FADING = 3000;
/** The same bytes in the same packet are the same message within this, by clocks that are read at two moments. */
const SAME = 1500;
const MOST_KNOWN = 4096; // of 80 bytes each

/** What a recorder tells messages apart by, and where they went. */
const keyOf = ({ tap, id, check, length, from, to }: Recorded): string =>
  `${tap} ${id} ${check} ${length} ${from.address} ${from.port} ${to.address} ${to.port}`;

export class Sightings {
  readonly #placed: ReadonlyMap<string, Placed>;
  readonly #keeps: number;
  readonly #isFar: (address: string) => boolean;
  /** By `keyOf`, when it was recorded. */
  readonly #known = new Map<string, number>();
  readonly #packets = new Map<string, number>();
  /** Packets that matched and found no room in the kernel, or could not be put together. */
  lost = 0;

  /**
   * @param seconds for which the kernel keeps a message
   * @param isFar whether an address is beyond the router: what stays in the LAN, or goes to the router itself, is not told
   */
  constructor(placed: readonly Placed[], seconds: number, isFar: (address: string) => boolean) {
    this.#placed = new Map(placed.map((one) => [one.tap.name, one]));
    this.#keeps = seconds * 1000;
    this.#isFar = isFar;
  }

  /** What is new in a reading, in the order of time. @param at when it was read, in milliseconds since 1970 */
  take({ messages, packets }: Recording, at: number): PhoneMessage[] {
    const found: PhoneMessage[] = [];
    for (const recorded of messages) {
      if (recorded.expires < FADING) continue;
      const placed = this.#placed.get(recorded.tap);
      if (placed === undefined) continue;
      const when = Math.round(at - this.#keeps + recorded.expires);
      const key = keyOf(recorded);
      const before = this.#known.get(key);
      if (before !== undefined && Math.abs(when - before) < SAME) continue;
      this.#know(key, when);
      const far = placed.fromPhone ? recorded.to.address : recorded.from.address;
      if (placed.inside && !this.#isFar(far)) continue;
      found.push({
        at: when,
        inside: placed.inside,
        fromPhone: placed.fromPhone,
        recorded,
        whole: recorded.bytes.length >= recorded.length,
      });
    }
    for (const [tap, count] of packets) this.#packets.set(tap, count);
    // In one moment what goes in was there first.
    const entering = ({ inside, fromPhone }: PhoneMessage): number => (inside === fromPhone ? 0 : 1);
    return found.sort((one, other) => one.at - other.at || entering(one) - entering(other));
  }

  #know(key: string, when: number): void {
    this.#known.delete(key);
    this.#known.set(key, when);
    if (this.#known.size <= MOST_KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  /** Packets that matched so far, all taps together. */
  get packets(): number {
    let sum = 0;
    for (const count of this.#packets.values()) sum += count;
    return sum;
  }
}
