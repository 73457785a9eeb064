/**
 * Which message that went into the router came out of it, by the IP id, which a router keeps, and by the transaction, which an ALG
 * leaves: phones that send an id of 0 with every packet are many. What does not come out within a while was dropped; that is said
 * only of a way on which something was seen to pass, for a tap that sees nothing looks the same.
 */
import { identify } from '../languages/sip/identify.ts';
import type { Heard } from './heard.ts';
import type { Rung } from './ladder.ts';

/** Milliseconds in which a router hands a message on, and a reading of the taps is over. */
const PASSES_WITHIN = 6000;
const MOST_WAITING = 1024;

/** A message at a tap; `inside`: at the LAN's side. */
export interface Sighted extends Heard {
  readonly id: number;
  readonly inside: boolean;
  readonly transport: 'udp' | 'tcp';
}

export interface Waiting {
  readonly sighted: Sighted;
  rung: Rung | null;
  /** `INVITE`, `200`. */
  readonly what: string;
}

export interface PassageSink {
  passed(one: Waiting, other: Sighted, changed: boolean): void;
  /** It did not come out. @returns whether that is told, and counted: what strangers send is not */
  dropped(one: Waiting): boolean;
}

export class Passage {
  readonly #sink: PassageSink;
  readonly #waiting = new Map<string, Waiting[]>();
  #size = 0;
  /** What came out and was not seen going in yet: records of one moment come in any order. */
  readonly #early = new Map<string, Waiting[]>();
  #earlySize = 0;
  /** By way: messages that passed. */
  readonly passed = { out: 0, in: 0 };
  changed = 0;
  dropped = 0;

  constructor(sink: PassageSink) {
    this.#sink = sink;
  }

  /** A message that goes into the router. */
  enters(sighted: Sighted, rung: Rung | null): void {
    const [key, what] = keyOf(sighted);
    const one: Waiting = { sighted, rung, what };
    const early = this.#early.get(key);
    const other = early?.shift();
    if (other !== undefined) {
      this.#earlySize--;
      if (early!.length === 0) this.#early.delete(key);
      this.#pair(one, other);
      return;
    }
    if (this.#size >= MOST_WAITING) return;
    this.#size++;
    const list = this.#waiting.get(key);
    if (list === undefined) this.#waiting.set(key, [one]);
    else list.push(one);
  }

  /** A message that comes out. */
  leaves(sighted: Sighted, rung: Rung | null): void {
    const [key, what] = keyOf(sighted);
    const late: Waiting = { sighted, rung, what };
    const list = this.#waiting.get(key);
    const one = list?.shift();
    if (one === undefined) {
      if (this.#earlySize >= MOST_WAITING) return;
      this.#earlySize++;
      this.#early.set(key, [...(this.#early.get(key) ?? []), late]);
      return;
    }
    this.#size--;
    if (list!.length === 0) this.#waiting.delete(key);
    this.#pair(one, late);
  }

  #pair(one: Waiting, { sighted: other, rung }: Waiting): void {
    this.passed[one.sighted.fromPhone ? 'out' : 'in']++;
    const common = Math.min(one.sighted.text.length, other.text.length);
    const changed = one.sighted.length !== other.length || one.sighted.text.slice(0, common) !== other.text.slice(0, common);
    if (changed) this.changed++;
    const drawn = one.rung ?? rung;
    if (drawn !== null && drawn.fate === 'unknown') drawn.fate = changed ? 'changed' : 'passed';
    this.#sink.passed(one, other, changed);
  }

  /** Time has passed: what has not come out is given up. */
  tick(at: number): void {
    for (const [key, list] of this.#waiting) {
      while (list[0] !== undefined && at - list[0].sighted.at > PASSES_WITHIN) {
        const one = list.shift() as Waiting;
        this.#size--;
        if (this.passed[one.sighted.fromPhone ? 'out' : 'in'] === 0) continue;
        if (!this.#sink.dropped(one)) continue;
        this.dropped++;
        if (one.rung !== null) one.rung.fate = 'dropped';
      }
      if (list.length === 0) this.#waiting.delete(key);
    }
    for (const [key, list] of this.#early) {
      while (list[0] !== undefined && at - list[0].sighted.at > PASSES_WITHIN) {
        list.shift();
        this.#earlySize--;
      }
      if (list.length === 0) this.#early.delete(key);
    }
  }

  get waiting(): number {
    return this.#size;
  }
}

function keyOf({ id, text, fromPhone }: Sighted): [key: string, what: string] {
  const known = identify(text);
  const what = known === null ? '' : (known.method ?? String(known.status));
  return [`${fromPhone ? '>' : '<'} ${id} ${what} ${known?.branch ?? ''}`, what];
}
