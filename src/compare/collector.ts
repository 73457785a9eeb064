/**
 * Pairs and lone messages become calls. The messages that came last are kept in full, so that a call whose first change
 * comes late is shown from its beginning; calls in which something happened are kept, up to a number; all others are
 * counted. So memory is bounded, and what passes unchanged is not parsed.
 */
import type { Call, Fate, Row, Seen, Tally } from './comparison.ts';
import { differencesOf } from './differences.ts';
import type { Difference } from './difference.ts';
import { Orientation } from './direction.ts';
import { callIdOf, describe, sightingOf, turnRound } from './entry.ts';
import type { Entry } from './entry.ts';
import type { Said } from '../words/say.ts';
import { callNotes } from './notes.ts';
import { withoutSecrets } from './secrets.ts';
import { Counted } from './counted.ts';
import { callIdHash, hashOfText } from './plain.ts';
import type { Plain } from './plain.ts';
import { Recent } from './recent.ts';
import type { AddressBook, Sighting } from './sighting.ts';
import type { Store } from './store.ts';

export interface CollectorLimits {
  /** Calls that are kept, rows of one, rows of all. */
  readonly calls: number;
  readonly rows: number;
  readonly rowsInAll: number;
  /** Bytes of messages that passed unchanged and are kept for a while. */
  readonly recent: number;
}

export const COLLECTOR_LIMITS: CollectorLimits = { calls: 64, rows: 80, rowsInAll: 1200, recent: 2 << 20 };
const MOST_TALLIES = 256;
const MOST_SAMPLES = 512;
const MOST_SHAPES = 512;
/** Seconds after which a call that is silent is over. */
const SILENT = 300;
const OVERHEAD = 300;

/** What messages of a shape are, and where each of their differences is counted. */
interface Shape {
  readonly check: number;
  readonly fate: Fate;
  readonly tallies: readonly Tally[];
}

interface OpenCall {
  readonly callId: string;
  readonly entries: Entry[];
  omitted: number;
  last: number;
  /** By their text. */
  readonly notes: Map<string, Said>;
}

export class Collector {
  readonly orientation: Orientation;
  readonly counts: Record<Fate | 'pairs' | 'doubled' | 'copies', number> = {
    same: 0,
    changed: 0,
    served: 0,
    dropped: 0,
    appeared: 0,
    outside: 0,
    local: 0,
    pairs: 0,
    doubled: 0,
    copies: 0,
  };
  readonly tallies = new Map<string, Tally>();
  /** Seconds from the LAN's sighting to the WAN's, and back; the first ones. */
  readonly out: number[] = [];
  readonly in: number[] = [];
  /** Pairs that are one packet: the same time, addresses, time to live. */
  identical = 0;
  /** Pairs in which the translated end kept its port, and those in which it did not. */
  ports = { kept: 0, moved: 0 };
  readonly #limits: CollectorLimits;
  readonly #book: AddressBook;
  readonly #store: Store;
  readonly #plain: Plain;
  readonly #calls = new Map<string, OpenCall>();
  /** The Call-IDs of these, as `hashOfText` has them. */
  readonly #kept = new Set<number>();
  readonly #further = new Counted();
  readonly #recent = new Recent();
  #bytes = 0;
  /** The recent ones by their call, up to the number `#sorted`; undefined while nobody asks. */
  #byCall: Map<string, Entry[]> | undefined = undefined;
  #sorted = 0;
  #rows = 0;
  /** What the first message of each shape was found to be. */
  readonly #shapes = new Map<number, Shape>();
  /** The latest time at which a call that is kept was heard of. */
  #active = -Infinity;

  constructor(book: AddressBook, store: Store, plain: Plain, limits: CollectorLimits = COLLECTOR_LIMITS) {
    this.#book = book;
    this.#store = store;
    this.#plain = plain;
    this.#limits = limits;
    this.orientation = new Orientation(book);
  }

