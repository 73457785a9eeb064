/**
 * Two captures, or one that holds both sides, are pushed in as they are read, in the order that this asks for, and become
 * one comparison:
 *
 *     const comparing = new Comparing(['lan.pcap', 'wan.pcap']);
 *     for (let side = comparing.next(); side !== null; side = comparing.next()) {
 *       const chunk = await read(side);
 *       if (chunk === null) comparing.close(side);
 *       else comparing.push(side, chunk);
 *     }
 *     const result = comparing.end();
 *
 * Nothing throws, whatever the bytes are, and nothing grows with the captures.
 */
import { latin1 } from '../languages/sip/text.ts';
import { Collector, COLLECTOR_LIMITS } from './collector.ts';
import type { CollectorLimits } from './collector.ts';
import type { Comparison, Fate, SideSummary, Verdict } from './comparison.ts';
import { Intake } from './intake.ts';
import { Interleaved } from './interleave.ts';
import type { Reach } from './interleave.ts';
import { PENDING_BYTES, Pairing } from './pairing.ts';
import { Plain } from './plain.ts';
import { AddressBook, AddressSet } from './sighting.ts';
import type { Sighting, ToText } from './sighting.ts';
import { Store } from './store.ts';
import { remarksOf, summaryOf } from './summary.ts';
import { paragraphOf } from './paragraph.ts';

export interface CompareOptions {
  /** A faster way from bytes to text than `latin1`, where the engine has one. */
  readonly toText?: ToText;
  /** Bytes of messages that wait for their other half. */
  readonly pending?: number;
  readonly limits?: Partial<CollectorLimits>;
}

/** Bytes of one capture that are read by their times while nothing was found in both. */
const UNGUIDED = 1 << 20;
/** Seconds: what takes longer is delayed; how far beyond the end of the other capture a message is out of its reach. */
const LATE = 0.2;
const MARGIN = 0.5;
/** How many calls are shown in which nothing happened, where there is room. */
const UNCHANGED_CALLS = 8;

export class Comparing {
  readonly #names: readonly string[];
  readonly #book = new AddressBook();
  readonly #intakes: readonly Intake[];
  readonly #open: boolean[];
  readonly #pairing: Pairing;
  readonly #collector: Collector;
  readonly #interleaved: Interleaved;
  /** Seconds that the clock of the second capture is ahead, as far as pairs have shown it, and how many had when it was worked out. */
  #ahead = 0;
  #known = 0;

