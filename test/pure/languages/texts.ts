/** The kernel's texts, and what every reader of them must do with damaged ones. */
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { Refused } from '../../../src/languages/refused.ts';
import { growsInStep } from '../../growth.ts';
import { damage, seeded } from '../../seeded.ts';

/** A file of test/fixtures, as text. */
export function fixture(path: string): string {
  return readFileSync(`test/fixtures/${path}`, 'utf8');
}

/** Its lines, without the last empty one. */
export function lines(path: string): string[] {
  return fixture(path).replace(/\n$/, '').split('\n');
}

/**
 * Reads damaged copies of `texts`: each is read or refused in a sentence with a
 * line, and nothing else is thrown. Says how many of each there were, so that a
 * test can demand both.
 */
export function hurt<T>(
  texts: readonly string[],
  read: (text: string) => T,
  check: (value: T, text: string) => void = () => {},
  rounds = 1500,
): { read: number; refused: number } {
  const seen = { read: 0, refused: 0 };
  for (let seed = 1; seed <= rounds; seed++) {
    const random = seeded(seed);
    const text = damage(random.pick(texts), random);
    try {
      check(read(text), text);
      seen.read++;
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw new Error(`seed ${seed}: ${String(error)} for ${JSON.stringify(text.slice(0, 400))}`, { cause: error });
      }
      assert.ok(error.message.length > 10 && error.message.length < 400, `seed ${seed}: ${error.message}`);
      assert.ok(Number.isSafeInteger(error.line) && error.line >= 0, `seed ${seed}: line ${error.line}`);
      seen.refused++;
    }
  }
  return seen;
}

/** Characters that invite a reader to look again and again, `size` of them at least. */
function longLines(sample: string): ((size: number) => string)[] {
  return [
    'x',
    ' ',
    '\t',
    '"',
    '\\',
    '[',
    '[]',
    ',',
    '=',
    ':',
    '#',
    '0',
    ' a=b',
    '[1',
    '\n',
    ' src=1.2.3.4',
    'blacklist a ',
    '-A z ',
    sample,
  ].flatMap((part) => {
    const filler = (size: number): string => part.repeat(Math.ceil(size / part.length));
    return [filler, (size: number) => sample + filler(size), (size: number) => sample + ' ' + filler(size) + ' ' + sample];
  });
}

/** Reads every long line: no failure but a refusal, and linear work. */
export function readsLongLines(sample: string, read: (text: string) => unknown): void {
  for (const make of longLines(sample)) growsInStep(JSON.stringify(make(40)), make, unlessRefused(read));
}

/** `read`, whose refusals are no failures. */
export function unlessRefused<T>(read: (text: string) => T): (text: string) => T | null {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  };
}

/** Asserts that `read` refuses, with this line and these words. */
export function refuses(read: () => unknown, words: RegExp, line?: number): void {
  try {
    read();
  } catch (error) {
    assert.instance(error, Refused);
    assert.match((error as Refused).message, words);
    if (line !== undefined) assert.is((error as Refused).line, line);
    return;
  }
  assert.unreachable(`this was not refused, though it should be for ${words}`);
}