  /** @param plain whether the change is a plain one, and was read; where it was not read it is found out */
  pair(one: Sighting, other: Sighting, equal: boolean, plain: boolean): void {
    const { swapped } = this.orientation;
    const oriented = this.orientation.orient(one, other);
    if (swapped === undefined && this.orientation.swapped === true) this.#turnRound();
    const { inner, outer, toProvider } = oriented;
    this.counts.pairs++;
    const samples = toProvider ? this.out : this.in;
    if (samples.length < MOST_SAMPLES) samples.push(toProvider ? outer.time - inner.time : inner.time - outer.time);
    if (inner.time === outer.time && inner.ttl === outer.ttl && inner.source === outer.source && inner.destination === outer.destination) {
      this.identical++;
    }
    const moved = toProvider ? inner.sourcePort !== outer.sourcePort : inner.destinationPort !== outer.destinationPort;
    if (moved) this.ports.moved++;
    else this.ports.kept++;
    if (equal) {
      this.counts.same++;
      this.#keepRecent(this.#recent.entry(inner, outer, toProvider, true));
      return;
    }
    const partly = inner.missing > 0 || outer.missing > 0;
    let shape = 0;
    let isPlain = false;
    if (!partly && this.#isFull()) {
      isPlain = (plain || this.#plain.read(one, other)) && !this.#kept.has(this.#plain.callId);
      // Which of the two it is before says the way it went.
      shape = this.#plain.shape ^ (toProvider ? 0x5a5a5a5a : 0) ^ (one === inner ? 0x0f0f0f0f : 0);
      if (isPlain && this.#countShape(shape)) return;
    }
    const { check, callId } = this.#plain;
    const entry = this.#recent.entry(inner, outer, toProvider, false);
    const [before, after] = toProvider ? [inner.text, outer.text] : [outer.text, inner.text];
    const common = partly ? Math.min(before.length, after.length) : Infinity;
    const all = differencesOf(before.slice(0, common), after.slice(0, common), this.orientation.translation(oriented));
    entry.differences = all.map(withoutSecrets);
    entry.fate = entry.differences.length === 0 ? 'same' : entry.differences.some(({ cause }) => cause === 'alg') ? 'changed' : 'served';
    this.counts[entry.fate]++;
    if (entry.fate === 'same') {
      this.#keepRecent(entry);
      return;
    }
    const tallies = this.#happened(entry);
    if (isPlain && callId >= 0 && this.#shapes.size < MOST_SHAPES) this.#shapes.set(shape, { check, fate: entry.fate, tallies });
  }

  /** The captures turned out to be the other way round: so was all that was counted; rows are put right at the end. */
  #turnRound(): void {
    const [out, back] = [this.out.splice(0), this.in.splice(0)];
    this.out.push(...back);
    this.in.push(...out);
    const tallies = [...this.tallies.values()];
    this.tallies.clear();
    for (const tally of tallies) {
      tally.toProvider = !tally.toProvider;
      this.tallies.set(keyOf(tally), tally);
    }
  }

  /** Whether no further call is kept, so that what happens in one is counted alone. */
  #isFull(): boolean {
    return this.#calls.size >= this.#limits.calls || this.#rows >= this.#limits.rowsInAll;
  }

  /** Counts a message of a shape that was met. @returns false where it was not */
  #countShape(shape: number): boolean {
    const known = this.#shapes.get(shape);
    if (known === undefined || known.check !== this.#plain.check) return false;
    for (const tally of known.tallies) tally.count++;
    this.counts[known.fate]++;
    this.#further.add(this.#plain.callId);
    return true;
  }

  /** @param fate what became of it, as far as can be told now */
  alone(sighting: Sighting, fate: Fate): void {
    const { inner, toProvider } = this.orientation.lone(sighting);
    this.counts[fate]++;
    const entry = this.#recent.entry(inner ? sighting : null, inner ? null : sighting, toProvider, false);
    entry.fate = fate;
    if (fate === 'dropped' || fate === 'appeared') this.#happened(entry);
    else this.#keepRecent(entry);
  }

  /** @returns where its differences were counted */
  #happened(entry: Entry): Tally[] {
    describe(entry);
    const tallies = entry.differences.flatMap((difference) => this.#count(entry, difference) ?? []);
    const callId = callIdOf(entry);
    let call = this.#calls.get(callId);
    if (call === undefined) {
      if (this.#isFull()) {
        this.#further.add(hashOfText(callId));
        return tallies;
      }
      call = this.#open(callId);
      for (const earlier of this.#recentOf(callId)) {
        this.#attach(call, earlier);
        this.#letGo(earlier);
      }
    }
    this.#attach(call, entry);
    this.#active = Math.max(this.#active, call.last);
    return tallies;
  }

  #open(callId: string): OpenCall {
    const call: OpenCall = { callId, entries: [], omitted: 0, last: 0, notes: new Map() };
    this.#calls.set(callId, call);
    this.#kept.add(hashOfText(callId));
    return call;
  }

