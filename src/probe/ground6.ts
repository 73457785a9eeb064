/** Where a test can be made over IPv6: a free address in a network of the LAN, and the way it has to the internet. It only looks. */
import type { Host, HostAddress } from '../host/host.ts';
import { orElse } from '../observe/reading.ts';
import { parseDefaultRoutes6 } from '../languages/kernel/routes6.ts';
import { addressBytes } from './packet.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** For documentation (RFC 3849): nobody has it, and nothing is sent there. */
export const PROVIDER6 = '2001:db8::33';

export interface Ground6 {
  /** The router's own address that the phone asks for, and the phone's. */
  readonly router: string;
  readonly phone: string;
  /** The device a packet of the phone's leaves by; and others that have a default route. */
  readonly way: string;
  readonly more: readonly string[];
}

/** Both addresses are the same one, however they are written. */
export const isSame = (one: string, other: string): boolean => addressBytes(one).join() === addressBytes(other).join();

const groups = (address: string): string[] => {
  const bytes = addressBytes(address);
  return Array.from({ length: 8 }, (_, at) => ((bytes[at * 2]! << 8) | bytes[at * 2 + 1]!).toString(16));
};

/** Reachable everywhere (2000::/3), then of the house alone (fc00::/7); the rest leads to no internet. */
const rank = (address: string): number => (/^[23]/.test(address) ? 0 : /^f[cd]/i.test(address) ? 1 : 2);

/** @param device the LAN's @returns the end of a sentence where there is none */
export async function ground6Of(host: Host, device: string, wans: readonly string[]): Promise<Ground6 | { because: Said }> {
  const own = host.addresses().filter((one) => one.family === 'ipv6');
  const inside = own.filter((one) => one.device === device && one.prefix <= 64 && rank(one.address) < 2);
  if (inside.length === 0)
    return { because: say('ground6-none', '{device} has no address of IPv6 that leads further than itself', { device }) };
  const [neighbours, leases, routes] = await Promise.all([
    host.run(['ip', '-6', 'neigh', 'show', 'dev', device]),
    host.read('/tmp/odhcpd.leases'),
    host.read('/proc/net/ipv6_route', { select: { holding: [`${'0'.repeat(32)} 00 `] } }),
  ]);
  const known = `${neighbours.state === 'exited' ? neighbours.stdout : ''}\n${orElse(leases, '')}`;
  const taken = new Set(
    [...(known.match(/[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}/gi) ?? []), ...own.map(({ address }) => address)]
      .filter((text) => (text.includes('::') ? text.split(':').length <= 8 : text.split(':').length === 8))
      .map((text) => addressBytes(text).join()),
  );
  let refused = '';
  for (const { address: router } of [...inside].sort((one: HostAddress, other) => rank(one.address) - rank(other.address))) {
    // Short, for it has to fit in what old kernels write and record of a message; below what odhcpd gives by itself (100 and up).
    const prefix = groups(router).slice(0, 4).join(':');
    const phone = ['be', 'bf', 'bd', 'bc'].map((last) => `${prefix}::${last}`).find((one) => !taken.has(addressBytes(one).join()));
    if (phone === undefined) continue;
    // Sources may have ways of their own: the prefix of one line goes out by that line alone.
    const asked = await host.run(['ip', '-6', 'route', 'get', PROVIDER6, 'from', phone, 'iif', device]);
    const way = asked.state === 'exited' && asked.code === 0 ? / dev (\S+)/.exec(asked.stdout)?.[1] : undefined;
    if (way !== undefined && way !== 'lo' && !/^(unreachable|prohibit|blackhole)/.test(asked.state === 'exited' ? asked.stdout : ''))
      return wans.includes(way)
        ? { router, phone, way, more: parseDefaultRoutes6(orElse(routes, '')).filter((one) => one !== way && wans.includes(one)) }
        : { because: say('ground6-way', 'it goes by {device}, which is no device towards the internet', { device: way }) };
    refused = phone;
  }
  return refused === ''
    ? { because: say('ground6-taken', 'no address is free in the networks of {device}', { device }) }
    : { because: say('ground6-no-internet', 'there is no IPv6 towards the internet here') };
}
