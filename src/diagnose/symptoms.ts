/** The symptoms, by name and by the words people use for them. */
import { say, Trouble } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { secondsIn } from './times.ts';
import { plain, WORDS } from './words.ts';

export const SYMPTOMS = {
  'drops-after-time': say('symptom-drops-after-time', 'calls drop after a set time'),
  'drops-on-hold': say('symptom-drops-on-hold', 'calls drop when they are retrieved from hold'),
  'drops-on-transfer': say('symptom-drops-on-transfer', 'calls drop on transfer'),
  'not-received': say('symptom-not-received', 'calls are not received'),
  'cannot-call-out': say('symptom-cannot-call-out', 'cannot call out'),
  'no-audio': say('symptom-no-audio', 'no audio'),
  'one-way-audio': say('symptom-one-way-audio', 'one-way audio'),
  'others-ring-on': say('symptom-others-ring-on', 'other extensions keep ringing'),
  'registration-lost': say('symptom-registration-lost', 'the registration is lost'),
  'first-phone-only': say('symptom-first-phone-only', 'only the first phone works'),
  choppy: say('symptom-choppy', 'choppy or late audio'),
  'ghost-calls': say('symptom-ghost-calls', 'ghost calls'),
} as const;

export type Symptom = keyof typeof SYMPTOMS;
export const NAMES = Object.keys(SYMPTOMS) as Symptom[];
/** Symptoms of audio: what moves in a running call tells most about them. */
export const OF_AUDIO: readonly Symptom[] = ['no-audio', 'one-way-audio', 'drops-on-hold', 'drops-after-time'];
/** Symptoms of how audio sounds: what is missing of it, and how late it is. */
export const OF_QUALITY: readonly Symptom[] = ['choppy'];

export interface Asked {
  /** As it was given; '' where nothing was asked. */
  text: string;
  symptoms: Symptom[];
  /** Seconds that were named; null where none were. */
  seconds: number | null;
}

/** @throws Error in a sentence where no symptom is known by these words */
export function readAsked(given: string): Asked {
  const text = given.trim();
  const seconds = secondsIn(text);
  if (text === '') return { text, symptoms: [], seconds };
  const lower = text.toLowerCase();
  const said = plain(text);
  const named = NAMES.find((name) => name === lower || SYMPTOMS[name].text === lower);
  const symptom = named ?? WORDS.find(([, all]) => all.some((words) => words.test(said)))?.[0];
  if (symptom !== undefined) return { text, symptoms: [symptom], seconds };
  if (seconds !== null) return { text, symptoms: ['drops-after-time'], seconds };
  throw new Trouble(
    say(
      'symptom-unknown',
      '"{given}" is no symptom that is known here. Symptoms are {names}; or say it in words, such as '
        + '`sipalg diagnose "calls drop after 30 seconds"`. Without one all causes are looked for.',
      { given: text.slice(0, 80), names: NAMES.join(', ') },
    ),
  );
}

/** What a number of seconds usually means. */
interface Usual {
  from: number;
  to: number;
  says: Said;
  /** Causes that are then looked at first. */
  points: readonly string[];
}

/** A session timer: RFC 4028 has the refresh at half of Session-Expires. */
const session = (minutes: number): Said =>
  say(
    'number-session',
    '({minutes} min) is a session timer (RFC 4028: the refresh comes at half of Session-Expires) or the end of a registration: '
      + 'the re-INVITE or REGISTER of that moment does not get through',
    { minutes },
  );

/** RFC 3261 (T1 is 500 ms; timers B, F and H are 64 x T1), RFC 4028, and the timeouts of OpenWrt. */
export const USUAL: readonly Usual[] = [
  {
    from: 4,
    to: 9,
    says: say(
      'number-ack',
      'is when a server gives up an answer whose ACK never came: something on the way reads SIP and takes it out',
    ),
    points: ['alg-rewrites', 'alg-watches', 'answer-unacknowledged'],
  },
  {
    from: 29,
    to: 36,
    says: say(
      'number-64-t1',
      'is 64 x T1 (32 s; RFC 3261, timers B, F and H): an ACK or an answer never arrived. Exactly 30 s may be an expired state too',
    ),
    points: ['alg-rewrites', 'answer-unacknowledged', 'state-short', 'state-gone-in-call'],
  },
  {
    from: 50,
    to: 75,
    says: say('number-udp', 'is the UDP timeout of OpenWrt (60 s): the state of the call has expired'),
    points: ['state-short', 'state-gone-in-call'],
  },
  {
    from: 160,
    to: 200,
    says: say(
      'number-udp-stream',
      'is the UDP stream timeout of OpenWrt (180 s), or a call that rings too long (timer C): the state has expired',
    ),
    points: ['state-short', 'state-gone-in-call'],
  },
  {
    from: 280,
    to: 325,
    says: say(
      'number-five-minutes',
      'is about 5 min: a session of 10 min is refreshed then (RFC 4028); and hardware flow offload of kernel 6.18 ended flows at that '
        + 'age, until OpenWrt mended it (openwrt/openwrt#23611, June 2026)',
    ),
    points: ['session-refresh', 'state-gone-in-call'],
  },
  {
    from: 600,
    to: 640,
    says: say('number-voice-rules', 'is the timeout that the voice rules here give a registration (620 s)'),
    points: ['state-short'],
  },
  { from: 840, to: 960, says: session(15), points: ['session-refresh', 'state-gone-in-call', 'state-short'] },
  { from: 1700, to: 1900, says: session(30), points: ['session-refresh', 'state-gone-in-call', 'state-short'] },
  { from: 3500, to: 3900, says: session(60), points: ['session-refresh', 'state-gone-in-call', 'state-short'] },
];

export const usual = (seconds: number): Usual | null => USUAL.find(({ from, to }) => from <= seconds && seconds <= to) ?? null;