  #attach(call: OpenCall, entry: Entry): void {
    call.last = Math.max(call.last, sightingOf(entry).time);
    if (entry.what === '') describe(entry);
    if (call.entries.length >= this.#limits.rows || this.#rows >= this.#limits.rowsInAll) call.omitted++;
    else {
      for (const note of callNotes(entry, this.#book)) call.notes.set(note.text, note);
      call.entries.push(entry);
      this.#rows++;
    }
    for (const sighting of [entry.inner, entry.outer]) {
      if (sighting === null) continue;
      this.#store.keep(sighting);
      sighting.drop();
    }
  }

  #count(entry: Entry, difference: Difference): Tally | undefined {
    const { field, part, change, cause, before, after } = difference;
    const { toProvider } = entry;
    const key = keyOf({ field, part, change, cause, toProvider });
    let tally = this.tallies.get(key);
    if (tally === undefined) {
      if (this.tallies.size >= MOST_TALLIES) return undefined;
      const text = (piece: Difference['before']): string | null => (piece === null ? null : ` ${piece.text}`.slice(1));
      tally = {
        field,
        part,
        change,
        cause,
        toProvider,
        count: 0,
        messages: [],
        before: text(before),
        after: text(after),
      };
      this.tallies.set(key, tally);
    }
    tally.count++;
    const name = /^\d/.test(entry.what) ? `${entry.what.slice(0, 3)} ${entry.method}` : entry.method;
    if (tally.messages.length < 24 && !tally.messages.includes(name)) tally.messages.push(name);
    return tally;
  }

  #keepRecent(entry: Entry): void {
    const { inner, outer } = entry;
    const sighting = sightingOf(entry);
    entry.held = sighting;
    this.#store.hold(sighting);
    if (inner !== null && outer !== null) this.#store.keep(sighting === inner ? outer : inner);
    this.#recent.push(entry);
    this.#bytes += sighting.length + OVERHEAD;
    while (this.#bytes > this.#limits.recent && this.#recent.first < this.#recent.end) {
      const oldest = this.#recent.at(this.#recent.first)!;
      const isKept = this.#attachOld(oldest);
      this.#letGo(oldest);
      if (!isKept) this.#recent.recycle(oldest);
    }
    if (this.#byCall?.size === 0 && this.#sorted < this.#recent.end) this.#byCall = undefined;
  }

  /** Takes an entry out of the recent ones. */
  #letGo(entry: Entry): void {
    const { inner, outer } = entry;
    const sighting = entry.held!;
    this.#recent.take(entry);
    this.#bytes -= sighting.length + OVERHEAD;
    this.#store.free(sighting);
    if (inner !== null && outer !== null) this.#store.forget(sighting === inner ? outer : inner);
  }

