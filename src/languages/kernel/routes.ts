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

/** A route to a network. */
export interface Route extends DefaultRoute {
  /** The network's bytes, in the order in which they are written, and how many bits of it count. */
  network: readonly number[];
  length: number;
}

/** The four bytes of a word, as they are printed. */
const bytesOf = (word: string): number[] => [0, 2, 4, 6].map((at) => parseInt(word.padStart(8, '0').slice(at, at + 2), 16));

const bitsOf = (mask: readonly number[]): string => mask.map((byte) => byte.toString(2).padStart(8, '0')).join('');

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
  const isBig = lines.some((line) => /^1+0+$/.test(bitsOf(bytesOf(line.trim().split(/[ \t]+/, 8)[7] ?? ''))));
  const turned = (word: string): number[] => (isBig ? bytesOf(word) : bytesOf(word).reverse());
  return lines.flatMap((line, index): Route[] => {
    if (line.trim() === '') return [];
    // Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
    const [device = '', destination = '', , flags = '', , , metric = '', mask = ''] = line.trim().split(/[ \t]+/, 8);
    if (![destination, flags, mask].every((word) => /^[0-9A-Fa-f]{1,8}$/.test(word)) || !/^[0-9]{1,10}$/.test(metric)) {
      throw new Refused(`${quote(line)} is not a line of /proc/net/route`, index + 2);
    }
    if ((Number(`0x${flags}`) & REJECT) !== 0) return [];
    return [{ device, metric: Number(metric), network: turned(destination), length: bitsOf(turned(mask)).replace(/0+$/, '').length }];
  });
}

/** The device a packet to an IPv4 address leaves by, of the main table: the longest prefix, then the lowest metric. */
export function wayTo(routes: readonly Route[], address: string): string | null {
  const bits = bitsOf(address.split('.').map(Number));
  const fitting = routes.filter(({ network, length }) => bitsOf(network).slice(0, length) === bits.slice(0, length));
  const [best] = fitting.sort((one, other) => other.length - one.length || one.metric - other.metric);
  return best?.device ?? null;
}

/**
 * The default routes, the one that is taken first.
 * @throws Refused for a missing header or a line of other columns
 */
export function parseDefaultRoutes(text: string): DefaultRoute[] {
  return parseRoutes(text)
    .filter(({ network, length }) => length === 0 && network.every((byte) => byte === 0))
    .map(({ device, metric }) => ({ device, metric }))
    .sort((one, other) => one.metric - other.metric);
}
