/** The symptoms, by name and by the words people use for them. */

export const SYMPTOMS = {
  'drops-after-time': 'calls drop after a set time',
  'drops-on-hold': 'calls drop when they are retrieved from hold',
  'drops-on-transfer': 'calls drop on transfer',
  'not-received': 'calls are not received',
  'cannot-call-out': 'cannot call out',
  'no-audio': 'no audio',
  'one-way-audio': 'one-way audio',
  'others-ring-on': 'other extensions keep ringing',
  'registration-lost': 'the registration is lost',
  'first-phone-only': 'only the first phone works',
  choppy: 'choppy or late audio',
  'ghost-calls': 'ghost calls',
} as const;

export type Symptom = keyof typeof SYMPTOMS;
export const NAMES = Object.keys(SYMPTOMS) as Symptom[];
/** Symptoms of audio: what moves in a running call tells most about them. */
export const OF_AUDIO: readonly Symptom[] = ['no-audio', 'one-way-audio', 'drops-on-hold', 'drops-after-time'];

/**
 * In the order in which they are tried: what is more special first, for "the other phones keep ringing" speaks of ringing, and
 * "no sound after the transfer" of a transfer. English and German; the text is in lower case, umlauts as they are.
 */
const WORDS: readonly (readonly [Symptom, RegExp])[] = [
  [
    'ghost-calls',
    /ghost|phantom|geister|scanner|sipvicious|friendly.?scanner|nobody (is )?(there|on the line)|niemand dran|in the middle of the night|mitten in der nacht|calls? from (extension |number )?[1-9]00+\b|unknown callers? at night|rings? (at night )?(but|and) (no ?one|nobody)|silent calls?|spam calls?/,
  ],
  [
    'first-phone-only',
    /(only|just) (the )?(first|one)( of (the|my|our))?( \w+)? ?(phone|extension|handset|telefon)?s? (work|can|regist|ring)|only one (phone|extension|handset)|(second|2nd|other|third) (phone|extension|handset)s? (does|do|can|will|won|fail|never|not|gets?)\b(?!.*ring(s|ing)? on)|(nur|bloß|immer nur) (das|ein|eines?) ?(erste[ns]?)? ?(telefon|gerät)|zweite[sn]? (telefon|gerät)|when (i|we) plug in (a|the) second/,
  ],
  [
    'others-ring-on',
    /(keep|kept|continue|carry|go|goes|still|don'?t stop|won'?t stop|never stop)\w*( on)? (to )?ring|ring(s|ing)? on\b|still ring|ring\w* after (it|the call|someone|another|i)( \w+)* (is |was |has )?(answer|pick)|(klingel\w*|läute\w*|bimmel\w*) (immer )?(weiter|noch)|weiter(klingel|läut)|hör\w* nicht auf zu (klingel|läut)|answered elsewhere|missed call although/,
  ],
  [
    'drops-on-transfer',
    /transfer|forward(ing)? (a|the|my) call|hand(ing)? over (a|the) call|weiterleit|weitergeleit|vermittel|verbinde.*(weiter|bricht)|rückfrage|pass(ing)? (a|the) call (on|to)|\brefer\b/,
  ],
  ['drops-on-hold', /\b(on|from|off|un)?-?hold\b|unhold|retriev|resum(e|ing)|makel|halten|gehalten|parked?\b|warteschleife|music on hold|reinvite|re-invite/],
  [
    'one-way-audio',
    /one.?way|(one|single|only one) (side|direction|way|party)|(can|could|do)(no|n'?)t hear (me|us)|(he|she|they|caller|callee|customers?|the other (side|party|end)) (can|could|do|does)(no|n'?)?t hear|only (i|they|he|she|we) (can )?hear|i (can )?hear (them|him|her).*(but|not)|einseitig|nur (eine )?(richtung|seite)|hört (mich|uns) nicht|(höre?n?|hört) (den|die|ihn|sie|mein|einen?)( anderen?| gesprächspartner\w*)? nicht|mich (hört )?(niemand|keiner|nicht)/,
  ],
  [
    'no-audio',
    /no (audio|sound|voice|speech)|without (audio|sound)|(audio|sound|voice|ton|sprache) (is )?(missing|fehlt)|silence|silent (call|line)?|dead air|can'?t hear (anything|each other|anyone)|nobody hears|both sides? (hear )?nothing|kein(en|e)? (ton|audio|sprache|sound)|stumm|(höre|hören|hört) (gar )?nichts|stille|nichts zu hören|total quiet|mute/,
  ],
  [
    'choppy',
    /chop|jitter|stutter|robot|garbl|crackl|distort|break(s|ing)? up|bad (audio|voice|sound|call) quality|(poor|bad|terrible) quality|call quality|lag|delay|late\b|latency|echo|drop-?outs? in (the )?(voice|audio)|cut(s|ting)? (in and )?out|abgehackt|stotter|verzerr|blechern|roboter|aussetzer|knack|rausch|verzöger|verspätet|hackt|ruckel|schlechte (qualität|sprachqualität|verbindung)|underwater/,
  ],
  [
    'registration-lost',
    /regist|unregister|log(s|ged)? ?(in|off|out)|offline|not (logged in|online)|login|unreachable (phone|extension)|\b40[13]\b|408|no service|angemeldet|abgemeldet|anmeld|nicht (registriert|erreichbar am server)|account (is )?(down|lost|failed)/,
  ],
  [
    'drops-after-time',
    /(drop|cut|disconnect|hang|hung|end|terminat|die|fail|lost|lose|stop|break|brech|bricht|brach|abgebroch|abbruch|abbrüche|trennt|getrennt|aufgelegt|weg|tot|beendet|reißt|clear)\w*.*(\d|second|minute|sek|min\b|half|stunde|hour|time|zeit|always|immer|exactly|genau)|(\d+|second|minute|sekunde|half|halbe)\w*.*(drop|cut|disconnect|hang|hung|end|terminat|die|gone|lost|weg|tot|bricht|brech|abgebroch|trennt|getrennt|aufgelegt|beendet)|calls? (keep |always )?(drop|get cut|disconnect|cut off|die|end)|dropped calls?|(gespräch|anruf|telefonat|verbindung)\w* (brech|bricht|brach|reiß|trenn|wird getrennt|werden getrennt|enden)|(gespräch|verbindungs|anruf)s?abbr/,
  ],
  [
    'cannot-call-out',
    /(can'?t|cannot|can not|unable to|not able to|couldn'?t) (make |place |do |start )?(any )?(a )?(call|dial|ring|outgoing|phone (any|out))|outgoing (calls? )?(fail|not|don|do not|blocked|broken|never|dead)|outbound|no outgoing|call(ing)? out\b|dial(l?ing)? (out )?(fail|does|do|not)|fast busy|(kann|können) (nicht|niemanden?|keinen?) (\w+ )?(anrufen|raustelefonieren|wählen|telefonieren|anruf)|nicht (raus|hinaus|nach draußen)|ausgehend|raustelefonieren|rausrufen/,
  ],
  [
    'not-received',
    /(not|never|no|don'?t|doesn'?t|won'?t|can'?t|cannot|isn'?t|aren'?t) (\w+ )?(receiv|get(ting)? (any )?calls|arriv|come|coming|ring|reach|be (reached|called))|incoming|inbound|miss(ed|ing)? calls?|straight to voice ?mail|goes to voice ?mail|(i am|i'm|we are) not reachable|unreachable|phone (stays|remains) (silent|quiet)|(anruf\w*|gespräch\w*) (kommen|kommt|erreich\w*|gehen) (\w+ )?(nicht|kein)|nicht (erreichbar|angerufen|durch)|eingehend|ankommend|kein(e)? anruf|klingelt (nicht|nie)|mailbox|calls? stop(ped)? arriving/,
  ],
];

export interface Asked {
  /** As it was given; '' where nothing was asked. */
  text: string;
  symptoms: Symptom[];
  /** Seconds that were named; null where none were. */
  seconds: number | null;
}

const UNIT = /(\d+(?:[.,]\d+)?|half an?|eine[rmn]? halben?|halbe[rn]?|one|an?|eine[rmn]?|two|zwei|ten|zehn|fifteen|fünfzehn|thirty|dreißig)[ -]*(h\b|hours?|stunden?|m\b|min\b|mins?\b|minuten?|minutes?|s\b|secs?\b|sek\b|sekunden?|seconds?)/;
const NUMBERS: Readonly<Record<string, number>> = { two: 2, zwei: 2, ten: 10, zehn: 10, fifteen: 15, fünfzehn: 15, thirty: 30, dreißig: 30 };

/** The time that a text names, in seconds. */
export function secondsIn(text: string): number | null {
  const [, number = '', unit = ''] = UNIT.exec(text.toLowerCase()) ?? [];
  if (unit === '') return null;
  const value = /^\d/.test(number) ? Number(number.replace(',', '.')) : /hal[fb]/.test(number) ? 0.5 : (NUMBERS[number] ?? 1);
  return Math.round(value * (/^(h|stunde)/.test(unit) ? 3600 : unit.startsWith('m') ? 60 : 1));
}

/** @throws Error in a sentence where no symptom is known by these words */
export function readAsked(given: string): Asked {
  const text = given.trim();
  const seconds = secondsIn(text);
  if (text === '') return { text, symptoms: [], seconds };
  const lower = text.toLowerCase().replace(/[’`´]/g, "'").replace(/\s+/g, ' ');
  const named = NAMES.find((name) => name === lower || SYMPTOMS[name] === lower);
  const symptom = named ?? WORDS.find(([, words]) => words.test(lower))?.[0];
  if (symptom !== undefined) return { text, symptoms: [symptom], seconds };
  if (seconds !== null) return { text, symptoms: ['drops-after-time'], seconds };
  throw new Error(
    `"${text.slice(0, 80)}" is no symptom that is known here. Symptoms are ${NAMES.join(', ')}; `
      + 'or say it in words, such as `sipalg diagnose "calls drop after 30 seconds"`. Without one all causes are looked for.',
  );
}

/** What a number of seconds usually means. */
interface Usual {
  from: number;
  to: number;
  says: string;
  /** Causes that are then looked at first. */
  points: readonly string[];
}

const SESSION =
  'is a session timer (RFC 4028: the refresh comes at half of Session-Expires) or the end of a registration: '
  + 'the re-INVITE or REGISTER of that moment does not get through';

/** RFC 3261 (T1 is 500 ms; timers B, F and H are 64 x T1), RFC 4028, and the timeouts of OpenWrt. */
export const USUAL: readonly Usual[] = [
  {
    from: 4,
    to: 9,
    says: 'is when a server gives up an answer whose ACK never came: something on the way reads SIP and takes it out',
    points: ['alg-rewrites', 'alg-watches', 'answer-unacknowledged'],
  },
  {
    from: 29,
    to: 36,
    says: 'is 64 x T1 (32 s; RFC 3261, timers B, F and H): an ACK or an answer never arrived. Exactly 30 s may be an expired state too',
    points: ['alg-rewrites', 'answer-unacknowledged', 'state-short', 'state-gone-in-call'],
  },
  { from: 50, to: 75, says: 'is the UDP timeout of OpenWrt (60 s): the state of the call has expired', points: ['state-short', 'state-gone-in-call'] },
  {
    from: 160,
    to: 200,
    says: 'is the UDP stream timeout of OpenWrt (180 s), or a call that rings too long (timer C): the state has expired',
    points: ['state-short', 'state-gone-in-call'],
  },
  { from: 280, to: 325, says: 'is about 300 s: flow offload of kernel 6.18 ends flows at that age', points: ['offload-ends-calls'] },
  { from: 600, to: 640, says: 'is the timeout that the voice rules here give a registration (620 s)', points: ['state-short'] },
  { from: 840, to: 960, says: `(15 min) ${SESSION}`, points: ['session-refresh', 'state-gone-in-call', 'state-short'] },
  { from: 1700, to: 1900, says: `(30 min) ${SESSION}`, points: ['session-refresh', 'state-gone-in-call', 'state-short'] },
  { from: 3500, to: 3900, says: `(60 min) ${SESSION}`, points: ['session-refresh', 'state-gone-in-call', 'state-short'] },
];

export const usual = (seconds: number): Usual | null => USUAL.find(({ from, to }) => from <= seconds && seconds <= to) ?? null;
