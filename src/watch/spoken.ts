/**
 * How often phones speak, by the time that is left of their flows: a packet sets it anew, and the kernel counts who sent it. So this
 * tells of keep-alives and registrations alike, of TLS too, and not which of them it was. Looks have to be closer to each other than
 * what they are to tell.
 */
import { Bounded } from './bounded.ts';

const MOST = 512;
/** Milliseconds: packets that follow each other within this are one occasion, as a registration's four messages are. */
const BURST = 10_000;
/** Intervals that have to agree, and by how much of the middle one they may differ, and by how many seconds at least. */
const AGREE = 3;
const DRIFT = 0.2;
const UNSURE = 3;
/** Seconds by which two looks at the time that is left may differ without a packet. */
const ROUNDING = 2;

/** A flow at a look. */
export interface Seen {
  readonly phone: string;
  readonly far: string;
  /** Seconds until it is forgotten. */
  readonly left: number;
  /** Packets of the phone's so far; null where they are not counted, and so it is not known who spoke. */
  readonly out: number | null;
}

/** What has been seen so often that it is no chance. */
export interface SpokeEvery {
  readonly phone: string;
  readonly far: string;
  /** Seconds. */
  readonly every: number;
  /** Intervals of that length, one behind the other. */
  readonly times: number;
  /** When the last one ended, in milliseconds since 1970. */
  readonly at: number;
}

interface Known {
  readonly phone: string;
  readonly far: string;
  left: number;
  out: number | null;
  at: number;
  /** The most that was ever left: what a packet sets it to. */
  life: number;
  /** Beginnings of occasions, the latest ones, and when the last occasion ended. */
  readonly began: number[];
  active: number;
  found: SpokeEvery | null;
}

export class Spoken {
  readonly #known = new Bounded<string, Known>(MOST);

  /**
   * @param key of the flow
   * @param at  milliseconds since 1970
   * @returns what is known now and was not before, or is another interval now; else null
   */
  look(key: string, { phone, far, left, out }: Seen, at: number): SpokeEvery | null {
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { phone, far, left, out, at, life: left, began: [], active: -Infinity, found: null });
      return null;
    }
    const passed = (at - known.at) / 1000;
    const renewed = left > known.left - passed + ROUNDING;
    const spoke = renewed && out !== null && known.out !== null && out > known.out;
    // The answer sets the time anew as well, so this is when the occasion's last packet passed; never before the look before.
    const moment = Math.max(known.at, at - Math.max(0, Math.max(known.life, left) - left) * 1000);
    known.life = Math.max(known.life, left);
    [known.left, known.out, known.at] = [left, out, at];
    if (!spoke) return null;
    const isNew = moment - known.active > BURST;
    known.active = moment;
    if (!isNew) return null;
    known.began.push(moment);
    if (known.began.length > AGREE + 1 && known.found === null) known.began.shift();
    return this.#judge(known);
  }

  #judge(known: Known): SpokeEvery | null {
    const { began, phone, far, found } = known;
    const intervals = began.slice(1).map((moment, index) => (moment - began[index]!) / 1000);
    const latest = intervals.slice(-AGREE);
    if (latest.length < AGREE) return null;
    const [, middle] = [...latest].sort((one, other) => one - other) as [number, number, number];
    const isSame = (one: number): boolean => Math.abs(one - middle) <= Math.max(UNSURE, DRIFT * middle);
    // A call in between is no keep-alive: what was known stays as it was, and is not counted on.
    if (!latest.every(isSame)) {
      began.splice(0, Math.max(0, began.length - AGREE));
      return null;
    }
    const isNews = found === null || Math.abs(middle - found.every) > Math.max(UNSURE, DRIFT * found.every);
    known.found = { phone, far, every: Math.round(middle), times: isNews ? AGREE : found.times + 1, at: began.at(-1)! };
    began.splice(0, began.length - AGREE);
    return isNews ? known.found : null;
  }

  all(): SpokeEvery[] {
    return [...this.#known.values()].flatMap(({ found }) => found ?? []);
  }
}
