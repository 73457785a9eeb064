/** Findings on what is now: rules, flows, and the modules in the kernel. */
import type { Facts, FlowFact, IptablesAssignment, NftAssignment } from '../observe/facts.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';
import {
  assignmentsOf,
  flowsBeyond,
  flowsUnder,
  inKernel,
  isWatchedOnly,
  moduleIn,
  otherHolders,
  staleFlows,
  unread,
} from './questions.ts';
import { shown } from './evidence.ts';
import { count, read, row, some } from './row.ts';
import type { Row } from './row.ts';

const flowText = ({ flows }: Facts, { protocol, source, sourcePort, destination, destinationPort }: FlowFact): string =>
  `${flows.source}: ${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`;

const nftText = ({ family, table, chain, handle, rule, map }: NftAssignment): string =>
  `${family} ${table} ${chain} handle ${handle}: ${rule ?? 'ct helper set'}${map ? ` (map ${map.name}: ${map.elements.join(', ')})` : ''}`;

const iptablesText = (source: string, { table, chain, position, rule }: IptablesAssignment): string =>
  `${source}: table ${table}, chain ${chain}, rule ${position}: ${rule}`;

/** Findings that mean that the helper is set on flows, by rule or by fact. */
export const ASSIGNED: readonly string[] = [
  'nft-assignment',
  'iptables-assignment',
  'automatic-helper',
  'flow-under-helper',
  'pinhole-open',
];

export const LIVE: readonly Row[] = [
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
        : `${count(number, 'UDP flow')} on port 5060 ${number === 1 ? 'lives' : 'live'} longer than a plain flow may, as only `
            + `the SIP helper makes them.`;
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
      `${count(staleFlows(facts).length, 'SIP flow')} began before the address of the WAN changed, and no answer comes back: `
      + `the phone registers nowhere and is not called.`,
  ),
  row(
    'source-port-moved',
    'note',
    ['flows'],
    [],
    (facts) => some(shown((read(facts.flows)?.moved ?? []).map((flow) => `${flowText(facts, flow)}, leaves from port ${flow.port}`))),
    (facts) => {
      const number = read(facts.flows)?.moved?.length ?? 0;
      return (
        `${count(number, 'flow')} of phones on port 5060 or 5061 ${number === 1 ? 'leaves' : 'leave'} by another port, for another `
        + 'phone has '
        + 'taken it. A provider that answers to that port alone does not reach them: give each phone a local port of its own.'
      );
    },
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
              `${one.class ?? 'sip'}: ${one.source} may reach `
              + `${one.destination}:${one.destinationPort}${one.permanent ? ', permanently' : ''}`,
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
      && LIVE.some(({ code, evidence }) => ASSIGNED.includes(code) && evidence(facts) !== null)
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
      && LIVE.some(({ code, evidence }) => ASSIGNED.includes(code) && evidence(facts) !== null)
        ? [`no rule translates what leaves by ${read(facts.wan)?.device}`]
        : null,
    () =>
      'What leaves this router by its default way is not translated here, so the helper edits nothing in it; '
      + 'it drops messages and opens holes all the same.',
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
            `${drop.time === null ? '' : `${drop.time} s after boot: `}${drop.reason} `
            + `(${drop.source ?? '?'} -> ${drop.destination ?? '?'}:${drop.destinationPort ?? '?'})`,
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
    () => `${TRACKER} is part of this kernel and cannot be unloaded or blacklisted; it acts only where a rule sets the helper.`,
  ),
  row(
    'module-held',
    'note',
    ['tracker'],
    [],
    (facts) => some(otherHolders(facts).map((holder) => `/sys/module/${TRACKER}, refcnt and holders: ${holder}`)),
    (facts) => `${otherHolders(facts).join(', ')} needs ${TRACKER}, which cannot be unloaded while it is there.`,
  ),
];
