/** Causes that lie with the size of messages. */
import { say } from '../words/say.ts';
import { askProvider, found, out, unknown, unread, THE_PHONE } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import { fromPhones, grown, shown, since, valueOf } from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow } from '../observe/calls/facts.ts';

const NETWORK = 'test/lab/diagnose/network.ts';

/** RFC 3261 §18.1.1: a request of more must go by TCP. */
const LARGE = 1300;

/** What a message that is answered has on the average, headers of IP and UDP included: REGISTER, OPTIONS, BYE. */
const ANSWERED = 600;

/** Messages of a phone's that nobody answers: how many, and about how large. */
interface Large {
  flow: CallFlow;
  size: number;
  packets: number;
}

/**
 * As far as the counts of the flow tell it: by what it grew between two looks, or, where most of what it ever sent is unanswered, by
 * all of that. A flow that lives for days has sent hundreds of messages that were answered, of sizes that nobody counted.
 */
const largeUnanswered = (look: Look): Large[] =>
  fromPhones(look).flatMap((flow) => {
    const { protocol, out: sent, in: back } = flow;
    if (protocol !== 'udp' || sent === null || back === null || sent.packets - back.packets < 3) return [];
    const packets = sent.packets - back.packets;
    const growth = grown(look, flow);
    if (growth !== null && growth.outBytes !== null && growth.out > 0 && growth.in === 0) {
      const size = Math.round(growth.outBytes / growth.out);
      return size > LARGE ? [{ flow, size, packets: growth.out }] : [];
    }
    const size = Math.round((sent.bytes - ANSWERED * back.packets) / packets);
    return back.packets <= packets && size > LARGE ? [{ flow, size, packets }] : [];
  });

/** Fewer have come than one large INVITE and its retransmissions bring: seven (RFC 3261 §17.1.1.2), and a few of anybody's. */
const FEW_FRAGMENTS = 10;

const FRAGMENTS = say('tell-fragments', 'a capture on the WAN: do the fragments leave?');

export const OF_SIZES: readonly Cause[] = [
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
    alike: { codes: ['fragments-lost-out'], tell: FRAGMENTS },
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
      'Large messages of a phone leave in fragments, and nobody answers them: fragments get lost on the way.',
    ),
    observable: 'signalling of more than 1500 bytes goes out unanswered, and packets were cut (Ip.FragCreates)',
    alike: { codes: ['message-too-large'], tell: FRAGMENTS },
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
    observable: 'since the start ten fragments or more have come (Ip.ReasmReqds), and few or none were put together (Ip.ReasmOKs)',
    fix: askProvider(
      say('ask-smaller', 'Can you send smaller messages (fewer codecs), or SIP over TCP or TLS? Are fragments filtered on the line?'),
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
          'fragments-lost-since',
          '/proc/net/snmp{since}: {fragments} fragments came, {packets} packets were put together, {failed} could not be',
          { since: since(calls), fragments: reasmReqds, packets: reasmOks, failed: reasmFails },
        ),
        ...(calls.moved?.counters === undefined
          ? []
          : [
              say('fragments-grew', 'in the last {seconds} s: {fragments} fragments, {packets} packets, {failed} failures', {
                seconds: calls.moved.seconds,
                fragments: calls.moved.counters.reasmReqds,
                packets: calls.moved.counters.reasmOks,
                failed: calls.moved.counters.reasmFails,
              }),
            ]),
      ]);
    },
  },
];

/** The MTU of the LAN: what is larger comes in fragments already. */
const ETHERNET = 1500;

/** @param cut what is large leaves in fragments; else it must not be cut, and does not leave */
function bySize(look: Look, cut: boolean): Outcome {
  if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
  const counters = valueOf(look.calls.counters);
  if (counters === null) return unread(look.calls.counters);
  const { fragFails, fragCreates } = counters;
  const mtu = Math.min(ETHERNET, ...look.calls.links.map((link) => link.mtu));
  const large = largeUnanswered(look).filter(({ size }) => size > mtu);
  if (large.length === 0)
    return out(say('sizes-answered', 'no phone sends messages of more than {bytes} bytes that stay unanswered', { bytes: mtu }));
  // The two counts are of everything since the start: each must hold at least what this flow takes, and both may.
  const fits = ({ size, packets }: Large): boolean =>
    cut ? fragCreates >= 2 * packets || (size > ETHERNET && fragFails < packets) : size <= ETHERNET && fragFails >= packets;
  const those = large.filter(fits);
  if (those.length === 0)
    return out(cut ? say('large-not-cut', 'what is large is not cut') : say('large-cut', 'what is large is cut, and leaves in fragments'));
  if (cut && fragCreates === 0)
    return unknown(
      say('router-cut-nothing', 'the router itself has cut nothing'),
      FRAGMENTS,
    );
  return found([
    ...those.slice(0, 3).map(({ flow, size }) => say('flow-size', '{flow}; about {bytes} bytes each', { flow: shown(flow), bytes: size })),
    say('frag-counts', '/proc/net/snmp{since}: Ip.FragFails {failed}, Ip.FragCreates {created}', {
      since: since(look.calls),
      failed: fragFails,
      created: fragCreates,
    }),
    ...look.calls.links
      .filter((link) => link.mtu < ETHERNET)
      .map((link) =>
        link.ppp
          ? say('device-mtu-ppp', '{device} has an MTU of {mtu} (PPP)', { device: link.device, mtu: link.mtu })
          : say('device-mtu', '{device} has an MTU of {mtu}', { device: link.device, mtu: link.mtu }),
      ),
  ]);
}
