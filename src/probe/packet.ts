/** Frames as bytes: Ethernet, ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200), neighbour discovery (RFC 4861), UDP and TCP. */

/** Bytes of an address: 4, or 16. @param address IPv4, or IPv6 in any form without a zone */
export function addressBytes(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const [left = '', right] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(left), right === undefined ? [] : groups(right)];
  const all = [...before, ...new Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
}

const macBytes = (mac: string): number[] => mac.split(':').map((part) => parseInt(part, 16));
const two = (number: number): number[] => [(number >> 8) & 0xff, number & 0xff];
const four = (number: number): number[] => [...two(number >>> 16), ...two(number & 0xffff)];

/** The Internet checksum (RFC 1071). */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface Ends {
  readonly from: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
}

export interface Segment {
  readonly seq: number;
  readonly ack: number;
  /** SYN 2, PSH 8, ACK 16. */
  readonly flags: number;
}

export interface Packet extends Ends {
  readonly payload: string;
  /** What tells it from others on both sides of the router: the IP id, or IPv6's flow label. */
  readonly id: number;
  readonly ttl: number;
  /** Type of service of IPv4; 0 where there is none. */
  readonly tos?: number;
  /** UDP where there is none. */
  readonly segment?: Segment;
}

const UDP = 17;
const TCP = 6;
/** Don't fragment: phones on Linux set it. */
const DF = 0x4000;

function transport({ from, to, payload, segment }: Packet): number[] {
  const data = Array.from(payload, (char) => char.charCodeAt(0) & 0xff);
  const ports = [...two(from.port), ...two(to.port)];
  const head =
    segment === undefined
      ? [...ports, ...two(8 + data.length), 0, 0]
      : [...ports, ...four(segment.seq), ...four(segment.ack), 0x50, segment.flags, ...two(64_240), 0, 0, 0, 0];
  const whole = [...head, ...data];
  const protocol = segment === undefined ? UDP : TCP;
  const sum = checksum([...addressBytes(from.address), ...addressBytes(to.address), 0, protocol, ...two(whole.length), ...whole]);
  const at = segment === undefined ? 6 : 16;
  // 0 would say that there is none (RFC 768).
  whole.splice(at, 2, ...two(sum === 0 ? 0xffff : sum));
  return whole;
}

/** UDP's checksum of a payload between these ends. */
export function checksumOf(ends: Ends, payload: string): number {
  const udp = transport({ ...ends, payload, id: 0, ttl: 0 });
  return (udp[6]! << 8) | udp[7]!;
}

/** A frame from one MAC address to another. */
export function frame(packet: Packet, macs: { from: string; to: string }): number[] {
  const inner = transport(packet);
  const { from, to, id, ttl, segment, tos = 0 } = packet;
  const protocol = segment === undefined ? UDP : TCP;
  const addresses = [...addressBytes(from.address), ...addressBytes(to.address)];
  const ethernet = [...macBytes(macs.to), ...macBytes(macs.from)];
  if (from.address.includes(':'))
    return [...ethernet, 0x86, 0xdd, ...four(0x60000000 | id), ...two(inner.length), protocol, ttl, ...addresses, ...inner];
  const header = [0x45, tos, ...two(20 + inner.length), ...two(id), ...two(DF), ttl, protocol, 0, 0, ...addresses];
  header.splice(10, 2, ...two(checksum(header)));
  return [...ethernet, 0x08, 0x00, ...header, ...inner];
}

/**
 * Asks a neighbour for its address, to it alone: it learns who asks (RFC 826 "Packet Reception"; RFC 4861 §7.2.3), and
 * nobody else hears of it.
 */
export function solicitation(macs: { from: string; to: string }, from: string, to: string): number[] {
  const ethernet = [...macBytes(macs.to), ...macBytes(macs.from)];
  if (!from.includes(':'))
    return [
      ...ethernet,
      0x08,
      0x06,
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...macBytes(macs.from),
      ...addressBytes(from),
      0,
      0,
      0,
      0,
      0,
      0,
      ...addressBytes(to),
    ];
  const message = [135, 0, 0, 0, 0, 0, 0, 0, ...addressBytes(to), 1, 1, ...macBytes(macs.from)];
  const addresses = [...addressBytes(from), ...addressBytes(to)];
  message.splice(2, 2, ...two(checksum([...addresses, 0, 58, ...two(message.length), ...message])));
  return [...ethernet, 0x86, 0xdd, 0x60, 0, 0, 0, ...two(message.length), 58, 255, ...addresses, ...message];
}
