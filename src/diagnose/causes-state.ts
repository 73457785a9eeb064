/** Causes that lie with the ALG, and with the state the router keeps of a phone. */
import { staleFlows } from '../judge/questions.ts';
import type { Said } from '../words/say.ts';
import { say } from '../words/say.ts';
import { askProvider, found, out, unknown, unread } from './cause.ts';
import type { Cause, Fix, Outcome } from './cause.ts';
import { stateAgainstInterval } from './intervals.ts';
import { audioOf, flowsOf, fromPhones, grown, isInside, isSizedAsAudio, isTwoWay, lifeOf, peersOf, shown } from './look.ts';
import type { Look } from './look.ts';

const STATE = 'test/lab/diagnose/state.ts';

const RULES: Fix = { command: 'uci set sipalg.main.policy=1 && uci commit sipalg && /etc/init.d/sipalg reload' };

/** Seconds: half of the shortest Session-Expires (RFC 4028 §5, §10). */
const SHORTEST_REFRESH = 45;

/** A keep-alive comes every 25 to 30 s (RFC 5626 §4.4.1); who is silent for longer, and for half of the state's life, sends none. */
function silences(look: Look): { silent: { text: Said; left: number }[]; young: Said[]; kept: number } {
  const all = fromPhones(look).filter(({ protocol }) => protocol === 'udp');
  const silent: { text: Said; left: number }[] = [];
  const young: Said[] = [];
  let kept = 0;
  for (const flow of all) {
    const life = lifeOf(look, flow);
    if (life === null || flow.left === null) {
      kept += 1;
      continue;
    }
    // Where it was seen how often the phone speaks, that says more than how long it has been silent now.
    const known = stateAgainstInterval(look, flow);
    if (known !== null) {
      if (known.is === 'short')
        silent.push({ text: say('flow-interval', '{flow}: {because}', { flow: shown(flow), because: known.because }), left: flow.left });
      else kept += 1;
      continue;
    }
    const silence = life - flow.left;
    const text = say('flow-silent', '{flow}: silent for {silence} s of the {life} s that its state lives', {
      flow: shown(flow),
      silence,
      life,
    });
    if (silence >= Math.max(30, life / 2)) silent.push({ text, left: flow.left });
    else if (flow.flags.includes('ASSURED') && silence < 30 && Math.max(flow.out?.packets ?? 6, flow.in?.packets ?? 6) >= 6) kept += 1;
    else young.push(text);
  }
  return { silent, young, kept };
}

