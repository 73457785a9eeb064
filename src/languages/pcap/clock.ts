/**
 * Timestamps of pcapng: a 64-bit number of units since 1970, in two 32-bit halves, where the unit is an interface's own
 * (if_tsresol) and so is a number of seconds to add (if_tsoffset).
 */

const HALF = 2 ** 32;
const BILLION = 1_000_000_000;
/** Above this, `units % perSecond + low half` is no longer exact as a number. */
const MOST_EXACT = 2 ** 52;

/** Turns the timestamps of one interface into seconds and nanoseconds, both rounded down, exactly. */
export class Clock {
  seconds = 0;
  nanoseconds = 0;
  readonly #perSecond: bigint;
  readonly #offset: bigint;
  /** `perSecond` and `offset` as numbers, and how a fraction becomes nanoseconds: times, or else divided by. */
  readonly #units: number;
  readonly #shift: number;
  readonly #times: number;
  readonly #by: number;
  /** The high half seen last, as whole seconds and what is left in units: the high half changes seldom. */
  #high = -1;
  #highSeconds = 0;
  #highUnits = 0;

  /**
   * @param resolution if_tsresol: the negative power of 10, or with its top bit set of 2, that a unit is (default 6: microseconds)
   * @param offset     if_tsoffset: seconds
   */
  constructor(resolution = 6, offset = 0n) {
    const power = resolution & 0x7f;
    const binary = resolution >= 0x80;
    this.#perSecond = (binary ? 2n : 10n) ** BigInt(power);
    this.#offset = offset;
    const units = Number(this.#perSecond);
    this.#units = units;
    this.#shift = Number(offset);
    this.#times = !binary && power <= 9 ? BILLION / units : 0;
    this.#by = !binary && power > 9 ? units / BILLION : 0;
  }

  /** Sets `seconds` and `nanoseconds`. */
  read(high: number, low: number): void {
    if (this.#units > MOST_EXACT || (this.#times === 0 && this.#by === 0)) {
      this.#readExactly(high, low);
      return;
    }
    if (high !== this.#high) {
      const units = BigInt(high) * BigInt(HALF);
      this.#high = high;
      this.#highSeconds = Number(units / this.#perSecond) + this.#shift;
      this.#highUnits = Number(units % this.#perSecond);
    }
    const units = this.#highUnits + low;
    const seconds = Math.floor(units / this.#units);
    const left = units - seconds * this.#units;
    this.seconds = this.#highSeconds + seconds;
    this.nanoseconds = this.#times > 0 ? left * this.#times : Math.floor(left / this.#by);
  }

  #readExactly(high: number, low: number): void {
    const units = BigInt(high) * BigInt(HALF) + BigInt(low);
    this.seconds = Number(units / this.#perSecond + this.#offset);
    this.nanoseconds = Number(units % this.#perSecond * BigInt(BILLION) / this.#perSecond);
  }
}
