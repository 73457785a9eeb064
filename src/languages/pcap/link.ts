/**
 * Link layers: from the beginning of a frame to its IP header. Numbers are LINKTYPE_ values of libpcap's list
 * (www.tcpdump.org/linktypes.html).
 */
import { DIRECTION, type Packet } from './packet.ts';

export const LINK_TYPE = {
  null: 0, ethernet: 1, ppp: 9, pppHdlc: 50, pppEther: 51, raw: 101, loop: 108, linuxCooked: 113, ipv4: 228, ipv6: 229, linuxCooked2: 276,
} as const;

/** What raw IP is called by the DLT_ values of some systems: 12 most, 14 OpenBSD. Some writers put these into files. */
const RAW: readonly number[] = [12, 14, LINK_TYPE.raw];
const READABLE: readonly number[] = [...RAW, ...Object.values(LINK_TYPE)];
const NAMES: Readonly<Record<number, string>> = {
  105: 'IEEE 802.11', 127: 'IEEE 802.11 with radiotap', 147: 'USER0', 166: 'PPP with direction', 189: 'USB', 195: 'IEEE 802.15.4',
  220: 'USB of Linux', 239: 'NFLOG', 252: 'exported by Wireshark', 253: 'netlink',
};

export function isReadable(linkType: number): boolean { return READABLE.includes(linkType); }

/** `127 (IEEE 802.11 with radiotap)`. */
export function linkTypeName(linkType: number): string {
  const name = NAMES[linkType];
  return name === undefined ? String(linkType) : `${linkType} (${name})`;
}

const ETHER = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100, pppoe: 0x8864 } as const;
const PPP = { ipv4: 0x21, ipv6: 0x57 } as const;
/** What AF_INET6 is on Linux, NetBSD and OpenBSD, FreeBSD, macOS; AF_INET is 2 everywhere. */
const FAMILY6: readonly number[] = [10, 24, 28, 30];
/** More tags than anybody stacks. */
const MOST_TAGS = 8;

/** No IP packet follows; the frame contradicts itself or breaks off. */
export const NOT_IP = 0;
export const BROKEN = -1;

/**
 * Finds the IP header of a frame; sets `network`, `vlan`, `innerVlan`, `pppoe`, `device`, and `direction` where the frame says it.
 * @returns 4, 6, NOT_IP or BROKEN
 */
export function readLink(packet: Packet): number {
  const bytes = packet.bytes;
  const at = packet.frame;
  const size = packet.frameEnd - at;
  packet.vlan = -1;
  packet.innerVlan = -1;
  packet.pppoe = -1;
  packet.device = 0;
  switch (packet.linkType) {
    case LINK_TYPE.ethernet:
      if (size < 14) return BROKEN;
      return readType(packet, bytes[at + 12]! << 8 | bytes[at + 13]!, at + 14);
    case LINK_TYPE.linuxCooked:
      if (size < 16) return BROKEN;
      packet.direction = direction(bytes[at]! << 8 | bytes[at + 1]!);
      return readCooked(packet, bytes[at + 14]! << 8 | bytes[at + 15]!, at + 16);
    case LINK_TYPE.linuxCooked2:
      if (size < 20) return BROKEN;
      packet.direction = direction(bytes[at + 10]!);
      packet.device = (bytes[at + 4]! << 24 | bytes[at + 5]! << 16 | bytes[at + 6]! << 8 | bytes[at + 7]!) >>> 0;
      return readCooked(packet, bytes[at]! << 8 | bytes[at + 1]!, at + 20);
    case LINK_TYPE.null:
      if (size < 4) return BROKEN;
      // In the order of the machine that captured, which need not be that of the file.
      return readFamily(packet, bytes[at]! === 0 && bytes[at + 1]! === 0
        ? bytes[at + 2]! << 8 | bytes[at + 3]! : bytes[at]! | bytes[at + 1]! << 8);
    case LINK_TYPE.loop:
      return size < 4 ? BROKEN : readFamily(packet, bytes[at + 2]! << 8 | bytes[at + 3]!);
    case LINK_TYPE.ppp:
    case LINK_TYPE.pppHdlc:
      return readPpp(packet, size >= 2 && bytes[at] === 0xff && bytes[at + 1] === 0x03 ? at + 2 : at);
    case LINK_TYPE.pppEther:
      return readPppoe(packet, at);
    default:
      packet.network = at;
      if (size < 1) return BROKEN;
      return bytes[at]! >> 4 === 4 ? 4 : bytes[at]! >> 4 === 6 ? 6 : NOT_IP;
  }
}

