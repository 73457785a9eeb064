/** Causes that lie with the way to the internet: where it leads, and whose address it has. */
import type { Interval } from '../observe/calls/intervals.ts';
import { sourcesGiven } from '../judge/questions.ts';
import type { Line, Said } from '../words/say.ts';
import { say } from '../words/say.ts';
import { found, out, unknown, unread, THE_PHONES, THE_ROUTER } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import { shownInterval } from './intervals.ts';
import { audioOf, fromPhones, isInside, isPrivate, isShared, shown, span, valueOf } from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow } from '../observe/calls/facts.ts';

const NETWORK = 'test/lab/diagnose/network.ts';

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

/** Seconds for which a registration usually holds: after that, phones have registered anew by themselves. */
const REGISTERED = 3600;

/** Bytes of the smallest REGISTER there is, more or less, with headers of IP and UDP. */
const REGISTER = 300;

/**
 * Whether a phone has sent nothing but keep-alives in this flow: packets of one size, and that a small one (RFC 5626 §4.4: CRLF, or
 * STUN). They open the way in and change nothing of where the provider sends calls.
 */
const isKeepAlive = ({ protocol, out: sent }: CallFlow): boolean =>
  protocol === 'udp' && sent !== null && sent.packets >= 2 && sent.bytes % sent.packets === 0 && sent.bytes / sent.packets <= 80;

/** Whether a phone may have registered in this flow. */
const maySpeak = ({ out: sent }: CallFlow): boolean => sent === null || sent.bytes >= REGISTER;

/** Seconds since the way that the default route takes came up, as netifd says it; null where nobody does. */
function upSince({ calls, facts }: Look): { network: string; up: number } | null {
  const device = valueOf(facts.wan)?.device;
  const all = (calls.uplinks ?? []).flatMap(({ network, up, device: its }) => (up === null || its !== device ? [] : [{ network, up }]));
  return all.sort((one, other) => one.up - other.up)[0] ?? null;
}

/** Whether no rule and no line of /etc/config/firewall still asks for an address that is none of the router's own. */
function isLost({ facts }: Look, address: string): boolean {
  const uci = valueOf(facts.firewall.uci);
  const sources = sourcesGiven(facts);
  return uci !== null && sources !== null && !sources.includes('') && !sources.includes(address) && !uci.text.includes(address);
}

/** Registrations that were seen before the WAN came up, and of which nobody was due since. */
function notDue({ calls, facts: { at } }: Look, up: number): Interval[] {
  const noted = calls.intervals === undefined ? null : valueOf(calls.intervals);
  return (noted ?? []).filter(({ how, seconds, at: seen }) => {
    // Who was granted an hour comes again after half of it at the earliest (RFC 3261 §10.2.4 leaves it to the phone).
    const due = how === 'renewed' ? seconds : seconds / 2;
    return how !== 'spoke' && seen < at - up * 1000 && at - seen < due * 1000;
  });
}

const phoneOf = ({ source, sourcePort }: CallFlow): string => `${source.includes(':') ? `[${source}]` : source}:${sourcePort}`;

function byChange(look: Look): Outcome {
  const { flows, own } = look.calls;
  if (flows.state !== 'present') return unread(flows);
  const since = upSince(look);
  const phones = fromPhones(look);
  // Flows of a call keep the address that they began with, where a rule gave it (SNAT); masquerade ends them.
  const old = audioOf(look).filter(
    ({ source, replyDestination: lost }) => lost !== source && !own.includes(lost) && isLost(look, lost),
  );
  const from = old
    .slice(0, 3)
    .map((flow) => say('flow-from-old', '{flow}: answers go to {address}', { flow: shown(flow), address: flow.replyDestination }));
  if (since === null)
    return from.length > 0
      ? found(from)
      : unknown(
          say('wan-age-unknown', 'since when the WAN has its address is not known'),
          say('tell-wan-age', "`ubus call network.interface dump`, the WAN's uptime: is it less than an hour?"),
        );
  const came: Line = say('wan-up-since', '{network} came up {ago} ago', { network: since.network, ago: span(since.up) });
  if (from.length > 0) return found([came, ...from]);
  const ago = span(since.up);
  if (since.up > REGISTERED) return out(say('wan-up-long', 'the WAN has been up for {ago}: phones have registered since', { ago }));
  const silent = phones.filter((flow) => isKeepAlive(flow) && !phones.some((other) => other.source === flow.source && !isKeepAlive(other)));
  const spoke = new Set(phones.filter(maySpeak).map(phoneOf));
  const absent = notDue(look, since.up).filter(({ phone }) => !spoke.has(phone));
  if (silent.length + absent.length > 0)
    return found([
      came,
      ...silent.slice(0, 3).map((flow) => say('flow-keeps-alive', '{flow}: keep-alives alone since then', { flow: shown(flow) })),
      ...absent
        .slice(0, 3)
        .map((one) => {
          const interval = shownInterval(one, look.facts.at);
          return say('phone-not-due', '{phone}: {interval}, and was not due since', { phone: one.phone, interval });
        }),
    ]);
  return spoke.size > 0
    ? out(say('phones-spoke-since', 'the phones that are seen have registered or called since the WAN came up, {ago} ago', { ago }))
    : unknown(
        say('wan-came-silent', 'the WAN came up {ago} ago, and no phone is seen that has registered since', { ago }),
        say('tell-restart-phone', 'start one phone anew: do calls come to it then, and to the others not?'),
      );
}

