import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Refused } from '../../../../src/languages/refused.ts';
import { addToList, deleteOption, deleteSection, removeFromList, setOption } from '../../../../src/languages/uci/edit.ts';
import { describeSection, optionOf, parseUci, settingsOf } from '../../../../src/languages/uci/parse.ts';
import type { UciPackage } from '../../../../src/languages/uci/parse.ts';
import { scan } from '../../../../src/languages/uci/scan.ts';
import { growsInStep } from '../../../growth.ts';
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
  for (let seed = 1; seed <= 1000; seed++) {
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
  assert.ok(read > 150, `${read} of 1000 are read`);
});

fuzz('lines that are read at a stroke say what they say when they are walked through', () => {
  const lines = [...REAL, ...READABLE].flatMap((text) => text.split('\n'));
  /** What is said, and where; a line that begins with a form feed is none that is read at a stroke. */
  const read = (line: string, before: string): unknown => {
    try {
      return scan(`config t n\n${before}${line}\n`).map(({ line: number, start, end, keyword, words }) => [
        number,
        keyword,
        ...[start, end, ...words.flatMap((word) => [word.start, word.end])].map((at) => (number > 1 ? at - before.length : at)),
        ...words.map(({ value }) => value),
      ]);
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  };
  let statements = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const random = seeded(seed);
    const whole = random.pick(lines);
    const line = random.below(2) === 0 ? whole : damage(whole, random).replace(/\n/g, ' ');
    const walked = read(line, '\f');
    assert.equal(read(line, ''), walked, `seed ${seed}: ${JSON.stringify(line)}`);
    if (Array.isArray(walked) && walked.length > 1) statements += 1;
  }
  assert.ok(statements > 500, `${statements} of 3000 hold a statement`);
});

fuzz('take a change as asked, everything else as it was, or are left alone', () => {
  let changed = 0;
  for (let seed = 1; seed <= 1000; seed++) {
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
  assert.ok(changed > 500, `${changed} changes`);
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

const hostile = suite('malice in UCI files');

/** Texts of about `size` characters. */
const MALICE: Record<string, (size: number) => string> = {
  'one long word': (size) => 'x'.repeat(size),
  'one long value': (size) => `config a n\n option x ${'y'.repeat(size)}\n`,
  'one long quoted value': (size) => `config a n\n option x '${'#;"\\'.repeat(size / 4)}'\n`,
  'backslashes in double quotes': (size) => `config a n\n option x "${'\\\\'.repeat(size / 2)}"\n`,
  'backslashes outside quotes': (size) => `config a n\n option x ${'\\\\'.repeat(size / 2)}\n`,
  'a quote that is never closed': (size) => `config a n\n option x '${'y\n'.repeat(size / 2)}`,
  'a double quote that is never closed': (size) => `config a n\n option x "${'y\n'.repeat(size / 2)}`,
  'joined lines': (size) => `config a n\n option x ${'y\\\n'.repeat(size / 3)}\n`,
  'joined lines in quotes': (size) => `config a n\n option x "${'y\\\n'.repeat(size / 3)}"\n`,
  'pieces of a word': (size) => `config a n\n option x ${"'a'".repeat(size / 3)}\n`,
  'statements in one line': (size) => `config a 'n' ; ${"o x 'y';".repeat(size / 8)} o x z`,
  'sections in one line': (size) => `config a 'n'${" ; config a 'n'".repeat(size / 15)}`,
  sections: (size) => 'config a\n'.repeat(size / 9),
  'options of one name': (size) => `config a n\n${'list x y\n'.repeat(size / 9)}`,
  'empty lines': (size) => '\n'.repeat(size),
  blanks: (size) => ' '.repeat(size),
  comments: (size) => '#\n'.repeat(size / 2),
  'carriage returns': (size) => `config a n\n option x y${'\r'.repeat(size)}\n`,
};

for (const [what, make] of Object.entries(MALICE)) {
  hostile(`${what}: read or refused in linear time`, () => {
    growsInStep(what, make, (text) => unlessRefused(() => parseUci(text)));
  });
}

hostile('is changed or left alone in linear time', () => {
  let changed = 0;
  for (const [what, make] of Object.entries(MALICE)) {
    if ((unlessRefused(() => parseUci(make(1000)))?.sections.length ?? 0) === 0) continue;
    changed++;
    growsInStep(
      what,
      (size) => parseUci(make(size)),
      (pkg) => {
        const section = pkg.sections[0] as UciPackage['sections'][number];
        unlessRefused(() => setOption(pkg, section, 'x', 'new'));
        unlessRefused(() => deleteSection(pkg, section));
      },
    );
  }
  assert.ok(changed > 5, `${changed} of them hold a section`);
});

hostile.run();
