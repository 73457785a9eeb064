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
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { shown } from './evidence.ts';
import { read, row, some } from './row.ts';
import type { Row } from './row.ts';

const flowText = ({ flows }: Facts, { protocol, source, sourcePort, destination, destinationPort }: FlowFact): string =>
  `${flows.source}: ${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`;

const lostText = (flow: string, lost: string): Said =>
  lost === ''
    ? say('flow-not-translated', '{flow}, not translated', { flow })
    : say('flow-lost', '{flow}, answers go to {lost}', { flow, lost });

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
    (_facts, { length: rules }) =>
      say('nft-assignment', 'nftables puts flows under the SIP helper in {rules} {rules:rule|rules}.', { rules }),
  ),
  row(
    'iptables-assignment',
    'alarm',
    [],
    [],
    (facts) => some(assignmentsOf(facts).iptables.map(({ source, rule }) => iptablesText(source, rule))),
    (_facts, { length: rules }) =>
      say('iptables-assignment', 'iptables puts flows under the SIP helper in {rules} {rules:rule|rules}.', { rules }),
  ),
  row(
    'automatic-helper',
    'alarm',
    [],
    [],
    (facts) =>
      (read(facts.automatic) ?? 0) !== 0 && inKernel(facts, 'tracker') === true
        ? [say('is-set-to', '{source} is {value}', { source: facts.automatic.source, value: read(facts.automatic) ?? 0 })]
        : null,
    () => say('automatic-helper', 'The kernel puts every flow on port 5060 under the SIP helper by itself.'),
  ),
  row(
    'flow-under-helper',
    'alarm',
    ['flows'],
    [],
    (facts) =>
      some(
        shown(
          flowsUnder(facts).map((flow) =>
            say('flow-left', '{flow}, {seconds} s left', { flow: flowText(facts, flow), seconds: flow.timeout ?? '?' }),
          ),
        ),
      ),
    (facts) => {
      const flows = flowsUnder(facts).length + flowsBeyond(facts);
      return read(facts.flows)?.certain
        ? say('flow-under-helper', '{flows} live {flows:flow is|flows are} under the SIP helper.', { flows })
        : say(
            'flow-under-helper-by-life',
            '{flows} UDP {flows:flow|flows} on port 5060 {flows:lives|live} longer than a plain flow may, '
              + 'as only the SIP helper makes them.',
            { flows },
          );
    },
  ),
  row(
    'flow-stale',
    'risk',
    [],
    [],
    (facts) => some(shown(staleFlows(facts).map((flow) => lostText(flowText(facts, flow), flow.lost)))),
    (facts) =>
      say(
        'flow-stale',
        '{flows} SIP {flows:flow|flows} began before the address of the WAN changed, and no answer comes back: '
          + 'the phone registers nowhere and is not called.',
        { flows: staleFlows(facts).length },
      ),
  ),
  row(
    'source-port-moved',
    'note',
    ['flows'],
    [],
    (facts) =>
      some(
        shown(
          (read(facts.flows)?.moved ?? []).map((flow) =>
            say('flow-moved', '{flow}, leaves from port {port}', { flow: flowText(facts, flow), port: flow.port }),
          ),
        ),
      ),
    (facts) =>
      say(
        'source-port-moved',
        '{flows} {flows:flow|flows} of phones on port 5060 or 5061 {flows:leaves|leave} by another port, for another phone has taken it. '
          + 'A provider that answers to that port alone does not reach them: give each phone a local port of its own.',
        { flows: read(facts.flows)?.moved?.length ?? 0 },
      ),
  ),
  row(
    'pinhole-open',
    'alarm',
    ['expectations'],
    [],
    (facts) =>
      some(
        shown(
          (read(facts.expectations) ?? []).map((one) => {
            const values = { class: one.class ?? 'sip', source: one.source, destination: `${one.destination}:${one.destinationPort}` };
            return one.permanent
              ? say('hole-permanent', '{class}: {source} may reach {destination}, permanently', values)
              : say('hole', '{class}: {source} may reach {destination}', values);
          }),
        ),
      ),
    (facts) =>
      say('pinhole-open', 'The helper holds {holes} {holes:hole|holes} open in the firewall.', {
        holes: read(facts.expectations)?.length ?? 0,
      }),
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
    () =>
      say(
        'rewriter-missing',
        '{module} is not in the kernel: nothing is edited, but the helper still drops messages and opens holes in the firewall.',
        { module: REWRITER },
      ),
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
        ? [say('nothing-translates', 'no rule translates what leaves by {device}', { device: read(facts.wan)?.device ?? '?' })]
        : null,
    () =>
      say(
        'not-translated',
        'What leaves this router by its default way is not translated here, so the helper edits nothing in it; '
          + 'it drops messages and opens holes all the same.',
      ),
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
    (_facts, { length: rules }) =>
      say('assignment-unreached', '{rules} {rules:rule|rules} would set the SIP helper and {rules:does|do} not: no packet comes there.', {
        rules,
      }),
  ),
  row(
    'messages-dropped',
    'risk',
    ['drops'],
    [],
    (facts) =>
      some(
        (read(facts.drops) ?? []).map((drop) => {
          const dropped = `${drop.reason} (${drop.source ?? '?'} -> ${drop.destination ?? '?'}:${drop.destinationPort ?? '?'})`;
          return drop.time === null ? dropped : say('dropped-at', '{seconds} s after boot: {dropped}', { seconds: drop.time, dropped });
        }),
      ),
    (_facts, { length: messages }) =>
      say('messages-dropped', "The kernel's log shows {messages} SIP {messages:message|messages} dropped by the helper.", { messages }),
  ),
  row(
    'nft-object',
    'note',
    ['nft'],
    ['nft-assignment'],
    (facts) =>
      some((read(facts.nft)?.helpers ?? []).map((one) => `ct helper ${one.family} ${one.table} ${one.name}, handle ${one.handle}`)),
    () => say('nft-object', 'A SIP helper is declared in nftables and used by no rule; it keeps the module in the kernel.'),
  ),
  row(
    'module-idle',
    'note',
    ['tracker'],
    ['nft-assignment', 'iptables-assignment', 'automatic-helper', 'flow-under-helper', 'module-built-in'],
    // "Nothing makes use of it" is said only by one who could look everywhere.
    (facts) =>
      moduleIn(facts, 'tracker')?.state === 'loaded' && unread(facts).length === 0 ? [`${TRACKER}: ${facts.modules.tracker.source}`] : null,
    () => say('module-idle', '{module} is loaded, and nothing makes use of it now.', { module: TRACKER }),
  ),
  row(
    'module-built-in',
    'note',
    ['tracker'],
    [],
    (facts) => (moduleIn(facts, 'tracker')?.state === 'built in' ? [facts.modules.tracker.source] : null),
    () =>
      say(
        'module-built-in',
        '{module} is part of this kernel and cannot be unloaded or blacklisted; it acts only where a rule sets the helper.',
        {
          module: TRACKER,
        },
      ),
  ),
  row(
    'module-held',
    'note',
    ['tracker'],
    [],
    (facts) =>
      some(
        otherHolders(facts).map((holder) =>
          say('held-by', '{file}, refcnt and holders: {holder}', { file: `/sys/module/${TRACKER}`, holder }),
        ),
      ),
    (facts) =>
      say('module-held', '{holders} {count:needs|need} {module}, which cannot be unloaded while {count:it is|they are} there.', {
        holders: otherHolders(facts),
        count: otherHolders(facts).length,
        module: TRACKER,
      }),
  ),
];
