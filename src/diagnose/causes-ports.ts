/** Causes that lie with ports: two who want one, and who has the calls for it. */
import { say } from '../words/say.ts';
import { found, out, unknown, unread, THE_FIREWALL, THE_PHONE, THE_PHONES, THE_ROUTER } from './cause.ts';
import type { Line } from '../words/say.ts';
import type { CallFlow } from '../observe/calls/facts.ts';
import type { Cause } from './cause.ts';
import type { Look } from './look.ts';
import {
  fromOutside,
  fromPhones,
  fromRouter,
  isInside,
  isMoved,
  isShared,
  outside,
  peersOf,
  redirectsOf,
  shown,
  shownRedirect,
  valueOf,
} from './look.ts';

const STATE = 'test/lab/diagnose/state.ts';

/** Over TCP calls come by the connection that a phone has opened: which port that has outside matters to nobody. */
const isMovedUdp = (flow: CallFlow): boolean => flow.protocol === 'udp' && isMoved(flow);

const isTwin = (flow: CallFlow, other: CallFlow): boolean =>
  other.protocol === flow.protocol &&
  other.source !== flow.source &&
  other.sourcePort === flow.sourcePort &&
  other.destination === flow.destination &&
  other.destinationPort === flow.destinationPort;

/** Lines whose address other customers have too: what they are called in netifd, or the shared address of the WAN. */
function sharedLines({ calls, facts }: Look): Line[] {
  const lines = (calls.uplinks ?? []).filter(({ proto }) => ['map', 'dslite', '464xlat'].includes(proto));
  const shared = (valueOf(facts.wan)?.addresses ?? []).filter(({ family, address }) => family === 'ipv4' && isShared(address));
  return [
    ...lines.map(({ network, proto }) =>
      say('line-shared', '{network} is a line with a shared IPv4 address ({proto})', { network, proto: LINES[proto] ?? proto }),
    ),
    ...(lines.length > 0 ? [] : shared.map(({ address, device }) => say('wan-has', '{device} has {address}', { device, address }))),
  ];
}

const LINES: Readonly<Record<string, string>> = { map: 'MAP-E, MAP-T, lw4o6', dslite: 'DS-Lite', '464xlat': '464XLAT' };

