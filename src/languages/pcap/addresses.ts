/** IPv6 addresses as small numbers, so that packets compare without a text being made of each; texts on demand. */
import type { Address } from './packet.ts';

const IPV6 = 2 ** 32;
/** Addresses that were made to collide must not make the search long. In a table half full nothing comes near this by itself. */
const MOST_STEPS = 256;

/** Keeps each IPv6 address once. Costs 24 bytes an address at most, twice that while it grows. */
export class Addresses {
  readonly #most: number;
  #count = 0;
  /** Four words an address. */
  #words = new Uint32Array(4 * 64);
  /** Open addressing: 1 + index of an address, 0 where free; twice as many places as addresses. */
  #places = new Int32Array(128);

  constructor(most: number) { this.#most = most; }

  /** The number of the IPv6 address in 16 bytes; -1 where no more can be kept. */
  number(bytes: Uint8Array, at: number): Address {
    const a = word(bytes, at);
    const b = word(bytes, at + 4);
    const c = word(bytes, at + 8);
    const d = word(bytes, at + 12);
    const words = this.#words;
    const mask = this.#places.length - 1;
    let place = hash(a, b, c, d) & mask;
    let steps = 0;
    for (let found = this.#places[place]!; found !== 0; found = this.#places[place]!) {
      const first = (found - 1) * 4;
      if (words[first + 3] === d && words[first + 2] === c && words[first + 1] === b && words[first] === a) return IPV6 + found - 1;
      place = place + 1 & mask;
      steps++;
    }
    if (this.#count === this.#most || steps > MOST_STEPS) return -1;
    if (this.#count * 2 === this.#places.length) {
      this.#grow();
      return this.number(bytes, at);
    }
    this.#words.set([a, b, c, d], this.#count * 4);
    this.#places[place] = ++this.#count;
    return IPV6 + this.#count - 1;
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    const places = new Int32Array(this.#places.length * 2);
    const mask = places.length - 1;
    for (let index = 0; index < this.#count; index++) {
      const first = index * 4;
      let place = hash(words[first]!, words[first + 1]!, words[first + 2]!, words[first + 3]!) & mask;
      while (places[place] !== 0) place = place + 1 & mask;
      places[place] = index + 1;
    }
    this.#places = places;
  }

  /** The 16 bytes of an IPv6 address, the 4 of an IPv4 address. */
  bytes(address: Address): Uint8Array {
    if (address < IPV6) return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
    const first = (address - IPV6) * 4;
    return Uint8Array.from({ length: 16 }, (_, index) => this.#words[first + (index >> 2)]! >>> 24 - 8 * (index & 3));
  }

  /** `192.168.1.10`, `2001:db8::10` (RFC 5952). */
  text(address: Address): string {
    const bytes = this.bytes(address);
    return bytes.length === 4 ? bytes.join('.') : ipv6Text(bytes);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

function hash(a: number, b: number, c: number, d: number): number {
  let mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  mixed = Math.imul(mixed ^ mixed >>> 15, 0x2c1b3c6d);
  return mixed ^ mixed >>> 13;
}

/** The longest run of two zero groups and more becomes `::`, the first of several equally long (RFC 5952 §4.2). */
function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes[index * 2]! << 8 | bytes[index * 2 + 1]!);
  let [best, length] = [-1, 1];
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [best, length] = [from, to - from];
    if (to > from) from = to;
  }
  const text = (from: number, to: number): string => groups.slice(from, to).map((group) => group.toString(16)).join(':');
  return best < 0 ? text(0, 8) : `${text(0, best)}::${text(best + length, 8)}`;
}
