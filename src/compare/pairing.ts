/**
 * Which message of one side is which of the other. Equal bytes are found by a number made of some of them, without
 * parsing. What was changed on the way is found by the identification of the IP packet, which a router keeps, and by the
 * transaction (RFC 3261 §17.1.3, §17.2.3): method or status, CSeq, the branch of the top Via, Call-ID. An ALG changes some
 * of these, so most of them have to agree and none has to. Of several that fit, as retransmissions are, the one with the
 * same identification is taken, else the one nearest in time.
 *
 * Memory is bounded: what waits longest for its other half is let go, and said to have none.
 */
import { Chains } from './chains.ts';
import type { Plain } from './plain.ts';
import type { Sighting } from './sighting.ts';
import type { Store } from './store.ts';
import { Waiting } from './waiting.ts';

/** What became of messages. What is handed over holds until the function returns, unless it was asked for in the store. */
export interface PairingSink {
  /**
   * The same message twice, the first as it was seen earlier on its way (see `inOrder`); the bytes are equal or not. `plain`:
   * whether the difference was found to be a plain one, which `Plain` then tells of.
   */
  pair(one: Sighting, other: Sighting, equal: boolean, plain: boolean): void;
  /** It was seen once. `final`: all has been read; before, it was let go to save memory. */
  alone(sighting: Sighting, final: boolean): void;
  /** The same packet at another place of the same side (a bridge and its port), or a packet that a network doubled. */
  copy(original: Sighting, copy: Sighting, how: 'place' | 'doubled'): void;
}

/** Bytes of messages that wait, each counted with what it costs to keep it. */
export const PENDING_BYTES = 4 << 20;
const OVERHEAD = 400;
/** Seconds within which the same packet at the same side is the same packet. The first retransmission comes after 0.5 s (T1). */
const AT_ONCE = 0.1;
/** How many halves of pairs are remembered so that a second copy of either is known. */
const REMEMBERED = 512;
/** Seconds between the two halves of a pair beyond which they are of different transactions; Timer B and F are 32 s. */
export const MOST_APART = 40;

export class Pairing {
  readonly #sink: PairingSink;
  readonly #store: Store;
  readonly #plain: Plain;
  readonly #most: number;
  readonly #pending = new Waiting();
  readonly #byContent = new Chains();
  readonly #byId = new Chains();
  readonly #byKey = new Map<string, Sighting[]>();
  /** Of those that wait the first one that is not in `#byKey` yet, nor are those behind it: nobody has asked. */
  #unkeyed: Sighting | null = null;
  #bytes = 0;
  /** Halves of the latest pairs, by content; a ring. */
  readonly #ring: (Sighting | null)[] = new Array(REMEMBERED).fill(null);
  readonly #remembered = new Chains();
  #next = 0;

  constructor(sink: PairingSink, store: Store, plain: Plain, most = PENDING_BYTES) {
    this.#sink = sink;
    this.#store = store;
    this.#plain = plain;
    this.#most = most;
  }

  /** Whether the same bytes wait for this one: then nobody has to ask whether it is one message. */
  isAwaited(sighting: Sighting): boolean {
    sighting.content = contentOf(sighting);
    return this.#twinOf(sighting) !== null;
  }

  offer(sighting: Sighting): void {
    if (sighting.content === 0) sighting.content = contentOf(sighting);
    const twin = this.#twinOf(sighting);
    if (twin !== null) {
      this.#paired(twin, sighting, true, false);
      return;
    }
    const original = this.#originalOf(sighting);
    if (original !== null) {
      this.#sink.copy(original, sighting, original.place === sighting.place ? 'doubled' : 'place');
      return;
    }
    if (this.#pending.oldest !== null) {
      const plain = this.#plainOf(sighting);
      const changed = plain ?? this.#changed(sighting);
      if (changed !== null) {
        this.#paired(changed, sighting, false, plain !== null);
        return;
      }
    }
    this.#wait(sighting);
  }

  /** All has been read. */
  end(): void {
    for (let sighting = this.#pending.oldest; sighting !== null; sighting = this.#pending.oldest) {
      this.#pending.remove(sighting);
      this.#sink.alone(sighting, true);
      this.#store.free(sighting);
    }
  }

