/** What of the firewall's own rules and sets is ours: those for calls that providers may open. */
import type { Host, Reading } from '../../host/host.ts';
import type { Facts } from '../../observe/facts.ts';
import { answered, orElse, present, understood } from '../../observe/reading.ts';
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

/** A set of fw4's or of ipset; null where it is not there any more. */
async function heldIn(host: Host, nft: boolean, name: string): Promise<Reading<Networks>> {
  if (!nft)
    return understood(answered(await host.run(['ipset', 'save', name])), (saved) =>
      networksOf([...saved.matchAll(/^add \S+ (\S+)/gm)].map(([, network = '']) => network)),
    );
  return understood(answered(await host.run(['nft', '-j', 'list', 'set', 'inet', 'fw4', name])), (listed) => {
    try {
      const { nftables } = JSON.parse(listed) as { nftables?: { set?: { elem?: unknown[] } }[] };
      return heldBy(nftables?.find(({ set }) => set !== undefined)?.set?.elem ?? []);
    } catch {
      return { stretches: 0, digest: null }; // Not understood is no network of a provider's.
    }
  });
}

/** What lists the firewall's rules. A firewall that is stopped has none. */
function listings(facts: Facts, policy: PolicyFacts): { ask: string[][]; failed: Reading<never>[] } {
  if (policy.backend === 'nft') {
    if (facts.nft.state === 'failed') return { ask: [], failed: [facts.nft] };
    return { ask: orElse(facts.nft, null)?.tables.includes('inet fw4') ? [['nft', '-t', 'list', 'table', 'inet', 'fw4']] : [], failed: [] };
  }
  const families = [policy.iptables?.ipv4, policy.iptables?.ipv6].filter((family) => family !== undefined);
  return {
    ask: families.flatMap((seen) => (seen.state === 'present' ? [[seen.value.restore.replace(/restore$/, 'save')]] : [])),
    failed: families.filter((family) => family.state === 'failed'),
  };
}

/** Names of our sets that the firewall has. */
async function setsIn(host: Host, nft: boolean, listing: string): Promise<Reading<string[]>> {
  const ours = (names: readonly string[]): string[] => names.filter((name) => INBOUND_SET.test(name));
  if (nft) return present('', ours([...listing.matchAll(/^\tset (\S+) \{$/gm)].map(([, name = '']) => name)));
  return understood(answered(await host.run(['ipset', 'list', '-n'])), (names) => ours(names.split('\n')));
}

/**
 * Looks at the firewall's part of it, whatever is wished: a run that was killed may have left rules in force that nothing else
 * tells of any more. Reads the files its sets are loaded from. Never throws.
 * @param policy with everything else known already
 */
export async function observeInbound(
  host: Host,
  facts: Facts,
  policy: PolicyFacts,
): Promise<{ inbound: InboundSeen | null; files: Record<string, Reading<string>> }> {
  const { uci } = facts.firewall;
  const own = uci.state === 'present' && parseUci(uci.value.text).sections.some(isInbound);
  const folder = await host.list('/etc');
  const paths = orElse(folder, [])
    .filter((name) => LOADFILE.test(name))
    .map((name) => `/etc/${name}`);
  const wished = policy.wanted && policy.wish.providers.some(({ inbound }) => inbound !== null);
  const files = Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await host.read(path)] as const)));
  const nft = policy.backend === 'nft';
  const { ask, failed } = listings(facts, policy);
  const listed = await Promise.all(ask.map(async (argv) => answered(await host.run(argv))));
  const listing = listed.map((one) => orElse(one, '')).join('');
  const names = await setsIn(host, nft, listing);
  const held = await Promise.all(orElse(names, []).map(async (name) => ({ name, networks: await heldIn(host, nft, name) })));
  const unread = [folder, ...failed, ...listed, names, ...held.map(({ networks }) => networks)].flatMap((one) =>
    one.state === 'failed' ? [`${one.source} could not be read: ${one.because}`] : [],
  );
  const titles = titlesIn(listing);
  const sets = held.flatMap(({ name, networks }) => (networks.state === 'present' ? [{ name, networks: networks.value }] : []));
  // Only IPv4's are translated on their way in.
  const [first] = listed;
  const front = first === undefined ? {} : { front: understood(first, (text) => inFrontOf(text, nft, orElse(policy.wan, []))) };
  if (!wished && !own && [paths, titles, sets, unread].every(({ length }) => length === 0)) return { inbound: null, files: {} };
  return { inbound: { titles, sets, ...(unread.length > 0 ? { unread } : {}), ...front }, files };
}
