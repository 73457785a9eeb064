/** A message of SIP as it was seen at one place: the bytes, when, and between whom. */
import { identify } from '../languages/sip/identify.ts';
import type { Identity } from '../languages/sip/identify.ts';

/** Which of two captures: 0 the first one given, 1 the second. -1: one capture holds both sides, and which it is is found out. */
export type Side = 0 | 1 | -1;

/** An IPv4 address as its number; 2^32 and more: an IPv6 address, see `AddressBook`. */
export type Address = number;

export interface Place {
  /** Interface of the capture, device of a cooked capture, VLAN and PPPoE session, put together: equal numbers are one place. */
  readonly place: number;
  /** Packet type of a cooked capture; -1 where there is none. */
  readonly direction: number;
}

/** Where a packet came from and went to. */
export interface Flow {
  readonly transport: 'udp' | 'tcp';
  readonly source: Address;
  readonly sourcePort: number;
  readonly destination: Address;
  readonly destinationPort: number;
}

/** Turns bytes into the text of the same code units; see languages/sip/text.ts. */
export type ToText = (bytes: Uint8Array, start: number, end: number) => string;

const NOTHING = new Uint8Array(0);

export class Sighting implements Flow, Place {
  readonly side: Side;
  /** Of the packet that brought the message, or its last part; from 1. */
  readonly number: number;
  /** Seconds since 1970, as that capture's clock had it. */
  readonly time: number;
  readonly flow: Flow;
  readonly place: number;
  readonly direction: number;
  readonly ttl: number;
  /** Of IPv4; -1 and 0 say nothing. */
  readonly id: number;
  /** Of how many IP fragments it came. */
  readonly fragments: number;
  /** Bytes that the capture did not keep. */
  readonly missing: number;
  /** Bytes of the message. */
  readonly wireLength: number;
  /** The message is `bytes` from `start` to before `end`; borrowed until `keep` was called. */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** What the pairing knows it by; see pairing.ts. */
  content = 0;
  order = 0;
  keys: readonly string[] | undefined = undefined;
  kept = false;
  /** The bytes will not be overwritten. */
  lasting: boolean;
  released = false;
  /** How often the same packet came again on the same wire. */
  doubled = 0;
  readonly #toText: ToText;
  #text: string | undefined = undefined;
  #identity: Identity | null | undefined = undefined;

  constructor(about: Omit<SightingAbout, 'toText'>, toText: ToText) {
    this.side = about.side;
    this.number = about.number;
    this.time = about.time;
    this.flow = about.flow;
    this.place = about.place;
    this.direction = about.direction;
    this.ttl = about.ttl;
    this.id = about.id;
    this.fragments = about.fragments;
    this.missing = about.missing;
    this.wireLength = about.end - about.start + about.missing;
    this.bytes = about.bytes;
    this.start = about.start;
    this.end = about.end;
    this.lasting = about.lasting;
    this.#toText = toText;
  }

  get transport(): 'udp' | 'tcp' {
    return this.flow.transport;
  }
  get source(): Address {
    return this.flow.source;
  }
  get sourcePort(): number {
    return this.flow.sourcePort;
  }
  get destination(): Address {
    return this.flow.destination;
  }
  get destinationPort(): number {
    return this.flow.destinationPort;
  }
  get length(): number {
    return this.end - this.start;
  }

  /** Copies the bytes where they are the reader's and will be overwritten. */
  keep(): void {
    if (!this.lasting) this.own();
  }

  /** Copies the bytes, so that nothing else is kept in memory for them. */
  own(): void {
    if (this.kept) return;
    this.bytes = this.bytes.slice(this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    this.kept = this.lasting = true;
  }

  /** Lets go of borrowed bytes; where they were is kept. */
  release(): void {
    this.bytes = NOTHING;
    this.released = true;
  }

  /** Lets go of the message; who saw it when is kept. */
  drop(): void {
    this.release();
    this.#text = '';
    this.#identity = null;
  }

  get text(): string {
    this.#text ??= this.released ? '' : this.#toText(this.bytes, this.start, this.end);
    return this.#text;
  }

  get identity(): Identity | null {
    if (this.#identity === undefined) this.#identity = identify(this.text);
    return this.#identity;
  }
}

export interface SightingAbout extends Place {
  readonly side: Side;
  readonly number: number;
  readonly time: number;
  readonly flow: Flow;
  readonly ttl: number;
  readonly id: number;
  readonly fragments: number;
  readonly missing: number;
  readonly lasting: boolean;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly toText: ToText;
}

/** A set of addresses that is asked again and again for the same few: what was added lately is found without hashing. */
export class AddressSet {
  readonly #all = new Set<Address>();
  readonly #lately = new Float64Array(256).fill(-1);
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#all.size;
  }

  add(address: Address): void {
    if (this.#lately[address & 255] === address) return;
    this.#lately[address & 255] = address;
    if (this.#all.size < this.#most) this.#all.add(address);
  }

  has(address: Address): boolean {
    return this.#all.has(address);
  }
}

const IPV6 = 2 ** 32;

/** Addresses of both captures as numbers that compare, and as texts again. IPv6 addresses are numbered as they come. */
export class AddressBook {
  readonly #numbers = new Map<string, Address>();
  readonly #texts: string[] = [];

  /** @param text `2001:db8::10` */
  ipv6(text: string): Address {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = IPV6 + this.#texts.length;
      this.#numbers.set(text, number);
      this.#texts.push(text);
    }
    return number;
  }

  text(address: Address): string {
    if (address >= IPV6) return this.#texts[address - IPV6] ?? '';
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
  }

  /** `192.168.1.10:5060`, `[2001:db8::10]:5060`. */
  endpoint(address: Address, port: number): string {
    const text = this.text(address);
    return `${address >= IPV6 ? `[${text}]` : text}:${port}`;
  }

  /** RFC 1918, RFC 6598 (shared), RFC 3927 (link local); RFC 4193 and link local of IPv6. */
  isPrivate(address: Address): boolean {
    if (address >= IPV6) return /^f[cd]|^fe[89ab]/.test(this.text(address));
    const first = address >>> 24;
    const second = (address >>> 16) & 255;
    return (
      first === 10
      || (first === 172 && second >> 4 === 1)
      || (first === 192 && second === 168)
      || (first === 100 && second >> 6 === 1)
      || (first === 169 && second === 254)
    );
  }
}
