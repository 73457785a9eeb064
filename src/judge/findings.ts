/**
 * The findings: one table. A row looks for its evidence and says it in a
 * sentence. A row whose cause already speaks (`dependsOn`) stays silent.
 */
import { shown } from './evidence.ts';
import type { Reading } from '../host/host.ts';
import type { Facts, FlowFact, IptablesAssignment, NftAssignment } from '../observe/facts.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';
import { cameBack, unexplainedRules } from './origin.ts';
import {
  assigners,
  assignmentsOf,
  canBlock,
  flowsBeyond,
  flowsUnder,
  inKernel,
  includesThatNeedHelper,
  isBlocked,
  isWatchedOnly,
  moduleIn,
  otherHolders,
  place,
  sectionPlace,
  staleFlows,
  unread,
} from './questions.ts';
import type { Finding, Weight } from './verdict.ts';

/** The readings a row needs; without them it is silent. */
type Need = 'tracker' | 'rewriter' | 'nft' | 'uci' | 'includes' | 'autoload' | 'blacklist' | 'flows' | 'expectations' | 'drops' | 'journal';

interface Row {
  code: string;
  weight: Weight;
  needs: readonly Need[];
  dependsOn: readonly string[];
  /** What speaks for it; null when it is not so. An empty list speaks, without more to show. */
  evidence(facts: Facts): string[] | null;
  text(facts: Facts, evidence: readonly string[]): string;
}

function read<T>(reading: Reading<T>): T | null {
  return reading.state === 'present' ? reading.value : null;
}

function some(list: readonly string[]): string[] | null {
  return list.length === 0 ? null : [...list];
}

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;

const assignersOf = (facts: Facts, kind: ReturnType<typeof assigners>[number]['kind']): string[] =>
  assigners(facts)
    .filter((one) => one.kind === kind)
    .map(({ where }) => where);

const flowText = ({ flows }: Facts, { protocol, source, sourcePort, destination, destinationPort }: FlowFact): string =>
  `${flows.source}: ${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`;

const nftText = ({ family, table, chain, handle, rule, map }: NftAssignment): string =>
  `${family} ${table} ${chain} handle ${handle}: ${rule ?? 'ct helper set'}${map ? ` (map ${map.name}: ${map.elements.join(', ')})` : ''}`;

const iptablesText = (source: string, { table, chain, position, rule }: IptablesAssignment): string =>
  `${source}: table ${table}, chain ${chain}, rule ${position}: ${rule}`;

/** A row, written short: the table is read as a table. */
function row(
  code: string,
  weight: Weight,
  needs: readonly Need[],
  dependsOn: readonly string[],
  evidence: Row['evidence'],
  text: Row['text'],
): Row {
  return { code, weight, needs, dependsOn, evidence, text };
}

/** Findings that mean that the helper is set on flows, by rule or by fact. */
export const ASSIGNED: readonly string[] = [
  'nft-assignment',
  'iptables-assignment',
  'automatic-helper',
  'flow-under-helper',
  'pinhole-open',
];

