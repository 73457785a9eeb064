/** Causes that lie with audio: rules, ports, places it comes from. */
import type { Said } from '../words/say.ts';
import { say } from '../words/say.ts';
import { askProvider, found, out, unknown, unread, THE_FIREWALL, THE_PHONE, THE_PHONES } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import { AUDIO_RATE, dropping, evidenceOf, ruleFix, unproven } from './droppers.ts';
import {
  audioOf,
  flowsOf,
  grown,
  isMoved,
  isRejectedAudio,
  isTwoWay,
  isUnanswered,
  rejectedRate,
  outside,
  shown,
  valueOf,
} from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow } from '../observe/calls/facts.ts';

const AUDIO = 'test/lab/diagnose/audio.ts';

/** Why nothing can be said of audio now; null where it can. */
function blind({ calls }: Look): Outcome | null {
  if (calls.flows.state !== 'present') return unread(calls.flows);
  return valueOf(calls.counts) === false
    ? unknown(
        say('audio-uncounted', 'packets of flows are not counted on this router'),
        say('tell-acct', 'sysctl -w net.netfilter.nf_conntrack_acct=1, then look in a new call'),
      )
    : null;
}

const NO_CALL = (what: Said): Outcome =>
  unknown(
    say('audio-no-call', '{what}: no call with audio runs now', { what }),
    say('tell-in-call', 'look while a call runs: `sipalg diagnose one-way-audio`'),
  );

/** Audio that goes out and is not answered, without the causes that other things tell. */
function oneWay(look: Look): CallFlow[] {
  const dropped = dropping(look, 'in').map(({ flow }) => flow);
  return audioOf(look).filter(
    (flow) => isUnanswered(flow) && !dropped.includes(flow) && !isShared(look, flow) && !look.calls.own.includes(flow.destination),
  );
}

const isShared = (look: Look, flow: CallFlow): boolean =>
  isMoved(flow) && flowsOf(look).media.some((other) => other.source !== flow.source && other.sourcePort === flow.sourcePort);

const ALIKE = say(
  'tell-sdp-private',
  'a capture on the WAN during a call: does the SDP that leaves name a private address (c=IN IP4 ' + '192.168...), and does RTP arrive?',
);

function upstream(look: Look): Outcome {
  const cannot = blind(look);
  if (cannot !== null) return cannot;
  const flows = oneWay(look);
  const rate = rejectedRate(look);
  if (flows.length > 0 && rate !== null && rate >= AUDIO_RATE)
    return out(say('audio-turned-away-here', 'audio does come to this router: it is turned away here'));
  if (flows.length > 0)
    return found([
      ...flows.slice(0, 3).map(shown),
      rate === null
        ? say('audio-rejected-uncounted', 'whether anything is turned away meanwhile is not counted here')
        : say('audio-rejected-rate', '{rate} packets a second are turned away meanwhile', { rate: Math.round(rate) }),
    ]);
  return audioOf(look).length > 0
    ? out(say('audio-both-ways', 'the audio that runs goes both ways'))
    : NO_CALL(say('audio-back-unknown', 'whether audio comes back is not known'));
}

