import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Refused } from '../../../../src/languages/refused.ts';
import {
  addSection,
  addToList,
  deleteOption,
  deleteSection,
  removeFromList,
  renderValue,
  setOption,
} from '../../../../src/languages/uci/edit.ts';
import { describeSection, listOf, optionOf, parseUci } from '../../../../src/languages/uci/parse.ts';
import type { UciPackage, UciSection } from '../../../../src/languages/uci/parse.ts';

const STOCK = readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8');

/** A file and one of its sections, by the name `uci show x` gives it; the first one unless told. */
function at(text: string, name?: string): [UciPackage, UciSection] {
  const pkg = parseUci(text);
  const section = pkg.sections.find((one) => name === undefined || describeSection(one, 'x') === `x.${name}`);
  if (section === undefined) throw new Error(`no section ${name} in ${JSON.stringify(text)}`);
  return [pkg, section];
}

const set = suite('setOption');

set('replaces nothing but the value, in the quoting it had', () => {
  const text = `# head\nconfig a  n #c\n\toption  x\t\t1 # why\n  option y "2"\n\toption 'z' '3'`;
  const changed = (name: string, value: string): string => setOption(...at(text), name, value);
  assert.is(changed('x', 'new'), text.replace('\t\t1 #', '\t\tnew #'));
  assert.is(changed('x', 'two words'), text.replace('\t\t1 #', "\t\t'two words' #"));
  assert.is(changed('y', 'say "a\\b"'), text.replace('"2"', '"say \\"a\\\\b\\""'));
  assert.is(changed('z', "it's"), text.replace("'3'", "'it'\\''s'"));
});

set('changes one line of a real configuration, whichever option it is', () => {
  const pkg = parseUci(STOCK);
  let changed = 0;
  for (const section of pkg.sections) {
    for (const option of section.options) {
      if (optionOf(section, option.name) === null) continue;
      const line = STOCK.slice(option.start, option.end);
      const wished = line.replace(new RegExp(`${option.value.replace('*', '\\*')}(?='?\\n$)`), 'CHANGED');
      assert.is.not(wished, line);
      const expected = STOCK.slice(0, option.start) + wished + STOCK.slice(option.end);
      assert.is(setOption(pkg, section, option.name, 'CHANGED'), expected);
      changed += 1;
    }
  }
  assert.ok(changed > 50, `${changed} options`);
});

set('gives back the same text when the value is in force already', () => {
  const text = 'config a n\n option x  "1"\n';
  assert.is(setOption(...at(text), 'x', '1'), text);
});

set('changes the last of repeated options, the one in force', () => {
  assert.is(setOption(...at('config a n\n option x 1\n option x 2\n'), 'x', '9'), 'config a n\n option x 1\n option x 9\n');
});

set('makes one option of a list, where the list began', () => {
  const text = "config a n\n\tlist x '1'\n\toption y '2' # stays\n\tlist x '3'\n";
  assert.is(setOption(...at(text), 'x', '9'), "config a n\n\toption x '9'\n\toption y '2' # stays\n");
  assert.is(setOption(...at('c a n\n l x 1\n l x 2\n'), 'x', '9'), 'c a n\n o x 9\n');
});

set('adds a new option behind the last statement of its section, the way its neighbours are written', () => {
  const cases: [text: string, added: string][] = [
    ["config a n\n    option x '1'\n# c\n\nconfig b\n", "    option new 'v w'\n"],
    ['config a n\n\toption x\t\t1\n# c\n\nconfig b\n', "\toption new\t'v w'\n"],
    ['config a n\r\n\toption \'x\' "1"\r\n# c\r\n\r\nconfig b\r\n', `\toption 'new' "v w"\r\n`],
    ['config a n\noption x 1\n# c\n\nconfig b\n', "option new 'v w'\n"],
    ["config a n\n# c\n\nconfig b\n  option x '1'\n", "  option new 'v w'\n"],
    ['config a n\n# c\n', "\toption new 'v w'\n"],
  ];
  for (const [text, added] of cases) {
    const place = text.indexOf('# c');
    assert.is(setOption(...at(text), 'new', 'v w'), text.slice(0, place) + added + text.slice(place));
  }
});

set('adds to a file without a final line end without giving it one', () => {
  assert.is(setOption(...at("config a n\n\toption x '1'"), 'y', '2'), "config a n\n\toption x '1'\n\toption y '2'");
});

set('adds to a section that is written in two places where it was written last', () => {
  const text = 'config a n\n option x 1\nconfig b m\n option y 1\nconfig a n\n option z 1\nconfig b k\n';
  assert.is(setOption(...at(text, 'n'), 'new', '2'), text.replace(' option z 1\n', ' option z 1\n option new 2\n'));
});