export const OF_PORTS: readonly Cause[] = [
  {
    code: 'phones-share-sip-port',
    weight: 70,
    symptoms: ['first-phone-only', 'not-received', 'registration-lost', 'others-ring-on'],
    what: say(
      'cause-phones-share-sip-port',
      'Two phones use the same SIP port to the same server: one of them gets another port outside, and which one changes.',
    ),
    observable: 'two flows with one source port to one server, of which one has another reply port',
    fix: {
      setting: say('fix-sip-ports', 'give each phone a local SIP port of its own (5062, 5064, ...)'),
      of: THE_PHONES,
    },
    source: 'net/netfilter/nf_nat_core.c, get_unique_tuple',
    made: STATE,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const all = fromPhones(look);
      const twins = all.filter((flow) => isMovedUdp(flow) && all.some((other) => isTwin(flow, other)));
      if (twins.length === 0) return out(say('sip-ports-differ', 'no two phones use one SIP port to one server'));
      return found(
        twins.slice(0, 3).flatMap((flow) => [outside(flow), ...all.filter((other) => isTwin(flow, other)).map((other) => outside(other))]),
      );
    },
  },
  {
    code: 'port-not-kept',
    weight: 50,
    symptoms: ['registration-lost', 'not-received', 'first-phone-only', 'one-way-audio'],
    what: say(
      'cause-port-not-kept',
      'A phone has another port outside than it says: who does not look where its messages come from sends calls elsewhere.',
    ),
    observable: "a flow of a phone whose reply port is another than its own, without a second phone or a program that has the phone's",
    fix: {
      setting: say('fix-own-port', 'give the phone a local SIP port of its own (5062, 5064, ...), and start it anew'),
      of: THE_PHONE,
    },
    source: 'net/netfilter/nf_nat_core.c, get_unique_tuple; RFC 4787 REQ-3; RFC 3581',
    made: STATE,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const all = fromPhones(look);
      const others = [...all, ...fromRouter(look)];
      const moved = all.filter((flow) => isMovedUdp(flow) && !others.some((other) => isTwin(flow, other)));
      const held = new Set((valueOf(look.calls.listeners) ?? []).map(({ port }) => port));
      const free = moved.filter(({ sourcePort }) => !held.has(sourcePort));
      if (free.length === 0) return out(say('ports-kept', "every phone's port is kept, or another cause says who has it"));
      const random = valueOf(look.calls.randomPorts) ?? [];
      const sets = (look.calls.portSets === undefined ? null : valueOf(look.calls.portSets)) ?? [];
      const shared = sharedLines(look);
      return found(
        [
          ...free.slice(0, 3).map(outside),
          ...random.slice(0, 2).map((rule) => say('ports-random', '{rule} gives random ports on purpose', { rule: `nft ${rule}` })),
          ...sets.slice(0, 2).map(({ family, table, chain, handle, ports }) =>
            say('ports-of-line', '{rule} gives no ports but {ports}', {
              rule: `nft ${family} ${table} ${chain} handle ${handle}`,
              ports: ports.slice(0, 8).join(', '),
            }),
          ),
          ...shared,
        ],
        // On a line with a shared address no port of the phone's own choice is kept, or it is moved once more behind this router.
        sets.length > 0
          ? {
              setting: say('fix-port-of-set', 'give the phone a local SIP port out of these: {ports}; or SIP over IPv6', {
                ports: [...new Set(sets.flatMap(({ ports }) => ports))].slice(0, 8).join(', '),
              }),
              of: THE_PHONE,
            }
          : random.length > 0
            ? { setting: say('fix-random', '`random` or `fully-random` off, at least for SIP'), of: THE_FIREWALL }
            : shared.length > 0
              ? {
                  ask: say('whoever-sells', 'whoever sells the line'),
                  question: say(
                    'ask-own-address',
                    'Can we have a public IPv4 address of our own? Until then: SIP over IPv6, or TCP or TLS, or rport (RFC 3581) on the '
                      + 'phone.',
                  ),
                }
              : undefined,
      );
    },
  },
  {
    code: 'service-on-router',
    weight: 60,
    symptoms: ['not-received', 'first-phone-only', 'registration-lost', 'ghost-calls'],
    what: say(
      'cause-service-on-router',
      "A program on the router itself holds SIP's port: it takes the port from the phones, and calls when " + 'their state is gone.',
    ),
    observable: "a socket on 5060 or 5061 that is a phone's own port too, or a call of a phone's provider that ended at the router",
    fix: { command: '/etc/init.d/PROGRAM stop && /etc/init.d/PROGRAM disable' },
    source: '/proc/net/udp; net/netfilter/nf_nat_core.c',
    made: STATE,
    sees(look) {
      const listeners = valueOf(look.calls.listeners);
      if (listeners === null) return unread(look.calls.listeners);
      const open = listeners.filter(({ address }) => address !== '127.0.0.1');
      if (open.length === 0) return out(say('listeners-none', 'nothing on the router listens on 5060 or 5061'));
      const program = open.find(({ program: one }) => one !== null)?.program ?? null;
      const taken = fromOutside(look).filter(({ replySource }) => look.calls.own.includes(replySource));
      const phones = fromPhones(look).filter(({ protocol }) => protocol === 'udp');
      const [peers, ports] = [peersOf(look), open.map(({ port }) => port)];
      // A PBX on the router that its phones register with takes nothing from anybody.
      if (!phones.some(({ sourcePort }) => ports.includes(sourcePort)) && !taken.some(({ source }) => peers.includes(source)))
        return phones.length === 0
          ? unknown(
              say(
                'listens-alone',
                'a program on the router listens on {ports}, and no phone speaks to a provider by UDP through the router now',
                { ports: ports.join(', ') },
              ),
              say('tell-start-phone', 'start the phone anew, and look within a minute'),
            )
          : out(
              say('listens-apart', 'a program on the router listens on {ports}, and no phone has that port', { ports: ports.join(', ') }),
            );
      return found(
        [
          ...open.slice(0, 3).map(({ protocol, port, address, program: one }) =>
            one === null
              ? say('listens-some', 'a program listens on {protocol} {address}:{port}', { protocol, address: address ?? '*', port })
              : say('listens', '{program} listens on {protocol} {address}:{port}', {
                  program: one,
                  protocol,
                  address: address ?? '*',
                  port,
                }),
          ),
          ...taken.slice(0, 2).map((flow) => say('flow-ended-router', '{flow}: it ended at the router', { flow: shown(flow) })),
        ],
        program === null ? undefined : { command: `/etc/init.d/${program} stop && /etc/init.d/${program} disable` },
      );
    },
  },
  {
    code: 'forward-takes-calls',
    weight: 70,
    symptoms: ['not-received', 'first-phone-only', 'others-ring-on', 'ghost-calls'],
    what: say(
      'cause-forward-takes-calls',
      'A port forward of 5060 leads to one device, and has the calls of every other phone as soon as their state is gone.',
    ),
    observable:
      "a redirect of SIP's port to one address while another address has that port outside; or a call of a phone's provider that ends "
      + 'at another device',
    fix: {
      setting: say('fix-delete-forward', 'delete the port forward (LuCI: Network, Firewall, Port Forwards): a phone needs none'),
      of: THE_ROUTER,
    },
    source: 'firewall4, redirect; net/netfilter/nf_nat_core.c',
    made: STATE,
    sees(look) {
      const uci = valueOf(look.facts.firewall.uci);
      const forwards = (uci?.open ?? []).filter(({ does, to }) => does === 'redirect' && to !== null);
      const phones = fromPhones(look);
      const peers = peersOf(look);
      const stolen = fromOutside(look).filter(
        ({ source, replySource }) =>
          peers.includes(source) && isInside(look, replySource) && phones.some((one) => one.source !== replySource),
      );
      // The calls of a phone come to its own port outside: a forward of another one takes none of them.
      const takes = (to: string | null, ports: readonly number[]): boolean =>
        phones.some(({ source, replyPort, protocol }) => source !== to && protocol === 'udp' && ports.includes(replyPort));
      const others = forwards.filter(({ to, sip }) => takes(to, sip));
      const led = redirectsOf(look.calls).filter(({ to, ports }) => takes(to, ports));
      if (stolen.length + others.length + led.length === 0)
        return uci === null
          ? unread(look.facts.firewall.uci)
          : out(say('forwards-none', 'no port forward of SIP leads past the phones that register'));
      const [first] = others;
      return found(
        [
          ...stolen
            .slice(0, 3)
            .map((flow) => say('flow-ended-at', '{flow}: it ended at {address}', { flow: shown(flow), address: flow.replySource })),
          ...others.slice(0, 3).map(({ section, line, to, sip }) =>
            say('forward-to', '/etc/config/firewall:{line}: {section} forwards {ports} to {address}', {
              line,
              section,
              ports: sip.join(', '),
              address: to ?? '?',
            }),
          ),
          ...led.slice(0, 3).map(shownRedirect),
        ],
        first === undefined
          ? led.length > 0 && others.length === 0
            ? {
                setting: say('fix-upnp', 'take SIP out of UPnP (the phone has it switched on), or that rule out of its include'),
                of: say('of-phone-or-router', 'the phone, or the router'),
              }
            : undefined
          : {
              command: `uci delete ${first.section} && uci commit firewall && /etc/init.d/firewall reload`,
            },
      );
    },
  },
];
