import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConfLine } from '../../../../src/languages/kernel/autoload.ts';
import { addBlacklist, parseModulesConf, removeMarked } from '../../../../src/languages/kernel/autoload.ts';
import { LONGEST } from '../../../../src/languages/kernel/blacklist.ts';
import { damage, seeded } from '../../../seeded.ts';
import { hurt, readsLongLines, refuses } from '../texts.ts';

const SIP = ['nf_nat_sip', 'nf_conntrack_sip'];
const STOCK = '# examples:\n# options mod1 option=val\n# blacklist mod2\n';
const BLOCK = '# mark\nblacklist nf_nat_sip\nblacklist nf_conntrack_sip\n';

function only(text: string): ConfLine {
  const { lines } = parseModulesConf(text);
  assert.is(lines.length, 1);
  return lines[0] as ConfLine;
}

const reading = suite('kernel/autoload: /etc/modules.conf');

reading('tells blacklists, options, comments and blank lines', () => {
  const { lines } = parseModulesConf(`${STOCK}\nblacklist nf_nat_sip\n  options a b=1 c=2  # why\n`);
  assert.equal(
    lines.map((line) => line.kind),
    ['comment', 'comment', 'comment', 'blank', 'blacklist', 'options'],
  );
  assert.equal(lines[4], { line: 5, text: 'blacklist nf_nat_sip\n', kind: 'blacklist', module: 'nf_nat_sip' });
  assert.equal(lines[5], { line: 6, text: '  options a b=1 c=2  # why\n', kind: 'options', module: 'a', args: 'b=1 c=2' });
});

reading('reads as kmodloader does: tabs, carriage returns, comments behind, words too many', () => {
  for (const text of ['blacklist a', '\tblacklist\t a\r\n', 'blacklist a # b', 'blacklist a b c\n', 'blacklist  \t a#']) {
    const line = only(text);
    assert.is(line.kind, 'blacklist', text);
    assert.is(line.kind === 'blacklist' && line.module, 'a', text);
  }
});

reading('names every line of another form', () => {
  for (const text of [
    'alias x y',
    'alias x y\n',
    'softdep a pre: b',
    'install a /bin/true',
    'Blacklist a',
    'blacklists a b',
    '\talias\ta b # c\r\n',
  ]) {
    assert.equal(only(text), {
      line: 1,
      text,
      kind: 'dangerous',
      because: 'it is neither "blacklist NAME" nor "options NAME ARGUMENT..."',
    });
  }
});

reading('names a line that is longer than the loader takes at a time, in bytes', () => {
  const words = (bytes: number): string => `# ${'two words '.repeat(bytes)}`.slice(0, bytes - 1) + '\n';
  assert.is(only(words(LONGEST)).kind, 'comment');
  const long = only(words(LONGEST + 9));
  assert.is(long.kind === 'dangerous' && long.because, `it is longer than ${LONGEST} bytes`);
  const wide = (count: number): string => `# ${'\u00e9 \u00e9 '.repeat(count)}`;
  assert.is(only(wide(84)).kind, 'comment');
  assert.is(only(wide(85)).kind, 'dangerous');
});

reading('loses nothing, whatever the damage', () => {
  const seen = hurt([STOCK + BLOCK, `${STOCK}options a b=1\r\n\nblacklist x`], parseModulesConf, (conf, text) => {
    assert.is(conf.text, text);
    assert.is(conf.lines.map((line) => line.text).join(''), text);
    assert.ok(conf.lines.every((line, index) => line.line === index + 1));
  });
  assert.ok(seen.read > 500 && seen.refused > 10, JSON.stringify(seen));
  readsLongLines('blacklist a', parseModulesConf);
});

reading('refuses a NUL', () => refuses(() => parseModulesConf('a b\nblacklist\0 a\n'), /NUL/, 2));
reading.run();

const writing = suite('kernel/autoload: the marked block');
const add = (text: string, modules = SIP): string => addBlacklist(parseModulesConf(text), modules, 'mark');
const remove = (text: string, modules = SIP): string => removeMarked(parseModulesConf(text), modules, 'mark');

writing('stands at the end, once', () => {
  assert.is(add(STOCK), STOCK + BLOCK);
  assert.is(add(add(STOCK)), STOCK + BLOCK);
  assert.is(add(''), BLOCK);
});

writing('names only what is not listed yet', () => {
  assert.is(add('blacklist nf_nat_sip\n'), 'blacklist nf_nat_sip\n# mark\nblacklist nf_conntrack_sip\n');
  // kmodloader compares names to the letter: this line blacklists nothing.
  assert.is(add('blacklist nf-nat-sip\n', ['nf_nat_sip']), 'blacklist nf-nat-sip\n# mark\nblacklist nf_nat_sip\n');
});

writing('does not glue itself to a last line without a newline', () => {
  assert.is(add('options a b=1'), `options a b=1\n${BLOCK}`);
  assert.is(remove(add('options a b=1')), 'options a b=1\n');
});

writing('goes away and leaves everything else', () => {
  assert.is(remove(STOCK + BLOCK), STOCK);
  assert.is(remove(`${BLOCK}blacklist other\n`), 'blacklist other\n');
  assert.is(remove(`${STOCK}blacklist nf_nat_sip\n`), `${STOCK}blacklist nf_nat_sip\n`);
  assert.is(remove(`# mark\n\nblacklist nf_nat_sip\n`), '\nblacklist nf_nat_sip\n');
  assert.is(remove(`${BLOCK}blacklist nf_nat_sip\n`), 'blacklist nf_nat_sip\n', 'each name once for each mark');
  assert.is(remove(`# mark \n# Mark\n#mark\nblacklist nf_nat_sip # own\n`), `# mark \n# Mark\n#mark\nblacklist nf_nat_sip # own\n`);
});

writing('comes and goes without a trace in any file that ends its last line', () => {
  const random = seeded(7);
  for (let round = 0; round < 500; round++) {
    const text = damage(`${STOCK}options a b=1\nblacklist x\n`, random).replaceAll('\0', '').replaceAll('# mark', '');
    const whole = text === '' || text.endsWith('\n') ? text : text + '\n';
    assert.is(remove(add(whole)), whole);
    assert.is(add(add(text)), add(text));
    const after = parseModulesConf(add(text)).lines;
    for (const module of SIP) assert.ok(after.some((line) => line.kind === 'blacklist' && line.module === module));
    const ours = after.slice(-2);
    assert.ok(
      ours.every((line) => line.kind === 'blacklist'),
      'what is added is never dangerous',
    );
  }
});

writing('refuses names and marks that would break the file', () => {
  for (const module of ['', 'a b', 'a\nb', 'x'.repeat(64), '#', '../a']) refuses(() => add('', [module]), /is not a module's name/);
  for (const mark of ['', 'a\nb', '\0', 'x'.repeat(201)]) {
    refuses(() => addBlacklist(parseModulesConf(''), SIP, mark), /cannot mark/);
    refuses(() => removeMarked(parseModulesConf(''), SIP, mark), /cannot mark/);
  }
});
writing.run();
