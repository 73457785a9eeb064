/** Causes that lie with the line and the network inside: what is missing of audio, what comes late, and marks that are not there. */
import type { Line, Said } from '../words/say.ts';
import { say } from '../words/say.ts';
import { found, out, unknown, unread, THE_PHONE } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import { audioOf, grown, isTwoWay, shown, valueOf } from './look.ts';
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

/** What a path shows: how many echoes are missing, and the times. */
interface Timed {
  path: Path;
  sent: number;
  answered: number;
  /** Milliseconds. */
  middle: number;
  /** The mean of how much one differs from the one before it (RFC 3550 §6.4.1 without its smoothing). */
  jitter: number;
}

function timed(path: Path): Timed | null {
  const echoes = valueOf(path.echoes);
  if (echoes === null || echoes.times.length < 3) return null;
  const { sent, times } = echoes;
  const sorted = [...times].sort((one, other) => one - other);
  const steps = times.slice(1).map((time, at) => Math.abs(time - (times[at] as number)));
  return {
    path,
    sent,
    answered: times.length,
    middle: sorted[Math.floor(sorted.length / 2)] as number,
    jitter: steps.reduce((sum, step) => sum + step, 0) / steps.length,
  };
}

/** What a call bears (voice practice, several providers: jitter 30 ms, latency 100 ms a way). */
const isLate = (one: Timed): boolean =>
  one.jitter > 30 || one.middle > 200 || (one.sent - one.answered >= 2 && !isSparing(one));

/** Who answers less than half of them, and those in time, lets a rate of pings pass: a line that loses so many bears no call. */
const isSparing = ({ path: { to }, sent, answered }: Timed): boolean => to === 'provider' && answered * 2 < sent;

const tell = ({ path: { address }, sent, answered, middle, jitter }: Timed): Said =>
  say('pings', '{address}: {answered} of {sent} pings answered, after {middle} ms, {jitter} ms from one to the next', {
    address,
    answered,
    sent,
    middle: Math.round(middle),
    jitter: Math.round(jitter),
  });

export const pathsTo = ({ calls: { moved } }: Look, to: Path['to']): Path[] => (moved?.paths ?? []).filter((path) => path.to === to);
export const latePaths = (look: Look, to: Path['to']): Line[] =>
  pathsTo(look, to).flatMap((path) => {
    const one = timed(path);
    return one !== null && isLate(one) ? [tell(one)] : [];
  });

/** Bytes a second by which a line of a household is not idle any more: six calls. */
const BUSY = 64_000;
export const busyLinks = ({ calls: { moved } }: Look): Line[] =>
  (moved?.traffic ?? [])
    .map(({ device, in: taken, out: given }) => ({ device, taken: taken / (moved?.seconds ?? 1), given: given / (moved?.seconds ?? 1) }))
    .filter(({ taken, given }) => Math.max(taken, given) >= BUSY)
    .map(({ device, taken, given }) =>
      say('link-busy', '{device} meanwhile: {given} kB a second out, {taken} kB in', {
        device,
        given: Math.round(given / 1000),
        taken: Math.round(taken / 1000),
      }),
    );

/** The other traffic of this router that makes audio wait, where no queue keeps it back. */
export const isFull = (look: Look): boolean =>
  look.calls.shapers.length === 0 && latePaths(look, 'provider').length > 0 && busyLinks(look).length > 0;

const OTHER_PING = say('tell-ping-other', 'ping another address out there while a call sounds bad: do the times differ by 30 ms?');