  /** Whether an entry that is too old to be kept belongs to a call that is kept, and was put there. */
  #attachOld(entry: Entry): boolean {
    const sighting = sightingOf(entry);
    if (this.#byCall === undefined) {
      if (sighting.time > this.#active + SILENT) return false;
      const hash = callIdHash(sighting.bytes, sighting.start, sighting.end);
      if (hash >= 0 && !this.#kept.has(hash)) return false;
    }
    const callId = callIdOf(entry);
    const list = this.#byCall?.get(callId);
    if (list !== undefined) {
      const at = list.indexOf(entry);
      if (at >= 0) list.splice(at, 1);
      if (list.length === 0) this.#byCall?.delete(callId);
    }
    const call = this.#calls.get(callId);
    if (call !== undefined) this.#attach(call, entry);
    return call !== undefined;
  }

  /** Takes what is kept of a call's messages that passed unchanged. */
  #recentOf(callId: string): Entry[] {
    this.#byCall ??= new Map();
    for (let number = Math.max(this.#sorted, this.#recent.first); number < this.#recent.end; number++) {
      const entry = this.#recent.at(number);
      if (entry === null) continue;
      const id = callIdOf(entry);
      const list = this.#byCall.get(id);
      if (list === undefined) this.#byCall.set(id, [entry]);
      else list.push(entry);
    }
    this.#sorted = this.#recent.end;
    const found = this.#byCall.get(callId) ?? [];
    this.#byCall.delete(callId);
    return found;
  }

  /** @param offset seconds the WAN's clock is ahead; @param begin seconds since 1970 from which rows are counted, by the LAN's clock */
  end(offset: number, begin: number, unchanged: number): { calls: Call[]; furtherCalls: number } {
    for (let number = this.#recent.first; number < this.#recent.end; number++) {
      const entry = this.#recent.at(number);
      if (entry === null) continue;
      const callId = callIdOf(entry);
      const call = this.#calls.get(callId) ?? (this.#calls.size < unchanged ? this.#open(callId) : undefined);
      if (call !== undefined) this.#attach(call, entry);
    }
    const calls = [...this.#calls.values()].map(({ callId, entries, omitted, notes }) => {
      if (this.orientation.swapped === true) for (const entry of entries) turnRound(entry);
      const seen = new Set<string>();
      const time = (entry: Entry): number =>
        (entry.inner !== null && (entry.toProvider || entry.outer === null) ? entry.inner.time : entry.outer!.time - offset) - begin;
      const sorted = entries.map((entry) => ({ entry, at: time(entry) })).sort((a, b) => a.at - b.at);
      const rows = sorted.map(({ entry, at }) => this.#row(entry, at, offset, seen));
      return { callId, kind: rows[0]?.method ?? '', ...this.#ends(entries), rows, omitted, notes: [...notes.values()] };
    });
    return { calls: calls.sort((a, b) => (a.rows[0]?.time ?? 0) - (b.rows[0]?.time ?? 0)), furtherCalls: this.#further.size };
  }

  #row(entry: Entry, time: number, offset: number, seen: Set<string>): Row {
    const { inner, outer, toProvider, what, method, sdp, fate, differences, signature } = entry;
    const known = `${toProvider} ${signature}`;
    const again = seen.has(known);
    seen.add(known);
    const delay =
      inner === null || outer === null ? null : toProvider ? outer.time - offset - inner.time : inner.time - (outer.time - offset);
    return {
      time,
      transport: sightingOf(entry).transport,
      toProvider,
      what,
      method,
      sdp,
      fate,
      lan: this.#seen(inner),
      wan: this.#seen(outer),
      delay: delay === null ? null : Math.round(delay * 1e6) / 1e6,
      again,
      partly: (inner?.missing ?? 0) + (outer?.missing ?? 0) > 0,
      differences,
    };
  }

  #seen(sighting: Sighting | null): Seen | null {
    if (sighting === null) return null;
    const { number, time, source, sourcePort, destination, destinationPort, ttl, wireLength, doubled } = sighting;
    return {
      packet: number,
      time,
      source: this.#book.endpoint(source, sourcePort),
      destination: this.#book.endpoint(destination, destinationPort),
      ttl,
      length: wireLength,
      doubled,
    };
  }

  #ends(entries: readonly Entry[]): Pick<Call, 'inside' | 'outside' | 'far'> {
    const end = (sighting: Sighting, source: boolean): string =>
      source
        ? this.#book.endpoint(sighting.source, sighting.sourcePort)
        : this.#book.endpoint(sighting.destination, sighting.destinationPort);
    const inside = entries.find(({ inner }) => inner !== null);
    const outside = entries.find(({ outer }) => outer !== null);
    const any = entries[0];
    return {
      inside: inside === undefined ? null : end(inside.inner!, inside.toProvider),
      outside: outside === undefined ? null : end(outside.outer!, outside.toProvider),
      far: any === undefined ? null : end(sightingOf(any), !any.toProvider),
    };
  }
}

const keyOf = ({ field, part, change, cause, toProvider }: Pick<Tally, 'field' | 'part' | 'change' | 'cause' | 'toProvider'>): string =>
  `${field} ${part} ${change} ${cause} ${toProvider}`;