export const OF_STATE: readonly Cause[] = [
  {
    code: 'state-short',
    weight: 70,
    symptoms: ['not-received', 'registration-lost', 'drops-after-time', 'drops-on-hold', 'others-ring-on'],
    what: say(
      'cause-state-short',
      'The router forgets a phone before it speaks again: a call, a re-INVITE or a CANCEL that comes then is turned away.',
    ),
    observable:
      "the time left of the phone's state against its timeout: silent for more than 30 s and half of its life, so no keep-alive; "
      + 'or how often it was seen to speak (`sipalg watch`) against it',
    fix: RULES,
    source: 'net/netfilter/nf_conntrack_proto_udp.c; RFC 4787 REQ-5; RFC 5626 §4.4.1',
    made: STATE,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const { silent, young, kept } = silences(look);
      if (silent.length > 0) return found(silent.slice(0, 4).map(({ text }) => text));
      if (kept > 0 && young.length === 0)
        return out(
          say('states-kept', "every phone's state was used within the last 30 s, or is kept longer, or its phone speaks before it ends"),
        );
      if (young.length > 0)
        return unknown(
          say('state-young', 'the state of a phone is too young to tell: {flow}', { flow: young[0] ?? '' }),
          say(
            'tell-rest',
            'let the phones rest for two minutes, then look again: the state must still be there, and used within 30 s',
          ),
        );
      if (fromPhones(look).length > 0)
        return out(say('phones-connected', 'all phones speak over connections (TCP, TLS): their state lives as long as these'));
      return unknown(
        say('phones-none', 'no phone behind this router has signalling now'),
        say('tell-start-phone', 'start the phone anew, and look within a minute'),
      );
    },
  },
  {
    code: 'state-gone-in-call',
    weight: 75,
    symptoms: ['drops-after-time', 'drops-on-hold', 'drops-on-transfer'],
    what: say(
      'cause-state-gone-in-call',
      "Audio runs, and the state of the same phone's signalling has expired: the next re-INVITE or BYE " + 'from outside is turned away.',
    ),
    observable:
      'an audio flow that moves steadily both ways, of a device without any signalling flow: with a server of other phones, or, where a '
      + 'symptom is asked for, of the size of audio',
    fix: RULES,
    source: 'net/netfilter/nf_conntrack_proto_udp.c; RFC 4028',
    made: STATE,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const phones = new Set(flowsOf(look).signalling.flatMap(({ source, replySource }) => [source, replySource]));
      const lonely = flowsOf(look).media.filter((flow) => isInside(look, flow.source) && !phones.has(flow.source) && isTwoWay(flow));
      const steady = lonely.filter((flow) => {
        const growth = grown(look, flow);
        return (
          growth !== null && [growth.out, growth.in].every((packets) => packets / growth.seconds >= 20 && packets / growth.seconds <= 70)
        );
      });
      const peers = peersOf(look);
      // A game, or a call of another kind, runs as steadily: with a stranger it takes the size of audio, too.
      const known = steady.filter(
        (flow) => peers.includes(flow.destination) || (look.asked.symptoms.length > 0 && isSizedAsAudio(flow)),
      );
      if (known.length > 0) return found(known.slice(0, 3).map(shown));
      if (lonely.length > 0)
        return unknown(
          say('audio-lonely', 'a device without signalling on 5060 or 5061 has what may be audio: {flow}', {
            flow: shown(lonely[0] as (typeof lonely)[0]),
          }),
          say('tell-ask-drops', 'ask with the symptom while the call runs: `sipalg diagnose drops-after-time`'),
        );
      return out(say('audio-not-lonely', 'no audio runs without the signalling of its phone'));
    },
  },
  {
    code: 'state-lost-address',
    weight: 80,
    symptoms: ['not-received', 'registration-lost', 'cannot-call-out'],
    what: say(
      'cause-state-lost-address',
      "A phone's state leads to an address that this router no longer has: its answers get lost, and its " + 'retries keep it alive.',
    ),
    observable: 'the reply destination of the flow is no address of the router',
    fix: { command: 'sipalg apply' },
    source: 'net/netfilter/nf_conntrack_core.c; opnsense/core#4652',
    made: STATE,
    sees: (look) => byStale(look, false),
  },
  {
    code: 'state-untranslated',
    weight: 80,
    symptoms: ['not-received', 'registration-lost', 'cannot-call-out'],
    what: say(
      'cause-state-untranslated',
      "A phone's state began before the firewall translated: it leaves with its private address, and its " + 'retries keep that alive.',
    ),
    observable: "the reply destination of the flow is the phone's own address, unanswered, on a way that translates",
    fix: { command: 'sipalg apply' },
    source: 'net/netfilter/nf_nat_core.c; arno-iptables-firewall/aif#19',
    made: STATE,
    sees: (look) => byStale(look, true),
  },
  {
    code: 'answer-unacknowledged',
    weight: 65,
    symptoms: ['drops-after-time'],
    what: say(
      'cause-answer-unacknowledged',
      'A phone says the same answer again and again while audio runs: the ACK of its peer never comes, and the call ends after 32 s.',
    ),
    observable:
      'two looks five seconds apart: signalling goes out in messages of full size and nothing comes back, while audio of the same phone '
      + 'runs both ways',
    fix: askProvider(say('ask-ack', 'Do you get the 200 OK of our phone, and where do you send the ACK (which Contact and Record-Route)?')),
    source: 'RFC 3261 §13.3.1.4, timer H',
    made: STATE,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const talking = new Set(
        audioOf(look)
          .filter(isTwoWay)
          .map(({ source }) => source),
      );
      const suspects = fromPhones(look).filter(
        ({ source, out: sent, in: back }) => talking.has(source) && (sent?.packets ?? 0) - (back?.packets ?? 0) >= 5,
      );
      // A flow of days has sent more than it got for many reasons: the answer that is said again is seen while it is.
      const repeating = suspects.flatMap((flow) => {
        const growth = grown(look, flow);
        return growth !== null && growth.out > 0 && growth.in === 0 && (growth.outBytes ?? 0) / growth.out >= 350 ? [{ flow, growth }] : [];
      });
      if (repeating.length > 0)
        return found(
          repeating.slice(0, 3).map(({ flow, growth }) =>
            say('flow-repeats', '{flow}; in {seconds} s {packets} more out and none in, while audio runs both ways', {
              flow: shown(flow),
              seconds: growth.seconds,
              packets: growth.out,
            }),
          ),
        );
      if (suspects.some((flow) => grown(look, flow) === null))
        return unknown(
          say('flow-once', 'a phone has sent more than it got, but that is since its state began: {flow}', {
            flow: shown(suspects[0] as (typeof suspects)[0]),
          }),
          say('tell-half-minute', 'look within half a minute of the beginning of a call'),
        );
      return talking.size > 0
        ? out(say('answers-once', 'in the calls that run, no phone says anything again and again'))
        : unknown(say('calls-none', 'no call runs now'), say('tell-half-minute', 'look within half a minute of the beginning of a call'));
    },
  },
  {
    code: 'session-refresh',
    weight: 40,
    symptoms: ['drops-after-time'],
    what: say(
      'cause-session-refresh',
      'Phone and provider do not agree on session timers, or the refresh of the session does not get through.',
    ),
    observable: 'none on the router as long as the state lives: only the messages tell',
    alike: {
      codes: ['answer-unacknowledged', 'state-gone-in-call'],
      tell: say(
        'tell-refresh-alike',
        'a capture on the WAN at the moment of the drop: re-INVITE or UPDATE that comes and is not answered, or none at all',
      ),
    },
    fix: askProvider(
      say('ask-session-expires', 'Which Session-Expires do you ask for, and does a refresh of yours go unanswered when the call ends?'),
    ),
    source: 'RFC 4028 §7, §10',
    made: STATE,
    sees: ({ asked }) =>
      asked.seconds !== null && asked.seconds < SHORTEST_REFRESH
        ? out(
            say(
              'session-too-short',
              'a session is refreshed after 45 s at the earliest (RFC 4028: at half of it, and it is of 90 s at least), and {seconds} s is '
                + 'less',
              { seconds: asked.seconds },
            ),
          )
        : unknown(
            say('session-in-messages', 'session timers stand in messages alone'),
            say('tell-refresh', 'a capture on the WAN at the moment of the drop: does a re-INVITE or UPDATE come, and is it answered?'),
          ),
  },
  {
    code: 'cancel-lost',
    weight: 40,
    symptoms: ['others-ring-on'],
    what: say('cause-cancel-lost', 'The CANCEL for the other phones never comes to this router.'),
    observable: 'none: a phone that rings without a CANCEL has a healthy state',
    alike: {
      codes: ['state-short'],
      tell: say('tell-cancel-alike', 'a capture on the WAN while one phone answers: is there a CANCEL for the others?'),
    },
    fix: askProvider(say('ask-cancel', 'Do you send a CANCEL to the other phones when one answers, and to which address and port?')),
    source: 'RFC 3261 §9; RFC 3326',
    made: STATE,
    sees: () =>
      unknown(
        say('cancel-like-health', 'a CANCEL that is lost before it comes here looks like health'),
        say('tell-cancel', 'a capture on the WAN while one phone answers: is there a CANCEL (Reason: SIP;cause=200) for the others?'),
      ),
  },
];

