/**
 * SIP flows whose answers cannot come back: they go to an address that the
 * router no longer has, or the flow left untranslated and nobody answered it
 * (it began before the firewall knew the WAN's new device). A phone that retries
 * from the same port keeps such a flow alive, and registers nowhere.
 *
 * IPv4 alone: an address of IPv6 is the phone's own.
 */
import type { Host } from '../host/host.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { parseRoutes, wayTo } from '../languages/kernel/routes.ts';
import { orElse, understood } from './reading.ts';

/** Not to be met on the internet: RFC 6890, and multicast. */
const NOT_PUBLIC = /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|2[2-5]\d)\./;

export const isPublic = (address: string): boolean => !NOT_PUBLIC.test(address);

/** The address that a translated flow has the router by; null for one that is not translated. */
function routersAddress({ original, reply }: Flow): string | null {
  if (reply.dst !== original.src) return reply.dst;
  return reply.src !== original.dst && isPublic(original.src) ? original.dst : null;
}

function isUntranslated({ original, reply, flags }: Flow): boolean {
  return (
    reply.dst === original.src
    && reply.src === original.dst
    && flags.includes('UNREPLIED')
    && !isPublic(original.src)
    && isPublic(original.dst)
  );
}

/**
 * Every address of this machine, of devices without a carrier too
 * (/proc/net/fib_trie, net/ipv4/fib_trie.c: a leaf, then what is routed by it).
 */
async function ownAddresses(host: Host): Promise<Set<string>> {
  const trie = orElse(await host.read('/proc/net/fib_trie', { select: { holding: ['|-- ', 'LOCAL'] } }), '');
  return new Set([...trie.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)].map(([, address]) => address as string));
}

/**
 * The stale ones of these flows, each with the router's former address; '' for one
 * that is not translated. None where the router's addresses could not be read.
 */
export async function staleAmong(host: Host, flows: readonly Flow[]): Promise<{ flow: Flow; lost: string; device: string | null }[]> {
  const suspects = flows
    .filter(({ family }) => family === 'ipv4')
    .flatMap((flow) => {
      const lost = routersAddress(flow) ?? (isUntranslated(flow) ? '' : null);
      return lost === null ? [] : [{ flow, lost }];
    });
  if (suspects.length === 0) return [];
  const own = await ownAddresses(host);
  if (own.size === 0) return [];
  const routes = orElse(understood(await host.read('/proc/net/route'), parseRoutes), []);
  return suspects
    .filter(({ lost }) => !own.has(lost))
    .map((suspect) => ({ ...suspect, device: suspect.lost === '' ? wayTo(routes, suspect.flow.original.dst) : null }));
}