  #paired(early: Sighting, late: Sighting, equal: boolean, plain: boolean): void {
    this.#forget(early);
    if (equal && late.holds === 0) this.#store.share(early, late);
    this.#sink.pair(early, late, equal, plain);
    this.#remember(early);
    this.#remember(late);
    if (late.holds === 0) late.release();
    this.#store.free(early);
  }

  #remember(sighting: Sighting): void {
    const old = this.#ring[this.#next]!;
    if (old !== null) {
      this.#remembered.remove(old.content, old.slot);
      this.#store.forget(old);
    }
    this.#ring[this.#next] = sighting;
    this.#next = (this.#next + 1) % REMEMBERED;
    this.#remembered.add(sighting.content, sighting.slot);
    this.#store.keep(sighting);
  }

  /** Of those that wait the one with the same bytes; of several the one with the same identification, else the one nearest in time. */
  #twinOf(sighting: Sighting): Sighting | null {
    let best: Sighting | null = null;
    for (let slot = this.#byContent.first(sighting.content); slot >= 0; slot = this.#byContent.after(slot)) {
      const other = this.#store.at(slot);
      if (!mayPair(other, sighting) || !sameBytes(other, sighting)) continue;
      if (best === null || nearer(other, best, sighting)) best = other;
    }
    return best;
  }

  /** A packet that was seen already on this side, whether its other half has come or not. */
  #originalOf(sighting: Sighting): Sighting | null {
    return this.#sameIn(this.#byContent, sighting) ?? this.#sameIn(this.#remembered, sighting);
  }

  #sameIn(chains: Chains, sighting: Sighting): Sighting | null {
    for (let slot = chains.first(sighting.content); slot >= 0; slot = chains.after(slot)) {
      const other = this.#store.at(slot);
      if (isCopy(other, sighting) && (other.released || sameBytes(other, sighting))) return other;
    }
    return null;
  }

  #wait(sighting: Sighting): void {
    this.#store.hold(sighting);
    this.#pending.add(sighting);
    this.#bytes += sighting.length + OVERHEAD;
    this.#byContent.add(sighting.content, sighting.slot);
    if (sighting.id > 0) this.#byId.add(sighting.id, sighting.slot);
    this.#unkeyed ??= sighting;
    while (this.#bytes > this.#most) {
      const { oldest } = this.#pending;
      if (oldest === null) return;
      this.#forget(oldest);
      this.#sink.alone(oldest, false);
      this.#store.free(oldest);
    }
  }

  /** It waits no more. */
  #forget(sighting: Sighting): void {
    if (this.#unkeyed === sighting) this.#unkeyed = sighting.after;
    this.#pending.remove(sighting);
    this.#bytes -= sighting.length + OVERHEAD;
    this.#byContent.remove(sighting.content, sighting.slot);
    if (sighting.id > 0) this.#byId.remove(sighting.id, sighting.slot);
    if (sighting.keys !== undefined) for (const key of sighting.keys) remove(this.#byKey, key, sighting);
  }

  /**
   * The one that waits with the same identification, where it is the only one and only an address became another in it: by its
   * bytes, without parsing. It is known by its Call-ID, too, so `#changed` would have found it.
   */
  #plainOf(sighting: Sighting): Sighting | null {
    if (sighting.id <= 0) return null;
    let only: Sighting | null = null;
    for (let slot = this.#byId.first(sighting.id); slot >= 0; slot = this.#byId.after(slot)) {
      const other = this.#store.at(slot);
      if (!mayPair(other, sighting)) continue;
      if (only !== null) return null;
      only = other;
    }
    return only !== null && this.#plain.read(only, sighting) ? only : null;
  }

  #changed(sighting: Sighting): Sighting | null {
    let nearest: Sighting | null = null;
    for (let slot = sighting.id > 0 ? this.#byId.first(sighting.id) : -1; slot >= 0; slot = this.#byId.after(slot)) {
      const other = this.#store.at(slot);
      if (!mayPair(other, sighting) || likeness(other, sighting) < 2) continue;
      if (nearest === null || nearer(other, nearest, sighting)) nearest = other;
    }
    if (nearest !== null) return nearest;
    for (let waiting = this.#unkeyed; waiting !== null; waiting = waiting.after) {
      waiting.keys = keysOf(waiting);
      for (const key of waiting.keys) add(this.#byKey, key, waiting);
    }
    this.#unkeyed = null;
    let best: Sighting | null = null;
    let most = 0;
    for (const key of keysOf(sighting)) {
      for (const other of this.#byKey.get(key) ?? []) {
        if (!mayPair(other, sighting) || Math.abs(other.time - sighting.time) > MOST_APART * 100) continue;
        const like = likeness(other, sighting);
        if (like > most || (like === most && best !== null && nearer(other, best, sighting))) [best, most] = [other, like];
      }
    }
    return most >= 2 ? best : null;
  }
}

function nearer(one: Sighting, than: Sighting, to: Sighting): boolean {
  const [first, second] = [one.id > 0 && one.id === to.id, than.id > 0 && than.id === to.id];
  if (first !== second) return first;
  return Math.abs(one.time - to.time) < Math.abs(than.time - to.time);
}

function sameFlow({ flow: one }: Sighting, { flow: other }: Sighting): boolean {
  return (
    one === other
    || (one.source === other.source
      && one.sourcePort === other.sourcePort
      && one.destination === other.destination
      && one.destinationPort === other.destinationPort
      && one.transport === other.transport)
  );
}

