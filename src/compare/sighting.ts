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

/** An end of a flow as it is written: `192.168.1.10` and `:5060`. */
export interface Written {
  readonly host: Uint8Array;
  readonly suffix: Uint8Array;
}

/** A flow that messages share, so that none needs one of its own, nor looks for how its ends are written. */
export interface SharedFlow extends Flow {
  sourceWritten: Written | null;
  destinationWritten: Written | null;
}

/** Turns bytes into the text of the same code units; see languages/sip/text.ts. */
export type ToText = (bytes: Uint8Array, start: number, end: number) => string;

/** The same memory in all of these. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly view: DataView;
}

export function memoryOf(buffer: ArrayBuffer): Memory {
  return {
    bytes: new Uint8Array(buffer),
    words: new Int32Array(buffer),
    doubles: new Float64Array(buffer),
    view: new DataView(buffer),
  };
}

const NOTHING = memoryOf(new ArrayBuffer(0));
const NOWHERE: SharedFlow = {
  transport: 'udp',
  source: 0,
  sourcePort: 0,
  destination: 0,
  destinationPort: 0,
  sourceWritten: null,
  destinationWritten: null,
};

/** Made and taken back by the store (store.ts), which uses each again and again: nothing is allocated for a message. */
export class Sighting implements Flow, Place {
  side: Side = -1;
  /** Of the packet that brought the message, or its last part; from 1. */
  number = 0;
  /** Seconds since 1970, as that capture's clock had it. */
  time = NaN;
  flow: SharedFlow = NOWHERE;
  place = 0;
  direction = -1;
  ttl = 0;
  /** Of IPv4; -1 and 0 say nothing. */
  id = -1;
  /** Bytes that the capture did not keep. */
  missing = 0;
  /** Bytes of the message. */
  wireLength = 0;
  /**
   * The message is the bytes of it from `start` to before `end`. `start` is a multiple of 8, and zeros follow the message up to
   * the next one.
   */
  memory: Memory = NOTHING;
  start = 0;
  end = 0;
  /** What the pairing knows it by; see pairing.ts. */
  content = 0;
  keys: readonly string[] | undefined = undefined;
  /** Of those that wait, the one that came before it and the one that came after it. */
  before: Sighting | null = null;
  after: Sighting | null = null;
  released = false;
  /** How often the same packet came again on the same wire. */
  doubled = 0;
  /** Its number in the store; how many keep it; and how many of them need its bytes. */
  readonly slot: number;
  refs = 0;
  holds = 0;
  /** Where its bytes were put in the store; -1 where they are its own. */
  home = -1;
  /** Whose bytes it shares, and who shares its own. */
  host: Sighting | null = null;
  guest: Sighting | null = null;
  readonly #toText: ToText;
  #text: string | undefined = undefined;
  #identity: Identity | null | undefined = undefined;

  constructor(slot: number, toText: ToText) {
    this.slot = slot;
    this.#toText = toText;
  }

  /** As good as new, to be filled in by whoever has it. */
  renew(): void {
    this.keys = undefined;
    this.released = false;
    this.doubled = this.refs = this.holds = 0;
    this.content = 0;
    this.home = -1;
    this.memory = NOTHING;
    this.#text = this.#identity = undefined;
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
  get bytes(): Uint8Array {
    return this.memory.bytes;
  }
  get length(): number {
    return this.end - this.start;
  }

  /** Gives it bytes of its own, which nobody else writes to. */
  own(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.memory = memoryOf(new ArrayBuffer((length + 7) & ~7));
    this.memory.bytes.set(bytes.subarray(start, end));
    this.start = 0;
    this.end = length;
    this.home = -1;
  }

  /** Takes another one's bytes for its own, which are the same. */
  share({ memory, start, end }: Sighting): void {
    this.memory = memory;
    this.start = start;
    this.end = end;
    this.home = -1;
  }

  /** Lets go of the bytes; how many they were is kept. */
  release(): void {
    this.memory = NOTHING;
    this.released = true;
  }

  /** Lets go of the message; who saw it when is kept. */
  drop(): void {
    this.release();
    this.#text = '';
    this.#identity = null;
  }

  get text(): string {
    this.#text ??= this.released ? '' : this.#toText(this.memory.bytes, this.start, this.end);
    return this.#text;
  }

  get identity(): Identity | null {
    if (this.#identity === undefined) this.#identity = identify(this.text);
    return this.#identity;
  }
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

  copy(): AddressSet {
    const set = new AddressSet(this.#most);
    for (const address of this.#all) set.#all.add(address);
    return set;
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
