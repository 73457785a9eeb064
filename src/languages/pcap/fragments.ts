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
  parts: Part[];
  /** Sum of the parts' lengths, overlaps counted twice: below `total` nothing can be whole. */
  bytes: number;
  /** -1 until the last fragment is there. */
  total: number;
  /** What the capture cut off the parts. */
  missing: number;
  cost: number;
}

/** What holding a part costs beside its bytes, about. */
const OVERHEAD = 160;
/** More fragments than a packet of 64 KiB has at the smallest usual size. */
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
    const bytes = packet.data.slice(packet.start, packet.end);
    if (!this.#insert(pending, { from, to: from + bytes.length, bytes }, packet.missing)) {
      this.#conflict(pending, packet);
      return false;
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
        parts: [], bytes: 0, total: -1, missing: 0, cost: 4 * OVERHEAD };
      this.#pending.set(key, pending);
      this.#cost += pending.cost;
    }
    return pending;
  }

  /** Puts a part in its place; what is there already is not kept twice. False where the two do not agree. */
  #insert(pending: Pending, part: Part, missing: number): boolean {
    const { parts } = pending;
    if (parts.length >= MOST_PARTS || pending.bytes > 2 * MOST_TOTAL) return false;
    let place = parts.length;
    while (place > 0 && parts[place - 1]!.from > part.from) place--;
    for (const near of parts) {
      const from = Math.max(near.from, part.from);
      const to = Math.min(near.to, part.to);
      if (from < to && !same(near.bytes, from - near.from, part.bytes, from - part.from, to - from)) return false;
      if (near.from <= part.from && part.to <= near.to) return true;
    }
    parts.splice(place, 0, part);
    pending.bytes += part.bytes.length;
    pending.missing += missing;
    pending.cost += part.bytes.length + OVERHEAD;
    this.#cost += part.bytes.length + OVERHEAD;
    return true;
  }

  #complete(pending: Pending, packet: Packet): boolean {
    let reached = 0;
    for (const part of pending.parts) {
      if (part.from > reached) break;
      reached = Math.max(reached, part.to);
    }
    // A part that the capture cut leaves a hole; what comes before it can be read.
    if (reached < pending.total && pending.missing === 0) {
      this.#bound(pending);
      return false;
    }
    if (reached > pending.total) {
      this.#conflict(pending, packet);
      return false;
    }
    if (this.#whole.length < reached) this.#whole = new Uint8Array(Math.max(reached, 8192));
    for (const part of pending.parts) if (part.from < reached) this.#whole.set(part.bytes, part.from);
    packet.data = this.#whole;
    packet.start = 0;
    packet.end = reached;
    packet.missing = pending.total - reached;
    packet.protocol = pending.protocol;
    packet.fragments = pending.parts.length;
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
