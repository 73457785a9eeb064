/**
 * Where messages are kept while they may be wanted: their bytes one behind the other in a ring, in which each is overwritten in
 * its turn, and what is known of them in objects that are used again. So neither a long capture nor a busy one makes garbage.
 * What is still needed when its turn comes gets bytes of its own.
 *
 * Who keeps a message says so (`hold`, `keep`) and says when it is done (`free`, `forget`).
 */
import { memoryOf, Sighting } from './sighting.ts';
import type { Memory, ToText } from './sighting.ts';

/** Bytes of the ring; of what is read at a time. */
const RING = 3 << 19;
export const STAGE = 1 << 16;

export class Store {
  readonly #memory: Memory;
  /** Behind the ring: what is read, so that a message is moved within one array, which costs an engine nothing. */
  readonly #stages: Uint8Array[] = [];
  readonly #toText: ToText;
  readonly #all: Sighting[] = [];
  readonly #blank: number[] = [];
  /** Those whose bytes lie in the ring, in their order: a ring too, its size a power of two. */
  #queue: (Sighting | null)[] = new Array(4096).fill(null);
  #first = 0;
  #count = 0;
  #at = 0;

  /** @param sources how many captures there are */
  constructor(toText: ToText, sources: number) {
    const buffer = new ArrayBuffer(RING + sources * STAGE);
    this.#memory = memoryOf(buffer);
    for (let source = 0; source < sources; source++) this.#stages.push(new Uint8Array(buffer, RING + source * STAGE, STAGE));
    this.#toText = toText;
  }

  /** Copies what was read to where messages are moved from at no cost. @param chunk of STAGE bytes at most */
  stage(source: number, chunk: Uint8Array): Uint8Array {
    const stage = this.#stages[source]!;
    stage.set(chunk);
    return chunk.length === STAGE ? stage : stage.subarray(0, chunk.length);
  }

  /** The message in a slot. */
  at(slot: number): Sighting {
    return this.#all[slot]!;
  }

  /** A blank one, to be filled in; without bytes. */
  blank(): Sighting {
    const slot = this.#blank.pop();
    if (slot !== undefined) return this.#all[slot]!;
    const sighting = new Sighting(this.#all.length, this.#toText);
    this.#all.push(sighting);
    return sighting;
  }

  /** Puts a message's bytes into the ring, where they stay if `settle` finds them needed. */
  place(sighting: Sighting, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const size = (length + 7) & ~7;
    let at = this.#at;
    if (at + size > RING) {
      while (this.#count > 0 && this.#oldest().home >= at) this.#evict();
      this.#at = at = 0;
    }
    for (; this.#count > 0; this.#evict()) {
      const { home } = this.#oldest();
      if (home < at || home >= at + size) break;
    }
    const memory = this.#memory;
    if (size > 0) memory.doubles[(at + size - 8) >> 3] = 0;
    if (bytes.buffer === memory.bytes.buffer) memory.bytes.copyWithin(at, bytes.byteOffset + start, bytes.byteOffset + end);
    else memory.bytes.set(bytes.subarray(start, end), at);
    sighting.memory = memory;
    sighting.start = sighting.home = at;
    sighting.end = at + length;
  }

  /** A message has been handed on: its bytes stay where somebody needs them. */
  settle(sighting: Sighting): void {
    if (sighting.home >= 0 && !sighting.released) {
      if (sighting.holds > 0) {
        this.#at = (sighting.end + 7) & ~7;
        this.#enqueue(sighting);
        sighting.refs++;
      } else {
        sighting.home = -1;
        sighting.release();
      }
    }
    if (sighting.refs === 0) this.#recycle(sighting);
  }

  /** One more keeps it, and needs its bytes. */
  hold(sighting: Sighting): void {
    sighting.refs++;
    sighting.holds++;
  }

  free(sighting: Sighting): void {
    sighting.holds--;
    this.forget(sighting);
  }

  /** One more keeps it, without its bytes. */
  keep(sighting: Sighting): void {
    sighting.refs++;
  }

  forget(sighting: Sighting): void {
    if (--sighting.refs === 0) this.#recycle(sighting);
  }

  /** Lets a message share the bytes of one that has the same. */
  share(host: Sighting, guest: Sighting): void {
    guest.share(host);
    if (host.home < 0) return;
    guest.host = host;
    host.guest = guest;
  }

  #oldest(): Sighting {
    return this.#queue[this.#first]!;
  }

  #enqueue(sighting: Sighting): void {
    const size = this.#queue.length;
    if (this.#count === size) {
      const larger = new Array<Sighting | null>(2 * size).fill(null);
      for (let index = 0; index < size; index++) larger[index] = this.#queue[(this.#first + index) & (size - 1)]!;
      this.#queue = larger;
      this.#first = 0;
    }
    this.#queue[(this.#first + this.#count++) & (this.#queue.length - 1)] = sighting;
  }

  /** The oldest one's bytes are to be overwritten. */
  #evict(): void {
    const sighting = this.#oldest();
    this.#queue[this.#first] = null;
    this.#first = (this.#first + 1) & (this.#queue.length - 1);
    this.#count--;
    const { guest } = sighting;
    if (guest !== null) {
      guest.host = sighting.guest = null;
      if (guest.holds > 0 && !guest.released) guest.own(guest.bytes, guest.start, guest.end);
      else guest.release();
    }
    if (sighting.holds > 0 && !sighting.released) sighting.own(sighting.bytes, sighting.start, sighting.end);
    else sighting.release();
    sighting.home = -1;
    this.forget(sighting);
  }

  #recycle(sighting: Sighting): void {
    const { host } = sighting;
    if (host !== null) host.guest = sighting.host = null;
    sighting.renew();
    this.#blank.push(sighting.slot);
  }
}