export const OF_SOUND: readonly Cause[] = [
  {
    code: 'rule-drops-audio-in',
    weight: 75,
    symptoms: ['one-way-audio', 'no-audio'],
    what: say('cause-rule-drops-audio-in', 'A rule of the firewall drops the audio that comes back.'),
    observable:
      "a drop rule's own counter, of a rule that the answers of a running audio flow meet, grows as fast as audio comes; "
      + 'conntrack counts before it',
    fix: {
      setting: say('fix-rule-in', "take that rule away, or let the provider's media networks pass before it"),
      of: THE_FIREWALL,
    },
    source: 'nft(8); nf_tables hooks: forward comes behind conntrack, raw before it',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      if (look.calls.drops.state !== 'present') return unread(look.calls.drops);
      const all = dropping(look, 'in');
      const [first] = all;
      if (first !== undefined) return found(evidenceOf(look, all), ruleFix(first.rule));
      const perhaps = unproven(look, 'in');
      if (perhaps !== null) return perhaps;
      return audioOf(look).length > 0
        ? out(say('rules-none-in', 'no rule that drops anything now meets the audio that comes back'))
        : NO_CALL(say('rules-unknown', 'which rules meet audio is not known'));
    },
  },
  {
    code: 'rule-drops-audio-out',
    weight: 75,
    symptoms: ['one-way-audio', 'no-audio'],
    what: say('cause-rule-drops-audio-out', 'A rule of the firewall drops the audio that a phone sends.'),
    observable: 'the counter of a drop rule that meets what the phone sends grows as fast as audio comes',
    fix: {
      setting: say('fix-rule-out', 'take that rule away: everything a phone sends out may pass'),
      of: THE_FIREWALL,
    },
    source: 'nft(8)',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      if (look.calls.drops.state !== 'present') return unread(look.calls.drops);
      const all = dropping(look, 'out');
      const [first] = all;
      if (first !== undefined) return found(evidenceOf(look, all), ruleFix(first.rule));
      return unproven(look, 'out') ?? out(say('rules-none-out', 'no rule that drops anything now meets what the phones send'));
    },
  },
  {
    code: 'audio-from-elsewhere',
    weight: 70,
    symptoms: ['one-way-audio', 'no-audio'],
    what: say(
      'cause-audio-from-elsewhere',
      "The provider's audio comes from another address or port than the phone sends to, and is turned away.",
    ),
    observable: 'audio goes out and none comes back, and meanwhile packets are turned away as fast as audio comes',
    fix: askProvider(
      say(
        'ask-audio-networks',
        'From which networks and ports does your audio come? Do you send it to where ours comes from (symmetric RTP, RFC 4961)?',
      ),
    ),
    source: 'RFC 4961; firewall4, reject_from_wan',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      const flows = oneWay(look);
      const rate = rejectedRate(look);
      if (flows.length === 0)
        return audioOf(look).length > 0
          ? out(say('audio-answered', 'the audio that runs is answered'))
          : NO_CALL(say('audio-from-unknown', 'where audio comes from is not known'));
      if (rate === null)
        return unknown(
          say('rejects-uncounted', 'no rule of the firewall counts what it turns away'),
          say('tell-rtp-source', 'a capture on the WAN: from which address does RTP come?'),
        );
      if (rate < AUDIO_RATE)
        return out(
          say('rejects-few', 'only {rate} packets a second are turned away, and audio would be about 50', { rate: Math.round(rate) }),
        );
      return found([
        ...flows.slice(0, 3).map(shown),
        say('rejects-from-internet', '{rate} packets a second from the internet are turned away meanwhile', { rate: Math.round(rate) }),
      ]);
    },
  },
  {
    code: 'audio-waits-for-phone',
    weight: 65,
    symptoms: ['no-audio', 'one-way-audio'],
    what: say('cause-audio-waits-for-phone', 'Audio comes in for a phone that sends none: nothing has opened the way for it.'),
    observable: 'no audio flow of any phone, while packets of the size of audio are turned away as fast as audio comes',
    fix: {
      setting: say(
        'fix-silence-suppression',
        "switch silence suppression off and let it send from the first moment (or open the provider's media " + 'networks)',
      ),
      of: THE_PHONE,
    },
    source: 'RFC 7362 (latching); firewall4, reject_from_wan',
    made: AUDIO,
    sees(look) {
      const cannot = blind(look);
      if (cannot !== null) return cannot;
      if (audioOf(look).length > 0) return out(say('audio-sent', 'a phone does send audio'));
      const rate = rejectedRate(look);
      if (rate === null) return NO_CALL(say('rejects-unlooked', 'whether audio is turned away was not looked at'));
      if (rate < AUDIO_RATE) return out(say('rejects-slow', 'nothing is turned away as fast as audio comes'));
      if (dropping(look, 'out').length > 0) return out(say('rule-drops-out', 'a rule drops what the phone sends'));
      if (!isRejectedAudio(look))
        return unknown(
          say(
            'rejects-unsized',
            '{rate} packets a second from the internet are turned away, and their size does not tell that they are audio',
            { rate: Math.round(rate) },
          ),
          say('tell-rtp-source', 'a capture on the WAN: from which address does RTP come?'),
        );
      return found([
        say('rejects-no-audio', '{rate} packets a second from the internet are turned away, and no phone sends audio', {
          rate: Math.round(rate),
        }),
      ]);
    },
  },
  {
    code: 'audio-lost-upstream',
    weight: 55,
    symptoms: ['one-way-audio', 'no-audio'],
    what: say('cause-audio-lost-upstream', "The provider's audio does not come to this router: something before it blocks it."),
    observable: 'audio goes out, none comes back, and nothing is turned away meanwhile',
    alike: { codes: ['sdp-private'], tell: ALIKE },
    fix: askProvider(say('ask-audio-target', 'To which address and port do you send our audio, and does it leave you?')),
    source: 'RFC 3264; net/netfilter/nf_conntrack_core.c',
    made: AUDIO,
    sees: upstream,
  },
  {
    code: 'sdp-private',
    weight: 55,
    symptoms: ['one-way-audio', 'no-audio'],
    what: say(
      'cause-sdp-private',
      'The SDP names an address behind the router, and the server believes it: it does not send to where audio comes from.',
    ),
    observable: 'audio goes out, none comes back, and nothing is turned away meanwhile',
    alike: { codes: ['audio-lost-upstream'], tell: ALIKE },
    fix: askProvider(
      say(
        'ask-latch',
        'Do you latch (send audio to where ours comes from, RFC 7362)? Else the phone needs STUN or an outbound proxy.',
      ),
    ),
    source: 'RFC 7362; RFC 8489',
    made: AUDIO,
    sees: upstream,
  },
  {
    code: 'audio-out-lost-upstream',
    weight: 35,
    symptoms: ['one-way-audio', 'no-audio'],
    what: say('cause-audio-out-lost-upstream', 'What the phone sends gets lost behind this router.'),
    observable: 'none: the flow of audio counts both ways as in health; only RTCP or the far end knows',
    fix: {
      ask: say('the-far-end', 'the far end'),
      question: say('ask-audio-arrives', 'Does our audio arrive (RTCP receiver reports, or what do you hear)?'),
    },
    source: 'RFC 3550 §6.4',
    made: AUDIO,
    sees: () =>
      unknown(
        say('lost-beyond', 'what is lost behind this router leaves no trace here'),
        say('tell-rtcp', 'the far end, or its RTCP: how many of our packets arrive?'),
      ),
  },
  {
    code: 'phones-share-audio-port',
    weight: 70,
    symptoms: ['one-way-audio', 'first-phone-only', 'no-audio'],
    what: say(
      'cause-phones-share-audio-port',
      'Two phones use the same audio port: the second one has another port outside than its SDP says, and '
        + 'its audio goes to the first.',
    ),
    observable: 'two audio flows with one source port, of which the unanswered one has another reply port',
    fix: { setting: say('fix-rtp-ranges', 'give each phone an RTP port range of its own'), of: THE_PHONES },
    source: 'net/netfilter/nf_nat_core.c, get_unique_tuple; RFC 4961',
    made: AUDIO,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const all = audioOf(look).filter((flow) => isShared(look, flow));
      if (all.length === 0) return out(say('audio-ports-differ', 'no two phones use one audio port'));
      const [first] = all;
      const other = flowsOf(look).media.find(
        (one) => first !== undefined && one.source !== first.source && one.sourcePort === first.sourcePort,
      );
      return found([...all.slice(0, 2).map(outside), ...(other === undefined ? [] : [outside(other)])]);
    },
  },
  {
    code: 'audio-to-own-address',
    weight: 70,
    symptoms: ['no-audio', 'one-way-audio', 'drops-on-transfer'],
    what: say(
      'cause-audio-to-own-address',
      "A phone sends its audio to this router's own address outside: two phones behind it call each other " + 'by that, and it ends here.',
    ),
    observable: 'an unanswered audio flow whose destination is an address of the router itself',
    fix: askProvider(
      say('ask-relay', 'Do you relay audio between two phones of one line, instead of having them send to each other directly?'),
    ),
    source: 'RFC 4787 REQ-9 (hairpinning); net/netfilter/nf_nat_sip.c where an ALG wrote that address',
    made: 'test/lab/diagnose/calls.ts',
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const all = audioOf(look).filter((flow) => isUnanswered(flow) && look.calls.own.includes(flow.destination));
      return all.length > 0
        ? found(all.slice(0, 3).map(shown))
        : out(say('audio-not-to-router', 'no phone sends audio to the router itself'));
    },
  },
  {
    code: 'audio-stalls',
    weight: 40,
    symptoms: ['drops-on-hold', 'one-way-audio', 'no-audio'],
    what: say('cause-audio-stalls', "Audio that ran both ways comes no more from the provider's side."),
    observable: 'two looks a second apart: what the phone sends grows, and what comes back does not',
    fix: askProvider(say('ask-hold', 'Is the call on hold, or has your audio moved to another address or port after it was retrieved?')),
    source: 'RFC 3264 §8.4; RFC 6263',
    made: AUDIO,
    sees(look) {
      const running = audioOf(look).filter(isTwoWay);
      if (running.length === 0) return NO_CALL(say('audio-stall-unknown', 'whether audio stands still is not known'));
      const all = running.flatMap((flow) => {
        const growth = grown(look, flow);
        return growth === null ? [] : [{ flow, growth }];
      });
      if (all.length === 0)
        return unknown(
          say('audio-looked-once', 'audio was looked at once only'),
          say('tell-ask-hold', 'ask with the symptom while the call runs: `sipalg diagnose drops-on-hold`'),
        );
      // Who listens to music, is muted or leaves silence out sends nothing in health.
      const [silent] = all.filter(({ growth }) => growth.out === 0 && growth.in >= AUDIO_RATE);
      const stalled = all.filter(({ growth }) => growth.in === 0 && growth.out >= AUDIO_RATE);
      if (stalled.length === 0 && silent !== undefined)
        return unknown(
          say('audio-phone-silent', 'a phone sends nothing while audio comes for it, as one does that is muted or on hold: {flow}', {
            flow: shown(silent.flow),
          }),
          say('tell-speak', 'look again while the phone is not on hold, and speak'),
        );
      if (stalled.length === 0) return out(say('audio-moves', 'the audio that runs moves both ways'));
      return found(
        stalled.slice(0, 3).map(({ flow, growth }) =>
          say('flow-grew', '{flow}; in {seconds} s {out} more out, {in} in', {
            flow: shown(flow),
            seconds: growth.seconds,
            out: growth.out,
            in: growth.in,
          }),
        ),
      );
    },
  },
];
