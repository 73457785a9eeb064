/** What of the firewall's own rules and sets is ours: those for calls that providers may open. */
import type { Host, Reading } from '../../host/host.ts';
import type { Facts } from '../../observe/facts.ts';
import { answered, orElse, understood } from '../../observe/reading.ts';
import { parseUci } from '../../languages/uci/parse.ts';
import { networksOf } from '../digest.ts';
import type { Networks } from '../digest.ts';
import type { InboundSeen, PolicyFacts } from '../facts.ts';
import { INBOUND_SET, isInbound, LOADFILE } from '../own.ts';
import { inFrontOf } from './front.ts';
import { heldBy } from './nft.ts';

/** What our rules are called in a listing of nft, or in saved rules. */
export const titlesIn = (listing: string): string[] =>
  [...new Set([...listing.matchAll(/"!fw[34]: (sipalg: [^"]*)"/g)].map(([, title]) => title as string))].sort();

/** What a set of fw4's or of ipset holds; null where it is not there. */
async function heldIn(host: Host, nft: boolean, name: string): Promise<Networks | null> {
  if (!nft) {
    const saved = answered(await host.run(['ipset', 'save', name]));
    return saved.state === 'present' ? networksOf([...saved.value.matchAll(/^add \S+ (\S+)/gm)].map(([, network = '']) => network)) : null;
  }
  const listed = answered(await host.run(['nft', '-j', 'list', 'set', 'inet', 'fw4', name]));
  if (listed.state !== 'present') return null;
  try {
    const { nftables } = JSON.parse(listed.value) as { nftables?: { set?: { elem?: unknown[] } }[] };
    return heldBy(nftables?.find(({ set }) => set !== undefined)?.set?.elem ?? []);
  } catch {
    return { stretches: 0, digest: null }; // Not understood is no network of a provider's.
  }
}

/** Names of our sets that the firewall has. */
async function setsIn(host: Host, nft: boolean, listing: string): Promise<string[]> {
  const names = nft
    ? [...listing.matchAll(/^\tset (\S+) \{$/gm)].map(([, name = '']) => name)
    : orElse(answered(await host.run(['ipset', 'list', '-n'])), '').split('\n');
  return names.filter((name) => INBOUND_SET.test(name));
}

/**
 * Looks at the firewall's part of it, and reads the files its sets are loaded from. Never throws.
 * @param policy with everything else known already
 */
export async function observeInbound(
  host: Host,
  facts: Facts,
  policy: PolicyFacts,
): Promise<{ inbound: InboundSeen | null; files: Record<string, Reading<string>> }> {
  const { uci } = facts.firewall;
  const own = uci.state === 'present' && parseUci(uci.value.text).sections.some(isInbound);
  const paths = orElse(await host.list('/etc'), [])
    .filter((name) => LOADFILE.test(name))
    .map((name) => `/etc/${name}`);
  const wished = policy.wanted && policy.wish.providers.some(({ inbound }) => inbound !== null);
  if (!wished && !own && paths.length === 0) return { inbound: null, files: {} };
  const files = Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await host.read(path)] as const)));
  const nft = policy.backend === 'nft';
  const listings = await Promise.all(
    (nft
      ? [['nft', '-t', 'list', 'table', 'inet', 'fw4']]
      : (['ipv4', 'ipv6'] as const).flatMap((family) => {
          const seen = policy.iptables?.[family];
          return seen?.state === 'present' ? [[seen.value.restore.replace(/restore$/, 'save')]] : [];
        })
    ).map(async (argv) => answered(await host.run(argv))),
  );
  const listing = listings.map((one) => orElse(one, '')).join('');
  const sets: InboundSeen['sets'] = [];
  for (const name of await setsIn(host, nft, listing)) {
    const networks = await heldIn(host, nft, name);
    if (networks !== null) sets.push({ name, networks });
  }
  // Only IPv4's are translated on their way in.
  const [first] = listings;
  const front = first === undefined ? {} : { front: understood(first, (text) => inFrontOf(text, nft, orElse(policy.wan, []))) };
  return { inbound: { titles: titlesIn(listing), sets, ...front }, files };
}
