/** IPv4 (RFC 791) and IPv6 (RFC 8200) headers, up to what they carry. */
import type { Addresses } from './addresses.ts';
import { PROTOCOL, type Packet } from './packet.ts';

export const IP = {
  /** The packet is whole: `data`, `start`, `end` and `missing` are what it carries. */
  whole: 1,
  /** They are a fragment's part, which belongs to `fragmentOffset`. */
  fragment: 2,
  /** The header contradicts itself or breaks off. */
  broken: -1,
  /** It has an address too many. */
  full: -2,
} as const;

const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;

/** Reads the IPv4 header at `packet.network`; returns one of IP. */
export function readIpv4(packet: Packet): number {
  const bytes = packet.bytes;
  const at = packet.network;
  const frameEnd = packet.frameEnd;
  if (frameEnd - at < 20) return IP.broken;
  const first = bytes[at]!;
  const header = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || header < 20 || at + header > frameEnd) return IP.broken;
  // 0: a packet that the network card is to cut up, longer than the field can say.
  const total = bytes[at + 2]! << 8 | bytes[at + 3]! || packet.frame + packet.frameLength - at;
  if (total < header) return IP.broken;
  packet.id = bytes[at + 4]! << 8 | bytes[at + 5]!;
  packet.ttl = bytes[at + 8]!;
  packet.protocol = bytes[at + 9]!;
  packet.source = (bytes[at + 12]! << 24 | bytes[at + 13]! << 16 | bytes[at + 14]! << 8 | bytes[at + 15]!) >>> 0;
  packet.destination = (bytes[at + 16]! << 24 | bytes[at + 17]! << 16 | bytes[at + 18]! << 8 | bytes[at + 19]!) >>> 0;
  carry(packet, at + header, at + total);
  const fragment = bytes[at + 6]! << 8 | bytes[at + 7]!;
  if ((fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) === 0) return IP.whole;
  packet.fragmentOffset = (fragment & FRAGMENT_OFFSET) * 8;
  packet.moreFragments = fragment & MORE_FRAGMENTS ? 1 : 0;
  return IP.fragment;
}

/** What an IP packet carries ends at `end`, or before where the capture cut the frame. */
function carry(packet: Packet, start: number, end: number): void {
  packet.data = packet.bytes;
  packet.start = start;
  packet.end = end < packet.frameEnd ? end : packet.frameEnd;
  packet.missing = end - packet.end;
  packet.fragments = 1;
  packet.fragmentOffset = 0;
  packet.moreFragments = 0;
}

/** Next-header numbers (IANA, "IPv6 Extension Header Types"). ESP is none of them: what follows it is secret. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/** Reads the IPv6 header at `packet.network` and the extension headers behind it; returns one of IP. */
export function readIpv6(packet: Packet, addresses: Addresses): number {
  const bytes = packet.bytes;
  const network = packet.network;
  const frameEnd = packet.frameEnd;
  if (frameEnd - network < 40 || bytes[network]! >> 4 !== 6) return IP.broken;
  packet.id = -1;
  packet.ttl = bytes[network + 7]!;
  packet.protocol = bytes[network + 6]!;
  packet.source = addresses.number(bytes, network + 8);
  packet.destination = addresses.number(bytes, network + 24);
  if (packet.source < 0 || packet.destination < 0) return IP.full;
  // 0: a jumbogram (RFC 2675), or a packet that the network card is to cut up.
  const length = bytes[network + 4]! << 8 | bytes[network + 5]!;
  const end = length === 0 ? packet.frame + packet.frameLength : network + 40 + length;
  carry(packet, network + 40, end);
  return packet.protocol === PROTOCOL.udp || packet.protocol === PROTOCOL.tcp ? IP.whole : passExtensions(packet);
}

/** Passes over the extension headers at `packet.start`; also in what was put together of fragments. */
export function passExtensions(packet: Packet): number {
  const bytes = packet.data;
  let protocol = packet.protocol;
  let at = packet.start;
  const end = packet.end;
  let result: number = IP.whole;
  for (;;) {
    let length: number;
    if (protocol === FRAGMENT) length = 8;
    else if (protocol === HOP_BY_HOP || protocol === ROUTING || protocol === DESTINATION || protocol === MOBILITY
      || protocol === HIP || protocol === SHIM6) length = at + 1 < end ? bytes[at + 1]! * 8 + 8 : 8;
    else if (protocol === AUTHENTICATION) length = at + 1 < end ? bytes[at + 1]! * 4 + 8 : 8;
    else break;
    if (at + length > end) return IP.broken;
    const header = protocol;
    protocol = bytes[at]!;
    if (header === FRAGMENT) {
      const field = bytes[at + 2]! << 8 | bytes[at + 3]!;
      packet.id = (bytes[at + 4]! << 24 | bytes[at + 5]! << 16 | bytes[at + 6]! << 8 | bytes[at + 7]!) >>> 0;
      at += length;
      // An "atomic" fragment (RFC 6946) is a whole packet.
      if ((field & 0xfff9) !== 0) {
        packet.fragmentOffset = field & 0xfff8;
        packet.moreFragments = field & 1;
        result = IP.fragment;
        break;
      }
    } else {
      at += length;
    }
  }
  packet.protocol = protocol;
  packet.start = at;
  return result;
}
