/** Causes that lie with the firewall and its tables: what is not loaded, blocked, limited or full. */
import { say } from '../words/say.ts';
import { found, out, unknown, unread, THE_FIREWALL } from './cause.ts';
import type { Cause } from './cause.ts';
import { flowsOf, fromPhones, holesTaken, isInside, meets, peersOf, ruleGrew, shownRule, since, valueOf } from './look.ts';
import type { DropRule } from '../observe/calls/facts.ts';
import type { Symptom } from './symptoms.ts';

const NETWORK = 'test/lab/diagnose/network.ts';
const OFFLOAD = 'test/machine/offload.test.ts';

const ALL: readonly Symptom[] = ['not-received', 'cannot-call-out', 'no-audio', 'registration-lost'];

/** A rule that says whom it is for. */
const names = ({ asks }: DropRule): boolean => asks.some(({ of, not }) => (of === 'source' || of === 'destination') && !not);

export const OF_NETWORK: readonly Cause[] = [
  {
    code: 'firewall-not-loaded',
    weight: 95,
    symptoms: ['not-received', 'cannot-call-out', 'no-audio', 'registration-lost'],
    what: say('cause-firewall-not-loaded', 'The firewall is not loaded, or would not load: nothing is translated as it is configured.'),
    observable: 'fw4 is installed and its table is not there, or `fw4 check` fails',
    fix: { command: 'fw4 check' },
    source: 'firewall4, main.uc; nft(8)',
    made: NETWORK,
    sees({ facts }) {
      const { check } = facts.firewall;
      if (check?.state === 'present' && !check.value.loads)
        return found([say('fw4-says', 'fw4 check: {because}', { because: check.value.because })]);
      if (valueOf(facts.system.firewall) !== 'fw4')
        return out(say('firewall-not-fw4', 'its rules are those of another firewall than fw4, and they are there'));
      const nft = valueOf(facts.nft);
      if (nft === null) return unread(facts.nft);
      return nft.tables.includes('inet fw4')
        ? out(say('firewall-loaded', 'the firewall is loaded'))
        : found([say('firewall-no-table', 'nft list ruleset: there is no table inet fw4')]);
    },
  },
  {
    code: 'blocked-by-list',
    weight: 80,
    symptoms: ALL,
    what: say('cause-blocked-by-list', 'A block list holds an address that the phones talk to.'),
    observable: 'the address is an element of a set by which a rule drops',
    fix: {
      setting: say('fix-allow-list', "put the provider's networks on the allow list of what fills that set (banIP: allowlist)"),
      of: say('of-block-list', 'the block list'),
    },
    source: 'nft(8), get element; banIP',
    made: NETWORK,
    sees({ calls, facts }) {
      const { blocks } = facts.policy.state === 'present' ? facts.policy.value : {};
      const holding = blocks?.state === 'present' ? blocks.value.holding : [];
      const own = holding.map(({ set, network, provider }) =>
        say('list-holds-provider', '{set} holds {network} ({provider})', { set, network, provider }),
      );
      const held = [
        ...own,
        ...(valueOf(calls.blocked) ?? []).map(({ set, address }) => say('list-holds', '{set} holds {address}', { set, address })),
      ];
      if (held.length > 0) return found([...new Map(held.map((one) => [one.text, one])).values()].slice(0, 4));
      return calls.drops.state !== 'present' || calls.blocked.state === 'failed'
        ? unread(calls.drops.state !== 'present' ? calls.drops : calls.blocked)
        : out(say('lists-none', 'no block list holds an address that the phones talk to'));
    },
  },
  {
    code: 'rate-limited',
    weight: 65,
    symptoms: ['cannot-call-out', 'others-ring-on', 'choppy', 'registration-lost', 'not-received'],
    what: say('cause-rate-limited', 'A rule that lets only a rate pass meets packets of calls, and has dropped what was above it.'),
    observable:
      'the counter of a drop rule with a limit that meets signalling or audio of a phone, and names an address of theirs or grows between '
      + 'two looks',
    fix: {
      setting: say('fix-limit', "take the limit off established flows, the LAN and the provider's networks"),
      of: THE_FIREWALL,
    },
    source: 'nft(8), limit; voice practice: never limit established flows',
    made: NETWORK,
    sees(look) {
      const rules = valueOf(look.calls.drops);
      if (rules === null) return unread(look.calls.drops);
      const flows = [...fromPhones(look), ...flowsOf(look).media.filter(({ source }) => isInside(look, source))];
      const met = rules.filter(
        (rule) =>
          rule.limits &&
          rule.packets !== null &&
          rule.packets > 0 &&
          flows.some(
            (flow) =>
              meets(rule, flow) ||
              meets(rule, {
                source: flow.replySource,
                sourcePort: flow.destinationPort,
                destination: flow.replyDestination,
                destinationPort: flow.replyPort,
              }) ||
              meets(rule, {
                source: flow.replySource,
                sourcePort: flow.destinationPort,
                destination: flow.source,
                destinationPort: flow.sourcePort,
              }),
          ),
      );
      const attempts = look.facts.policy.state === 'present' ? (valueOf(look.facts.policy.value.inForce.all)?.attempts ?? []) : [];
      const own = attempts.filter(({ source, dropped }) => dropped > 0 && peersOf(look).includes(source));
      // A limit for a port alone drops scanners too: whose packets it has dropped since it was loaded is not counted.
      const sure = met.filter((rule) => names(rule) || (ruleGrew(look, rule) ?? 0) > 0);
      const [unsure] = met;
      if (sure.length + own.length === 0)
        return unsure === undefined
          ? out(say('limits-none', 'no limit has dropped anything of the phones'))
          : unknown(
              say('limit-of-port', '{rule}, and names nobody: whose packets they were is not counted', { rule: shownRule(look, unsure) }),
              say('tell-limit', 'ask again while a call fails: does the count of that rule grow?'),
            );
      return found(
        [
          ...sure.slice(0, 3).map((rule) => shownRule(look, rule)),
          ...own
            .slice(0, 2)
            .map(({ source, method, dropped }) =>
              say('own-limit-dropped', "sipalg's own limit dropped {packets} {method} of {source}", { packets: dropped, method, source }),
            ),
        ],
        sure.length > 0
          ? undefined
          : {
              setting: say('fix-name-site', 'name that address as a `config provider` (or `config site`) in /etc/config/sipalg'),
              of: say('of-sipalg', 'sipalg'),
            },
      );
    },
  },
  {
    code: 'table-full',
    weight: 85,
    symptoms: [...ALL, 'drops-after-time', 'one-way-audio', 'choppy'],
    what: say('cause-table-full', 'The table of flows is full, or was: new calls find no place, and old ones lose theirs.'),
    observable:
      'nf_conntrack_count against nf_conntrack_max; the columns drop and early_drop, which grow between two looks, or by one an hour since '
      + 'the start',
    fix: { command: 'echo net.netfilter.nf_conntrack_max=65536 > /etc/sysctl.d/90-conntrack.conf && /etc/init.d/sysctl restart' },
    source: 'net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc',
    made: OFFLOAD,
    sees({ calls }) {
      const table = valueOf(calls.table);
      if (table === null) return unread(calls.table);
      const { count, most, dropped, early } = table;
      const values = { count, most, dropped, early, since: since(calls) };
      const grew = calls.moved?.table;
      const seconds = calls.uptime === undefined ? null : valueOf(calls.uptime);
      const now = count >= 0.95 * most || (grew !== undefined && grew.dropped + grew.early > 0);
      // Once an hour and more is no single night long ago.
      const often = seconds !== null && dropped + early >= Math.max(1, seconds / 3600);
      if (!now && dropped + early === 0) return out(say('table-places', '{count} of {most} places for flows are taken', { count, most }));
      if (!now && !often)
        return unknown(
          say(
            'table-once',
            '{count} of {most} places are taken now; {dropped} packets found none, and {early} flows had to go for others{since}: when is '
              + 'not counted',
            values,
          ),
          say('tell-table', 'look again after the next call that fails: has one of these two numbers grown?'),
        );
      return found(
        [
          say(
            'table-taken',
            '{count} of {most} places are taken; {dropped} packets found none, {early} flows had to go for others{since}',
            values,
          ),
          ...(grew === undefined
            ? []
            : [
                say('table-grew', '{dropped} and {early} of them in the last {seconds} s', {
                  ...grew,
                  seconds: calls.moved?.seconds ?? 0,
                }),
              ]),
        ],
        {
          command: `echo net.netfilter.nf_conntrack_max=${2 * most} > /etc/sysctl.d/90-conntrack.conf && /etc/init.d/sysctl restart`,
        },
      );
    },
  },
  {
    code: 'holes-full',
    weight: 60,
    symptoms: ['cannot-call-out', 'no-audio', 'registration-lost'],
    what: say('cause-holes-full', 'The helpers of this router keep as many holes open as they may: the ALG finds none for new calls.'),
    observable: 'the holes (expectations) that are open against nf_conntrack_expect_max',
    fix: { command: 'sipalg disable' },
    source: 'net/netfilter/nf_conntrack_expect.c, __nf_ct_expect_check',
    made: 'test/machine/modules.test.ts',
    sees(look) {
      const { calls, facts } = look;
      if (calls.table.state !== 'present') return unread(calls.table);
      if (facts.expectations.state !== 'present') return unread(facts.expectations);
      const { open, most, full } = holesTaken(look) as NonNullable<ReturnType<typeof holesTaken>>;
      return full && most !== null
        ? found([say('holes-of', '{open} holes of {most} are open', { open, most })])
        : out(say('holes-open', '{open} {open:hole is|holes are} open', { open }));
    },
  },
];