const leavesAs = (flow: CallFlow): Said =>
  say('flow-leaves-as', '{flow}; outside as {address}', { flow: shown(flow), address: flow.replyDestination });

export const OF_WAN: readonly Cause[] = [
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
      'Several ways lead to the internet, and SIP leaves by more than one of them: the provider sees a phone at two addresses.',
    ),
    observable: 'flows of one phone, or with one provider, that leave with different addresses of the router',
    fix: {
      setting: say('fix-pin-wan', "pin SIP and its audio to one WAN (mwan3: a rule for the provider's networks with one member)"),
      of: THE_ROUTER,
    },
    source: 'net/ipv4/fib_trie.c; mwan3',
    made: NETWORK,
    sees(look) {
      const routes = valueOf(look.calls.routes);
      if (routes === null) return unread(look.calls.routes);
      // To another network inside, or through a tunnel to somebody in it, is no way to the internet.
      const inside = new Set(look.calls.lan.flatMap(({ address, zone }) => (zone === null ? [] : [address])));
      const leads = ({ destination, replyDestination }: CallFlow): boolean =>
        look.calls.own.includes(replyDestination) && !inside.has(replyDestination) && !isInside(look, destination);
      const leaving = fromPhones(look).filter(leads);
      const all = [...leaving, ...audioOf(look).filter(leads)];
      const asOf = (flows: readonly CallFlow[]): string[] => [...new Set(flows.map(({ replyDestination }) => replyDestination))];
      // Phones of two providers may leave by a way each: what confuses a provider is one phone, or itself, reached by two.
      const torn = [
        ...leaving.map((flow) => leaving.filter(({ destination }) => destination === flow.destination)),
        ...leaving.map((flow) => all.filter(({ source }) => source === flow.source)),
      ].find((flows) => asOf(flows).length > 1);
      if (torn !== undefined) {
        const addresses = asOf(torn);
        // Some of each address.
        const each = addresses.flatMap((address) => torn.filter((flow) => flow.replyDestination === address).slice(0, 2)).slice(0, 4);
        return found([say('sip-leaves-as', 'SIP leaves as {addresses}', { addresses }), ...each.map(leavesAs)]);
      }
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
      'Another router translates in front of this one: its timeouts and its ALG are beyond what is seen here.',
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
    code: 'wan-address-changed',
    weight: 70,
    symptoms: ['not-received', 'registration-lost', 'drops-after-time', 'one-way-audio', 'no-audio'],
    what: say(
      'cause-wan-address-changed',
      'The WAN came up anew, and phones have not registered since: the provider sends calls and audio to the address of before.',
    ),
    observable:
      'the WAN has been up (netifd) for less than an hour, and since then a phone has sent keep-alives alone, or one that was seen to '
      + 'register before is not due yet; or flows of a running call leave with an address that the router has no more',
    fix: {
      setting: say('fix-register-often', 'start them anew now, and let them register every 2 to 5 minutes'),
      of: THE_PHONES,
    },
    source: 'RFC 3261 §10.2.4; net/netfilter/nf_nat_masquerade.c, masq_inet_event',
    made: 'test/lab/diagnose/wan.ts',
    sees: byChange,
  },
];
