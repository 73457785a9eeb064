/** Frames made from the inside out, with checksums that are right: `ethernet(ipv4({ … }, udp(5060, 5060, bytes)))`. */
import { Writer, join } from '../../../../src/languages/pcap/encode.ts';

const network = (): Writer => new Writer(true);

/** RFC 1071; parts but the last have an even length. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const bytes of parts) {
    for (let at = 0; at < bytes.length; at += 2) sum += bytes[at]! << 8 | (at + 1 < bytes.length ? bytes[at + 1]! : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** `192.168.1.10`, or an IPv6 address written out or with `::`. */
export function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number));
  const [before = '', after] = text.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const [left, right] = [groups(before), groups(after ?? '')];
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}

/** What an IP packet carries: its protocol's number, and its bytes once the addresses are known (for the checksum). */
export interface Carried { readonly protocol: number; bytes(pseudo: Uint8Array): Uint8Array }

export function carried(protocol: number, bytes: Uint8Array): Carried { return { protocol, bytes: () => bytes }; }

export function udp(from: number, to: number, payload: Uint8Array): Carried {
  return {
    protocol: 17,
    bytes(pseudo) {
      const datagram = network().u16(from).u16(to).u16(8 + payload.length).u16(0).bytes(payload).end();
      const sum = checksum(pseudo, network().u32(datagram.length).u32(17).end(), datagram) || 0xffff;
      datagram.set([sum >> 8, sum & 255], 6);
      return datagram;
    },
  };
}

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface Segment {
  readonly sequence: number;
  readonly acknowledgement?: number;
  readonly flags?: number;
  readonly options?: Uint8Array;
}

export function tcp(from: number, to: number, { sequence, acknowledgement = 0, flags = FLAG.ack, options = new Uint8Array(0) }: Segment,
  payload: Uint8Array = new Uint8Array(0)): Carried {
  return {
    protocol: 6,
    bytes(pseudo) {
      const segment = network().u16(from).u16(to).u32(sequence >>> 0).u32(acknowledgement >>> 0).u8(20 + options.length << 2).u8(flags)
        .u16(65_535).u16(0).u16(0).bytes(options).bytes(payload).end();
      const sum = checksum(pseudo, network().u32(segment.length).u32(6).end(), segment);
      segment.set([sum >> 8, sum & 255], 16);
      return segment;
    },
  };
}

export interface Ipv4Header {
  readonly from: string;
  readonly to: string;
  readonly id?: number;
  readonly ttl?: number;
  readonly options?: Uint8Array;
  /** Place of a fragment, bytes, and whether more follows. */
  readonly offset?: number;
  readonly more?: boolean;
  /** Total length, where it is to be another than it is. */
  readonly total?: number;
}

export function ipv4({ from, to, id = 0, ttl = 64, options = new Uint8Array(0), offset = 0, more = false, total }: Ipv4Header,
  inner: Carried): Uint8Array {
  const [source, destination] = [address(from), address(to)];
  const payload = inner.bytes(join([source, destination]));
  const size = 20 + options.length;
  const header = network().u8(0x40 | size / 4).u8(0).u16(total ?? size + payload.length).u16(id).u16((more ? 0x2000 : 0) | offset / 8)
    .u8(ttl).u8(inner.protocol).u16(0).bytes(source).bytes(destination).bytes(options).end();
  const sum = checksum(header);
  header.set([sum >> 8, sum & 255], 10);
  return join([header, payload]);
}

export interface Ipv6Header { readonly from: string; readonly to: string; readonly hops?: number; readonly length?: number }

/** An extension header: its own number and its bytes, the first of which (next header) is filled in. */
export type Extension = readonly [number: number, bytes: Uint8Array];

export function ipv6({ from, to, hops = 64, length }: Ipv6Header, inner: Carried, extensions: readonly Extension[] = []): Uint8Array {
  const [source, destination] = [address(from), address(to)];
  const payload = inner.bytes(join([source, destination]));
  const chain = extensions.map(([, bytes], index) => {
    const header = bytes.slice();
    header[0] = extensions[index + 1]?.[0] ?? inner.protocol;
    return header;
  });
  const rest = join([...chain, payload]);
  const next = extensions[0]?.[0] ?? inner.protocol;
  return join([network().u32(0x60000000).u16(length ?? rest.length).u8(next).u8(hops).bytes(source).bytes(destination).end(), rest]);
}

export function fragmentHeader(id: number, offset: number, more: boolean): Extension {
  return [44, network().u16(0).u16(offset | (more ? 1 : 0)).u32(id).end()];
}

/** The parts of an IPv4 packet that fit into `mtu` bytes each, in order. */
export function fragments4(header: Ipv4Header, inner: Carried, mtu: number): Uint8Array[] {
  const whole = inner.bytes(join([address(header.from), address(header.to)]));
  const step = mtu - 20 & ~7;
  return Array.from({ length: Math.ceil(whole.length / step) }, (_, index) =>
    ipv4({ ...header, offset: index * step, more: (index + 1) * step < whole.length },
      carried(inner.protocol, whole.slice(index * step, (index + 1) * step))));
}

export function fragments6(header: Ipv6Header, inner: Carried, mtu: number, id: number): Uint8Array[] {
  const whole = inner.bytes(join([address(header.from), address(header.to)]));
  const step = mtu - 48 & ~7;
  return Array.from({ length: Math.ceil(whole.length / step) }, (_, index) => ipv6(header,
    carried(inner.protocol, whole.slice(index * step, (index + 1) * step)),
    [fragmentHeader(id, index * step, (index + 1) * step < whole.length)]));
}

const versionOf = (packet: Uint8Array): 4 | 6 => (packet[0]! >> 4 === 4 ? 4 : 6);
const etherType = (packet: Uint8Array): number => (versionOf(packet) === 4 ? 0x0800 : 0x86dd);
const MACS = Uint8Array.of(2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1);

/** @param tags EtherType and VLAN identifier of each tag, the outermost first */
export function ethernet(packet: Uint8Array, tags: readonly (readonly [type: number, vlan: number])[] = [], type =
  etherType(packet)): Uint8Array {
  const writer = network().bytes(MACS);
  for (const [tag, vlan] of tags) writer.u16(tag).u16(vlan);
  return writer.u16(type).bytes(packet).end();
}

/** A session's packet (RFC 2516), to be given to `ethernet` with the type 0x8864. */
export function pppoe(packet: Uint8Array, session = 1): Uint8Array {
  return network().u8(0x11).u8(0).u16(session).u16(packet.length + 2).u16(versionOf(packet) === 4 ? 0x21 : 0x57).bytes(packet).end();
}

export function cooked(packet: Uint8Array, direction = 0, type = etherType(packet)): Uint8Array {
  return network().u16(direction).u16(1).u16(6).bytes(MACS.slice(0, 6)).u16(0).u16(type).bytes(packet).end();
}

export function cooked2(packet: Uint8Array, direction = 0, device = 1, type = etherType(packet)): Uint8Array {
  return network().u16(type).u16(0).u32(device).u16(1).u8(direction).u8(6).bytes(MACS.slice(0, 6)).u16(0).bytes(packet).end();
}

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let at = start; at < end; at += 8192) text += String.fromCharCode(...bytes.subarray(at, Math.min(end, at + 8192)));
  return text;
}
