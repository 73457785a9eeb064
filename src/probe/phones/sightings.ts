/** Messages of real phones, each once and with its time, from what a recorder shows again and again while the kernel keeps it. */
import type { Recorded, Recording } from '../record/recorded.ts';
import type { Placed } from './places.ts';

/** A message of a phone at one side of the router. */
export interface PhoneMessage {
  /** Milliseconds since 1970; some milliseconds exact. */
  readonly at: number;
  readonly inside: boolean;
  readonly fromPhone: boolean;
  readonly transport: 'udp' | 'tcp';
  readonly recorded: Recorded;
  /** All of its bytes were recorded. */
  readonly whole: boolean;
}

/** What the kernel is about to forget may be gone in part while it is listed. */
const FADING = 3000;
/**
 * Of the time that the kernel keeps an element, which no packet renews: another one of the same bytes cannot come sooner than the first
 * one has gone. The rest is for readings that take seconds on a busy router, by which their dates differ.
 */
const SAME = 0.6;
/** Repeats are dated between two readings, no closer than this: the first one comes after 0.5 s (RFC 3261 §17.1.1.1, T1). */
const APART = 200;
const MOST_KNOWN = 4096; // of 90 bytes each

/** What a recorder tells messages apart by, and where they went. */
const keyOf = ({ tap, id, check, length, from, to }: Recorded): string =>
  `${tap} ${id} ${check} ${length} ${from.address} ${from.port} ${to.address} ${to.port}`;

export class Sightings {
  readonly #placed: ReadonlyMap<string, Placed>;
  readonly #keeps: number;
  readonly #isFar: (address: string) => boolean;
  /** By `keyOf`, when it was recorded, when it was read last, and how often it had come by then. */
  readonly #known = new Map<string, { when: number; read: number; times: number }>();
  readonly #packets = new Map<string, number>();
  /** Packets that were read, whether they are told or not. */
  #taken = 0;

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
      const known = this.#known.get(key);
      const before = known !== undefined && Math.abs(when - known.when) < SAME * this.#keeps ? known : null;
      const fresh = recorded.times - (before?.times ?? 0);
      if (before !== null && fresh <= 0) {
        before.read = at;
        continue;
      }
      this.#know(key, { when: before?.when ?? when, read: at, times: recorded.times });
      this.#taken += fresh;
      const far = placed.fromPhone ? recorded.to.address : recorded.from.address;
      if (placed.inside && !this.#isFar(far)) continue;
      const { inside, fromPhone, tap } = placed;
      const whole = recorded.bytes.length >= recorded.length;
      for (const moment of moments(before === null ? when : null, before?.read ?? when, at, fresh))
        found.push({ at: moment, inside, fromPhone, transport: tap.transport, recorded, whole });
    }
    for (const [tap, count] of packets) this.#packets.set(tap, count);
    // In one moment what goes in was there first.
    const entering = ({ inside, fromPhone }: PhoneMessage): number => (inside === fromPhone ? 0 : 1);
    return found.sort((one, other) => one.at - other.at || entering(one) - entering(other));
  }

  #know(key: string, one: { when: number; read: number; times: number }): void {
    this.#known.delete(key);
    this.#known.set(key, one);
    if (this.#known.size <= MOST_KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  /** Packets that matched and were never read: the kernel had no room for them, or had forgotten them. As of the last counters read. */
  get missed(): number {
    let sum = 0;
    for (const count of this.#packets.values()) sum += count;
    return Math.max(0, sum - this.#taken);
  }
}

/**
 * When each of several packets that look the same came: the first one is dated by the kernel, those behind it are counted alone.
 * They are put evenly between two readings; more than fit there are one packet that a network has doubled.
 * @param first null: it is known already
 */
function moments(first: number | null, from: number, to: number, count: number): number[] {
  const dated = first === null ? [] : [first];
  const repeats = Math.min(count - dated.length, Math.max(1, Math.floor((to - from) / APART)));
  const step = (to - from) / Math.max(1, repeats);
  return [...dated, ...Array.from({ length: Math.max(0, repeats) }, (_, nth) => Math.round(from + step * (nth + 1)))];
}
