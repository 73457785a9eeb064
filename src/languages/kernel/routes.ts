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

/**
 * The default routes, the one that is taken first. Destination and mask of a
 * default route are zero, which reads the same in either byte order: the kernel
 * prints addresses in the machine's own.
 *
 * @throws Refused for a missing header or a line of other columns
 */
export function parseDefaultRoutes(text: string): DefaultRoute[] {
  const [head = '', ...lines] = text.split('\n');
  if (!/^Iface\s+Destination\s+Gateway\s/.test(head.slice(0, 200))) {
    throw new Refused(`${quote(head)} is not the head of /proc/net/route`, 1);
  }
  return lines
    .flatMap((line, index): DefaultRoute[] => {
      if (line.trim() === '') return [];
      // Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
      const [device = '', destination, , flags = '', , , metric = '', mask] = line.trim().split(/[ \t]+/, 8);
      if (!/^[0-9A-Fa-f]{1,8}$/.test(flags) || !/^[0-9]{1,10}$/.test(metric) || mask === undefined) {
        throw new Refused(`${quote(line)} is not a line of /proc/net/route`, index + 2);
      }
      const everywhere = destination === '00000000' && mask === '00000000' && (Number(`0x${flags}`) & REJECT) === 0;
      return everywhere ? [{ device, metric: Number(metric) }] : [];
    })
    .sort((one, other) => one.metric - other.metric);
}
