/** Registrations by phone and registrar: how long they were granted for, and how often they are renewed. */
import { Bounded } from './bounded.ts';
import { hostOf } from './call.ts';
import type { Heard, Parsed } from './heard.ts';
import type { Told } from './told.ts';

const MOST = 512;
/** A renewal counts as another interval where it differs from the last by more than this part: phones add chance to it. */
const DRIFT = 0.2;
/** Requests of one registration follow each other within this: without and with the password. */
const ROUND = 20_000;

export interface Registration {
  readonly phone: string;
  readonly far: string;
  /** Seconds granted; null where no answer that said so was recorded. */
  expires: number | null;
  /** Seconds between the last two; null before the second. */
  every: number | null;
  /** How often it was granted while this looked. */
  times: number;
  /** The last answer that granted it, in milliseconds since 1970. */
  granted: number | null;
  refused: number | null;
  /** The same, though it was taken back or refused since. */
  seen: number | null;
}

interface Known extends Registration {
  asked: number;
  /** Of the request that is under way. */
  wanted: number | null;
  leaving: boolean;
  toldEvery: number | null;
  toldExpires: number | null;
  told: boolean;
}

export class Registrations {
  readonly #tell: (told: Told) => void;
  readonly #known = new Bounded<string, Known>(MOST);

  constructor(tell: (told: Told) => void) {
    this.#tell = tell;
  }

  all(): Registration[] {
    return [...this.#known.values()];
  }

  /** Whether a phone counts as registered at a far end. @param at milliseconds since 1970 */
  isRegistered(phone: string, at: number): boolean {
    for (const one of this.#known.values())
      if (hostOf(one.phone) === phone && one.granted !== null && at - one.granted < (one.expires ?? 3600) * 1000) return true;
    return false;
  }

  /** Whether phones register at an address. */
  isFar(address: string): boolean {
    for (const { far } of this.#known.values()) if (hostOf(far) === address) return true;
    return false;
  }

  /** The one phone that is registered at an address, with its port; null where there are several or none. */
  onlyAt(address: string): string | null {
    const all = [...this.#known.values()].filter(({ far, granted }) => hostOf(far) === address && granted !== null);
    return all.length === 1 ? (all[0] as Known).phone : null;
  }

  request({ phone, far, at, fromPhone }: Heard, { expires, star }: Parsed): void {
    if (!fromPhone) return;
    const known = this.#of(phone, far);
    known.asked = at;
    known.wanted = expires;
    known.leaving = star || expires === 0;
  }

  answer(heard: Heard, { status, expires }: Parsed, request: Heard | null): void {
    if (heard.fromPhone || status === null || status < 200) return;
    const { phone, far, at } = heard;
    const known = this.#of(phone, far);
    const base = { at, phone: hostOf(phone), far, call: null, cause: null } as const;
    // The first request without a password is refused always.
    if (status === 401 || status === 407 || status === 423) return;
    if (status >= 300) {
      if (known.refused === status) return;
      known.refused = status;
      known.granted = null;
      this.#tell({ ...base, what: 'registration-refused', status });
      return;
    }
    known.refused = null;
    if (known.leaving) {
      known.granted = null;
      known.told = false;
      this.#tell({ ...base, what: 'unregistered' });
      return;
    }
    const asked = request?.at ?? known.asked;
    const every = known.granted === null ? null : (asked - known.granted) / 1000;
    // An answer that came again is no renewal.
    if (every !== null && every * 1000 < Math.min(ROUND, 5000)) return;
    known.granted = at;
    known.seen = at;
    known.times++;
    // What the registrar grants counts; where its answer was recorded in part, what the phone asked for does not.
    known.expires = expires ?? known.expires;
    if (every !== null) known.every = Math.round(every);
    const changed =
      !known.told
      || (known.every !== null && (known.toldEvery === null || Math.abs(known.every - known.toldEvery) > DRIFT * known.toldEvery))
      || known.expires !== known.toldExpires;
    if (!changed) return;
    [known.told, known.toldEvery, known.toldExpires] = [true, known.every, known.expires];
    this.#tell({ ...base, what: 'registered', expires: known.expires, every: known.every });
  }

  #of(phone: string, far: string): Known {
    const key = `${phone} ${far}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const one: Known = {
      phone,
      far,
      expires: null,
      every: null,
      times: 0,
      granted: null,
      refused: null,
      seen: null,
      asked: 0,
      wanted: null,
      leaving: false,
      toldEvery: null,
      toldExpires: null,
      told: false,
    };
    this.#known.set(key, one);
    return one;
  }
}
