/** Addresses behind this router, at which no provider is, whatever a name server says. */
import type { Host } from '../../host/host.ts';
import { lastOf } from '../../languages/address/prefix-sets.ts';
import { readPrefix } from '../../languages/address/prefixes.ts';
import type { Prefix } from '../../languages/address/prefixes.ts';
import { FIREWALL_CONFIG, firewallFacts } from '../../observe/firewall.ts';
import { understood } from '../../observe/reading.ts';
import { observeSystem, observeWan } from '../../observe/system.ts';
import { observeWays } from '../../observe/wan.ts';
import type { Ways } from '../../observe/wan.ts';

/**
 * Networks behind the router, those that are down now among them. None where no device is known to lead to the internet: then
 * nobody can tell which side a network is on, and nothing is opened either.
 */
export function insideOf({ wan, lan, down = [] }: Ways): Prefix[] {
  if (wan.state !== 'present') return [];
  return [...lan.map(({ address, prefix }) => `${address}/${prefix}`), ...down.flatMap(({ addresses }) => addresses)].flatMap((text) => {
    const read = readPrefix(text);
    return 'wrong' in read ? [] : [read];
  });
}

export function isInside(inside: readonly Prefix[], address: string): boolean {
  const read = readPrefix(address);
  return !('wrong' in read) && inside.some((one) => one.family === read.family && one.bits <= read.bits && read.bits <= lastOf(one));
}

/** The same, looked at by itself: names are asked for between two looks. Never throws. */
export async function observeInside(host: Host): Promise<Prefix[]> {
  const [system, wan, text] = await Promise.all([observeSystem(host), observeWan(host), host.read(FIREWALL_CONFIG)]);
  const { firewall } = system;
  if (firewall.state !== 'present') return [];
  const none = { state: 'absent', source: '' } as const;
  const uci = understood(text, (value) => firewallFacts(value, firewall.value, []));
  return insideOf(await observeWays(host, { system, wan, nft: none, firewall: { uci, definitions: none, includes: none } }));
}
