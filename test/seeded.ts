/**
 * Chance that can be had again: a seeded generator for tests, and the damage it
 * does to texts. A failing test names its seed; the seed gives the failure back.
 */

/** A source of chance. The same seed gives the same run, on every engine. */
export interface Seeded {
  /** The next number, 0 <= n < 1. */
  next(): number;
  /** A whole number, 0 <= n < `n`. */
  below(n: number): number;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
}

/** A generator for tests (mulberry32: 32 bits of state, period 2^32; not for secrets). */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  const pick = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new RangeError('pick: the list is empty');
    return list[below(list.length)] as T;
  };
  return { next, below, pick };
}

/** What tends to break readers of text: ends of text, ends of lines, quotes, signs, huge numbers, huge tokens. */
const SPLINTERS: readonly string[] = [
  '\0',
  '\n',
  '\r\n',
  '\r',
  '\t',
  ' ',
  '  ',
  '"',
  "'",
  '\\',
  '\\"',
  '=',
  ':',
  '[',
  ']',
  '{',
  '}',
  '#',
  '-',
  '--',
  '/',
  '0',
  '-1',
  '4294967296',
  '18446744073709551616',
  '99999999999999999999999999',
  '1e309',
  '0x7f',
  'NaN',
  '%s',
  '__proto__',
  'constructor',
  '\u00e9',
  '\ufeff',
  '\ud800',
  '\u2028',
  'a'.repeat(4096),
  '9'.repeat(4096),
  ' '.repeat(4096),
  '\\'.repeat(513),
];

/**
 * `text`, hurt in one to four places: a character flipped, a stretch cut out or
 * doubled, the end torn off, one part moved over another, a splinter put in.
 */
export function damage(text: string, random: Seeded): string {
  let hurt = text;
  for (let wounds = 1 + random.below(4); wounds > 0; wounds--) hurt = wound(hurt, random);
  return hurt;
}

function wound(text: string, random: Seeded): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(random.next() < 0.7 ? 8 : Math.max(1, text.length));
  const before = text.slice(0, at);
  const after = text.slice(at);
  switch (random.below(7)) {
    case 0: // one character becomes another
      return before + String.fromCharCode(random.below(random.next() < 0.8 ? 128 : 65536)) + after.slice(1);
    case 1: // one bit of one character flips
      return at < text.length ? before + String.fromCharCode(text.charCodeAt(at) ^ (1 << random.below(8))) + after.slice(1) : before;
    case 2: // a stretch is cut out
      return before + after.slice(length);
    case 3: // a stretch stands there twice
      return before + after.slice(0, length) + after;
    case 4: // the end is torn off
      return before;
    case 5: {
      // a stretch lies over another place
      const from = random.below(text.length + 1);
      return before + text.slice(from, from + length) + after.slice(length);
    }
    default: // a splinter goes in
      return before + random.pick(SPLINTERS) + after;
  }
}
