/** Causes that lie with audio: rules, ports, places it comes from. */
import { found, out, unknown, unread } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import {
  audioOf,
  flowsOf,
  fromPhones,
  grown,
  isInside,
  isMoved,
  isTwoWay,
  isUnanswered,
  meets,
  peersOf,
  rejectedRate,
  shown,
  shownRule,
  valueOf,
} from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow, DropRule } from '../observe/calls/facts.ts';

const AUDIO = 'test/lab/diagnose/audio.ts';
/** Packets a second that tell of audio: half of what one call sends at 20 ms a packet (RFC 3551). */
const AUDIO_RATE = 10;

/** Why nothing can be said of audio now; null where it can. */
function blind({ calls }: Look): Outcome | null {
  if (calls.flows.state !== 'present') return unread(calls.flows);
  return valueOf(calls.counts) === false
    ? unknown('packets of flows are not counted on this router', 'sysctl -w net.netfilter.nf_conntrack_acct=1, then look in a new call')
    : null;
}

const NO_CALL = (what: string): Outcome =>
  unknown(`${what}: no call with audio runs now`, 'look while a call runs: `sipalg diagnose one-way-audio`');

/** Rules with a count that meet the answers of an audio flow, before or after translation, or what the phone sends. */
function droppers(look: Look, way: 'in' | 'out'): { rule: DropRule; flow: CallFlow | null }[] {
  const rules = (valueOf(look.calls.drops) ?? []).filter(({ packets, limits }) => packets !== null && packets > 0 && !limits);
  const flows = audioOf(look);
  return rules.flatMap((rule): { rule: DropRule; flow: CallFlow | null }[] => {
    const met = flows.find((flow) =>
      way === 'in'
        ? [
            {
              source: flow.replySource,
              sourcePort: flow.destinationPort,
              destination: flow.replyDestination,
              destinationPort: flow.replyPort,
            },
            { source: flow.destination, sourcePort: flow.destinationPort, destination: flow.source, destinationPort: flow.sourcePort },
          ].some((packet) => meets(rule, packet) && narrowsAudio(rule))
        : meets(rule, flow) && narrowsAudio(rule),
    );
    if (met !== undefined) return [{ rule, flow: met }];
    if (way === 'in' || !narrowsAudio(rule)) return [];
    // No flow comes about where the first packet is dropped: whoever signals is met as whoever sends audio to the same places.
    const phone = fromPhones(look).find(
      ({ source, destination }) =>
        meets(rule, { source, sourcePort: null, destination: peersOf(look).length === 1 ? destination : source, destinationPort: null }) ||
        meets(rule, { source, sourcePort: null, destination, destinationPort: null }),
    );
    return phone === undefined || !isOutward(rule, look) ? [] : [{ rule, flow: null }];
  });
}

/** A rule for signalling alone is no rule for audio. */
const narrowsAudio = ({ asks }: DropRule): boolean =>
  !asks.some(
    ({ of, not, values }) =>
      (of === 'destination port' || of === 'source port') && !not && values.every((one) => one === '5060' || one === '5061'),
  );

/** It names somebody inside as the sender, or somebody outside as whom it is sent to, or ports where only phones send to. */
const isOutward = ({ asks, chain }: DropRule, look: Look): boolean =>
  asks.some(({ of, values }) => of === 'source' && values.some((one) => isInside(look, one.split('/')[0] ?? ''))) ||
  asks.some(({ of, values }) => of === 'destination' && values.some((one) => !isInside(look, one.split('/')[0] ?? ''))) ||
  /lan/.test(chain);

const evidenceOf = (all: { rule: DropRule; flow: CallFlow | null }[]): string[] =>
  all.slice(0, 3).flatMap(({ rule, flow }) => [shownRule(rule), ...(flow === null ? [] : [`it meets ${shown(flow)}`])]);

const RULE_FIX = (rule: DropRule): { command: string } => ({
  command: `nft -a list chain ${rule.family} ${rule.table} ${rule.chain}   # then take out rule ${rule.handle} where it was written`,
});

/** Audio that goes out and is not answered, without the causes that other things tell. */
function oneWay(look: Look): CallFlow[] {
  const dropped = droppers(look, 'in').map(({ flow }) => flow);
  return audioOf(look).filter(
    (flow) => isUnanswered(flow) && !dropped.includes(flow) && !isShared(look, flow) && !look.calls.own.includes(flow.destination),
  );
}

const isShared = (look: Look, flow: CallFlow): boolean =>
  isMoved(flow) && flowsOf(look).media.some((other) => other.source !== flow.source && other.sourcePort === flow.sourcePort);

const ALIKE =
  'a capture on the WAN during a call: does the SDP that leaves name a private address (c=IN IP4 192.168...), and does RTP arrive?';

