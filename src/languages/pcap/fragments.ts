/**
 * IP packets put together of their fragments, which may come in any order, twice, and overlapping (RFC 791 §3.2, RFC 8200
 * §4.5). Where fragments overlap and agree the packet is read; where they do not, it is one that hosts do not agree on
 * either (Linux drops it, RFC 5722 demands so for IPv6), and it is left out and said.
 */
import type { CaptureLimits, Packet, Tell } from './packet.ts';

interface Part { readonly from: number; readonly to: number; readonly bytes: Uint8Array }

interface Pending {
  readonly key: string;
  /** Number and offset of the packet that brought the first part. */
  readonly number: number;
  readonly offset: number;
  readonly since: number;
  /** Of the fragment at 0: what the packet holds. */
  protocol: number;
  /** In order, and nowhere one over another; their bytes in all; how many fragments brought them. */
  readonly parts: Part[];
  bytes: number;
  fragments: number;
  /** -1 until the last fragment is there. */
  total: number;
  /** What the capture cut off the parts. */
  missing: number;
  cost: number;
}

/** What holding a part costs beside its bytes, about. */
const OVERHEAD = 160;
/** More parts than a packet of 64 KiB has at the smallest usual size. */
const MOST_PARTS = 1024;
const MOST_TOTAL = 65_535;

export class Fragments {
  readonly #limits: CaptureLimits;
  readonly #problem: Tell;
  /** In the order of their first parts. */
  readonly #pending = new Map<string, Pending>();
  #cost = 0;
  #whole = new Uint8Array(0);

  constructor(limits: CaptureLimits, problem: Tell) {
    this.#limits = limits;
    this.#problem = problem;
  }