set('keeps to its own part of a line that holds several statements', () => {
  const text = "config a 'n' ; option x '1'; option y 2 ; config b 'm' ; option z 3\n";
  assert.is(setOption(...at(text, 'n'), 'x', '9'), text.replace("x '1'", "x '9'"));
  assert.is(setOption(...at(text, 'n'), 'new', '9'), text.replace('y 2 ;', 'y 2 ; option new 9 ;'));
  assert.is(setOption(...at(text, 'm'), 'new', '9'), `${text} option new 9\n`.replace('\n option', '\n\toption'));
});

set('does not wake what a ; behind a bare word had swallowed', () => {
  const text = 'config a n\n option x 1; option y 2\n';
  const changed = setOption(...at(text), 'x', 'two words');
  const [, section] = at(changed);
  assert.equal([optionOf(section, 'x'), optionOf(section, 'y')], ['two words', null]);
  assert.ok(changed.startsWith(text), changed);
});

set("takes the option out for the value '', as uci set does", () => {
  assert.is(setOption(...at('config a n\n option x 1\n option x 2\n'), 'x', ''), 'config a n\n');
});

set('refuses names and values that UCI does not take', () => {
  const [pkg, section] = at('config a n\n');
  for (const [name, value] of [
    ['x-y', '1'],
    ['', '1'],
    ['x', 'a\0b'],
    ['x', 'a\x1bb'],
  ] as const) {
    assert.throws(
      () => setOption(pkg, section, name, value),
      (error: unknown) => error instanceof Refused,
    );
  }
});

set('refuses a section of another file', () => {
  const [pkg] = at('config a n\n');
  const [, section] = at('\nconfig a other\n');
  assert.throws(
    () => setOption(pkg, section, 'x', '1'),
    (error: unknown) => error instanceof Refused,
  );
});

set.run();

const remove = suite('deleteOption');

remove('takes out every statement of the name with its line, and nothing else', () => {
  const text = '# a\nconfig a n\n option x 1 # gone\n# stays\n\n list x 2\n option xx 3\n option x 4';
  assert.is(deleteOption(...at(text), 'x'), '# a\nconfig a n\n# stays\n\n option xx 3\n');
});

remove('takes out a value of several lines whole', () => {
  assert.is(deleteOption(...at("config a n\n option x 'one\n\ntwo'\n option y a\\\nb\n"), 'x'), 'config a n\n option y a\\\nb\n');
});

remove('leaves the other statements of a shared line', () => {
  const text = "config a 'n' ; option x '1'; option y '2'; option x '3' # c\n";
  assert.is(deleteOption(...at(text), 'x'), "config a 'n' ; option y '2' # c\n");
  assert.is(deleteOption(...at(text), 'y'), text.replace("option y '2'; ", ''));
  assert.is(deleteOption(...at("config a n\n option x '1'; list x '2'\n option y 3\n"), 'x'), 'config a n\n option y 3\n');
});

remove('gives back the same text when there is no such option', () => {
  assert.is(deleteOption(...at(STOCK), 'none'), STOCK);
});

remove.run();

const lists = suite('addToList and removeFromList');

lists('adds behind the last value of the list', () => {
  const text = "config a n\n\tlist x '1'\n\tlist x '2' # c\n\toption y\t1\n";
  assert.is(addToList(...at(text), 'x', '3'), text.replace('# c\n', "# c\n\tlist x '3'\n"));
});

lists('starts a list behind the last statement, and continues an option as one', () => {
  assert.is(addToList(...at("config a n\n\toption y '1'\n"), 'x', '1'), "config a n\n\toption y '1'\n\tlist x '1'\n");
  const changed = addToList(...at('config a n\n option x 1\n option y 2\n'), 'x', '3');
  assert.is(changed, 'config a n\n option x 1\n list x 3\n option y 2\n');
  assert.equal(listOf(at(changed)[1], 'x'), ['1', '3']);
});

lists('takes out every equal value and no similar one', () => {
  const text = "config a n\n list x sip\n list x 'sip'\n list x sip2\n list y sip\n";
  assert.is(removeFromList(...at(text), 'x', 'sip'), 'config a n\n list x sip2\n list y sip\n');
});

lists('takes out the option a list grew from without waking what that had replaced', () => {
  const text = 'config a n\n list x 0\n option x 1\n option x 2\n list x 3\n';
  assert.is(removeFromList(...at(text), 'x', '2'), 'config a n\n list x 3\n');
});