export const FINDINGS: readonly Row[] = [
  row(
    'nft-assignment',
    'alarm',
    ['nft'],
    [],
    (facts) => some(assignmentsOf(facts).nft.map(nftText)),
    (_facts, evidence) => `nftables puts flows under the SIP helper in ${count(evidence.length, 'rule')}.`,
  ),
  row(
    'iptables-assignment',
    'alarm',
    [],
    [],
    (facts) => some(assignmentsOf(facts).iptables.map(({ source, rule }) => iptablesText(source, rule))),
    (_facts, evidence) => `iptables puts flows under the SIP helper in ${count(evidence.length, 'rule')}.`,
  ),
  row(
    'automatic-helper',
    'alarm',
    [],
    [],
    (facts) =>
      (read(facts.automatic) ?? 0) !== 0 && inKernel(facts, 'tracker') === true
        ? [`${facts.automatic.source} is ${read(facts.automatic)}`]
        : null,
    () => 'The kernel puts every flow on port 5060 under the SIP helper by itself.',
  ),
  row(
    'flow-under-helper',
    'alarm',
    ['flows'],
    [],
    (facts) => some(shown(flowsUnder(facts).map((flow) => `${flowText(facts, flow)}, ${flow.timeout} s left`))),
    (facts) => {
      const number = flowsUnder(facts).length + flowsBeyond(facts);
      return read(facts.flows)?.certain
        ? `${count(number, 'live flow')} ${number === 1 ? 'is' : 'are'} under the SIP helper.`
        : `${count(number, 'UDP flow')} on port 5060 ${number === 1 ? 'lives' : 'live'} longer than a plain flow may, as only the SIP helper makes them.`;
    },
  ),
  row(
    'flow-stale',
    'risk',
    [],
    [],
    (facts) =>
      some(
        shown(
          staleFlows(facts).map(
            (flow) => `${flowText(facts, flow)}, ${flow.lost === '' ? 'not translated' : `answers go to ${flow.lost}`}`,
          ),
        ),
      ),
    (facts) =>
      `${count(staleFlows(facts).length, 'SIP flow')} began before the address of the WAN changed, and no answer comes back: the phone registers nowhere and is not called.`,
  ),
  row(
    'pinhole-open',
    'alarm',
    ['expectations'],
    [],
    (facts) =>
      some(
        shown(
          (read(facts.expectations) ?? []).map(
            (one) =>
              `${one.class ?? 'sip'}: ${one.source} may reach ${one.destination}:${one.destinationPort}${one.permanent ? ', permanently' : ''}`,
          ),
        ),
      ),
    (facts) => `The helper holds ${count(read(facts.expectations)?.length ?? 0, 'hole')} open in the firewall.`,
  ),
  row(
    'rewriter-missing',
    'alarm',
    ['tracker', 'rewriter'],
    [],
    (facts) =>
      inKernel(facts, 'tracker') === true
      && inKernel(facts, 'rewriter') === false
      && FINDINGS.some(({ code, evidence }) => ASSIGNED.includes(code) && evidence(facts) !== null)
        ? [facts.modules.rewriter.source]
        : null,
    () => `${REWRITER} is not in the kernel: nothing is edited, but the helper still drops messages and opens holes in the firewall.`,
  ),
  row(
    'not-translated',
    'note',
    ['tracker'],
    ['rewriter-missing'],
    (facts) =>
      inKernel(facts, 'tracker') === true
      && isWatchedOnly(facts)
      && FINDINGS.some(({ code, evidence }) => ASSIGNED.includes(code) && evidence(facts) !== null)
        ? [`no rule translates what leaves by ${read(facts.wan)?.device}`]
        : null,
    () =>
      'Nothing that leaves this router is translated here, so the helper edits nothing; it drops messages and opens holes all the same.',
  ),
  row(
    'assignment-unreached',
    'note',
    [],
    [],
    (facts) =>
      some([
        ...(read(facts.nft)?.assignments ?? []).filter(({ reached }) => reached === false).map(nftText),
        ...facts.iptables.flatMap((reading) =>
          (read(reading)?.assignments ?? []).filter(({ reached }) => reached === false).map((rule) => iptablesText(reading.source, rule)),
        ),
      ]),
    (_facts, evidence) =>
      `${count(evidence.length, 'rule')} would set the SIP helper and ${evidence.length === 1 ? 'does' : 'do'} not: no packet comes there.`,
  ),
  row(
    'messages-dropped',
    'risk',
    ['drops'],
    [],
    (facts) =>
      some(
        (read(facts.drops) ?? []).map(
          (drop) =>
            `${drop.time === null ? '' : `${drop.time} s after boot: `}${drop.reason} (${drop.source ?? '?'} -> ${drop.destination ?? '?'}:${drop.destinationPort ?? '?'})`,
        ),
      ),
    (_facts, evidence) => `The kernel's log shows ${count(evidence.length, 'SIP message')} dropped by the helper.`,
  ),
  row(
    'nft-object',
    'note',
    ['nft'],
    ['nft-assignment'],
    (facts) =>
      some((read(facts.nft)?.helpers ?? []).map((one) => `ct helper ${one.family} ${one.table} ${one.name}, handle ${one.handle}`)),
    () => 'A SIP helper is declared in nftables and used by no rule; it keeps the module in the kernel.',
  ),
  row(
    'module-idle',
    'note',
    ['tracker'],
    ['nft-assignment', 'iptables-assignment', 'automatic-helper', 'flow-under-helper', 'module-built-in'],
    // "Nothing makes use of it" is said only by one who could look everywhere.
    (facts) =>
      moduleIn(facts, 'tracker')?.state === 'loaded' && unread(facts).length === 0 ? [`${TRACKER}: ${facts.modules.tracker.source}`] : null,
    () => `${TRACKER} is loaded, and nothing makes use of it now.`,
  ),
  row(
    'module-built-in',
    'note',
    ['tracker'],
    [],
    (facts) => (moduleIn(facts, 'tracker')?.state === 'built in' ? [facts.modules.tracker.source] : null),
    () => `${TRACKER} is part of this kernel and can not be unloaded or blacklisted; it acts only where a rule sets the helper.`,
  ),
  row(
    'module-held',
    'note',
    ['tracker'],
    [],
    (facts) => some(otherHolders(facts).map((holder) => `/sys/module/${TRACKER}, refcnt and holders: ${holder}`)),
    (facts) => `${otherHolders(facts).join(', ')} needs ${TRACKER}, which can not be unloaded while it is there.`,
  ),
  row(
    'firewall-would-fail',
    'trouble',
    ['uci', 'tracker'],
    [],
    (facts) =>
      inKernel(facts, 'tracker') === false && read(facts.system.firewall) === 'fw4' ? some(assignersOf(facts, 'set_helper rule')) : null,
    () =>
      "A rule sets the SIP helper, which is not in the kernel: fw4's whole ruleset is refused at the next reload or boot. `sipalg disable` switches the rule off.",
  ),
  row(
    'include-would-fail',
    'trouble',
    ['includes', 'tracker'],
    [],
    (facts) =>
      inKernel(facts, 'tracker') === false && isBlocked(facts)
        ? some(includesThatNeedHelper(facts).map((use) => `${place(use)}: ${use.text}`))
        : null,
    () =>
      "An include needs the SIP helper, which is blacklisted: fw4's whole ruleset is refused at the next reload or boot. Take these lines out; until then `sipalg apply` lets the modules in again.",
  ),
  row(
    'firewall-does-not-load',
    'trouble',
    [],
    ['firewall-would-fail', 'include-would-fail'],
    ({ firewall: { check } }) => (check?.state === 'present' && !check.value.loads ? [`${check.source}: ${check.value.because}`] : null),
    () =>
      'fw4 would not load the firewall of this router, with SIP or without: the rules of now are the last that were loaded, and the next boot comes up without a firewall. Mend what fw4 names.',
  ),
  row(
    'uci-set-helper',
    'risk',
    ['uci'],
    ['firewall-would-fail'],
    (facts) => some(assignersOf(facts, 'set_helper rule')),
    () => "A rule of /etc/config/firewall sets the SIP helper; without the module fw4's whole ruleset would be refused because of it.",
  ),
  row(
    'uci-list-helper',
    'risk',
    ['uci'],
    [],
    (facts) => some(assignersOf(facts, 'zone lists sip')),
    () => 'A zone of /etc/config/firewall lists the SIP helper.',
  ),
  row(
    'uci-automatic',
    'note',
    ['uci', 'tracker'],
    [],
    (facts) => (inKernel(facts, 'tracker') === true ? some(assignersOf(facts, 'zone automatic')) : null),
    () => 'A zone of /etc/config/firewall gets every helper there is, SIP among them.',
  ),
  row(
    'uci-forward',
    'note',
    ['uci'],
    [],
    (facts) => some((read(facts.firewall.uci)?.forwards ?? []).map(sectionPlace)),
    () =>
      'A port forward of 5060 gets a rule for the SIP helper by itself (fw3). No packet matches it: it asks in the raw table for a state that comes later.',
  ),
  row(
    'automatic-at-boot',
    'risk',
    [],
    [],
    (facts) => some(assignersOf(facts, 'sysctl')),
    () => 'At boot the kernel is told to put every flow on port 5060 under the SIP helper by itself.',
  ),
  row(
    'include-needs-helper',
    'trouble',
    ['includes', 'tracker'],
    [],
    (facts) => some(includesThatNeedHelper(facts).map((use) => `${place(use)}: ${use.text}`)),
    () =>
      'A hand-written include uses the SIP helper: with SIP blocked the firewall would not load at all. Take these lines out, then run `sipalg disable` again.',
  ),
  row(
    'script-sets-helper',
    'risk',
    ['includes'],
    [],
    (facts) => (cameBack(facts) === false ? null : some(assignersOf(facts, 'script'))),
    () =>
      'A script that the firewall runs sets the SIP helper; take the line out, or it comes back with every load while the module is there.',
  ),
  row(
    'assignment-unexplained',
    'risk',
    ['includes'],
    [],
    (facts) => (inKernel(facts, 'tracker') === true && cameBack(facts) === null ? some(unexplainedRules(facts)) : null),
    () =>
      'Rules that set the SIP helper came from somewhere that no file read here explains. Whether they come again is known once the firewall has been loaded without them.',
  ),
  row(
    'assignment-comes-back',
    'risk',
    ['includes'],
    [],
    (facts) => (cameBack(facts) === true ? some([...unexplainedRules(facts), ...assignersOf(facts, 'script')]) : null),
    () =>
      'Rules that set the SIP helper came back when the firewall was loaded: something puts them there. Take that away, then run `sipalg disable` again.',
  ),
  row(
    'autoload',
    'note',
    ['autoload'],
    ['blocked', 'module-built-in'],
    (facts) => some((read(facts.boot.autoload) ?? []).map((one) => `${place(one)}: ${one.module}`)),
    () => 'The SIP modules are loaded at every boot.',
  ),
  row(
    'half-blocked',
    'risk',
    ['blacklist'],
    ['blocked'],
    (facts) =>
      some(
        (read(facts.boot.blacklist)?.modules ?? [])
          .filter((name) => name === TRACKER || name === REWRITER)
          .map((name) => `/etc/modules.conf: blacklist ${name}`),
      ),
    (facts) =>
      canBlock(facts)
        ? 'Only one of the two SIP modules is blacklisted, and kmodloader loads what another module depends on all the same.'
        : "The SIP modules are blacklisted, but this release's kmodloader does not read the blacklist.",
  ),
  row(
    'blocked',
    'note',
    ['blacklist'],
    [],
    (facts) => (isBlocked(facts) ? [`/etc/modules.conf: blacklist ${TRACKER}, blacklist ${REWRITER}`] : null),
    () => 'Both SIP modules are blacklisted.',
  ),
  row(
    'modules-conf-dangerous',
    'trouble',
    ['blacklist'],
    [],
    (facts) =>
      some((read(facts.boot.blacklist)?.dangerous ?? []).map((one) => `/etc/modules.conf:${one.line}: ${one.text}: ${one.because}`)),
    () => 'A line of /etc/modules.conf has no documented form: a module loader that stumbles over it loads no module at boot.',
  ),
  row(
    'unfinished',
    'trouble',
    ['journal'],
    [],
    (facts) => (['taking', 'giving back'].includes(read(facts.journal)?.state ?? '') ? [facts.journal.source] : null),
    () => 'An earlier run of sipalg did not come to its end. `sipalg apply` or `sipalg enable` brings the router to a clean state.',
  ),
  row(
    'journal-unreadable',
    'trouble',
    [],
    [],
    ({ journal }) => (journal.state === 'failed' ? [`${journal.source}: ${journal.because}`] : null),
    () => 'What sipalg took away can not be read any more, so nothing of it can be given back.',
  ),
  row(
    'short-timeout',
    'risk',
    ['tracker'],
    [],
    (facts) => {
      const udp = read(facts.timeouts.udp);
      if (udp === null || facts.wish.wish.policy) return null;
      // The ALG keeps a registration's hole open for as long as it lasts (nf_conntrack_sip.c, refresh_signalling_expectation).
      const registered = Math.max(
        0,
        ...(read(facts.expectations) ?? []).map((one) => (one.permanent && one.class === 'signalling' ? (one.timeout ?? 0) : 0)),
      );
      const seen = registered > udp ? [`a phone is registered for ${registered} s more, as ${facts.expectations.source} shows`] : [];
      return seen.length > 0 || (udp < 120 && inKernel(facts, 'tracker') === false)
        ? [`${facts.timeouts.udp.source} is ${udp} s; RFC 4787 (REQ-5) asks for 120 s at least`, ...seen]
        : null;
    },
    () =>
      'Without the ALG a phone that says nothing is forgotten soon: calls may not arrive unless it sends keepalives. The voice firewall rules give it time: `uci set sipalg.main.policy=1 && uci commit sipalg && sipalg apply`.',
  ),
];

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
    .map(({ row, evidence }): Finding => ({ code: row.code, weight: row.weight, text: row.text(facts, evidence), evidence }));
  findings.push(...more);
  for (const problem of facts.wish.problems)
    findings.push({ code: 'wish-problem', weight: 'trouble', text: problem.text, evidence: [facts.wish.text.source] });
  return findings;
}