  /** @param names what the captures are called, one or two */
  constructor(names: readonly string[], { toText = latin1, pending = PENDING_BYTES, limits = {} }: CompareOptions = {}) {
    this.#names = names;
    this.#open = names.map(() => true);
    const store = new Store(toText, names.length);
    const plain = new Plain(this.#book);
    const collector = new Collector(this.#book, store, plain, { ...COLLECTOR_LIMITS, ...limits });
    this.#collector = collector;
    this.#pairing = new Pairing(
      {
        pair: (one, other, equal, isPlain) => collector.pair(one, other, equal, isPlain),
        alone: (sighting, final) => collector.alone(sighting, this.#fateOf(sighting, final)),
        copy: (original, _copy, how) => {
          if (how === 'place') collector.counts.copies++;
          else {
            original.doubled++;
            collector.counts.doubled++;
          }
        },
      },
      store,
      plain,
      pending,
    );
    this.#interleaved = new Interleaved(store, (sighting) => this.#pairing.offer(sighting));
    this.#intakes = names.map(
      (_, index) =>
        new Intake(index, names.length === 1 ? -1 : index === 0 ? 0 : 1, { book: this.#book, store, toText }, {
          take: (sighting) => {
            this.#far(sighting);
            if (names.length === 1) this.#pairing.offer(sighting);
            else this.#interleaved.add(sighting);
          },
          isAwaited: (sighting) => names.length === 1 && this.#pairing.isAwaited(sighting),
        }),
    );
  }

  /** Which capture is to be read from next: the one that is behind in time. null: both have ended. */
  next(): number | null {
    const open = this.#intakes.flatMap((_, index) => (this.#open[index] ? [index] : []));
    const [first, second] = open;
    if (first === undefined) return null;
    if (second === undefined) return first;
    const [one, other] = [this.#intakes[first]!, this.#intakes[second]!];
    if (this.#isLost()) return one.size <= other.size ? first : second;
    // One that has shown nothing yet is read until it does.
    return Number.isNaN(other.last) || other.last - this.#ahead < one.last ? second : first;
  }

  /**
   * Takes the next bytes of a capture; they may be overwritten afterwards.
   * @param carried by what its datagrams came: segments of TCP that were recorded one by one are handed in as such
   */
  push(side: number, chunk: Uint8Array, carried: 'udp' | 'tcp' = 'udp'): void {
    this.#intakes[side]?.push(chunk, carried);
    this.#drain();
  }

  /** Whether much was read and nothing was found in both: then times are no guide, for a clock may be a day wrong. */
  #isLost(): boolean {
    return this.#collector.counts.pairs === 0 && this.#intakes.some(({ size }) => size > UNGUIDED);
  }

  #drain(): void {
    const [one, other] = this.#intakes;
    if (one === undefined || other === undefined) return;
    const reach = (intake: Intake, index: number): Reach => ({ last: intake.last, open: this.#open[index]! });
    this.#interleaved.drain([reach(one, 0), reach(other, 1)], this.#ahead, this.#isLost());
    const { pairs } = this.#collector.counts;
    // Worked out again and again while it gets better.
    if (pairs >= 2 * this.#known && pairs > 0 && this.#known < 512) {
      this.#known = pairs;
      this.#ahead = this.#offset() * (this.#collector.orientation.swapped === true ? -1 : 1);
    }
  }

  /** A capture has ended. */
  close(side: number): void {
    if (!this.#open[side]) return;
    this.#open[side] = false;
    this.#intakes[side]!.end();
    this.#drain();
  }

  /** Bytes that were taken, messages that were found. */
  get progress(): { bytes: number; messages: number } {
    const sum = (of: (intake: Intake) => number): number => this.#intakes.reduce((all, intake) => all + of(intake), 0);
    return { bytes: sum(({ size }) => size), messages: sum(({ counts }) => counts.messages) };
  }

  /** Addresses seen by each side: what a message crosses the router for. */
  readonly #ends = [new AddressSet(16_384), new AddressSet(16_384)] as const;

  #far({ side, source, destination }: Sighting): void {
    const ends = this.#ends[side === 1 ? 1 : 0];
    ends.add(source);
    ends.add(destination);
  }

  #fateOf(sighting: Sighting, final: boolean): Fate {
    const { side, source, destination, time } = sighting;
    const { orientation } = this.#collector;
    const { inner, toProvider } = orientation.lone(sighting);
    if (side !== -1) {
      const other = this.#ends[side === 0 ? 1 : 0];
      const end = toProvider ? destination : source;
      if (!other.has(end) && other.size > 0) return 'local';
      const intake = this.#intakes[side === 0 ? 1 : 0]!;
      const offset = this.#offset() * ((side === 0) !== (orientation.swapped ?? false) ? 1 : -1);
      const there = time + offset;
      if (!(there >= intake.first - MARGIN) || (final && !(there <= intake.last + MARGIN))) return 'outside';
      // What is sent within the last moments may still have been on its way.
    } else if (
      this.#book.isPrivate(source)
      && this.#book.isPrivate(destination)
      && !orientation.far.has(source)
      && !orientation.far.has(destination)
    ) {
      return 'local';
    }
    return inner === toProvider ? 'dropped' : 'appeared';
  }

  /** Seconds that the WAN's clock is ahead of the LAN's. */
  #offset(): number {
    if (this.#names.length === 1) return 0;
    const [out, back] = [median(this.#collector.out), median(this.#collector.in)];
    if (out !== null && back !== null) return (out - back) / 2;
    const one = out ?? (back === null ? 0 : -back);
    return Math.abs(one) > 1 ? one : 0; // one way alone does not tell a slow router from a slow clock
  }

  /** All has been read, or nobody wants to wait any longer. */
  end(): Comparison {
    this.#names.forEach((_, side) => this.close(side));
    this.#pairing.end();
    const collector = this.#collector;
    const swapped = collector.orientation.swapped === true;
    const offset = this.#offset();
    const [lanIntake, wanIntake] = swapped ? [this.#intakes[1]!, this.#intakes[0]!] : [this.#intakes[0]!, this.#intakes[1]];
    const begin = Math.min(
      ...[lanIntake.first, ...(wanIntake === undefined ? [] : [wanIntake.first - offset])].filter((time) => time >= 0),
    );
    const { calls, furtherCalls } = collector.end(offset, Number.isFinite(begin) ? begin : 0, UNCHANGED_CALLS);
    const delayed = calls.reduce((sum, { rows }) => sum + rows.filter(({ delay }) => delay !== null && delay > LATE).length, 0);
    const counts = { ...collector.counts, delayed };
    const tallies = [...collector.tallies.values()];
    const sides = this.#intakes.map((intake, index) => summaryOfSide(this.#names[index]!, intake));
    const [lan, wan] = swapped ? [sides[1]!, sides[0]!] : [sides[0]!, sides[1] ?? null];
    const clock = this.#names.length === 1 || counts.pairs === 0 ? null : Math.round(offset * 1e6) / 1e6;
    const facts = {
      lan,
      wan,
      clock,
      counts,
      tallies,
      calls,
      furtherCalls,
      swapped,
      ports: collector.ports,
      identical: counts.pairs > 0 && collector.identical === counts.pairs,
      encrypted: this.#intakes.reduce((sum, intake) => sum + intake.counts.encrypted, 0),
      cut: this.#intakes.reduce((sum, { capture }) => sum + capture.counts.cut, 0),
    };
    const verdict: Verdict =
      counts.pairs === 0 || facts.identical ? 'trouble' : counts.changed + counts.dropped > 0 ? 'changed' : 'unchanged';
    const remarks = remarksOf(facts);
    const shown = verdict === 'trouble' ? [] : calls;
    return {
      verdict,
      summary: summaryOf(facts, verdict),
      paragraph: verdict === 'trouble' ? '' : paragraphOf(facts),
      remarks,
      lan,
      wan,
      clock,
      counts,
      tallies,
      calls: shown,
      furtherCalls,
    };
  }
}

function summaryOfSide(name: string, intake: Intake): SideSummary {
  const time = (seconds: number): number | null => (Number.isNaN(seconds) ? null : seconds);
  return {
    name,
    bytes: intake.size,
    packets: intake.capture.counts.packets,
    messages: intake.counts.messages,
    first: time(intake.first),
    last: time(intake.last),
    problems: intake.problems.map(({ message }) => message),
  };
}

function median(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}
