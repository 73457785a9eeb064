/** Messages of real phones, each once and with its time, from what a recorder shows again and again while the kernel keeps it. */
import type { Head, Recorded, Recording } from '../record/recorded.ts';
import { latin1 } from '../../languages/sip/text.ts';
import type { Placed } from './places.ts';

/** A message of a phone at one side of the router. */
export interface PhoneMessage {
  /** Milliseconds since 1970; some milliseconds exact. */
  readonly at: number;
  readonly inside: boolean;
  readonly fromPhone: boolean;
  readonly transport: 'udp' | 'tcp';
  readonly recorded: Recorded;
  /** Its bytes as text (ISO 8859-1), with those that follow from the others. */
  readonly text: string;
  /** All of it is there. */
  readonly whole: boolean;
}

/** How messages end, and lines of which the last letters follow from the ones before. */
const ENDINGS = ['\r\n\r\n', ...['sendrecv', 'sendonly', 'recvonly', 'inactive'].map((way) => `a=${way}\r\n`), '\r\n'];

/**
 * The text of a message, with the up to three bytes at its end that are not recorded, where they follow from what is: each
 * line ends in CR and LF (RFC 3261 §7, RFC 8866 §5).
 */
function textOf({ bytes, length }: Recorded): { text: string; whole: boolean } {
  const text = latin1(bytes);
  const lacks = length - bytes.length;
  if (lacks <= 0 || lacks > MOST_LACKING) return { text, whole: lacks <= 0 };
  const ending = ENDINGS.find((one) => one.length >= lacks && text.endsWith(one.slice(0, -lacks)));
  return ending === undefined ? { text, whole: false } : { text: text + ending.slice(-lacks), whole: true };
}

/** What the kernel is about to forget may be gone in part while it is listed. */
const FADING = 3000;
/** Bytes at the end of a message, as taps have them. */
export const MOST_LACKING = 3;
/**
 * Of the time that the kernel keeps an element, which no packet renews: another one of the same bytes cannot come sooner than the first
 * one has gone. The rest is for readings that take seconds on a busy router, by which their dates differ.
 */
const SAME = 0.6;
/** Milliseconds for which a sequence number of TCP is the same segment: so long TCP itself may send it again (RFC 6298, tcp(7)). */
const SAME_SEGMENT = 600_000;
/** Repeats are dated between two readings, no closer than this: the first one comes after 0.5 s (RFC 3261 §17.1.1.1, T1). */
const APART = 200;
const MOST_KNOWN = 4096; // of 90 bytes each

/** What a recorder tells messages apart by. TCP's numbers are of bytes, and say which they are whatever packet they came in. */
const keyOf = ({ tap, id, check, length }: Head, isTcp: boolean): string => `${tap} ${isTcp ? '' : id} ${check} ${length}`;
const endsOf = ({ from, to }: Recorded): string => `${from.address} ${from.port} ${to.address} ${to.port}`;

interface Known {
  /** When it was recorded, and when it was read last. */
  readonly when: number;
  read: number;
  /** How often it had come by then, by IP id: TCP sends the same bytes again in another packet. */
  readonly times: Map<number, number>;
  readonly ends: string;
}

export class Sightings {
  readonly #placed: ReadonlyMap<string, Placed>;
  readonly #keeps: number;
  readonly #isFar: (address: string) => boolean;
  readonly #known = new Map<string, Known>();
  /** Messages of which a listing has shown a part. */
  readonly #partial = new Set<string>();
  readonly #packets = new Map<string, number>();
  /** Packets that were read at each tap, whether they are told or not. */
  readonly #taken = new Map<string, number>();

  /**
   * @param seconds for which the kernel keeps a message
   * @param isFar whether an address is beyond the router: what stays in the LAN, or goes to the router itself, is not told
   */
  constructor(placed: readonly Placed[], seconds: number, isFar: (address: string) => boolean) {
    this.#placed = new Map(placed.map((one) => [one.tap.name, one]));
    this.#keeps = seconds * 1000;
    this.#isFar = isFar;
  }

