/**
 * Addresses of devices that are up and have no carrier, which getifaddrs(3) tells and Node's `os.networkInterfaces()` leaves
 * out (libuv takes devices that are RUNNING alone): of IPv4 from `/proc/net/fib_trie` and `/proc/net/route`, whose routes such a
 * device keeps (net/ipv4/fib_trie.c), of IPv6 from `/proc/net/if_inet6` (net/ipv6/addrconf.c, if6_seq_show).
 */
import { writeIpv6 } from '../address/prefixes.ts';
import { parseRoutes } from './routes.ts';

export interface DeviceAddress {
  device: string;
  family: 'ipv4' | 'ipv6';
  address: string;
  prefix: number;
}

const numberOf = (address: string): number => address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/** Lines of fib_trie that `addresses4` needs. */
export const LOCAL = ['|-- ', 'LOCAL'] as const;

/**
 * IPv4 addresses whose device is told by the route to their own network.
 * @param trie /proc/net/fib_trie @param route /proc/net/route
 * @throws Refused where the latter is none
 */
export function addresses4(trie: string, route: string): DeviceAddress[] {
  const routes = parseRoutes(route)
    .filter(({ mask }) => mask !== 0)
    .sort((one, other) => other.mask - one.mask || one.metric - other.metric);
  const local = new Set([...trie.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address));
  return [...local].flatMap((address): DeviceAddress[] => {
    const own = routes.find(({ network, mask }) => (numberOf(address) & mask) >>> 0 === (network & mask) >>> 0);
    return own === undefined
      ? []
      : [{ device: own.device, family: 'ipv4', address, prefix: 32 - Math.round(Math.log2(2 ** 32 - own.mask)) }];
  });
}

/** @param text /proc/net/if_inet6: address, number of the device, length of the prefix, scope and flags in hex, then the device */
export function addresses6(text: string): DeviceAddress[] {
  return [...text.matchAll(/^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]{1,2}) [0-9a-f]+ [0-9a-f]+ +(\S+)$/gm)].map(
    ([, digits = '', length = '', device = '']): DeviceAddress => ({
      device,
      family: 'ipv6',
      address: writeIpv6(digits),
      prefix: parseInt(length, 16),
    }),
  );
}