function direction(type: number): number { return type <= DIRECTION.outgoing ? type : DIRECTION.unknown; }

function readFamily(packet: Packet, family: number): number {
  packet.network = packet.frame + 4;
  return family === 2 ? 4 : FAMILY6.includes(family) ? 6 : NOT_IP;
}

/**
 * Of a packet with two tags af_packet (Linux 6.18) takes off the outer one, names the innermost protocol and leaves the inner
 * tag before it: `0009 86dd 60…` where `60…` is announced. Such a tag is known by the protocol behind it being repeated.
 */
function isHiddenTag(packet: Packet, type: number, at: number): boolean {
  const bytes = packet.bytes;
  const first = bytes[at]!;
  const fits = type === ETHER.ipv4 ? first >> 4 === 4 : type === ETHER.ipv6 ? first >> 4 === 6 : type !== ETHER.pppoe || first === 0x11;
  return !fits && packet.frameEnd - at > 4 && (bytes[at + 2]! << 8 | bytes[at + 3]!) === type;
}

function readCooked(packet: Packet, type: number, at: number): number {
  return readType(packet, isHiddenTag(packet, type, at) ? ETHER.vlan : type, at, true);
}

/** What an EtherType says, tags and sessions passed over. */
function readType(packet: Packet, type: number, at: number, cooked = false): number {
  if (type === ETHER.ipv4 || type === ETHER.ipv6) {
    packet.network = at;
    return type === ETHER.ipv4 ? 4 : 6;
  }
  const bytes = packet.bytes;
  const end = packet.frameEnd;
  for (let tags = 0; isTag(type); tags++) {
    if (end - at < 4 || tags === MOST_TAGS) return BROKEN;
    const vlan = (bytes[at]! & 0x0f) << 8 | bytes[at + 1]!;
    if (tags === 0) packet.vlan = vlan;
    else if (tags === 1) packet.innerVlan = vlan;
    type = bytes[at + 2]! << 8 | bytes[at + 3]!;
    at += 4;
    if (cooked && isHiddenTag(packet, type, at)) type = ETHER.vlan;
  }
  if (type === ETHER.pppoe) return readPppoe(packet, at);
  // A length instead of a type: IEEE 802.3, where SNAP (RFC 1042) says what follows.
  if (type <= 1500 && end - at >= 8 && bytes[at] === 0xaa && bytes[at + 1] === 0xaa && bytes[at + 2] === 3
    && (bytes[at + 3]! | bytes[at + 4]! | bytes[at + 5]!) === 0) {
    type = bytes[at + 6]! << 8 | bytes[at + 7]!;
    at += 8;
  }
  packet.network = at;
  return type === ETHER.ipv4 ? 4 : type === ETHER.ipv6 ? 6 : NOT_IP;
}

/** 802.1Q, 802.1ad (QinQ), and what was used for QinQ before it. */
function isTag(type: number): boolean { return type === ETHER.vlan || type === 0x88a8 || type === 0x9100 || type === 0x9200; }

/** A PPPoE session's header (RFC 2516 §4), then PPP. */
function readPppoe(packet: Packet, at: number): number {
  const bytes = packet.bytes;
  if (packet.frameEnd - at < 6 || bytes[at] !== 0x11) return BROKEN;
  // Another code is of the discovery stage.
  if (bytes[at + 1] !== 0) return NOT_IP;
  packet.pppoe = bytes[at + 2]! << 8 | bytes[at + 3]!;
  return readPpp(packet, at + 6);
}

/** A protocol field of two bytes, or of one where it was agreed to leave out a first one of zero (RFC 1661 §6.5). */
function readPpp(packet: Packet, at: number): number {
  const bytes = packet.bytes;
  const size = packet.frameEnd - at;
  if (size < 1) return BROKEN;
  const short = (bytes[at]! & 1) === 1;
  if (!short && size < 2) return BROKEN;
  const protocol = short ? bytes[at]! : bytes[at]! << 8 | bytes[at + 1]!;
  packet.network = short ? at + 1 : at + 2;
  return protocol === PPP.ipv4 ? 4 : protocol === PPP.ipv6 ? 6 : NOT_IP;
}