function upstream(look: Look): Outcome {
  const cannot = blind(look);
  if (cannot !== null) return cannot;
  const flows = oneWay(look);
  const rate = rejectedRate(look);
  if (flows.length > 0 && rate !== null && rate >= AUDIO_RATE) return out('audio does come to this router: it is turned away here');
  if (flows.length > 0)
    return found([
      ...flows.slice(0, 3).map(shown),
      rate === null
        ? 'whether anything is turned away meanwhile is not counted here'
        : `${Math.round(rate)} packets a second are turned away meanwhile`,
    ]);
  return audioOf(look).length > 0 ? out('the audio that runs goes both ways') : NO_CALL('whether audio comes back is not known');
}

export const OF_SOUND: readonly Cause[] = [
  {
    code: 'rule-drops-audio-in',
    weight: 75,
    symptoms: ['one-way-audio', 'no-audio'],
    what: 'A rule of the firewall drops the audio that comes back.',
    observable: "the drop rule's own counter, of a rule that the answers of a running audio flow meet; conntrack counts before it",
    fix: { setting: "take that rule away, or let the provider's media networks pass before it", of: "the router's firewall" },
    source: 'nft(8); nf_tables hooks: forward comes behind conntrack, raw before it',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      if (look.calls.drops.state !== 'present') return unread(look.calls.drops);
      const all = droppers(look, 'in');
      const [first] = all;
      if (first !== undefined) return found(evidenceOf(all), RULE_FIX(first.rule));
      return audioOf(look).length > 0
        ? out('no rule that has dropped anything meets the audio that comes back')
        : NO_CALL('which rules meet audio is not known');
    },
  },
  {
    code: 'rule-drops-audio-out',
    weight: 75,
    symptoms: ['one-way-audio', 'no-audio'],
    what: 'A rule of the firewall drops the audio that a phone sends.',
    observable: 'the counter of a drop rule that meets what the phone sends, and no audio flow of that phone',
    fix: { setting: 'take that rule away: everything a phone sends out may pass', of: "the router's firewall" },
    source: 'nft(8)',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      if (look.calls.drops.state !== 'present') return unread(look.calls.drops);
      const all = droppers(look, 'out');
      const [first] = all;
      if (first !== undefined) return found(evidenceOf(all), RULE_FIX(first.rule));
      return out('no rule that has dropped anything meets what the phones send');
    },
  },
  {
    code: 'audio-from-elsewhere',
    weight: 70,
    symptoms: ['one-way-audio', 'no-audio'],
    what: "The provider's audio comes from another address or port than the phone sends to, and is turned away.",
    observable: 'audio goes out and none comes back, and meanwhile packets are turned away as fast as audio comes',
    fix: {
      ask: 'the provider',
      question: 'From which networks and ports does your audio come? Do you send it to where ours comes from (symmetric RTP, RFC 4961)?',
    },
    source: 'RFC 4961; firewall4, reject_from_wan',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      const flows = oneWay(look);
      const rate = rejectedRate(look);
      if (flows.length === 0)
        return audioOf(look).length > 0 ? out('the audio that runs is answered') : NO_CALL('where audio comes from is not known');
      if (rate === null)
        return unknown('no rule of the firewall counts what it turns away', 'a capture on the WAN: from which address does RTP come?');
      if (rate < AUDIO_RATE) return out(`only ${Math.round(rate)} packets a second are turned away, and audio would be about 50`);
      return found([...flows.slice(0, 3).map(shown), `${Math.round(rate)} packets a second from the internet are turned away meanwhile`]);
    },
  },
  {
    code: 'audio-waits-for-phone',
    weight: 65,
    symptoms: ['no-audio', 'one-way-audio'],
    what: 'Audio comes in for a phone that sends none: nothing has opened the way for it.',
    observable: 'no audio flow of any phone, while packets are turned away as fast as audio comes',
    fix: {
      setting: "switch silence suppression off and let it send from the first moment (or open the provider's media networks)",
      of: 'the phone',
    },
    source: 'RFC 7362 (latching); firewall4, reject_from_wan',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      if (audioOf(look).length > 0) return out('a phone does send audio');
      const rate = rejectedRate(look);
      if (rate === null) return NO_CALL('whether audio is turned away was not looked at');
      if (rate < AUDIO_RATE) return out('nothing is turned away as fast as audio comes');
      if (droppers(look, 'out').length > 0) return out('a rule drops what the phone sends');
      return found([`${Math.round(rate)} packets a second from the internet are turned away, and no phone sends audio`]);
    },
  },
  {
    code: 'audio-lost-upstream',
    weight: 55,
    symptoms: ['one-way-audio', 'no-audio'],
    what: "The provider's audio does not come to this router: something before it blocks it.",
    observable: 'audio goes out, none comes back, and nothing is turned away meanwhile',
    alike: { codes: ['sdp-private'], tell: ALIKE },
    fix: { ask: 'the provider', question: 'To which address and port do you send our audio, and does it leave you?' },
    source: 'RFC 3264; net/netfilter/nf_conntrack_core.c',
    made: AUDIO,
    sees: upstream,
  },
  {
    code: 'sdp-private',
    weight: 55,
    symptoms: ['one-way-audio', 'no-audio'],
    what: 'The SDP names an address behind the router, and the server believes it: it does not send to where audio comes from.',
    observable: 'audio goes out, none comes back, and nothing is turned away meanwhile',
    alike: { codes: ['audio-lost-upstream'], tell: ALIKE },
    fix: {
      ask: 'the provider',
      question: 'Do you latch (send audio to where ours comes from, RFC 7362)? Else the phone needs STUN or an outbound proxy.',
    },
    source: 'RFC 7362; RFC 8489',
    made: AUDIO,
    sees: upstream,
  },
  {
    code: 'audio-out-lost-upstream',
    weight: 35,
    symptoms: ['one-way-audio', 'no-audio'],
    what: 'What the phone sends gets lost behind this router.',
    observable: 'none: the flow of audio counts both ways as in health; only RTCP or the far end knows',
    fix: { ask: 'the far end', question: 'Does our audio arrive (RTCP receiver reports, or what do you hear)?' },
    source: 'RFC 3550 §6.4',
    made: AUDIO,
    sees: () =>
      unknown('what is lost behind this router leaves no trace here', 'the far end, or its RTCP: how many of our packets arrive?'),
  },
  {
    code: 'phones-share-audio-port',
    weight: 70,
    symptoms: ['one-way-audio', 'first-phone-only', 'no-audio'],
    what: 'Two phones use the same audio port: the second one has another port outside than its SDP says, and its audio goes to the first.',
    observable: 'two audio flows with one source port, of which the unanswered one has another reply port',
    fix: { setting: 'give each phone an RTP port range of its own', of: 'the phones' },
    source: 'net/netfilter/nf_nat_core.c, get_unique_tuple; RFC 4961',
    made: AUDIO,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const all = audioOf(look).filter((flow) => isShared(look, flow));
      if (all.length === 0) return out('no two phones use one audio port');
      const [first] = all;
      const other = flowsOf(look).media.find(
        (one) => first !== undefined && one.source !== first.source && one.sourcePort === first.sourcePort,
      );
      return found([
        ...all.slice(0, 2).map((flow) => `${shown(flow)}; outside from port ${flow.replyPort}`),
        ...(other === undefined ? [] : [`${shown(other)}; outside from port ${other.replyPort}`]),
      ]);
    },
  },
  {
    code: 'audio-to-own-address',
    weight: 70,
    symptoms: ['no-audio', 'one-way-audio', 'drops-on-transfer'],
    what: "A phone sends its audio to this router's own address outside: two phones behind it call each other by that, and it ends here.",
    observable: 'an unanswered audio flow whose destination is an address of the router itself',
    fix: {
      ask: 'the provider',
      question: 'Do you relay audio between two phones of one line, instead of having them send to each other directly?',
    },
    source: 'RFC 4787 REQ-9 (hairpinning); net/netfilter/nf_nat_sip.c where an ALG wrote that address',
    made: 'test/lab/diagnose/alg.test.ts',
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const all = audioOf(look).filter((flow) => isUnanswered(flow) && look.calls.own.includes(flow.destination));
      return all.length > 0 ? found(all.slice(0, 3).map(shown)) : out('no phone sends audio to the router itself');
    },
  },
  {
    code: 'audio-stalls',
    weight: 40,
    symptoms: ['drops-on-hold', 'one-way-audio', 'no-audio'],
    what: 'Audio that ran both ways stands still in one direction now.',
    observable: 'two looks a second apart: one direction of an audio flow grows, the other does not',
    fix: {
      ask: 'the provider',
      question: 'Is the call on hold, or has your audio moved to another address or port after it was retrieved?',
    },
    source: 'RFC 3264 §8.4; RFC 6263',
    made: AUDIO,
    sees(look) {
      const running = audioOf(look).filter(isTwoWay);
      if (running.length === 0) return NO_CALL('whether audio stands still is not known');
      const all = running.flatMap((flow) => {
        const growth = grown(look, flow);
        return growth === null ? [] : [{ flow, growth }];
      });
      if (all.length === 0)
        return unknown('audio was looked at once only', 'ask with the symptom while the call runs: `sipalg diagnose drops-on-hold`');
      const stalled = all.filter(({ growth }) => growth.out + growth.in >= AUDIO_RATE && Math.min(growth.out, growth.in) === 0);
      if (stalled.length === 0) return out('the audio that runs moves both ways');
      return found(
        stalled.slice(0, 3).map(({ flow, growth }) => `${shown(flow)}; in ${growth.seconds} s ${growth.out} more out, ${growth.in} in`),
      );
    },
  },
];
