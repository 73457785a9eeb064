/** Causes that lie with the line and the network inside: what is missing of audio, what comes late, and marks that are not there. */
import type { Line, Said } from '../words/say.ts';
import { say } from '../words/say.ts';
import { found, out, unknown, unread, THE_PHONE } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import { busyLinks, delayOf, isSparing, latePaths, pathsTo, tellPings, timed } from './load.ts';
import { audioOf, grown, isTwoWay, shown, since, valueOf } from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow, Path, Queue } from '../observe/calls/facts.ts';

const LINE = 'test/lab/diagnose/line.ts';

/** Packets a second by what a packet holds: 10, 20, 30, 40 or 60 ms (RFC 3551 §4.2). */
const RATES = [100, 50, 100 / 3, 25, 50 / 3];
/** How far a measured rate may be from one of these: the two looks are not taken in no time. */
const NEAR = 0.06;
const rateOf = (measured: number): number | null => RATES.find((one) => Math.abs(measured - one) <= one * NEAR) ?? null;
/** Fewer than these of a hundred are missing by chance, for packets are on their way; more than these, and somebody is silent. */
const MISSING = { least: 0.03, most: 0.5 };
/** Too few packets tell nothing. */
const ENOUGH = 100;

interface Gaps {
  flow: CallFlow;
  /** Packets that should have come, and those that did. */
  wanted: number;
  came: number;
}

/**
 * Flows of which one direction runs at a rate of audio and the other at a little less: both ends send alike, so packets are
 * missing. Silence suppression leaves out far more, and at both ends.
 */
function gaps(look: Look, way: 'in' | 'out'): Gaps[] {
  const { moved } = look.calls;
  if (moved === null) return [];
  return audioOf(look).flatMap((flow) => {
    const growth = grown(look, flow);
    if (growth === null) return [];
    const [came, wanted] = way === 'in' ? [growth.in, growth.out] : [growth.out, growth.in];
    const rate = rateOf(wanted / moved.seconds);
    // Ends that pack their audio differently both send all of it: 50 packets a second, and 33 back.
    const slower = rateOf(came / moved.seconds);
    const steady = rate !== null && (slower === null || slower === rate);
    const missing = wanted === 0 ? 0 : 1 - came / wanted;
    return steady && wanted >= ENOUGH && missing >= MISSING.least && missing <= MISSING.most ? [{ flow, wanted, came }] : [];
  });
}

const TAKE_TIME = say('tell-choppy', 'ask while a call runs that sounds bad: `sipalg diagnose choppy`');
const NO_PHONE = say('pings-no-phone', 'no phone talks to anybody outside now');
const WHO_SELLS = say('whoever-sells', 'whoever sells the line');

function byGaps(look: Look, way: 'in' | 'out'): Outcome {
  if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
  if (valueOf(look.calls.counts) === false)
    return unknown(
      say('audio-uncounted', 'packets of flows are not counted on this router'),
      say('tell-acct', 'sysctl -w net.netfilter.nf_conntrack_acct=1, then look in a new call'),
    );
  const all = gaps(look, way);
  const seconds = look.calls.moved?.seconds ?? 0;
  if (all.length > 0)
    return found([
      ...all
        .slice(0, 3)
        .map(({ flow, wanted, came }) =>
          say('flow-gaps', '{flow}; in {seconds} s {came} packets came of about {wanted}', { flow: shown(flow), seconds, came, wanted }),
        ),
      say(
        'gaps-or-silence',
        'an end that leaves silence out (silence suppression) looks the same for seconds: look again, and while both sides speak',
      ),
    ]);
  const running = audioOf(look).filter(isTwoWay);
  if (running.length === 0) return unknown(say('gaps-no-call', 'no call with audio runs now'), TAKE_TIME);
  const growths = running.flatMap((flow) => grown(look, flow) ?? []);
  if (Math.max(0, ...growths.map((one) => Math.max(one.out, one.in))) < ENOUGH)
    return unknown(say('gaps-too-short', 'it was not looked at for long enough to count what is missing'), TAKE_TIME);
  const uneven = growths.some(({ out: given, in: taken }) => Math.min(given, taken) < (1 - MISSING.least) * Math.max(given, taken));
  if (uneven)
    return unknown(
      say('gaps-uneven', 'one end sends less than the other, and that may be silence (silence suppression)'),
      say('tell-rtp-numbers', 'a capture on the WAN during a call: are numbers of RTP packets missing?'),
    );
  return out(
    way === 'in'
      ? say('gaps-none-in', 'as much audio comes from outside as goes out')
      : say('gaps-none-out', 'as much audio comes from the phones as from outside'),
  );
}