function byStale(look: Look, untranslated: boolean): Outcome {
  if (look.facts.flows.state !== 'present') return unread(look.facts.flows);
  const stale = staleFlows(look.facts).filter(({ lost }) => (lost === '') === untranslated);
  if (stale.length === 0)
    return out(
      untranslated
        ? say('stale-translated', 'no SIP flow leaves untranslated and unanswered')
        : say('stale-address-none', 'no SIP flow is answered at an address that is gone'),
    );
  const [first] = stale;
  return found(
    stale.slice(0, 4).map(({ source, sourcePort, destination, destinationPort, lost, timeout, remove }) => {
      // As conntrack is told it: SIP goes over TCP too.
      const flow = `${remove[remove.indexOf('-p') + 1] ?? 'udp'} ${source}:${sourcePort} -> ${destination}:${destinationPort}`;
      const left = timeout ?? '?';
      return untranslated
        ? say('flow-untranslated', "{flow}, {left} s left: it leaves with the phone's own address", { flow, left })
        : say('flow-answers-lost', '{flow}, {left} s left: its answers go to {address}', { flow, left, address: lost });
    }),
    first === undefined
      ? undefined
      : {
          command: `conntrack ${first.remove.join(' ')}`,
          ...(stale.length === 1 ? {} : { then: say('fix-then-flows', 'and alike for the other {count}', { count: stale.length - 1 }) }),
        },
  );
}
