/**
 * Files of somebody's own that the firewall loads, and what they do with the SIP
 * helper. One that is part of fw4's own transaction (/etc/nftables.d,
 * /usr/share/nftables.d, `config include` of type nftables) takes the whole
 * ruleset down with it when the helper cannot be created any more.
 */
import type { Host, Reading } from '../host/host.ts';
import type { FirewallUci, IncludeUse } from './facts.ts';
import type { Firewall } from './firewall.ts';
import { expand, orNone, Unreadable } from './include-files.ts';
import { present } from './reading.ts';

const CHAIN_PLACES = ['chain-pre', 'chain-post'];
const RULESET_PLACES = ['ruleset-pre', 'ruleset-post', 'table-pre', 'table-post'];

/** Files of nft's that fw4 makes part of its own transaction. @throws Unreadable */
export async function nftSources(host: Host, uci: FirewallUci): Promise<string[]> {
  const patterns = ['/etc/nftables.d/*.nft', ...uci.includes.filter(({ type }) => type === 'nftables').map(({ path }) => path)];
  if (uci.autoIncludes) {
    const shared = '/usr/share/nftables.d';
    patterns.push(...RULESET_PLACES.map((place) => `${shared}/${place}/*.nft`));
    for (const place of CHAIN_PLACES) {
      for (const chain of orNone(await host.list(`${shared}/${place}`))) patterns.push(`${shared}/${place}/${chain}/*.nft`);
    }
  }
  return (await Promise.all(patterns.map((pattern) => expand(host, pattern)))).flat();
}

export async function observeIncludes(host: Host, firewall: Firewall, uci: FirewallUci): Promise<Reading<IncludeUse[]>> {
  try {
    const sources = firewall === 'fw4' ? await nftSources(host, uci) : [];
    const paths = [...sources, ...uci.includes.map(({ path }) => path)];
    const kinds = await Promise.all(paths.map((path) => host.kind(path)));
    const source = 'the files the firewall includes';
    // What reads them is loaded where somebody has written something of their own.
    if (kinds.every(({ state }) => state === 'absent')) return present(source, []);
    return present(source, await (await import('./include-uses.ts')).usesIn(host, sources, uci));
  } catch (error) {
    if (error instanceof Unreadable) return { state: 'failed', source: error.source, because: error.message };
    throw error;
  }
}