  /**
   * Takes a packet that is a fragment.
   * @returns true when it completed its packet: `data`, `start`, `end`, `missing`, `protocol`, `fragments` are then the whole one's
   */
  add(packet: Packet): boolean {
    if (packet.timed) this.#age(packet.seconds);
    const length = packet.end - packet.start + packet.missing;
    const from = packet.fragmentOffset;
    if (from + length > MOST_TOTAL || (packet.moreFragments === 1 && (length % 8 !== 0 || length === 0))) {
      this.#problem('malformed', packet.offset, `At byte ${packet.offset} packet ${packet.number} is a fragment of ${length} bytes for `
        + `place ${from}, which cannot be: all but the last have a multiple of 8, and a packet ends at 65535.`);
      return false;
    }
    const pending = this.#find(packet);
    const last = packet.moreFragments === 0;
    if (last && pending.total >= 0 && pending.total !== from + length) {
      this.#conflict(pending, packet);
      return false;
    }
    if (last) pending.total = from + length;
    if (from === 0) pending.protocol = packet.protocol;
    const before = pending.bytes;
    if (!this.#insert(pending, from, packet.data.subarray(packet.start, packet.end))) {
      this.#conflict(pending, packet);
      return false;
    }
    if (pending.bytes > before) {
      pending.fragments++;
      pending.missing += packet.missing;
    }
    if (pending.total < 0 || pending.bytes + pending.missing < pending.total) {
      this.#bound(pending);
      return false;
    }
    return this.#complete(pending, packet);
  }

  #find(packet: Packet): Pending {
    // A place of its own for each interface and direction: a router shows the same fragments coming in and going out.
    const key = [packet.interface, packet.device, packet.direction, packet.vlan, packet.pppoe, packet.family, packet.source,
      packet.destination, packet.id, packet.family === 4 ? packet.protocol : 0].join();
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = { key, number: packet.number, offset: packet.offset, since: packet.seconds, protocol: packet.protocol,
        parts: [], bytes: 0, fragments: 0, total: -1, missing: 0, cost: 4 * OVERHEAD };
      this.#pending.set(key, pending);
      this.#cost += pending.cost;
    }
    return pending;
  }

  /**
   * Keeps what a fragment brings that is not there yet. The parts stay apart and in order, so that what lies under a fragment
   * is looked at once and no more. False where it contradicts what is there.
   */
  #insert(pending: Pending, from: number, bytes: Uint8Array): boolean {
    const { parts } = pending;
    const to = from + bytes.length;
    let [place, above] = [0, parts.length];
    while (place < above) {
      const middle = place + above >> 1;
      if (parts[middle]!.to > from) above = middle;
      else place = middle + 1;
    }
    for (let index = place; index < parts.length && parts[index]!.from < to; index++) {
      const part = parts[index]!;
      const first = Math.max(part.from, from);
      if (!same(part.bytes, first - part.from, bytes, first - from, Math.min(part.to, to) - first)) return false;
    }
    for (let at = from; at < to;) {
      const next = parts[place];
      if (next !== undefined && next.from <= at) at = next.to;
      else {
        const end = next === undefined ? to : Math.min(next.from, to);
        if (parts.length >= MOST_PARTS) return false;
        parts.splice(place, 0, { from: at, to: end, bytes: bytes.slice(at - from, end - from) });
        pending.bytes += end - at;
        pending.cost += end - at + OVERHEAD;
        this.#cost += end - at + OVERHEAD;
        at = end;
      }
      place++;
    }
    return true;
  }

  #complete(pending: Pending, packet: Packet): boolean {
    const last = pending.parts[pending.parts.length - 1];
    if (last !== undefined && last.to > pending.total) {
      this.#conflict(pending, packet);
      return false;
    }
    if (this.#whole.length < pending.total) this.#whole = new Uint8Array(Math.max(pending.total, 8192));
    // A part that the capture cut leaves a hole; what comes before it can be read.
    let reached = 0;
    for (const part of pending.parts) {
      if (part.from > reached) break;
      this.#whole.set(part.bytes, part.from);
      reached = part.to;
    }
    packet.data = this.#whole;
    packet.start = 0;
    packet.end = reached;
    packet.missing = pending.total - reached;
    packet.protocol = pending.protocol;
    packet.fragments = pending.fragments;
    packet.fragmentOffset = 0;
    packet.moreFragments = 0;
    this.#drop(pending);
    return true;
  }

  #drop(pending: Pending): void {
    this.#pending.delete(pending.key);
    this.#cost -= pending.cost;
  }

  #conflict(pending: Pending, packet: Packet): void {
    this.#problem('fragment-conflict', packet.offset, `At byte ${packet.offset} packet ${packet.number} is a fragment that contradicts an `
      + `earlier one (the first is packet ${pending.number}): what they overlap in differs, or where the packet ends, or they are far more `
      + 'than a packet has. The packet is left out.');
    this.#drop(pending);
  }

  #lose(pending: Pending, why: string): void {
    this.#problem('fragments-lost', pending.offset, `At byte ${pending.offset} packet ${pending.number} is the first seen fragment of a `
      + `packet whose other fragments ${why}: ${pending.bytes} bytes of it are there. It is left out.`);
    this.#drop(pending);
  }

  /** Gives up the oldest, but for the one that has just grown unless it is alone. */
  #bound(grown: Pending): void {
    while (this.#cost > this.#limits.fragmentBytes) {
      const [oldest] = this.#pending.values();
      if (oldest === undefined) return;
      this.#lose(oldest, 'did not come before too many others had begun');
      if (oldest === grown) return;
    }
  }

  #age(now: number): void {
    for (const pending of this.#pending.values()) {
      if (Math.abs(now - pending.since) <= this.#limits.fragmentAge) return;
      this.#lose(pending, `did not come within ${this.#limits.fragmentAge} s`);
    }
  }

  /** The capture has ended: what is not whole now never will be. */
  end(): void {
    for (const pending of this.#pending.values()) this.#lose(pending, 'are not in the capture');
  }
}

function same(a: Uint8Array, atA: number, b: Uint8Array, atB: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (a[atA + index] !== b[atB + index]) return false;
  return true;
}
