/** What a mirror grants to one source and to all: token buckets in bounded memory. */

export interface Rate {
  /** Tokens a second, and at most. */
  perSecond: number;
  burst: number;
}

/** A probe takes about fifty questions, retransmissions aside. */
export const SOURCE: Rate = { perSecond: 20, burst: 200 };
/** Strangers get cookies; who has one asks for no second. */
export const STRANGER: Rate = { perSecond: 2, burst: 20 };
export const ALL: Rate = { perSecond: 500, burst: 1000 };
/** Sources that are remembered; one more takes the place of the one that was quiet longest. */
export const MOST_SOURCES = 4096;

interface Bucket {
  tokens: number;
  at: number;
}

function takes(bucket: Bucket, { perSecond, burst }: Rate, now: number): boolean {
  bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}

/** Whether one more is granted; `now` in milliseconds. */
export class Limits {
  readonly #all: Bucket;
  readonly #sources = new Map<string, Bucket>();
  readonly #rate: Rate;
  readonly #total: Rate;

  constructor(rate: Rate, total: Rate, now: number) {
    this.#rate = rate;
    this.#total = total;
    this.#all = { tokens: total.burst, at: now };
  }

  get sources(): number {
    return this.#sources.size;
  }

  grants(source: string, now: number): boolean {
    const known = this.#sources.get(source);
    const bucket = known ?? { tokens: this.#rate.burst, at: now };
    // Looked at last, it stands last: the first of a Map is the one that was quiet longest.
    if (known !== undefined) this.#sources.delete(source);
    else if (this.#sources.size >= MOST_SOURCES) this.#sources.delete(this.#sources.keys().next().value as string);
    this.#sources.set(source, bucket);
    return takes(bucket, this.#rate, now) && takes(this.#all, this.#total, now);
  }
}