lists('leaves what is no list, or does not hold the value, alone', () => {
  const text = 'config a n\n option x 1\n list y 2\n';
  assert.is(removeFromList(...at(text), 'x', '1'), text);
  assert.is(removeFromList(...at(text), 'y', '1'), text);
  assert.is(removeFromList(...at(text), 'z', '1'), text);
});

lists('takes the only network of a real zone out by its line', () => {
  const [pkg, section] = at(STOCK, '@zone[0]');
  assert.is(removeFromList(pkg, section, 'network', 'lan'), STOCK.replace("\tlist   network\t\t'lan'\n", ''));
});

lists.run();

const sections = suite('addSection and deleteSection');

sections('adds a section at the end, a blank line before it', () => {
  const options = [
    { kind: 'option', name: 'x', value: "it's" },
    { kind: 'list', name: 'y', value: '1' },
  ] as const;
  const added = "config rule 'mine'\n\toption x 'it'\\''s'\n\tlist y '1'\n";
  assert.is(addSection(parseUci(''), 'rule', 'mine', options), added);
  assert.is(addSection(parseUci("config a\n\toption x ''\n"), 'rule', 'mine', options), `config a\n\toption x ''\n\n${added}`);
  assert.is(addSection(parseUci('# c'), 'rule', 'mine', options), `# c\n\n${added}`);
  assert.is(addSection(parseUci('\nconfig a\n\n'), 'rule', 'mine', options), `\nconfig a\n\n${added}`);
  assert.is(addSection(parseUci('config a\r\n'), 'rule', null, []), 'config a\r\n\r\nconfig rule\r\n');
});

sections('refuses a name that is taken, and types and names UCI does not take', () => {
  const pkg = parseUci('config a n\n');
  for (const [type, name] of [
    ['a', 'n'],
    ['b', 'n'],
    ['a b', 'm'],
    ['', 'm'],
    ["a'", 'm'],
    ['a', 'm-1'],
    ['a', ''],
  ] as const) {
    assert.throws(
      () => addSection(pkg, type, name, []),
      (error: unknown) => error instanceof Refused,
      `${type} ${name}`,
    );
  }
});

sections('takes out a section and keeps the comment that speaks of the next one', () => {
  const text = '# head\nconfig a\n option x 1\n# in it\n option y 2\n\n# of the next\nconfig b\n option z 3\n';
  assert.is(deleteSection(...at(text)), '# head\n\n# of the next\nconfig b\n option z 3\n');
  assert.is(deleteSection(...at(text, '@b[0]')), text.slice(0, text.indexOf('config b')));
});

sections('leaves one blank line where a section between two was', () => {
  const text = 'config a\n\nconfig b\n option x 1\n\nconfig c\n';
  assert.is(deleteSection(...at(text, '@b[0]')), 'config a\n\nconfig c\n');
  assert.is(deleteSection(...at(text, '@c[0]')), 'config a\n\nconfig b\n option x 1\n');
  // As uci commit leaves a file: a blank line before each section and at the end.
  assert.is(deleteSection(...at('\nconfig a\n\nconfig b\n\n', '@b[0]')), '\nconfig a\n\n');
});

sections('takes out both places of a section that is written in two', () => {
  const text = 'config a n\n option x 1\nconfig b m\n option y 2\nconfig a n\n option z 3\nconfig b k\n';
  assert.is(deleteSection(...at(text, 'n')), 'config b m\n option y 2\nconfig b k\n');
});

sections('leaves the rest of a line that other sections share', () => {
  const text = "config a 'n' ; option x '1'; config b 'm' ; option y '2'; config c 'k'\n";
  assert.is(deleteSection(...at(text, 'n')), "config b 'm' ; option y '2'; config c 'k'\n");
  assert.is(deleteSection(...at(text, 'm')), "config a 'n' ; option x '1'; config c 'k'\n");
  assert.is(deleteSection(...at(text, 'k')), "config a 'n' ; option x '1'; config b 'm' ; option y '2'\n");
});

sections('takes out again what was added to a real configuration', () => {
  const added = parseUci(addSection(parseUci(STOCK), 'rule', null, [{ kind: 'option', name: 'x', value: '1' }]));
  const last = added.sections.at(-1);
  assert.is(last && deleteSection(added, last), STOCK);
});

sections.run();

const values = suite('renderValue');

values('writes values so that they are read back', () => {
  assert.is(renderValue("it's"), "'it'\\''s'");
  for (const value of ['', ' ', "'", "''", '"', '\\', '#;', 'a\nb', '\u00e4', "\\'", '\udc80']) {
    const section = at(`config a n\n list x ${renderValue(value)}\n`)[1];
    assert.equal(listOf(section, 'x'), [value]);
  }
});

values.run();
