/** Which half of a pair is the phone's side, and which way the message went. */
import type { Translation } from './classify.ts';
import { AddressSet } from './sighting.ts';
import type { AddressBook, Sighting } from './sighting.ts';

const MOST_ADDRESSES = 4096;

export interface Oriented {
  inner: Sighting;
  outer: Sighting;
  toProvider: boolean;
}

const sameSource = (one: Sighting, other: Sighting): boolean => one.source === other.source && one.sourcePort === other.sourcePort;
const sameDestination = (one: Sighting, other: Sighting): boolean =>
  one.destination === other.destination && one.destinationPort === other.destinationPort;

export class Orientation {
  readonly #book: AddressBook;
  /** Addresses of phones, of the router outside, and of far ends, as pairs have shown them. */
  inside = new AddressSet(MOST_ADDRESSES);
  outside = new AddressSet(MOST_ADDRESSES);
  far = new AddressSet(MOST_ADDRESSES);
  /** Whether the captures were given the other way round; undefined until a pair tells. */
  swapped: boolean | undefined = undefined;

  constructor(book: AddressBook) {
    this.#book = book;
  }

  /** What `orient` found last: one object for all, as each pair asks. */
  #oriented: Oriented | null = null;

  /** @param one seen first; what is returned holds until the next call */
  orient(one: Sighting, other: Sighting): Oriented {
    // The end that differs is the translated one: the phone's.
    const translated = !sameSource(one, other) || !sameDestination(one, other);
    const early = one.ttl === other.ttl ? one : one.ttl > other.ttl ? one : other;
    const late = early === one ? other : one;
    let toProvider: boolean;
    if (translated) toProvider = sameDestination(one, other) || (!sameSource(one, other) && one.destination === other.destination);
    else if (one.side !== -1) toProvider = (early.side === 0) !== (this.swapped ?? false);
    else toProvider = !this.inside.has(one.destination) && (this.inside.has(one.source) || !this.far.has(one.source));
    let inner = toProvider ? early : late;
    if (one.side !== -1) {
      if (this.swapped === undefined) {
        this.swapped = this.#evidence(one.side === 0 ? one : other, one.side === 0 ? other : one, toProvider, translated);
        if (this.swapped === true) this.#turnRound();
      }
      inner = (one.side === 0) !== (this.swapped ?? false) ? one : other;
    }
    const outer = inner === one ? other : one;
    this.#learn(inner, outer, toProvider);
    if (this.#oriented === null) return (this.#oriented = { inner, outer, toProvider });
    this.#oriented.inner = inner;
    this.#oriented.outer = outer;
    this.#oriented.toProvider = toProvider;
    return this.#oriented;
  }

  /** Whether `first`, of the capture that was given first, was seen farther from the phone than `second`. */
  #evidence(first: Sighting, second: Sighting, toProvider: boolean, translated: boolean): boolean | undefined {
    if (!translated) return undefined;
    const [one, other] = toProvider ? [first.source, second.source] : [first.destination, second.destination];
    const [hidden, shown] = [this.#book.isPrivate(one), this.#book.isPrivate(other)];
    if (hidden !== shown) return shown;
    return first.ttl === second.ttl ? undefined : first.ttl < second.ttl === toProvider;
  }

  #learn(inner: Sighting, outer: Sighting, toProvider: boolean): void {
    this.inside.add(toProvider ? inner.source : inner.destination);
    this.outside.add(toProvider ? outer.source : outer.destination);
    this.far.add(toProvider ? inner.destination : inner.source);
  }

  /** What was learned while nobody knew that the captures are the other way round: no address was translated in it. */
  #turnRound(): void {
    [this.inside, this.far] = [this.far, this.inside];
    this.outside = this.inside.copy();
  }

  /** Which side a message that was seen once was seen on, and which way it went. */
  lone({ side, source, destination }: Sighting): { inner: boolean; toProvider: boolean } {
    const [fromInside, toInside] = [this.inside.has(source), this.inside.has(destination)];
    const [fromOutside, toOutside] = [this.outside.has(source) && !fromInside, this.outside.has(destination) && !toInside];
    const toProvider = fromInside || fromOutside || (!toInside && !toOutside && this.#book.isPrivate(source) && !this.far.has(source));
    if (side !== -1) return { inner: (side === 0) !== (this.swapped ?? false), toProvider };
    const inner =
      fromInside || toInside || (!fromOutside && !toOutside && (this.#book.isPrivate(source) || this.#book.isPrivate(destination)));
    return { inner, toProvider };
  }

  translation({ inner, outer, toProvider }: Oriented): Translation {
    const end = (sighting: Sighting): Translation['inside'] =>
      toProvider
        ? { address: this.#book.text(sighting.source), port: sighting.sourcePort }
        : { address: this.#book.text(sighting.destination), port: sighting.destinationPort };
    return { inside: end(inner), outside: end(outer) };
  }
}