  #isTcp = (tap: string): boolean => this.#placed.get(tap)?.tap.transport === 'tcp';

  /** The element that was read before, if it is still the same. */
  #before(head: Head, at: number): Known | null {
    const isTcp = this.#isTcp(head.tap);
    const known = this.#known.get(keyOf(head, isTcp));
    const when = at - this.#keeps + head.expires;
    return known !== undefined && Math.abs(when - known.when) < (isTcp ? SAME_SEGMENT : SAME * this.#keeps) ? known : null;
  }

  /** Whether nothing of a message is news, so that its bytes need not be put together. @param at as `take` has it */
  isKnown(head: Head, at: number): boolean {
    if (head.expires < FADING) return true;
    const before = this.#before(head, at);
    if (before === null || head.times > (before.times.get(head.id) ?? 0)) return false;
    before.read = at;
    return true;
  }

  /** What is new in a reading, in the order of time. @param at when it was read, in milliseconds since 1970 */
  take({ messages, packets }: Pick<Recording, 'messages' | 'packets'>, at: number): PhoneMessage[] {
    const found: PhoneMessage[] = [];
    for (const recorded of messages) {
      if (recorded.expires < FADING) continue;
      const placed = this.#placed.get(recorded.tap);
      if (placed === undefined) continue;
      const { inside, fromPhone, tap } = placed;
      const isTcp = tap.transport === 'tcp';
      const when = Math.round(at - this.#keeps + recorded.expires);
      const same = this.#before(recorded, at);
      const before = same?.ends === endsOf(recorded) ? same : null;
      if (recorded.isPartial === true && before === null && this.#isFirst(keyOf(recorded, isTcp))) continue;
      const fresh = Math.max(0, recorded.times - (before?.times.get(recorded.id) ?? 0));
      const was = before?.read ?? when;
      const known = before ?? { when, read: at, times: new Map<number, number>(), ends: endsOf(recorded) };
      known.read = at;
      known.times.set(recorded.id, Math.max(recorded.times, known.times.get(recorded.id) ?? 0));
      this.#count(recorded.tap, fresh);
      if (before !== null && (fresh === 0 || isTcp)) continue; // a segment that TCP itself sends again is no message again
      this.#know(keyOf(recorded, isTcp), known);
      const far = fromPhone ? recorded.to.address : recorded.from.address;
      if (inside && !this.#isFar(far)) continue;
      const said = textOf(recorded);
      const repeats = isTcp ? [when] : moments(before === null ? when : null, was, at, fresh);
      for (const moment of repeats) found.push({ at: moment, inside, fromPhone, transport: tap.transport, recorded, ...said });
    }
    for (const [tap, count] of packets) this.#packets.set(tap, count);
    // In one moment what goes in was there first.
    const entering = ({ inside, fromPhone }: PhoneMessage): number => (inside === fromPhone ? 0 : 1);
    return found.sort((one, other) => one.at - other.at || entering(one) - entering(other));
  }

  /** One of which a piece was missing at two listings stays as it is. */
  #isFirst(key: string): boolean {
    if (this.#partial.delete(key)) return false;
    if (this.#partial.size >= MOST_KNOWN) this.#partial.clear();
    this.#partial.add(key);
    return true;
  }

  #count(tap: string, packets: number): void {
    this.#taken.set(tap, (this.#taken.get(tap) ?? 0) + packets);
  }

  #know(key: string, one: Known): void {
    this.#known.delete(key);
    this.#known.set(key, one);
    if (this.#known.size <= MOST_KNOWN) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  /** Packets that have matched at a tap and were not read so far, as of the last counters read. */
  outstanding(tap: string): number {
    return Math.max(0, (this.#packets.get(tap) ?? 0) - (this.#taken.get(tap) ?? 0));
  }

  /** The same of all taps: where none is waited for, the kernel had no room for them, or had forgotten them. */
  get missed(): number {
    let sum = 0;
    for (const tap of this.#packets.keys()) sum += this.outstanding(tap);
    return sum;
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
