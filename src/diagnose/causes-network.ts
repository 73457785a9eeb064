/** Causes that lie with the network: the way out, sizes, queues, limits, and who may come in. */
import type { Said } from '../words/say.ts';
import { say } from '../words/say.ts';
import { askProvider, found, out, unknown, unread, THE_FIREWALL, THE_PHONE, THE_ROUTER } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import {
  audioOf,
  flowsOf,
  fromPhones,
  holesTaken,
  isInside,
  isPrivate,
  isShared,
  meets,
  peersOf,
  shown,
  shownRule,
  valueOf,
} from './look.ts';
import type { Look } from './look.ts';
import { bySize } from './sizes.ts';
import type { CallFlow } from '../observe/calls/facts.ts';
import type { Symptom } from './symptoms.ts';

const NETWORK = 'test/lab/diagnose/network.ts';
const OFFLOAD = 'test/machine/offload.test.ts';

const ALL: readonly Symptom[] = ['not-received', 'cannot-call-out', 'no-audio', 'registration-lost'];

/** Fewer have come than one large INVITE and its retransmissions bring: seven (RFC 3261 §17.1.1.2), and a few of anybody's. */
const FEW_FRAGMENTS = 10;

/** @param isBad of the addresses that flows leave with, or of the WAN */
function wanAddress(look: Look, isBad: (address: string) => boolean, none: Said): Outcome {
  const { wan } = look.facts;
  if (wan.state !== 'present')
    return wan.state === 'failed'
      ? unread(wan)
      : unknown(say('wan-none', 'there is no way to the internet now'), say('tell-wan-up', 'look again once the WAN is up'));
  const bad = wan.value.addresses.filter(({ family, address }) => family === 'ipv4' && isBad(address));
  if (bad.length > 0) return found(bad.map(({ address, device }) => say('wan-has', '{device} has {address}', { device, address })));
  return out(none);
}

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
    code: 'no-way-out',
    weight: 95,
    symptoms: ['cannot-call-out', 'not-received', 'registration-lost'],
    what: say('cause-no-way-out', 'There is no way to the internet.'),
    observable: 'no default route in the main table of routes',
    fix: { command: 'ifup wan' },
    source: '/proc/net/route',
    made: NETWORK,
    sees(look) {
      const { calls } = look;
      const routes = valueOf(calls.routes);
      if (routes === null) return unread(calls.routes);
      if (routes.length > 0)
        return out(say('route-leads', 'the default route leads out by {device}', { device: routes[0]?.device ?? '?' }));
      if (fromPhones(look).some(({ source, in: back }) => source.includes(':') && (back?.packets ?? 0) > 0))
        return out(say('route-ipv6', 'no default route of IPv4, and phones speak IPv6 with somebody who answers'));
      return valueOf(calls.wan)?.length
        ? found([say('route-none-ipv4', '/proc/net/route: no default route of IPv4')])
        : found([say('route-none', '/proc/net/route: no default route; no device leads out')]);
    },
  },
  {
    code: 'several-ways-out',
    weight: 55,
    symptoms: ['registration-lost', 'not-received', 'one-way-audio', 'drops-after-time'],
    what: say(
      'cause-several-ways-out',
      'Several ways lead to the internet, and SIP leaves by more than one of them: the provider sees a ' + 'phone at two addresses.',
    ),
    observable: "flows of one phone, or with one provider, that leave with different addresses of the router",
    fix: {
      setting: say('fix-pin-wan', "pin SIP and its audio to one WAN (mwan3: a rule for the provider's networks with one member)"),
      of: THE_ROUTER,
    },
    source: 'net/ipv4/fib_trie.c; mwan3',
    made: NETWORK,
    sees(look) {
      const routes = valueOf(look.calls.routes);
      if (routes === null) return unread(look.calls.routes);
      const leaving = fromPhones(look).filter(({ replyDestination }) => look.calls.own.includes(replyDestination));
      const audio = audioOf(look).filter(({ replyDestination }) => look.calls.own.includes(replyDestination));
      const asOf = (flows: readonly CallFlow[]): string[] => [...new Set(flows.map(({ replyDestination }) => replyDestination))];
      // Phones of two providers may leave by a way each: what confuses a provider is one phone, or itself, reached by two.
      const torn = [
        ...leaving.map((flow) => leaving.filter(({ destination }) => destination === flow.destination)),
        ...leaving.map((flow) => [...leaving, ...audio].filter(({ source }) => source === flow.source)),
      ].find((flows) => asOf(flows).length > 1);
      if (torn !== undefined)
        return found([say('sip-leaves-as', 'SIP leaves as {addresses}', { addresses: asOf(torn) }), ...torn.slice(0, 3).map(shown)]);
      const devices = new Set(routes.map(({ device }) => device));
      return devices.size > 1 && leaving.length === 0
        ? unknown(
            say('routes-several', '{devices} devices have a default route, and no SIP leaves now', { devices: devices.size }),
            say('tell-registered', 'look again once the phones have registered'),
          )
        : out(say('sip-one-address', 'all SIP of a phone, and with a provider, leaves by one address'));
    },
  },
  {
    code: 'double-nat',
    weight: 45,
    symptoms: ['not-received', 'one-way-audio', 'registration-lost', 'drops-after-time'],
    what: say(
      'cause-double-nat',
      'Another router translates in front of this one: its timeouts and its ALG are beyond what is seen ' + 'here.',
    ),
    observable: 'the WAN has an address of RFC 1918',
    fix: {
      setting: say('fix-bridge', 'bridge (modem) mode, or this router as exposed host, and its SIP ALG off'),
      of: say('of-router-in-front', 'the router in front'),
    },
    source: 'RFC 1918',
    made: NETWORK,
    sees: (look) => wanAddress(look, isPrivate, say('wan-not-private', 'the WAN has no private address')),
  },
  {
    code: 'carrier-nat',
    weight: 45,
    symptoms: ['not-received', 'one-way-audio', 'registration-lost', 'drops-after-time'],
    what: say('cause-carrier-nat', "The line shares its address with others (carrier-grade NAT): its timeouts are the carrier's."),
    observable: 'the WAN has an address of 100.64.0.0/10, or of 192.0.0.0/29 (DS-Lite, 464XLAT)',
    fix: {
      ask: say('whoever-sells', 'whoever sells the line'),
      question: say('ask-public-address', 'Can we have a public IPv4 address? Until then phones need a keep-alive every 25 s.'),
    },
    source: 'RFC 6598; RFC 6888; RFC 7335',
    made: NETWORK,
    sees: (look) => wanAddress(look, isShared, say('wan-not-shared', 'the WAN has no shared address')),
  },
  {
    code: 'message-too-large',
    weight: 60,
    symptoms: ['cannot-call-out', 'drops-on-transfer', 'drops-on-hold'],
    what: say(
      'cause-message-too-large',
      'Messages of a phone are larger than the way out takes in one piece, may not be cut, and get lost.',
    ),
    observable:
      'unanswered signalling of more than the MTU of the WAN and less than 1500 bytes, and packets that could not be cut (Ip.FragFails)',
    fix: { setting: say('fix-smaller', 'SIP over TCP or TLS, or fewer codecs'), of: THE_PHONE },
    source: 'RFC 3261 §18.1.1; net/ipv4/ip_output.c; conntrack counts before the size is checked',
    made: NETWORK,
    sees: (look) => bySize(look, false),
  },
  {
    code: 'fragments-lost-out',
    weight: 60,
    symptoms: ['cannot-call-out', 'drops-on-transfer', 'drops-on-hold'],
    what: say(
      'cause-fragments-lost-out',
      'Large messages of a phone leave in fragments, and nobody answers them: fragments get lost on the ' + 'way.',
    ),
    observable: 'signalling of more than 1500 bytes goes out unanswered, and packets were cut (Ip.FragCreates)',
    fix: { setting: say('fix-smaller', 'SIP over TCP or TLS, or fewer codecs'), of: THE_PHONE },
    source: 'RFC 3261 §18.1.1; net/ipv4/ip_output.c',
    made: NETWORK,
    sees: (look) => bySize(look, true),
  },
  {
    code: 'fragments-lost-in',
    weight: 60,
    symptoms: ['not-received', 'cannot-call-out', 'drops-on-transfer', 'drops-on-hold'],
    what: say('cause-fragments-lost-in', 'Fragments from the internet come without the rest of them: a large INVITE never becomes whole.'),
    observable: 'ten fragments or more have come (Ip.ReasmReqds), and few or none were put together (Ip.ReasmOKs)',
    fix: askProvider(
      say('ask-smaller', 'Can you send smaller messages (fewer codecs), or SIP over TCP or TLS? Are fragments filtered on the ' + 'line?'),
    ),
    source: 'net/ipv4/ip_fragment.c; RFC 3261 §18.1.1',
    made: NETWORK,
    sees({ calls }) {
      const counters = valueOf(calls.counters);
      if (counters === null) return unread(calls.counters);
      const { reasmReqds, reasmOks, reasmFails } = counters;
      if (reasmReqds < 2) return out(say('fragments-none', 'no fragments have come'));
      // A message of SIP is two fragments, three at most: of more per packet that was put together, some did not come.
      if (reasmReqds <= 3 * reasmOks && reasmFails <= reasmOks / 10)
        return out(
          say('fragments-whole', 'of {fragments} fragments {packets} packets were put together', {
            fragments: reasmReqds,
            packets: reasmOks,
          }),
        );
      if (reasmReqds < FEW_FRAGMENTS)
        return unknown(
          say('fragments-few', 'only {fragments} fragments came since the start, and strangers send some, too', { fragments: reasmReqds }),
          say('tell-fragments-again', 'be called twice, and look again: do more of them come?'),
        );
      return found([
        say(
          'fragments-lost',
          '/proc/net/snmp, since the start: {fragments} fragments came, {packets} packets were put together, ' + '{failed} could not be',
          { fragments: reasmReqds, packets: reasmOks, failed: reasmFails },
        ),
      ]);
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
    observable: 'the counter of a drop rule with a limit that meets signalling or audio of a phone',
    fix: {
      setting: say('fix-limit', "take the limit off established flows, the LAN and the provider's networks"),
      of: THE_FIREWALL,
    },
    source: 'nft(8), limit; voice practice: never limit established flows',
    made: NETWORK,
    sees(look) {
      const rules = valueOf(look.calls.drops);
      if (rules === null)
        return look.calls.drops.state === 'failed'
          ? unread(look.calls.drops)
          : unknown(say('iptables-unlooked', 'rules of iptables are not looked at'), 'iptables-save -c | grep limit');
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
      if (met.length + own.length === 0) return out(say('limits-none', 'no limit has dropped anything of the phones'));
      return found(
        [
          ...met.slice(0, 3).map(shownRule),
          ...own
            .slice(0, 2)
            .map(({ source, method, dropped }) =>
              say('own-limit-dropped', "sipalg's own limit dropped {packets} {method} of {source}", { packets: dropped, method, source }),
            ),
        ],
        met.length > 0
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
    observable: 'nf_conntrack_count against nf_conntrack_max, and the columns drop and early_drop',
    fix: { command: 'echo net.netfilter.nf_conntrack_max=65536 > /etc/sysctl.d/90-conntrack.conf && /etc/init.d/sysctl restart' },
    source: 'net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc',
    made: OFFLOAD,
    sees({ calls }) {
      const table = valueOf(calls.table);
      if (table === null) return unread(calls.table);
      const { count, most, dropped, early } = table;
      if (count < 0.95 * most && dropped + early === 0)
        return out(say('table-places', '{count} of {most} places for flows are taken', { count, most }));
      return found(
        [
          say('table-taken', '{count} of {most} places are taken; {dropped} packets found none, {early} flows had to go for others', {
            count,
            most,
            dropped,
            early,
          }),
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
