/** The IPv6 routes of a network namespace: `/proc/net/ipv6_route` (net/ipv6/route.c, `rt6_seq_show`). */

/** RTF_REJECT of linux/route.h: a route that leads nowhere. */
const REJECT = 0x200;

/**
 * The devices of its ways to everywhere, of each that is not a reject; also those that hold for one source alone, as a provider's
 * router gives them with a prefix (RFC 8678, and netifd's `sourcefilter`, which is on).
 */
export function parseDefaultRoutes6(text: string): string[] {
  return [...text.matchAll(/^0{32} 00 [\da-f]{32} [\da-f]{2} \S+ \S+ \S+ \S+ (\S+)\s+(\S+)$/gm)].flatMap(([, flags = '', device = '']) =>
    device === 'lo' || (parseInt(flags, 16) & REJECT) !== 0 ? [] : [device],
  );
}
