/** Captures of both sides of a router, made in memory; and what is compared of them. */
import { Comparing } from '../../../src/compare/compare.ts';
import type { CompareOptions } from '../../../src/compare/compare.ts';
import type { Comparison } from '../../../src/compare/comparison.ts';
import type { Difference } from '../../../src/compare/difference.ts';
import { join, pcapHeader, pcapRecord } from '../../../src/languages/pcap/encode.ts';
import { bytesOf, cooked2, ethernet, ipv4, udp } from '../languages/pcap/frames.ts';

export const PHONE = '192.168.1.7';
export const WAN = '203.0.113.20';
export const PROVIDER = '203.0.113.10';
export const BEGIN = 1_764_288_000;

export interface Sent {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly text: string;
  /** What comes out; the same if not given, null: nothing. */
  readonly out?: string | null;
  /** Away from the phone; if not given, it is. */
  readonly toProvider?: boolean;
  readonly id?: number;
  readonly phonePort?: number;
  readonly wanPort?: number;
  /** Seconds in the router. */
  readonly takes?: number;
  /** What came in was seen nowhere. */
  readonly unseen?: boolean;
}

export interface SidePacket {
  readonly time: number;
  readonly packet: Uint8Array;
  readonly outside: boolean;
}

/** Packets on both sides, in the order of time. */
export function packetsOf(sent: readonly Sent[]): SidePacket[] {
  return sent
    .flatMap((one, index) => {
      const {
        at,
        text,
        out = text,
        toProvider = true,
        id = index + 1,
        phonePort = 5060,
        wanPort = phonePort,
        takes = 0.0001,
        unseen = false,
      } = one;
      const inside = (payload: string, ttl: number): Uint8Array =>
        toProvider
          ? ipv4({ from: PHONE, to: PROVIDER, id, ttl }, udp(phonePort, 5060, bytesOf(payload)))
          : ipv4({ from: PROVIDER, to: PHONE, id, ttl }, udp(5060, phonePort, bytesOf(payload)));
      const outside = (payload: string, ttl: number): Uint8Array =>
        toProvider
          ? ipv4({ from: WAN, to: PROVIDER, id, ttl }, udp(wanPort, 5060, bytesOf(payload)))
          : ipv4({ from: PROVIDER, to: WAN, id, ttl }, udp(5060, wanPort, bytesOf(payload)));
      const [first, second] = toProvider ? [inside, outside] : [outside, inside];
      return [
        ...(unseen ? [] : [{ time: at, packet: first(text, 64), outside: !toProvider }]),
        ...(out === null ? [] : [{ time: at + takes, packet: second(out, 63), outside: toProvider }]),
      ];
    })
    .sort((one, other) => one.time - other.time);
}

const whole = (time: number): { seconds: number; nanoseconds: number } => {
  const microseconds = Math.round(time * 1e6) + BEGIN * 1e6;
  return { seconds: Math.floor(microseconds / 1e6), nanoseconds: (microseconds % 1e6) * 1000 };
};

/** @param ahead seconds that this capture's clock is wrong */
export function sideOf(packets: readonly SidePacket[], outside: boolean, ahead = 0): Uint8Array {
  return join([
    pcapHeader(),
    ...packets
      .filter((each) => each.outside === outside)
      .map(({ time, packet }) => pcapRecord({ ...whole(time + ahead), bytes: ethernet(packet) })),
  ]);
}

/** One capture of both sides, as tcpdump -i any writes it: the bridge's port, the bridge, the WAN device. */
export function anyOf(packets: readonly SidePacket[]): Uint8Array {
  const records = packets.flatMap(({ time, packet, outside }) => {
    const devices = outside ? [4] : [2, 3];
    return devices.map((device, index) => pcapRecord({ ...whole(time + index * 1e-6), bytes: cooked2(packet, 0, device) }, {}));
  });
  return join([pcapHeader({ linkType: 276 }), ...records]);
}

export function compared(files: readonly Uint8Array[], options: CompareOptions = {}, chunk = 4096): Comparison {
  const comparing = new Comparing(
    files.map((_, index) => (files.length === 1 ? 'any.pcap' : index === 0 ? 'lan.pcap' : 'wan.pcap')),
    options,
  );
  const at = files.map(() => 0);
  for (let side = comparing.next(); side !== null; side = comparing.next()) {
    const file = files[side]!;
    if (at[side]! >= file.length) comparing.close(side);
    // A piece of its own that is spoilt afterwards: nothing may be kept of it. A Buffer, as Node's door gives it.
    const piece = Buffer.from(file.subarray(at[side]!, at[side]! + chunk));
    comparing.push(side, piece);
    piece.fill(0xaa);
    at[side]! += chunk;
  }
  return comparing.end();
}

export function bothSides(sent: readonly Sent[], options: CompareOptions = {}): Comparison {
  const packets = packetsOf(sent);
  return compared([sideOf(packets, false), sideOf(packets, true)], options);
}

/** `Via 1 sent-by translated`, with the cause where it is no ALG. */
export function named({ field, at, part, change, cause }: Difference): string {
  return [field, at, part, change, cause === 'alg' ? '' : cause].filter((word) => word !== '').join(' ');
}
