/**
 * Where rules that set the helper come from. One that the firewall has not written itself has an owner, who may put it
 * back: what a script says shows only so much, and a load of the firewall shows the rest. What such a load has shown is
 * kept in the journal, for as long as nothing that decides it has changed.
 */
import { withoutCounters } from '../languages/nft/listing.ts';
import type { Facts } from '../observe/facts.ts';
import { assignmentsOf, fingerprint, isBlocked, moduleIn } from './questions.ts';

/** The firewalls' own mark (fw4's templates, fw3's comments). */
const OWN = /comment "!fw[34]: /;

/** Rules that are in force or were taken, and that neither the firewall has written nor any file that was read explains. */
export function unexplainedRules(facts: Facts): string[] {
  const uses = facts.firewall.includes.state === 'present' ? facts.firewall.includes.value : [];
  const taken = facts.journal.state === 'present' ? facts.journal.value.taken : [];
  const now = assignmentsOf(facts);
  const nft = [
    ...now.nft.map(({ family, table, chain, rule, comment }) => ({
      place: `${family} ${table} ${chain}`,
      rule: rule === null ? `ct helper set${comment === null ? '' : ` comment "${comment}"`}` : withoutCounters(rule),
    })),
    ...taken.flatMap((entry) =>
      entry.kind === 'nft'
        ? entry.rules.map(({ family, table, chain, rule }) => ({ place: `${family} ${table} ${chain}`, rule: withoutCounters(rule) }))
        : [],
    ),
  ];
  const iptables = [
    ...now.iptables.map(({ rule: { table, chain, rule } }) => ({ place: `iptables ${table} ${chain}`, rule })),
    ...taken.flatMap((entry) =>
      entry.kind === 'iptables' ? entry.rules.map(({ table, chain, rule }) => ({ place: `iptables ${table} ${chain}`, rule })) : [],
    ),
  ];
  const byNft = uses.some(({ kind }) => kind !== 'declares');
  const byIptables = uses.some(({ kind }) => kind === 'runs');
  const lost = [
    ...nft.filter(({ place, rule }) => !byNft && !(place.startsWith('inet fw4 ') && OWN.test(rule))),
    ...iptables.filter(({ rule }) => !byIptables && !OWN.test(rule)),
  ];
  return [...new Set(lost.map(({ place, rule }) => `${place}: ${rule}`))];
}

/** What a load of the firewall has shown of such rules: true, they came back; false, they did not; null: none has shown it. */
export function cameBack(facts: Facts): boolean | null {
  const shown = facts.journal.state === 'present' ? (facts.journal.value.shown ?? null) : null;
  return shown !== null && shown.of === fingerprint(facts) ? shown.back : null;
}

/** Whether a rule that somebody puts back would work: the module is there, or the kernel loads it for the rule. */
export function mayComeBack(facts: Facts): boolean {
  const tracker = moduleIn(facts, 'tracker');
  return tracker !== null && tracker.state !== 'not there' && !isBlocked(facts);
}

/** Whether only a load of the firewall can show that the ALG stays away. */
export function isUnshown(facts: Facts): boolean {
  const scripts = facts.firewall.includes.state === 'present' && facts.firewall.includes.value.some(({ kind }) => kind === 'runs');
  return (scripts || unexplainedRules(facts).length > 0) && cameBack(facts) === null;
}
