/**
 * Pairs and lone messages become calls. The messages that came last are kept in full, so that a call whose first change
 * comes late is shown from its beginning; calls in which something happened are kept, up to a number; all others are
 * counted. So memory is bounded, and what passes unchanged is not parsed.
 */
import { parseMessage } from '../languages/sip/message.ts';
import type { Call, Fate, Row, Seen, Tally } from './comparison.ts';
import { differencesOf } from './differences.ts';
import type { Difference } from './difference.ts';
import { Orientation } from './direction.ts';
import { sightingOf } from './entry.ts';
import type { Entry } from './entry.ts';
import { callNotes } from './notes.ts';
import { withoutSecrets } from './secrets.ts';
import { shapeOf } from './shape.ts';
import type { AddressBook, Sighting } from './sighting.ts';

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

interface OpenCall {
  readonly callId: string;
  readonly entries: Entry[];
  omitted: number;
  last: number;
  readonly notes: Set<string>;
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
  readonly #calls = new Map<string, OpenCall>();
  readonly #further = new Set<number>();
  readonly #recent = new Set<Entry>();
  #bytes = 0;
  #byCall: Map<string, Entry[]> | undefined = undefined;
  #unsorted: Entry[] = [];
  #rows = 0;
  /** The first message of each shape. */
  readonly #shapes = new Map<string, Pick<Entry, 'fate' | 'differences'>>();
  /** The latest time at which a call that is kept was heard of. */
  #active = -Infinity;

  constructor(book: AddressBook, limits: CollectorLimits = COLLECTOR_LIMITS) {
    this.#book = book;
    this.#limits = limits;
    this.orientation = new Orientation(book);
  }

  pair(one: Sighting, other: Sighting, equal: boolean): void {
    const oriented = this.orientation.orient(one, other);
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
    const entry = entryOf(inner, outer, toProvider, equal);
    if (!equal) {
      const [before, after] = toProvider ? [inner.text, outer.text] : [outer.text, inner.text];
      const partly = inner.missing > 0 || outer.missing > 0;
      const translation = this.orientation.translation(oriented);
      const isCounted = !partly && this.#isFull() && !this.#calls.has(callIdOf(entry));
      const shape = isCounted ? shapeOf(before, after, translation, toProvider) : null;
      if (shape !== null && this.#countShape(entry, shape)) return;
      const common = partly ? Math.min(before.length, after.length) : Infinity;
      const all = differencesOf(before.slice(0, common), after.slice(0, common), translation);
      entry.differences = all.map(withoutSecrets);
      entry.fate = entry.differences.length === 0 ? 'same' : entry.differences.some(({ cause }) => cause === 'alg') ? 'changed' : 'served';
      if (shape !== null && entry.differences.length > 0 && this.#shapes.size < MOST_SHAPES) {
        const { fate, differences } = entry;
        this.#shapes.set(shape, { fate, differences });
      }
    }
    this.counts[entry.fate]++;
    if (entry.fate === 'same') this.#keepRecent(entry);
    else this.#happened(entry);
  }

  /** Whether no further call is kept, so that what happens in one is counted alone. */
  #isFull(): boolean {
    return this.#calls.size >= this.#limits.calls || this.#rows >= this.#limits.rowsInAll;
  }