/** A line that carries something is not full by that: it may be far away from the provider. */
export const loaded = (evidence: readonly Line[]): Said =>
  say('late-and-loaded', 'packets come late while the line carries other traffic, and whether they do without it is not seen ({pings})', {
    pings: evidence,
  });
export const IDLE_PING = say(
  'tell-idle-ping',
  'stop uploads and downloads, and ask again in a call, `sipalg diagnose choppy`: are the pings still late? Then it is the line; if '
    + 'not, a queue is missing',
);

const OTHER_PING = say('tell-ping-other', 'ping another address out there while a call sounds bad: do the times differ by 30 ms?');

function byEcho(look: Look, to: Path['to']): Outcome {
  const { moved } = look.calls;
  if (moved === null || moved.paths === null) return unknown(say('pings-none', 'how long packets take was not looked at'), TAKE_TIME);
  const all = pathsTo(look, to);
  if (all.length === 0) return unknown(NO_PHONE, TAKE_TIME);
  const late = latePaths(look, to);
  const delay = to === 'provider' ? delayOf(look) : null;
  if (delay !== null && look.calls.shapers.length === 0) {
    if (delay.is === 'load') return out(say('line-own-traffic', "it is this router's own traffic that fills the line"));
    if (delay.is === 'untold') return unknown(loaded(delay.evidence), IDLE_PING);
    return found(delay.evidence);
  }
  const talking = new Set(audioOf(look).filter(isTwoWay).map(({ source }) => source));
  if (late.length > 0 && to === 'phone' && !all.some(({ address }) => talking.has(address)))
    return unknown(
      say('pings-resting', 'a phone that rests answers late to save power (Wi-Fi), and no call runs: {pings}', {
        pings: all.flatMap((path) => timed(path) ?? []).map(tellPings),
      }),
      TAKE_TIME,
    );
  if (late.length > 0) return found([...late, ...(to === 'provider' ? busyLinks(look) : [])]);
  const answering = all.flatMap((path) => timed(path) ?? []);
  const known = answering.filter((one) => !isSparing(one));
  const [first] = all;
  if (known.length === 0 && answering.length > 0)
    return unknown(
      say('pings-few', 'too few pings are answered to tell lost ones from a limit: {pings}', { pings: answering.map(tellPings) }),
      OTHER_PING,
    );
  if (known.length === 0)
    return first?.echoes.state === 'present'
      ? unknown(
          say('pings-unanswered', '{address} answers no pings', { address: first.address }),
          OTHER_PING,
        )
      : unread(first?.echoes ?? { state: 'absent', source: 'ping' });
  return out(say('pings-fine', 'the ends answer in time: {pings}', { pings: known.map(tellPings) }));
}

/** Marks that put audio before other traffic: EF, and classes that a queue treats alike (RFC 4594 §4.1). */
const VOICE_MARKS = [46, 44];

/** The tin that EF and VA are sorted into, where it is not the last one (net/sched/sch_cake.c: diffserv8, precedence). */
const VOICE_TINS: Readonly<Record<string, number>> = { diffserv8: 6, precedence: 5 };

/** Packets of the tin for audio; null where there is one for all, or the queue sorts in no such order. */
function voiceTin({ order, tins }: Queue): number | null {
  if (order === null || order === 'besteffort' || tins.length < 2) return null;
  return tins[VOICE_TINS[order] ?? tins.length - 1] ?? null;
}

/**
 * What has counted marked audio between the two looks: rules, our own counters, and the tin of cake that it is sorted into. null: it
 * was looked at once, and a count since a rule was loaded says nothing of a call that began before or after that.
 */
