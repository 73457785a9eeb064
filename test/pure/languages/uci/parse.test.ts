import { readFileSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Refused } from '../../../../src/languages/refused.ts';
import { describeSection, listOf, optionOf, parseUci } from '../../../../src/languages/uci/parse.ts';
import type { UciSection } from '../../../../src/languages/uci/parse.ts';
import { show } from './show.ts';

const FW4 = 'test/fixtures/fw4';

function sectionsOf(text: string): UciSection[] {
  return parseUci(text).sections;
}

function only(text: string): UciSection {
  const [section, ...others] = sectionsOf(text);
  if (section === undefined || others.length > 0) throw new Error(`one section expected in ${JSON.stringify(text)}`);
  return section;
}

function refusal(text: string): Refused {
  try {
    parseUci(text);
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was read`);
}

const real = suite('parseUci, against the real uci');

real('reads real firewall configurations as uci show prints them', () => {
  const names = readdirSync(FW4).filter((name) => name.endsWith('.config'));
  assert.ok(names.length >= 7, `${names.length} configurations`);
  for (const name of names) {
    const text = readFileSync(`${FW4}/${name}`, 'utf8');
    assert.is(show(text, 'firewall'), readFileSync(`${FW4}/${name.replace('.config', '.uci.txt')}`, 'utf8'), name);
  }
});

real('reads and refuses odd files exactly where uci does', () => {
  type Measured = { text: string; show?: string; refused?: string };
  const cases: Measured[] = JSON.parse(readFileSync('test/fixtures/uci/measured.json', 'utf8'));
  let read = 0;
  for (const { text, show: expected, refused } of cases) {
    if (expected === undefined) {
      assert.match(String(refused), 'Parse error');
      refusal(text);
    } else {
      assert.is(show(text, 'x'), expected, JSON.stringify(text));
      read += 1;
    }
  }
  assert.ok(read > 200 && cases.length - read > 60, `${read} of ${cases.length} cases are read`);
});

real.run();

const meaning = suite('what a section says');

meaning('gives the last of repeated options and passes over empty ones', () => {
  const section = only("config a n\n option x 1\n option x 2\n option x ''\n option y\n");
  assert.is(optionOf(section, 'x'), '2');
  assert.is(optionOf(section, 'y'), null);
  assert.is(optionOf(section, 'z'), null);
});

meaning('keeps the two apart: a list is no option, and an option is a list of one, unsplit', () => {
  const section = only("config a n\n list l one\n option o 'one two'\n");
  assert.is(optionOf(section, 'l'), null);
  assert.equal(listOf(section, 'l'), ['one']);
  assert.equal(listOf(section, 'o'), ['one two']);
  assert.equal(listOf(section, 'none'), []);
});

meaning('makes a list of an option that a list follows, and an option of a list that an option follows', () => {
  const section = only('config a n\n option x 1\n list x 2\n list y 1\n list y 2\n option y 3\n list z 1\n option z 2\n list z 3\n');
  assert.equal(listOf(section, 'x'), ['1', '2']);
  assert.is(optionOf(section, 'x'), null);
  assert.is(optionOf(section, 'y'), '3');
  assert.equal(listOf(section, 'y'), ['3']);
  assert.equal(listOf(section, 'z'), ['2', '3']);
});

meaning('takes names that objects come with for names like any other', () => {
  const section = only('config a n\n option constructor 1\n list __proto__ 2\n');
  assert.is(optionOf(section, 'constructor'), '1');
  assert.equal(listOf(section, '__proto__'), ['2']);
  assert.is(optionOf(section, 'toString'), null);
});

meaning('names sections as uci show does, counting named ones too', () => {
  const names = sectionsOf("config zone\nconfig zone 'lan'\nconfig rule\nconfig zone\n");
  assert.equal(
    names.map((section) => describeSection(section, 'firewall')),
    ['firewall.@zone[0]', 'firewall.lan', 'firewall.@rule[0]', 'firewall.@zone[2]'],
  );
});

meaning('shows a section that is opened twice once, with the statements of both places', () => {
  const text = 'config a n\n option x 1\nconfig b m\n option y 2\nconfig a n\n option x 3\n option z 4\n';
  const [first, second, ...others] = sectionsOf(text);
  assert.is(others.length, 0);
  assert.is(first && optionOf(first, 'x'), '3');
  assert.is(first && optionOf(first, 'z'), '4');
  assert.is(second && optionOf(second, 'z'), null);
  assert.equal(first && [first.line, first.options.map((option) => option.line)], [1, [2, 6, 7]]);
  assert.is(first && text.slice(first.start, first.end), 'config a n\n option x 1\n');
});

meaning('lets a later section open an anonymous one by the name libuci gives it', () => {
  const section = only('config a\n option x 1\nconfig a cfg01b606\n option x 2\n');
  assert.is(section.name, null);
  assert.is(optionOf(section, 'x'), '2');
});

meaning.run();

const places = suite('where things stand');

places('covers the text from the first config on with sections, without gap or overlap', () => {
  for (const name of readdirSync(FW4).filter((file) => file.endsWith('.config'))) {
    const text = readFileSync(`${FW4}/${name}`, 'utf8');
    const sections = sectionsOf(text);
    const head = text.slice(0, sections[0]?.start);
    assert.is(head + sections.map(({ start, end }) => text.slice(start, end)).join(''), text, name);
    for (const section of sections) {
      assert.match(text.slice(section.start), /^config[ \t]/);
      assert.is(section.line, text.slice(0, section.start).split('\n').length);
    }
  }
});

places('gives each option its whole line, its comment and line end included', () => {
  const text = "config a n\r\n\toption x '1' # why\r\n  list y 2\r\n\r\n\toption z 3";
  const slices = only(text).options.map(({ start, end }) => text.slice(start, end));
  assert.equal(slices, ["\toption x '1' # why\r\n", '  list y 2\r\n', '\toption z 3']);
});

places('gives a value over several lines all of them', () => {
  const text = 'config a n\n option x \'one\ntwo\'\n option y a\\\nb\n option z "a\n\nb" #c\n';
  const options = only(text).options;
  assert.equal(
    options.map(({ start, end, line }) => [line, text.slice(start, end)]),
    [
      [2, " option x 'one\ntwo'\n"],
      [4, ' option y a\\\nb\n'],
      [6, ' option z "a\n\nb" #c\n'],
    ],
  );
});

places('gives statements that share a line their own words only', () => {
  const text = "config a 'n' ; option x '1'; list y 2 # both\n option z 3\n";
  const section = only(text);
  assert.equal(
    section.options.map(({ start, end }) => text.slice(start, end)),
    ["option x '1'", 'list y 2', ' option z 3\n'],
  );
  assert.equal([section.start, section.end], [0, text.length]);
});

places('knows that a ; behind a bare word swallows the rest of the line', () => {
  const text = 'config a n\n option x 1; option y 2\n';
  assert.equal(
    only(text).options.map(({ name, start, end }) => [name, text.slice(start, end)]),
    [['x', ' option x 1; option y 2\n']],
  );
});

places.run();

const refusals = suite('what parseUci refuses');

refusals('names the line, quotes it and says what is allowed', () => {
  const cases: [text: string, line: number, ...words: string[]][] = [
    ['config a n\n\n\tfoo bar\n', 3, '"foo"', 'package, config, option and list', '"foo bar"'],
    ["config a n\n option x 'open\n option y 1\n", 2, "a '", 'never closed', `"option x 'open"`],
    ['config a n\n option x "open\n', 2, 'a "', 'never closed'],
    ['config a n\n option x-y 1\n', 2, '"x-y"', 'letters of ASCII, digits and _'],
    ['config a n.m\n', 1, 'section name', '"n.m"'],
    ["config 'a b'\n", 1, 'section type', '"a b"', 'visible ASCII'],
    ['\n\noption x 1\n', 3, 'option "x"', 'before the first section'],
    ['config a n\n option x 1 2\n', 2, '"2"', 'one word too many', 'needs quotes'],
    ['config a n\n option\n', 2, 'nothing stands behind "option"'],
    ["config a n\n option '' 1\n", 2, 'the name of the option is missing'],
    ["config a n\n option x '1';\n", 2, 'nothing stands behind a ;'],
    ['config a n\nconfig b n\n', 2, '"n"', 'opened as "b"', '"a" on line 1'],
    ['config a n\n# \0\n', 2, 'NUL'],
    ['config\r x\n', 1, '"config"', 'opens no statement'],
    ['\ufeffconfig a\n', 1, 'opens no statement'],
  ];
  for (const [text, line, ...words] of cases) {
    const { message, line: found } = refusal(text);
    assert.is(found, line, `${JSON.stringify(text)}: ${message}`);
    for (const word of words) assert.ok(message.includes(word), `${message}\nlacks ${word}`);
  }
});

refusals('keeps its sentence short whatever it quotes', () => {
  assert.ok(refusal(`config a n\n option x 1 ${'y'.repeat(100_000)}\n`).message.length < 400);
});

refusals.run();
