/** The IPv4 routes of a network namespace: `/proc/net/route` (net/ipv4/fib_trie.c, `fib_route_seq_show`). */
import { Refused, quote } from '../language.ts';

/** One route. Addresses are dotted quads; `0.0.0.0` with mask `0.0.0.0` is the default. */
export interface Route {
  device: string;
  destination: string;
  gateway: string;
  mask: string;
  /** RTF_ bits of linux/route.h: 1 up, 2 gateway, 0x200 reject. */
  flags: number;
  metric: number;
}

/**
 * `/proc/net/route`. The kernel prints the bytes of an address as one number in
 * the machine's own order, so the same route reads differently on a big-endian
 * router (OpenWrt's ath79). The order is the one in which every mask is a run of
 * ones and then zeros; where the masks leave both open (only /0 and /32) it is
 * little-endian.
 *
 * @throws Refused for a missing header, a line of other columns, or masks that fit neither order
 */
export function parseRoutes(text: string): Route[] {
  const lines = text.split('\n');
  if (!/^Iface\s+Destination\s+Gateway\s/.test((lines[0] ?? '').slice(0, 200))) {
    throw new Refused(`${quote(lines[0] ?? '')} is not the head of /proc/net/route; ` +
      'that starts with "Iface Destination Gateway"', 1);
  }
  const rows = lines.flatMap((written, index) =>
    index === 0 || written.trim() === '' ? [] : [readRow(written, index + 1)]);
  const little = rows.every((row) => isRun(swap(row.mask)));
  const bad = little ? undefined : rows.find((row) => !isRun(row.mask));
  if (bad !== undefined) {
    throw new Refused('the masks of /proc/net/route fit neither byte order: ' +
      `${hex(bad.mask)} is not a run of ones and then zeros`, bad.line);
  }
  const dotted = (value: number): string => quad(little ? swap(value) : value);
  return rows.map(({ device, destination, gateway, mask, flags, metric }) => ({
    device, destination: dotted(destination), gateway: dotted(gateway), mask: dotted(mask), flags, metric,
  }));
}

interface Row {
  line: number;
  device: string;
  destination: number;
  gateway: number;
  mask: number;
  flags: number;
  metric: number;
}

function readRow(written: string, line: number): Row {
  // Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
  const columns = written.trim().split(/[ \t]+/, 8);
  const [device = '', destination = '', gateway = '', flags = '', , , metric = '', mask = ''] = columns;
  const address = /^[0-9A-Fa-f]{8}$/;
  if (!/^[\x21-\x7e]{1,15}$/.test(device) || ![destination, gateway, mask].every((value) => address.test(value)) ||
    !/^[0-9A-Fa-f]{1,8}$/.test(flags) || !/^[0-9]{1,10}$/.test(metric)) {
    throw new Refused(`${quote(written)} is not a line of /proc/net/route; its columns are ` +
      'Iface Destination Gateway Flags RefCnt Use Metric Mask', line);
  }
  return {
    line, device, destination: parseInt(destination, 16), gateway: parseInt(gateway, 16), mask: parseInt(mask, 16),
    flags: parseInt(flags, 16), metric: Number(metric),
  };
}

function swap(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** Ones and then zeros: the inverse, plus one, is a power of two. */
function isRun(mask: number): boolean {
  const inverse = ~mask >>> 0;
  return (inverse & (inverse + 1)) === 0;
}

function quad(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}