/**
 * Whether two can be the two sides of one message: of two captures, one of each; in one capture what passed a router,
 * which changes one end of the flow (NAT), or takes one from the time to live.
 */
export function mayPair(one: Sighting, other: Sighting): boolean {
  if (one.transport !== other.transport) return false;
  if (one.side !== -1 || other.side !== -1) {
    if (one.side === other.side) return false;
  } else if (sameFlow(one, other)) {
    return one.ttl !== other.ttl && one.place !== other.place;
  }
  // One end of the flow is the same on both sides, and it is the same end.
  return one.destination === other.destination
    ? one.destinationPort === other.destinationPort || one.source === other.source
    : one.source === other.source && one.sourcePort === other.sourcePort;
}

/** Whether it is a packet that has been seen already at its side: at another place, or twice on the same wire. */
function isCopy(one: Sighting, other: Sighting): boolean {
  if (one.side !== other.side || !sameFlow(one, other) || Math.abs(one.time - other.time) > AT_ONCE) return false;
  if (one.transport === 'tcp') return one.place !== other.place || one.direction !== other.direction;
  if (one.id !== other.id || one.ttl !== other.ttl) return false;
  return true;
}

function sameBytes(one: Sighting, other: Sighting): boolean {
  const length = one.end - one.start;
  if (other.end - other.start !== length) return false;
  const a = one.memory.doubles;
  const b = other.memory.doubles;
  const end = (one.end + 7) >> 3;
  for (let from = one.start >> 3, to = other.start >> 3; from < end; from++, to++) {
    const eight = a[from]!;
    // Equal bits are equal numbers, but for what is no number; equal numbers are equal bits, but for 0 and -0.
    if ((eight !== b[to] || eight === 0) && !sameWords(one.memory.words, 2 * from, other.memory.words, 2 * to)) return false;
  }
  return true;
}

function sameWords(a: Int32Array, at: number, b: Int32Array, other: number): boolean {
  return a[at] === b[other] && a[at + 1] === b[other + 1];
}

/** How much two messages agree in what they are known by; 0 where they are of different kinds. 2 and more is enough. */
function likeness(one: Sighting, other: Sighting): number {
  const [a, b] = [one.identity, other.identity];
  if (a === null || b === null || a.status !== b.status || a.method?.toUpperCase() !== b.method?.toUpperCase()) return 0;
  const same = (first: string | null, second: string | null): number => (first !== null && first === second ? 1 : 0);
  const id = one.id > 0 && one.id === other.id ? 1 : 0;
  const callId = same(a.callId, b.callId) || same(localOf(a.callId), localOf(b.callId));
  const link = callId + same(a.branch, b.branch) + same(a.fromTag, b.fromTag);
  // The number of a packet and of a request are everybody's.
  if (link === 0) return 0;
  return same(a.cseq, b.cseq) === 0 && a.cseq !== null && b.cseq !== null && id === 0 ? 0 : link + same(a.cseq, b.cseq) + id;
}

/** The part of a Call-ID that an ALG leaves: before `@`, behind which many phones put their address. */
function localOf(callId: string | null): string | null {
  const at = callId?.indexOf('@') ?? -1;
  return callId !== null && at > 7 ? callId.slice(0, at) : null;
}

function keysOf({ identity, id, transport }: Sighting): string[] {
  if (identity === null) return id > 0 ? [`i ${id}`] : [];
  const { method, status, callId, cseq, branch } = identity;
  const kind = `${transport} ${method?.toUpperCase() ?? status} ${cseq}`;
  const keys: string[] = [];
  if (branch !== null) keys.push(`b ${kind} ${branch}`);
  if (callId !== null) keys.push(`c ${kind} ${localOf(callId) ?? callId}`);
  return keys;
}

/** A number of some of the bytes, and of how many there are. */
function contentOf({ memory: { words }, start, end }: Sighting): number {
  const length = end - start;
  const first = start >> 2;
  const last = ((end + 3) >> 2) - 1;
  const step = ((last - first) >> 4) + 1;
  let hash = length;
  for (let at = last; at >= first; at -= step) hash = ((hash << 5) - hash + words[at]!) ^ (hash >>> 15);
  return hash === 0 ? length : hash;
}

function add<K>(map: Map<K, Sighting[]>, key: K, sighting: Sighting): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [sighting]);
  else list.push(sighting);
}

function remove<K>(map: Map<K, Sighting[]>, key: K, sighting: Sighting): void {
  const list = map.get(key);
  if (list === undefined) return;
  const at = list.indexOf(sighting);
  if (at < 0) return;
  if (list.length === 1) map.delete(key);
  else list.splice(at, 1);
}