  /** Counts a message of a shape that was met. @returns false where it was not */
  #countShape(entry: Entry, shape: string): boolean {
    const known = this.#shapes.get(shape);
    if (known === undefined) return false;
    entry.fate = known.fate;
    entry.method = methodOf(entry);
    entry.what = sightingOf(entry).identity?.status?.toString() ?? entry.method;
    for (const difference of known.differences) this.#count(entry, difference);
    this.counts[entry.fate]++;
    this.#further.add(hash(callIdOf(entry)));
    return true;
  }

  /** @param fate what became of it, as far as can be told now */
  alone(sighting: Sighting, fate: Fate): void {
    const { inner, toProvider } = this.orientation.lone(sighting);
    this.counts[fate]++;
    const entry = entryOf(inner ? sighting : null, inner ? null : sighting, toProvider, false);
    entry.fate = fate;
    if (fate === 'dropped' || fate === 'appeared') this.#happened(entry);
    else this.#keepRecent(entry);
  }

  #happened(entry: Entry): void {
    describe(entry);
    for (const difference of entry.differences) this.#count(entry, difference);
    const callId = callIdOf(entry);
    let call = this.#calls.get(callId);
    if (call === undefined) {
      if (this.#isFull()) {
        this.#further.add(hash(callId));
        return;
      }
      call = this.#open(callId);
      for (const earlier of this.#recentOf(callId)) this.#attach(call, earlier);
    }
    this.#attach(call, entry);
    this.#active = Math.max(this.#active, call.last);
  }

  #open(callId: string): OpenCall {
    const call: OpenCall = { callId, entries: [], omitted: 0, last: 0, notes: new Set() };
    this.#calls.set(callId, call);
    return call;
  }

  #attach(call: OpenCall, entry: Entry): void {
    call.last = Math.max(call.last, sightingOf(entry).time);
    if (entry.what === '') describe(entry);
    if (call.entries.length >= this.#limits.rows || this.#rows >= this.#limits.rowsInAll) call.omitted++;
    else {
      for (const note of callNotes(entry, this.#book)) call.notes.add(note);
      call.entries.push(entry);
      this.#rows++;
    }
    entry.inner?.drop();
    entry.outer?.drop();
  }

  #count(entry: Entry, { field, part, change, cause, before, after }: Difference): void {
    const key = `${field} ${part} ${change} ${cause} ${entry.toProvider}`;
    let tally = this.tallies.get(key);
    if (tally === undefined) {
      if (this.tallies.size >= MOST_TALLIES) return;
      const text = (piece: Difference['before']): string | null => (piece === null ? null : ` ${piece.text}`.slice(1));
      tally = {
        field,
        part,
        change,
        cause,
        toProvider: entry.toProvider,
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
  }

  #keepRecent(entry: Entry): void {
    const sighting = sightingOf(entry);
    sighting.keep();
    this.#recent.add(entry);
    this.#unsorted.push(entry);
    this.#bytes += sighting.length + OVERHEAD;
    while (this.#bytes > this.#limits.recent) {
      const [oldest] = this.#recent;
      if (oldest === undefined) return;
      this.#letGo(oldest);
    }
  }

  #letGo(entry: Entry): void {
    const sighting = sightingOf(entry);
    this.#recent.delete(entry);
    this.#bytes -= sighting.length + OVERHEAD;
    if (this.#unsorted[0] === entry) this.#unsorted.shift();
    if (sighting.time > this.#active + SILENT && this.#byCall === undefined) return;
    const callId = callIdOf(entry);
    const list = this.#byCall?.get(callId);
    if (list !== undefined) {
      const at = list.indexOf(entry);
      if (at >= 0) list.splice(at, 1);
      if (list.length === 0) this.#byCall?.delete(callId);
    }
    const call = this.#calls.get(callId);
    if (call !== undefined) this.#attach(call, entry);
    if (this.#byCall?.size === 0 && this.#unsorted.length > 0) this.#byCall = undefined;
  }

  /** Takes what is kept of a call's messages that passed unchanged. */
  #recentOf(callId: string): Entry[] {
    this.#byCall ??= new Map();
    for (const entry of this.#unsorted) {
      if (!this.#recent.has(entry)) continue;
      const id = callIdOf(entry);
      const list = this.#byCall.get(id);
      if (list === undefined) this.#byCall.set(id, [entry]);
      else list.push(entry);
    }
    this.#unsorted = [];
    const found = this.#byCall.get(callId) ?? [];
    this.#byCall.delete(callId);
    for (const entry of found) {
      this.#recent.delete(entry);
      this.#bytes -= sightingOf(entry).length + OVERHEAD;
    }
    return found;
  }

  /** @param offset seconds the WAN's clock is ahead; @param begin seconds since 1970 from which rows are counted, by the LAN's clock */
  end(offset: number, begin: number, unchanged: number): { calls: Call[]; furtherCalls: number } {
    for (const entry of [...this.#recent]) {
      const callId = callIdOf(entry);
      const call = this.#calls.get(callId) ?? (this.#calls.size < unchanged ? this.#open(callId) : undefined);
      if (call !== undefined) this.#attach(call, entry);
    }
    const calls = [...this.#calls.values()].map(({ callId, entries, omitted, notes }) => {
      const seen = new Set<string>();
      const time = (entry: Entry): number =>
        (entry.inner !== null && (entry.toProvider || entry.outer === null) ? entry.inner.time : entry.outer!.time - offset) - begin;
      const sorted = entries.map((entry) => ({ entry, at: time(entry) })).sort((a, b) => a.at - b.at);
      const rows = sorted.map(({ entry, at }) => this.#row(entry, at, offset, seen));
      return { callId, kind: rows[0]?.method ?? '', ...this.#ends(entries), rows, omitted, notes: [...notes] };
    });
    return { calls: calls.sort((a, b) => (a.rows[0]?.time ?? 0) - (b.rows[0]?.time ?? 0)), furtherCalls: this.#further.size };
  }

  #row(entry: Entry, time: number, offset: number, seen: Set<string>): Row {
    const { inner, outer, toProvider, what, method, sdp, fate, differences, signature } = entry;
    const again = seen.has(signature);
    seen.add(signature);
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

function entryOf(inner: Sighting | null, outer: Sighting | null, toProvider: boolean, equal: boolean): Entry {
  return { inner, outer, toProvider, equal, fate: 'same', differences: [], what: '', method: '', sdp: false, signature: '' };
}

const callIdOf = (entry: Entry): string => sightingOf(entry).identity?.callId ?? '(no Call-ID)';

function methodOf(entry: Entry): string {
  const { identity } = sightingOf(entry);
  return identity?.cseq?.split(' ')[1] ?? identity?.method ?? '';
}

/** Fills in what a row says of its message. */
function describe(entry: Entry): void {
  const sighting = sightingOf(entry);
  const { text, identity } = sighting;
  const message = parseMessage(text);
  if ('refused' in message) {
    entry.what = identity?.method ?? String(identity?.status ?? '?');
  } else {
    const line = message.startLine;
    entry.what = line.kind === 'request' ? line.method.text : `${line.code.text} ${line.reason.text}`.trim();
    entry.sdp = /(?:^|\n)v=0/.test(text.slice(message.body.start));
  }
  entry.method = methodOf(entry);
  entry.signature = `${entry.toProvider} ${entry.what} ${identity?.cseq} ${identity?.branch} ${identity?.fromTag}`;
}

/** 53 bits of a text: what is counted is not kept. */
function hash(text: string): number {
  let [a, b] = [0x811c9dc5, 0x1234567];
  for (let at = 0; at < text.length; at++) {
    a = Math.imul(a ^ text.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(at), 0x5bd1e995);
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}
