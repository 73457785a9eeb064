import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Refused } from '../../../../src/languages/refused.ts';
import { addToList, deleteOption, deleteSection, removeFromList, setOption } from '../../../../src/languages/uci/edit.ts';
import { describeSection, optionOf, parseUci, settingsOf } from '../../../../src/languages/uci/parse.ts';
import type { UciPackage } from '../../../../src/languages/uci/parse.ts';
import { damage, seeded } from '../../../seeded.ts';
import type { Seeded } from '../../../seeded.ts';
import { show } from './show.ts';

const MEASURED: { text: string; show?: string }[] = JSON.parse(readFileSync('test/fixtures/uci/measured.json', 'utf8'));
const READABLE = MEASURED.flatMap(({ text, show: shown }) => (shown === undefined ? [] : [text]));
const REAL = ['stock-alg-on', 'set-helper-rule', 'lan-explicit-helpers'].map((name) =>
  readFileSync(`test/fixtures/fw4/${name}.config`, 'utf8'),
);

/** What `act` gives; null when it refuses. Anything else it throws is an error. */
function unlessRefused<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

const fuzz = suite('damaged UCI files');

fuzz('are read or refused, and what is read stands where it is said to stand', () => {
  let read = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const random = seeded(seed);
    const text = damage(random.pick([...REAL, ...READABLE]), random);
    const pkg = unlessRefused(() => parseUci(text));
    if (pkg === null) continue;
    read += 1;
    for (const { start, end, options } of pkg.sections) {
      assert.ok(start >= 0 && start < end && end <= text.length, `seed ${seed}`);
      for (const option of options) {
        // Read on its own, the stretch an option is said to stand on says what the option says.
        const alone = parseUci(`config t n\n${text.slice(option.start, option.end)}`).sections[0]?.options ?? [];
        assert.equal(
          alone.map(({ kind, name, value }) => [kind, name, value]),
          [[option.kind, option.name, option.value]],
          `seed ${seed}, line ${option.line}`,
        );
      }
    }
  }
  assert.ok(read > 300, `${read} of 3000 are read`);
});

fuzz('take a change as asked, everything else as it was, or are left alone', () => {
  let changed = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const random = seeded(seed);
    const text = random.below(3) === 0 ? damage(random.pick(READABLE), random) : random.pick(READABLE);
    const pkg = unlessRefused(() => parseUci(text));
    if (pkg === null || pkg.sections.length === 0) continue;
    const done = unlessRefused(() => someChange(pkg, random));
    if (done === null) continue;
    changed += 1;
    const others = (shown: string): string[] => shown.split('\nx.').filter((row) => !row.startsWith(done.row));
    // A value may hold line ends: split where the next row begins, and begin the first one alike.
    const was = others(`\n${show(text, 'x')}`.trimEnd());
    const is = others(`\n${show(done.text, 'x')}`.trimEnd());
    assert.equal(is, was, `seed ${seed}: ${JSON.stringify(text)} -> ${JSON.stringify(done.text)}`);
    assert.equal(comments(done.text, text), comments(text, text), `seed ${seed}: ${JSON.stringify(done.text)}`);
  }
  assert.ok(changed > 1500, `${changed} changes`);
});

fuzz.run();

/** One random change of one option of one section; `row` is how its row in `uci show` begins. */
function someChange(pkg: UciPackage, random: Seeded): { text: string; row: string } {
  const section = random.pick(pkg.sections);
  const name = random.pick([...settingsOf(section).keys(), 'x', 'new']);
  const value = random.pick(['1', 'b', "it's", 'two words', '"', '#', '\\', 'a\nb']);
  const row = `${describeSection(section, 'x').slice(2)}.${name}=`;
  switch (random.below(4)) {
    case 0:
      return { text: deleteOption(pkg, section, name), row };
    case 1:
      return { text: addToList(pkg, section, name, value), row };
    case 2:
      return { text: removeFromList(pkg, section, name, settingsOf(section).get(name)?.values[0] ?? value), row };
    default: {
      const text = setOption(pkg, section, name, value);
      const again = parseUci(text).sections[pkg.sections.indexOf(section)];
      assert.is(again && optionOf(again, name), value);
      return { text, row };
    }
  }
}

/** The lines of `text` that are comments and nothing else, outside the values of `origin`. */
function comments(text: string, origin: string): string[] {
  const ofValues = parseUci(origin)
    .sections.flatMap(({ options }) => options.map(({ value }) => value))
    .join('\n');
  return text.split('\n').filter((line) => /^\s*#/.test(line) && !ofValues.includes(line.trim()));
}

const hostile = suite('a megabyte of malice');

const MILLION = 1_000_000;
const MALICE: Record<string, string> = {
  'one long word': 'x'.repeat(MILLION),
  'one long value': `config a n\n option x ${'y'.repeat(MILLION)}\n`,
  'one long quoted value': `config a n\n option x '${'#;"\\'.repeat(MILLION / 4)}'\n`,
  'backslashes in double quotes': `config a n\n option x "${'\\\\'.repeat(MILLION / 2)}"\n`,
  'backslashes outside quotes': `config a n\n option x ${'\\\\'.repeat(MILLION / 2)}\n`,
  'a quote that is never closed': `config a n\n option x '${'y\n'.repeat(MILLION / 2)}`,
  'a double quote that is never closed': `config a n\n option x "${'y\n'.repeat(MILLION / 2)}`,
  'joined lines': `config a n\n option x ${'y\\\n'.repeat(MILLION / 3)}\n`,
  'joined lines in quotes': `config a n\n option x "${'y\\\n'.repeat(MILLION / 3)}"\n`,
  'pieces of a word': `config a n\n option x ${"'a'".repeat(MILLION / 3)}\n`,
  'statements in one line': `config a 'n' ; ${"o x 'y';".repeat(MILLION / 8)} o x z`,
  'sections in one line': `config a 'n'${" ; config a 'n'".repeat(MILLION / 15)}`,
  'sections': 'config a\n'.repeat(MILLION / 9),
  'options of one name': `config a n\n${'list x y\n'.repeat(MILLION / 9)}`,
  'empty lines': '\n'.repeat(MILLION),
  'blanks': ' '.repeat(MILLION),
  'comments': '#\n'.repeat(MILLION / 2),
  'carriage returns': `config a n\n option x y${'\r'.repeat(MILLION)}\n`,
};

hostile('is read or refused in bounded time', () => {
  for (const [what, text] of Object.entries(MALICE)) {
    const start = performance.now();
    unlessRefused(() => parseUci(text));
    const took = performance.now() - start;
    assert.ok(took < 3000, `${what}: ${Math.round(took)} ms`);
  }
});

hostile('is changed or left alone in bounded time', () => {
  for (const [what, text] of Object.entries(MALICE)) {
    const pkg = unlessRefused(() => parseUci(text));
    const section = pkg?.sections[0];
    if (pkg === null || section === undefined) continue;
    const start = performance.now();
    unlessRefused(() => setOption(pkg, section, 'x', 'new'));
    unlessRefused(() => deleteSection(pkg, section));
    const took = performance.now() - start;
    assert.ok(took < 6000, `${what}: ${Math.round(took)} ms`);
  }
});

hostile.run();
