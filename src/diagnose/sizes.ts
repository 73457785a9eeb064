/** Messages of phones that are too large for the way out, by what conntrack counts of them. Pure. */
import { say } from '../words/say.ts';
import { found, out, unknown, unread } from './cause.ts';
import type { Outcome } from './cause.ts';
import { fromPhones, shown, valueOf } from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow } from '../observe/calls/facts.ts';

/** RFC 3261 §18.1.1: a request of more must go by TCP. */
const LARGE = 1300;

/** What a message that is answered has on the average, headers of IP and UDP included: REGISTER, OPTIONS, BYE. */
const ANSWERED = 600;

/** A phone's messages that nobody answers, with their size, as far as the counts of the flow tell it. */
const largeUnanswered = (look: Look): { flow: CallFlow; size: number }[] =>
  fromPhones(look).flatMap((flow) => {
    const { protocol, out: sent, in: back } = flow;
    if (protocol !== 'udp' || sent === null || back === null || sent.packets - back.packets < 3) return [];
    const size = Math.round((sent.bytes - ANSWERED * back.packets) / (sent.packets - back.packets));
    return size > LARGE ? [{ flow, size }] : [];
  });

/** The MTU of the LAN: what is larger comes in fragments already. */
const ETHERNET = 1500;

/** @param cut what is large leaves in fragments; else it must not be cut, and does not leave */
export function bySize(look: Look, cut: boolean): Outcome {
  if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
  const counters = valueOf(look.calls.counters);
  if (counters === null) return unread(look.calls.counters);
  const { fragFails, fragCreates } = counters;
  const mtu = Math.min(ETHERNET, ...look.calls.links.map((link) => link.mtu));
  const large = largeUnanswered(look).filter(({ size }) => size > mtu);
  if (large.length === 0)
    return out(say('sizes-answered', 'no phone sends messages of more than {bytes} bytes that stay unanswered', { bytes: mtu }));
  const those = large.filter(({ size }) => (size > ETHERNET || fragFails === 0) === cut);
  if (those.length === 0)
    return out(cut ? say('large-not-cut', 'what is large is not cut') : say('large-cut', 'what is large is cut, and leaves in fragments'));
  if (cut && fragCreates === 0)
    return unknown(
      say('router-cut-nothing', 'the router itself has cut nothing'),
      say('tell-fragments', 'a capture on the WAN: do the fragments leave?'),
    );
  return found([
    ...those.slice(0, 3).map(({ flow, size }) => say('flow-size', '{flow}; about {bytes} bytes each', { flow: shown(flow), bytes: size })),
    `/proc/net/snmp: Ip.FragFails ${fragFails}, Ip.FragCreates ${fragCreates}`,
    ...look.calls.links
      .filter((link) => link.mtu < ETHERNET)
      .map((link) =>
        link.ppp
          ? say('device-mtu-ppp', '{device} has an MTU of {mtu} (PPP)', { device: link.device, mtu: link.mtu })
          : say('device-mtu', '{device} has an MTU of {mtu}', { device: link.device, mtu: link.mtu }),
      ),
  ]);
}
