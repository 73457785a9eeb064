/** The times that people name, in seconds: "after 15 minutes", "nach einer Viertelstunde", "at 1:04", "1m30s". English and German. */

/** What may stand in a word; `\b` takes an umlaut for its end. */
const LETTER = 'a-zäöüß';
const word = (inner: string | RegExp): RegExp =>
  new RegExp(`(?<![${LETTER}\\d])(?:${typeof inner === 'string' ? inner : inner.source})(?![${LETTER}\\d])`, 'g');

const UNITS: readonly (readonly [seconds: number, names: string])[] = [
  [86_400, 'days?|tage?n?'],
  [3600, 'hours?|hrs?|h|stunden?|std'],
  [60, 'minutes?|minuten?|mins?|m'],
  [1, 'seconds?|sekunden?|secs?|seks?|s'],
];
const UNIT = UNITS.map(([, names]) => names).join('|');
const secondsOf = (unit: string): number => UNITS.find(([, names]) => new RegExp(`^(?:${names})$`).test(unit))?.[0] ?? 1;

const SMALL: readonly (readonly [string, number])[] = [
  ['two|zwei|zwo', 2],
  ['three|drei', 3],
  ['four|vier', 4],
  ['five|fünf', 5],
  ['six|sechs', 6],
  ['seven|sieben', 7],
  ['eight|acht', 8],
  ['nine|neun', 9],
  ['ten|zehn', 10],
  ['eleven|elf', 11],
  ['twelve|zwölf', 12],
  ['fifteen|fünfzehn', 15],
];
const TENS: readonly (readonly [english: string, german: string, value: number])[] = [
  ['twenty', 'zwanzig', 20],
  ['thirty', 'dreißig', 30],
  ['forty', 'vierzig', 40],
  ['fifty', 'fünfzig', 50],
  ['sixty', 'sechzig', 60],
  ['ninety', 'neunzig', 90],
];
const ONE = 'one|an?|eine[rmn]?|ein';
const EVERY = 'every|each|per|pro|jede[rn]?';

/** Numbers in digits, fractions as decimals, and each part of an hour as minutes or seconds. */
function inDigits(given: string): string {
  let text = given.toLowerCase().replace(/dreissig/g, 'dreißig').replace(/fuenf/g, 'fünf').replace(/zwoelf/g, 'zwölf');
  for (const [english, german, value] of TENS) {
    for (const [small, one] of [['one|ein', 1] as const, ...SMALL.slice(0, 8)])
      text = text.replace(word(`${english}[ -](?:${small})|(?:${small})und${german}`), String(value + one));
    text = text.replace(word(`${english}|${german}`), String(value));
  }
  return text
    .replace(word(/(?:3|three|drei)[ -]?(?:quarters? of an hour|viertel ?stunden?)|dreiviertel ?stunden?/), '45 min')
    .replace(word(`(?:(?:${ONE}) )?(?:quarter (?:of )?(?:an )?hour|viertel ?stunden?)`), '15 min')
    .replace(word(`(?:(?:${ONE}) )?(?:half[ -](?:an? )?|halbe[nr]? ?)(?:hour|stunde)`), '30 min')
    .replace(word(`(?:(?:${ONE}) )?(?:half[ -](?:an? )?|halbe[nr]? ?)(?:minute)`), '30 s')
    .replace(/\b(?:one|an?|eine[rmn]?) (hour|minute|stunde) (?:and a half|und eine halbe)/g, '1.5 $1')
    .replace(word(/anderthalb|eineinhalb|one and a half/), '1.5')
    .replace(word(/zweieinhalb|two and a half/), '2.5')
    .replace(/(\d+) ?(?:½|(?<= )1\/2)/g, '$1.5')
    .replace(word(SMALL.map(([names]) => names).join('|')), (name) =>
      String(SMALL.find(([names]) => names.split('|').includes(name))?.[1] ?? name),
    )
    // "A second phone" is no time.
    .replace(/(?<!(?:after|for|within|than|every|about) )\b(?:one|a|my|the) second(?= [a-z])/g, 'another')
    .replace(new RegExp(`(?<![${LETTER}\\d])(?:${ONE})(?= (?:${UNIT})(?![${LETTER}\\d]))`, 'g'), '1')
    .replace(new RegExp(`(?<![${LETTER}\\d])(?:${EVERY}) (?=(?:${UNIT.replace(/\|[hms](?=\||$)/g, '')})(?![${LETTER}\\d]))`, 'g'), '1 ')
    .replace(word('hourly|stündlich'), '1 h');
}