function byEcho(look: Look, to: Path['to']): Outcome {
  const { moved } = look.calls;
  if (moved === null || moved.paths === null) return unknown(say('pings-none', 'how long packets take was not looked at'), TAKE_TIME);
  const all = pathsTo(look, to);
  if (all.length === 0) return unknown(NO_PHONE, TAKE_TIME);
  const late = latePaths(look, to);
  if (late.length > 0 && to === 'provider' && isFull(look))
    return out(say('line-own-traffic', "it is this router's own traffic that fills the line"));
  const talking = new Set(audioOf(look).filter(isTwoWay).map(({ source }) => source));
  if (late.length > 0 && to === 'phone' && !all.some(({ address }) => talking.has(address)))
    return unknown(
      say('pings-resting', 'a phone that rests answers late to save power (Wi-Fi), and no call runs: {pings}', {
        pings: all.flatMap((path) => timed(path) ?? []).map(tell),
      }),
      TAKE_TIME,
    );
  if (late.length > 0) return found([...late, ...(to === 'provider' ? busyLinks(look) : [])]);
  const answering = all.flatMap((path) => timed(path) ?? []);
  const known = answering.filter((one) => !isSparing(one));
  const [first] = all;
  if (known.length === 0 && answering.length > 0)
    return unknown(
      say('pings-few', 'too few pings are answered to tell lost ones from a limit: {pings}', { pings: answering.map(tell) }),
      OTHER_PING,
    );
  if (known.length === 0)
    return first?.echoes.state === 'present'
      ? unknown(
          say('pings-unanswered', '{address} answers no pings', { address: first.address }),
          OTHER_PING,
        )
      : unread(first?.echoes ?? { state: 'absent', source: 'ping' });
  return out(say('pings-fine', 'the ends answer in time: {pings}', { pings: known.map(tell) }));
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

/** What has counted marked audio, and how much: rules, our own counters, and the tin of cake that it is sorted into. */
function marked(look: Look): { by: string | Said; packets: number }[] {
  const rules = (valueOf(look.calls.marks) ?? []).filter(({ marks }) => marks.every((one) => VOICE_MARKS.includes(one)));
  const own = look.facts.policy.state === 'present' ? (valueOf(look.facts.policy.value.inForce.all)?.counters ?? []) : [];
  const marking = look.facts.policy.state === 'present' && look.facts.policy.value.wish.marking !== null;
  return [
    ...rules.map(({ by, packets }) => ({ by, packets })),
    ...own
      .filter(({ name }) => marking && name === 'voice_media')
      .map(({ packets }) => ({ by: say('by-rules', 'the voice rules'), packets })),
    ...(valueOf(look.calls.queues) ?? []).flatMap((queue) => {
      const packets = voiceTin(queue);
      const { device, order } = queue;
      if (packets === null) return [];
      return [{ by: say('by-cake', 'cake on {device} ({order}), its tin for voice', { device, order: order ?? '' }), packets }];
    }),
  ];
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
    observable: "the device's own count of errors: more than one in ten thousand packets; or duplex half at 10 or 100 Mbit/s",
    fix: { setting: say('fix-negotiate', 'another cable or port, and automatic negotiation at both ends'), of: say('of-line', 'the line') },
    source: 'Documentation/networking/statistics.rst; Documentation/ABI/testing/sysfs-class-net',
    made: LINE,
    sees({ calls }) {
      const failed = calls.links.find(({ errors }) => errors.state === 'failed');
      const all = calls.links.flatMap(({ errors }) => valueOf(errors) ?? []);
      const bad = all.filter(({ packets, errors, half }) => half || (errors >= 20 && errors > packets / 10_000));
      if (bad.length > 0)
        return found(
          bad.map(({ device, packets, errors, half }) =>
            half
              ? say('errors-half', '{device}: {errors} errors in {packets} packets, and it runs at half duplex', {
                  device,
                  errors,
                  packets,
                })
              : say('errors-of', '{device}: {errors} errors in {packets} packets', { device, errors, packets }),
          ),
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
    observable: 'what counts marked packets has counted less than a tenth of the audio that runs',
    fix: { command: 'uci set sipalg.main.policy=1 && uci commit sipalg && /etc/init.d/sipalg reload' },
    source: 'RFC 4594 §4.1; net/sched/sch_cake.c',
    made: LINE,
    sees(look) {
      if (look.calls.marks.state === 'failed') return unread(look.calls.marks);
      const counts = marked(look);
      if (counts.length === 0)
        return unknown(
          say('marks-uncounted', 'nothing on this router counts packets by their marks'),
          say('tell-marks', '`sipalg policy` with `option policy 1` counts them, and so does a queue of cake'),
        );
      const running = audioOf(look).filter(isTwoWay);
      const sent = running.reduce((sum, { out: given }) => sum + (given?.packets ?? 0), 0);
      if (sent < ENOUGH) return unknown(say('gaps-no-call', 'no call with audio runs now'), TAKE_TIME);
      const most = Math.max(...counts.map(({ packets }) => packets));
      const said = counts
        .slice(0, 3)
        .map(({ by, packets }) => say('marks-by', '{by}: {packets} {packets:packet|packets} marked as voice', { by, packets }));
      return most * 10 >= sent
        ? out(say('marks-seen', 'marked audio is seen: {counts}', { counts: said }))
        : found([say('marks-audio-sent', '{sent} packets of audio went out', { sent }), ...said]);
    },
  },
];
