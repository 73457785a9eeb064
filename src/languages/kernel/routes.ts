/** The IPv4 default routes of a network namespace: `/proc/net/route` (net/ipv4/fib_trie.c, `fib_route_seq_show`). */
import { Refused, quote } from '../refused.ts';

/** A way to everywhere. */
export interface DefaultRoute {
  device: string;
  /** The lowest is taken. */
  metric: number;
}

/** RTF_REJECT of linux/route.h: a route that leads nowhere. */
const REJECT = 0x200;

/** A route to a network: its address and its mask, as numbers of 32 bits. */
export interface Route extends DefaultRoute {
  network: number;
  mask: number;
}

/** A word of eight hex digits, its bytes turned round where the machine writes the first of an address last. */
function numberOf(word: string, big: boolean): number {
  const digits = word.padStart(8, '0');
  return parseInt(big ? digits : digits.slice(6) + digits.slice(4, 6) + digits.slice(2, 4) + digits.slice(0, 2), 16);
}

/**
 * All routes that lead somewhere, in the file's order.
 * @throws Refused for a missing header or a line of other columns
 */
export function parseRoutes(text: string): Route[] {
  const [head = '', ...lines] = text.split('\n');
  if (!/^Iface\s+Destination\s+Gateway\s/.test(head.slice(0, 200))) {
    throw new Refused(`${quote(head)} is not the head of /proc/net/route`, 1);
  }
  // A word is printed in the machine's own byte order: a mask that reads as one is a big-endian machine's.
  let big = false;
  const words = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    // Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
    const [device = '', destination = '', , flags = '', , , metric = '', mask = ''] = line.trim().split(/[ \t]+/, 8);
    if (![destination, flags, mask].every((word) => /^[0-9A-Fa-f]{1,8}$/.test(word)) || !/^[0-9]{1,10}$/.test(metric)) {
      throw new Refused(`${quote(line)} is not a line of /proc/net/route`, index + 2);
    }
    big ||= /^F*[8CE]?0+$/i.test(mask) && /^[8CEF]/i.test(mask);
    return (Number(`0x${flags}`) & REJECT) === 0 ? [{ device, metric: Number(metric), destination, mask }] : [];
  });
  return words.map(({ device, metric, destination, mask }) => ({
    device,
    metric,
    network: numberOf(destination, big),
    mask: numberOf(mask, big),
  }));
}

/** The device a packet to an IPv4 address leaves by, of the main table: the longest prefix, then the lowest metric. */
export function wayTo(routes: readonly Route[], address: string): string | null {
  const to = address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
  const fitting = routes.filter(({ network, mask }) => (to & mask) >>> 0 === (network & mask) >>> 0);
  const [best] = fitting.sort((one, other) => other.mask - one.mask || one.metric - other.metric);
  return best?.device ?? null;
}

/**
 * The default routes, the one that is taken first.
 * @throws Refused for a missing header or a line of other columns
 */
export function parseDefaultRoutes(text: string): DefaultRoute[] {
  return parseRoutes(text)
    .filter(({ network, mask }) => network === 0 && mask === 0)
    .map(({ device, metric }) => ({ device, metric }))
    .sort((one, other) => one.metric - other.metric);
}