const CLOCK = new RegExp(
  '(?<![\\d.:])(\\d{1,3}):([0-5]\\d)(?::([0-5]\\d))?(?![\\d:]|\\.\\d)'
    + '( ?(?:am|pm|a\\.m|p\\.m|uhr|o.?clock)(?![a-z]))?( ?(?:h|hours?|stunden?)(?![a-z]))?',
);

/** A time as a phone's display shows it, `15:00` or `1:00:00`; one of the clock on the wall is none. */
function displayed(text: string): number | null {
  const found = CLOCK.exec(text);
  if (found === null || found[4] !== undefined) return null;
  const [, first, second, third, , hours] = found;
  if (/(?:^|\s)(?:um|gegen) $/.test(text.slice(0, found.index))) return null;
  if (third !== undefined) return Number(first) * 3600 + Number(second) * 60 + Number(third);
  return hours === undefined ? Number(first) * 60 + Number(second) : Number(first) * 3600 + Number(second) * 60;
}

const PRIMES =
  /\b(?:after|at|every|nach|bei|alle) (?:[a-z~.]+ )?(?:(\d+) ?['′](?:(\d+)(?:["″]|'')?)?|(\d+) ?(?:["″]|''))(?!\w)/;

/** `15'`, `30"` and `1'30"`, behind a word that a time follows: quotation marks stand behind numbers of phones too. */
function primed(text: string): number | null {
  const found = PRIMES.exec(text.toLowerCase());
  if (found === null) return null;
  const [, minutes, more, seconds] = found;
  return Number(minutes ?? 0) * 60 + Number(more ?? seconds ?? 0);
}

/** The time that a text names, in seconds; null where it names none. */
export function secondsIn(given: string): number | null {
  const text = inDigits(given);
  const shown = displayed(text);
  if (shown !== null) return shown;
  const part = new RegExp(`(?<![\\d.,:${LETTER}])(\\d+(?:[.,]\\d+)?)[ -]*(${UNIT})(?![${LETTER}])`, 'y');
  // Parts that follow each other, of smaller units each, are one time.
  const chained = new RegExp(`[ ,.]*(?:und |and )?(\\d+(?:[.,]\\d+)?)[ -]*(${UNIT})(?![${LETTER}])`, 'y');
  for (let at = 0; at < text.length; at++) {
    part.lastIndex = at;
    let [all = '', number, unit] = part.exec(text) ?? compact(text, at) ?? [];
    if (number === undefined || unit === undefined) continue;
    let [sum, last] = [Number(number.replace(',', '.')) * secondsOf(unit), secondsOf(unit)];
    for (let end = at + all.length; ;) {
      chained.lastIndex = end;
      [all = '', number, unit] = chained.exec(text) ?? compact(text, end) ?? [];
      if (number === undefined || unit === undefined || secondsOf(unit) >= last) break;
      sum += Number(number.replace(',', '.')) * secondsOf(unit);
      last = secondsOf(unit);
      end += all.length;
    }
    return Math.round(sum);
  }
  return primed(given);
}

/** `1m30s`, `1h30`: written without a gap, where a unit ends before the next number. */
function compact(text: string, at: number): [string, string, string] | null {
  const pattern = new RegExp(`(\\d+)(h|m|min|s)(?=\\d+ ?(?:m|min|s)(?![${LETTER}]))`, 'y');
  pattern.lastIndex = at;
  if (at > 0 && /[\w.]/.test(text[at - 1] ?? '') && !/[hm]/.test(text[at - 1] ?? '')) return null;
  const [all, number, unit] = pattern.exec(text) ?? [];
  return all === undefined || number === undefined || unit === undefined ? null : [all, number, unit];
}
