/** The devices by which the internet is reached, as the routes stand now. */
import type { Host } from '../../host/host.ts';
import { parseDefaultRoutes } from '../../languages/kernel/routes.ts';
import { parseDefaultRoutes6 } from '../../languages/kernel/routes6.ts';
import { defaultRoutes } from '../wans.ts';

export interface WaysOut {
  readonly ipv4: ReadonlySet<string>;
  readonly ipv6: ReadonlySet<string>;
}

/** The main table's; none where there is no such route, or the file is not understood. */
function mainDevices(text: string): string[] {
  try {
    return parseDefaultRoutes(text).map(({ device }) => device);
  } catch {
    return []; // as if there were none, which the caller says
  }
}

/**
 * Devices that a default route leads through. Those of IPv4's main table come first, then those of other tables, by which rules of
 * routing (mwan3, pbr, netifd's tables) send what they like; /proc/net/ipv6_route shows every table (net/ipv6/ip6_fib.c).
 */
export async function waysOut(host: Host): Promise<WaysOut> {
  const [routes, routes6, every] = await Promise.all([
    host.read('/proc/net/route'),
    host.read('/proc/net/ipv6_route', { select: { holding: [`${'0'.repeat(32)} 00 `] } }),
    defaultRoutes(host),
  ]);
  return {
    ipv4: new Set([...(routes.state === 'present' ? mainDevices(routes.value) : []), ...every.hops.keys()]),
    ipv6: new Set(routes6.state === 'present' ? parseDefaultRoutes6(routes6.value) : []),
  };
}
