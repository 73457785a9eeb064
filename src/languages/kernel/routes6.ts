/** The IPv6 routes of a network namespace: `/proc/net/ipv6_route` (net/ipv6/route.c, `rt6_seq_show`). */

/** RTF_REJECT of linux/route.h: a route that leads nowhere. */
const REJECT = 0x200;

/** The devices of its ways to everywhere, of each that is not a reject. */
export function parseDefaultRoutes6(text: string): string[] {
  return [...text.matchAll(/^0{32} 00 0{32} 00 \S+ \S+ \S+ \S+ (\S+)\s+(\S+)$/gm)].flatMap(([, flags = '', device = '']) =>
    device === 'lo' || (parseInt(flags, 16) & REJECT) !== 0 ? [] : [device],
  );
}
