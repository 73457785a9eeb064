/**
 * What was recorded of real phones, as `compare` takes it: a capture of each side, made of the messages as they come. So the two
 * are paired by IP id and transaction and told field by field in the same way as captures of tcpdump are.
 */
import { Comparing } from '../../compare/compare.ts';
import type { CompareOptions } from '../../compare/compare.ts';
import type { Comparison } from '../../compare/comparison.ts';
import { pcapHeader, pcapRecord, Writer } from '../../languages/pcap/encode.ts';
import type { PhoneMessage } from './sightings.ts';

/** LINKTYPE_RAW: the packet begins with its IP header. */
const RAW = 101;
const IP_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;

const INSIDE = 0;
const OUTSIDE = 1;

const octets = (address: string): number[] => address.split('.').map(Number);

/** A packet of IPv4 and UDP around a message, as far as it was recorded. */
function packetOf({ at, recorded }: PhoneMessage): Uint8Array {
  const { id, from, to, length, bytes, ttl } = recorded;
  const whole = IP_HEADER + UDP_HEADER + length;
  const writer = new Writer(true)
    .u8(0x45)
    .u8(0)
    .u16(whole)
    .u16(id)
    .u16(0x4000)
    .u8(ttl ?? 64)
    .u8(UDP)
    .u16(0);
  for (const octet of [...octets(from.address), ...octets(to.address)]) writer.u8(octet);
  writer
    .u16(from.port)
    .u16(to.port)
    .u16(UDP_HEADER + length)
    .u16(0)
    .bytes(bytes);
  const seconds = Math.floor(at / 1000);
  return pcapRecord({ seconds, nanoseconds: (at - seconds * 1000) * 1e6, bytes: writer.end(), length: whole });
}

export class ComparingPhones {
  readonly #comparing: Comparing;
  /** Messages of each side. */
  readonly seen = { inside: 0, outside: 0 };
  /** Such as were not recorded to their end. */
  cut = 0;

  /** @param names what the two sides are called: devices */
  constructor(names: readonly [inside: string, outside: string], options: CompareOptions = {}) {
    this.#comparing = new Comparing(names, options);
    for (const side of [INSIDE, OUTSIDE]) this.#comparing.push(side, pcapHeader({ linkType: RAW }));
  }

  take(message: PhoneMessage): void {
    this.seen[message.inside ? 'inside' : 'outside']++;
    if (!message.whole) this.cut++;
    this.#comparing.push(message.inside ? INSIDE : OUTSIDE, packetOf(message));
  }

  end(): Comparison {
    return this.#comparing.end();
  }
}