function marked({ calls: { marks, queues, moved }, facts: { policy } }: Look): { by: string | Said; packets: number }[] | null {
  const isVoice = (rule: { marks: number[] }): boolean => rule.marks.every((one) => VOICE_MARKS.includes(one));
  const marking = policy.state === 'present' && policy.value.wish.marking !== null;
  const counting =
    (valueOf(marks) ?? []).some(isVoice)
    || (valueOf(queues) ?? []).some((queue) => voiceTin(queue) !== null)
    || (marking && (valueOf(policy.value.inForce.all)?.counters ?? []).some(({ name }) => name === 'voice_media'));
  if (!counting) return [];
  const grown = [
    ...(moved?.marks ?? []).filter(isVoice).map(({ by, packets }) => ({ by, packets })),
    ...(marking && moved?.voice !== undefined ? [{ by: say('by-rules', 'the voice rules'), packets: moved.voice }] : []),
    ...(moved?.queues ?? []).flatMap((queue) => {
      const packets = voiceTin(queue);
      const { device, order } = queue;
      if (packets === null) return [];
      return [{ by: say('by-cake', 'cake on {device} ({order}), its tin for voice', { device, order: order ?? '' }), packets }];
    }),
  ];
  return grown.length === 0 ? null : grown;
}

export const OF_LINE: readonly Cause[] = [
  {
    code: 'audio-gaps-in',
    weight: 45,
    symptoms: ['choppy', 'one-way-audio'],
    what: say('cause-audio-gaps-in', "Packets of the provider's audio are missing when it comes to this router."),
    observable: 'two looks three seconds apart: audio goes out at its rate, and between 3 and 50 of a hundred packets less come in',
    fix: {
      ask: WHO_SELLS,
      question: say('ask-clean-line', 'Is the line clean (errors, retrains, a filled downlink)? Packets to us get lost.'),
    },
    source: 'RFC 3551 §4.2; net/netfilter/nf_conntrack_acct.c',
    made: LINE,
    sees: (look) => byGaps(look, 'in'),
  },
  {
    code: 'audio-gaps-out',
    weight: 45,
    symptoms: ['choppy', 'one-way-audio'],
    what: say(
      'cause-audio-gaps-out',
      "Packets of a phone's audio are missing when they come to this router: they get lost inside (Wi-Fi, a cable, a switch).",
    ),
    observable:
      'two looks three seconds apart: audio comes in at its rate, and between 3 and 50 of a hundred packets less come from the phone',
    fix: { setting: say('fix-cable', 'a cable in place of Wi-Fi, or another cable and port'), of: THE_PHONE },
    source: 'RFC 3551 §4.2; net/netfilter/nf_conntrack_acct.c',
    made: LINE,
    sees: (look) => byGaps(look, 'out'),
  },
  {
    code: 'line-late',
    weight: 40,
    symptoms: ['choppy'],
    what: say('cause-line-late', 'Packets between this router and the provider come late, or at times that differ too much.'),
    observable:
      'twelve pings to the other end of calls: 30 ms from one to the next, 200 ms there and back, or two without an answer; '
      + 'who answers less than half of them limits pings',
    fix: { ask: WHO_SELLS, question: say('ask-late-line', 'Why do packets to our provider take so long, or so different times?') },
    source: 'RFC 3550 §6.4.1; ITU-T G.114',
    made: 'test/machine/offload.test.ts',
    sees: (look) => byEcho(look, 'provider'),
  },
  {
    code: 'inside-late',
    weight: 40,
    symptoms: ['choppy'],
    what: say(
      'cause-inside-late',
      'Packets between this router and a phone come late, or at times that differ too much: it is the network inside (Wi-Fi).',
    ),
    observable: 'twelve pings to the phone in a call: 30 ms from one to the next, 200 ms there and back, or two without an answer',
    fix: { setting: say('fix-wifi', 'a cable in place of Wi-Fi, or 5 GHz and WMM'), of: THE_PHONE },
    source: 'RFC 3550 §6.4.1; ITU-T G.114',
    made: LINE,
    sees: (look) => byEcho(look, 'phone'),
  },
  {
    code: 'line-errors',
    weight: 40,
    symptoms: ['choppy', 'one-way-audio', 'registration-lost'],
    what: say('cause-line-errors', 'A device that leads out takes in broken packets, or sends and listens by turns (half duplex).'),
    observable:
      "the device's own counts since the start, errors against packets: more than one in ten thousand; what they grew by between two "
      + 'looks is said; or duplex half at 10 or 100 Mbit/s',
    fix: { setting: say('fix-negotiate', 'another cable or port, and automatic negotiation at both ends'), of: say('of-line', 'the line') },
    source: 'Documentation/networking/statistics.rst; Documentation/ABI/testing/sysfs-class-net',
    made: LINE,
    sees({ calls }) {
      const failed = calls.links.find(({ errors }) => errors.state === 'failed');
      const all = calls.links.flatMap(({ errors }) => valueOf(errors) ?? []);
      const bad = all.filter(({ packets, errors, half }) => half || (errors >= 20 && errors > packets / 10_000));
      if (bad.length > 0)
        return found(
          bad.map(({ device, packets, errors, half }) => {
            const now = calls.moved?.errors?.find((one) => one.device === device);
            const grew = now === undefined ? '' : say('errors-grew', ', {errors} of them in the last {seconds} s', {
                    errors: now.errors,
                    seconds: calls.moved?.seconds ?? 0,
                  });
            const values = { device, packets, errors, since: since(calls), grew };
            return half
              ? say('errors-half', '{device}: {errors} errors in {packets} packets{since}{grew}, and it runs at half duplex', values)
              : say('errors-of', '{device}: {errors} errors in {packets} packets{since}{grew}', values);
          }),
        );
      if (failed !== undefined) return unread(failed.errors);
      return all.length === 0
        ? unknown(say('errors-none', 'no device leads out, or none counts its errors'), say('tell-wan-up', 'look again once the WAN is up'))
        : out(say('errors-few', '{devices} took in nothing broken to speak of', { devices: all.map(({ device }) => device) }));
    },
  },
  {
    code: 'marks-missing',
    weight: 25,
    symptoms: ['choppy'],
    what: say('cause-marks-missing', 'Audio goes out without a mark (DSCP): no queue on the way can put it before other traffic.'),
    observable: 'two looks three seconds apart: what counts marked packets grows by less than a tenth of the audio that runs meanwhile',
    fix: { command: 'uci set sipalg.main.policy=1 && uci commit sipalg && /etc/init.d/sipalg reload' },
    source: 'RFC 4594 §4.1; net/sched/sch_cake.c',
    made: LINE,
    sees(look) {
      if (look.calls.marks.state === 'failed') return unread(look.calls.marks);
      const counts = marked(look);
      if (counts?.length === 0)
        return unknown(
          say('marks-uncounted', 'nothing on this router counts packets by their marks'),
          say('tell-marks', '`sipalg policy` with `option policy 1` counts them, and so does a queue of cake'),
        );
      const running = audioOf(look).filter(isTwoWay);
      if (running.length === 0) return unknown(say('gaps-no-call', 'no call with audio runs now'), TAKE_TIME);
      const sent = running.reduce((sum, flow) => sum + (grown(look, flow)?.out ?? 0), 0);
      if (counts === null || sent < ENOUGH)
        return unknown(
          say(
            'marks-once',
            'what counts marks was looked at once only, or anew meanwhile, and its count may be older or younger than the call',
          ),
          TAKE_TIME,
        );
      const most = Math.max(...counts.map(({ packets }) => packets));
      const said = counts
        .slice(0, 3)
        .map(({ by, packets }) => say('marks-by', '{by}: {packets} {packets:packet|packets} marked as voice', { by, packets }));
      return most * 10 >= sent
        ? out(say('marks-seen', 'marked audio is seen: {counts}', { counts: said }))
        : found([
            say('marks-audio-sent', 'in {seconds} s {sent} packets of audio went out', { seconds: look.calls.moved?.seconds ?? 0, sent }),
            ...said,
          ]);
    },
  },
];
