/** Rules of iptables that are there and that nothing installed on this router shows: they have failed, and are not absent. */
import type { Reading } from '../host/host.ts';
import type { IptablesFacts } from './facts.ts';

/**
 * What is said of legacy tables that no tool here shows: the nft flavour's tools pass them over in silence. Only the raw
 * table can set a helper; null where it is not there.
 */
export function unseenTable(family: string, tables: Reading<string[]>): Reading<IptablesFacts> | null {
  if (tables.state === 'absent' || (tables.state === 'present' && !tables.value.includes('raw'))) return null;
  const because =
    tables.state === 'failed'
      ? tables.because
      : `the kernel holds a table raw of the legacy flavour of ${family}, which nothing installed here shows; install iptables-zz-legacy`;
  return { state: 'failed', source: tables.source, because };
}

/** What is said of rules of the nft flavour that no tool here shows: nft itself knows of their target CT only that it is there. */
export function unseenTargets(family: string, targets: readonly string[]): Reading<IptablesFacts>[] {
  const of = family === 'iptables' ? 'ip' : 'ip6';
  if (!targets.includes(of)) return [];
  const because = `a rule in it has the target CT of ${family}, which may set a helper and which nothing installed here shows`;
  return [{ state: 'failed', source: `table ${of} raw`, because: `${because}; install ${family}-nft` }];
}
