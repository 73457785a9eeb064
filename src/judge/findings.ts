/**
 * The findings: one table. A row looks for its evidence and says it in a
 * sentence. A row whose cause already speaks (`dependsOn`) stays silent.
 */
import type { Reading } from '../host/host.ts';
import type { Facts } from '../observe/facts.ts';
import { finding } from './evidence.ts';
import { LIVE } from './findings-live.ts';
import { WRITTEN } from './findings-written.ts';
import type { Need, Row } from './row.ts';
import type { Finding } from './verdict.ts';

export { ASSIGNED } from './findings-live.ts';

export const FINDINGS: readonly Row[] = [...LIVE, ...WRITTEN];

const NEEDED: Record<Need, (facts: Facts) => Reading<unknown>> = {
  tracker: ({ modules }) => modules.tracker,
  rewriter: ({ modules }) => modules.rewriter,
  nft: ({ nft }) => nft,
  uci: ({ firewall }) => firewall.uci,
  includes: ({ firewall }) => firewall.includes,
  autoload: ({ boot }) => boot.autoload,
  blacklist: ({ boot }) => boot.blacklist,
  flows: ({ flows }) => flows,
  expectations: ({ expectations }) => expectations,
  drops: ({ drops }) => drops,
  journal: ({ journal }) => journal,
};

/**
 * Every finding that the facts bear out, in the table's order.
 * @param more findings of the voice rules, which stand before what is wrong with the wish
 */
export function findingsOf(facts: Facts, more: readonly Finding[]): Finding[] {
  const speaking = FINDINGS.flatMap((row) => {
    if (!row.needs.every((need) => NEEDED[need](facts).state === 'present')) return [];
    const evidence = row.evidence(facts);
    return evidence === null ? [] : [{ row, evidence }];
  });
  const codes = new Set(speaking.map(({ row }) => row.code));
  const findings = speaking
    .filter(({ row }) => !row.dependsOn.some((code) => codes.has(code)))
    .map(({ row, evidence }) => finding(row.code, row.weight, row.text(facts, evidence), evidence));
  findings.push(...more);
  for (const problem of facts.wish.problems)
    findings.push(finding('wish-problem', 'trouble', { ...problem, code: problem.code ?? 'wish-problem' }, [facts.wish.text.source]));
  return findings;
}
