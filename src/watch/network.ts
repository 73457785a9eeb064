/** Which side of the router an address is on, and how flows name their ends. */
import { readPrefix, writePrefix } from '../languages/address/prefixes.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { Bounded } from './bounded.ts';

/** RFC 1918; RFC 4193. What a LAN has, and the internet has not. */
const PRIVATE = /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^f[cd][0-9a-f]{2}:/;
/** RFC 6598 and 3927 besides: no address that an answer from the internet finds. */
const UNREACHABLE = /^(100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|169\.254)\.|^fe[89ab]/;

export const isPrivate = (address: string): boolean => PRIVATE.test(address);
export const isPublic = (address: string): boolean => !PRIVATE.test(address) && !UNREACHABLE.test(address);

const MOST_SPELLINGS = 1024;
const spellings = new Bounded<string, string>(MOST_SPELLINGS);

/** /proc writes IPv6 in full, conntrack short: the same text for both. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address;
  const known = spellings.get(address);
  if (known !== undefined) return known;
  const read = readPrefix(address);
  const text = 'wrong' in read ? address.toLowerCase() : writePrefix(read);
  spellings.set(address, text);
  return text;
}

export const placeOf = (address: string, port: number | null): string =>
  `${address.includes(':') ? `[${address}]` : address}${port === null ? '' : `:${port}`}`;

/** An address of IPv4 as a number of 32 bits. */
const numberOf = (address: string): number => address.split('.').reduce((number, octet) => (number << 8) | Number(octet), 0) >>> 0;

/** The addresses of this router, and the networks that lie at it. */
export interface Network {
  isOwn(address: string): boolean;
  /** A host of a network of ours, or one with a private address. */
  isInside(address: string): boolean;
  /** This router itself, or a neighbour of its own networks: a provider may have a private address too, beyond the WAN. */
  isLocal(address: string): boolean;
}

/** @param addresses of this machine; `wan` names the devices that lead to the internet, whose neighbours are no phones */
export function networkOf(addresses: readonly { device: string; address: string; prefix: number }[], wan: ReadonlySet<string>): Network {
  const own = new Set(addresses.map(({ address }) => canonicalAddress(address)));
  const near = addresses
    .filter(({ device, address }) => !wan.has(device) && address.includes(':') && !/^fe[89ab]|^::1$/.test(address))
    .flatMap(({ address, prefix }) => {
      const read = readPrefix(`${address}/${Math.min(64, Math.max(16, prefix))}`);
      return 'wrong' in read ? [] : [read.bits.slice(0, read.length >> 2)];
    });
  const inside = new Bounded<string, boolean>(MOST_SPELLINGS);
  const isNear = (address: string): boolean => {
    const known = inside.get(address);
    if (known !== undefined) return known;
    const read = readPrefix(address);
    const found = !('wrong' in read) && near.some((bits) => read.bits.startsWith(bits));
    inside.set(address, found);
    return found;
  };
  const near4 = addresses.flatMap(({ device, address, prefix }) =>
    wan.has(device) || address.includes(':')
      ? []
      : [{ bits: numberOf(address) >>> 0, mask: prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0 }],
  );
  const isNear4 = (address: string): boolean => {
    const number = numberOf(address);
    return near4.some(({ bits, mask }) => (bits & mask) >>> 0 === (number & mask) >>> 0);
  };
  return {
    isLocal: (address) => own.has(address) || (address.includes(':') ? isNear(address) : isNear4(address)),
    isOwn: (address) => own.has(address),
    isInside: (address) => !own.has(address) && (isPrivate(address) || (address.includes(':') && isNear(address))),
  };
}

/** A flow as its phone sees it. */
export interface Ends {
  /** null: the router itself. */
  readonly phone: string | null;
  readonly phonePort: number;
  readonly far: string;
  readonly farPort: number;
  /** Where the far end sees the phone. */
  readonly seenAs: string;
  readonly seenPort: number;
  /** The phone sent the first packet. */
  readonly outgoing: boolean;
}

/** Who talks to whom in a flow; null for one without ports, or one of which nobody is inside and nothing is the router's. */
export function endsIn({ original, reply }: Flow, network: Network): Ends | null {
  const { sport, dport } = original;
  if (sport === null || dport === null || reply.sport === null || reply.dport === null) return null;
  const [src, dst, back, to] = [original.src, original.dst, reply.src, reply.dst].map(canonicalAddress) as [string, string, string, string];
  if (network.isInside(src))
    return { phone: src, phonePort: sport, far: dst, farPort: dport, seenAs: to, seenPort: reply.dport, outgoing: true };
  if (network.isOwn(src))
    return { phone: null, phonePort: sport, far: dst, farPort: dport, seenAs: to, seenPort: reply.dport, outgoing: true };
  if (network.isInside(back))
    return { phone: back, phonePort: reply.sport, far: src, farPort: sport, seenAs: dst, seenPort: dport, outgoing: false };
  if (network.isOwn(back))
    return { phone: null, phonePort: reply.sport, far: src, farPort: sport, seenAs: dst, seenPort: dport, outgoing: false };
  return null;
}
