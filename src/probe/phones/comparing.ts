/**
 * What was recorded of real phones, as `compare` takes it: a capture of each side, made of the messages as they come. So the two
 * are paired by IP id and transaction and told field by field in the same way as captures of tcpdump are.
 */
import { Comparing } from '../../compare/compare.ts';
import type { CompareOptions } from '../../compare/compare.ts';
import type { Comparison } from '../../compare/comparison.ts';
import { bitsOf } from '../../languages/address/prefixes.ts';
import { pcapHeader, pcapRecord, Writer } from '../../languages/pcap/encode.ts';
import { MOST_LACKING } from './sightings.ts';
import type { PhoneMessage } from './sightings.ts';

/** LINKTYPE_RAW: the packet begins with its IP header. */
const RAW = 101;
const IP_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;
/** A segment is given as a datagram with TCP's name: what stands between the segments that were recorded is not known. */
const HOPS = 64;

const INSIDE = 0;
const OUTSIDE = 1;

/** The bytes of an address of either family. */
function octets(address: string): number[] {
  const bits = bitsOf(address) ?? '';
  return Array.from({ length: bits.length / 2 }, (_, at) => parseInt(bits.slice(at * 2, at * 2 + 2), 16));
}

/** A packet of IP and UDP around a message, as far as it was recorded. */
function packetOf({ at, recorded }: PhoneMessage): Uint8Array {
  const { id, from, to, length, bytes, ttl } = recorded;
  const whole = UDP_HEADER + length;
  const writer = new Writer(true);
  if (from.address.includes(':')) {
    // The flow label is the flow's and no number of a packet.
    writer
      .u32(0x6000_0000)
      .u16(whole)
      .u8(UDP)
      .u8(ttl ?? HOPS);
  } else {
    writer
      .u8(0x45)
      .u8(0)
      .u16(IP_HEADER + whole)
      .u16(id)
      .u16(0x4000)
      .u8(ttl ?? HOPS)
      .u8(UDP)
      .u16(0);
  }
  for (const octet of [...octets(from.address), ...octets(to.address)]) writer.u8(octet);
  const headers = writer.u16(from.port).u16(to.port).u16(whole).u16(0).end();
  const seconds = Math.floor(at / 1000);
  const packet = new Writer(true).bytes(headers).bytes(bytes).end();
  return pcapRecord({ seconds, nanoseconds: (at - seconds * 1000) * 1e6, bytes: packet, length: headers.length + length });
}

export class ComparingPhones {
  readonly #comparing: Comparing;
  /** Messages of each side. */
  readonly seen = { inside: 0, outside: 0 };
  /** Messages that were not recorded to their end: those that are longer, such as lack a few bytes; and segments of TCP. */
  cut = 0;
  short = 0;
  segments = 0;

  /** @param names what the two sides are called: devices */
  constructor(names: readonly [inside: string, outside: string], options: CompareOptions = {}) {
    this.#comparing = new Comparing(names, options);
    for (const side of [INSIDE, OUTSIDE]) this.#comparing.push(side, pcapHeader({ linkType: RAW }));
  }

  take(message: PhoneMessage): void {
    this.seen[message.inside ? 'inside' : 'outside']++;
    const lacks = message.recorded.length - message.recorded.bytes.length;
    if (message.transport === 'tcp') this.segments++;
    if (lacks > MOST_LACKING) this.cut++;
    else if (lacks > 0) this.short++;
    this.#comparing.push(message.inside ? INSIDE : OUTSIDE, packetOf(message), message.transport);
  }

  end(): Comparison {
    return this.#comparing.end();
  }
}
