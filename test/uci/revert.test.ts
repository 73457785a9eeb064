import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addSection, addToList, deleteOption, deleteSection, setOption } from '../../src/uci/edit.ts';
import { parseUci } from '../../src/uci/parse.ts';
import type { UciPackage, UciSection } from '../../src/uci/parse.ts';
import { certainMatches } from '../../src/uci/matches.ts';
import { revert } from '../../src/uci/revert.ts';
import { seeded } from '../seeded.ts';
import type { Seeded } from '../seeded.ts';

const STOCK = readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8');
const HELPER_RULE = readFileSync('test/fixtures/fw4/set-helper-rule.config', 'utf8');

function firstOf(pkg: UciPackage, type: string): UciSection {
  const section = pkg.sections.find((one) => one.type === type);
  if (section === undefined) throw new Error(`no section of type ${type}`);
  return section;
}

function conflictOf(before: string, after: string, now: string): string[] {
  const result = revert(before, after, now);
  if ('text' in result) throw new Error(`no conflict, but ${JSON.stringify(result.text)}`);
  return result.conflict;
}

const plain = suite('revert');

plain('gives back the earlier text byte for byte when nobody else touched it', () => {
  for (const before of ['', 'a', 'a\n', 'a\r\nb', STOCK, '\n\n', 'a\n\n']) {
    for (const after of ['', 'z', 'a\nb\n', `${before}x\n`, before.toUpperCase()]) {
      assert.equal(revert(before, after, after), { text: before });
    }
  }
});

plain('takes out what was added, whatever was written before, behind and between', () => {
  const before = 'one\ntwo\n';
  const after = 'one\nmine\nmine too\ntwo\n';
  const cases: [now: string, text: string][] = [
    ['zero\none\nmine\nmine too\ntwo\n', 'zero\none\ntwo\n'],
    ['one\nx\nmine\nmine too\ntwo\n', 'one\nx\ntwo\n'],
    ['one\nmine\nx\nmine too\ntwo\n', 'one\nx\ntwo\n'],
    ['one\nmine\nmine too\nx\ntwo\nthree\n', 'one\nx\ntwo\nthree\n'],
    ['mine\nmine too\n', ''],
    ['ONE\nmine\nmine too\nTWO\n', 'ONE\nTWO\n'],
  ];
  for (const [now, text] of cases) assert.equal(revert(before, after, now), { text }, JSON.stringify(now));
});

plain('counts what is undone already as done', () => {
  assert.equal(revert('a\nb\n', 'a\nmine\nb\n', 'x\na\nb\n'), { text: 'x\na\nb\n' });
  assert.equal(revert('a\nb\n', 'a\nmine\nmine too\nb\n', 'a\nmine too\nb\nx\n'), { text: 'a\nb\nx\n' });
  assert.equal(revert('a\n1\nb\n', 'a\n2\nb\n', 'a\n1\nb\nx\n'), { text: 'a\n1\nb\nx\n' });
  assert.equal(revert('a\n1\nb\n', 'a\nb\n', 'a\n1\nb\nx\n'), { text: 'a\n1\nb\nx\n' });
  assert.equal(revert('a\n1\nb\n', 'a\n2\nb\n', 'a\n1\nb\n'), { text: 'a\n1\nb\n' });
});

plain('puts back what was taken out where both lines around the place are still neighbours', () => {
  assert.equal(revert('a\nb\nc\n', 'a\nc\n', 'x\na\nc\ny\n'), { text: 'x\na\nb\nc\ny\n' });
  for (const now of ['a\nx\nc\n', 'a\n', 'c\n', 'A\nc\n', 'a\nC\n', 'x\n', '']) {
    const [sentence, ...others] = conflictOf('a\nb\nc\n', 'a\nc\n', now);
    assert.is(others.length, 0);
    assert.match(String(sentence), /^Line 2 of the earlier text, "b", could not be put back/);
  }
});

plain('does not touch a changed line that somebody changed again', () => {
  assert.equal(conflictOf('a\n1\nb\n', 'a\n2\nb\n', 'a\n3\nb\n').length, 1);
  assert.equal(conflictOf('a\n1\nb\n', 'a\n2\nb\n', 'a\nb\n').length, 1);
});

plain('does not take lines that stood there all along, or stand there twice, for a change undone', () => {
  assert.equal(conflictOf('a\n1\nb\n', 'a\n2\nb\n', 'a\n1\nx\n1\nb\n').length, 1);
  const before = 'a\n# c\n\n# c\n\n\n\n# c\n\n# c\n';
  const after = 'a\n# c\n\n# c\n\n\n\n\n# c\n';
  assert.ok(conflictOf(before, after, 'a\nx\n# c\n\n\n\n\n# c\n').length > 0);
});

plain('undoes all of a change or nothing of it', () => {
  const before = 'a\n1\nb\nc\n4\nd\n';
  const after = 'a\n2\nb\nc\n5\nd\n';
  assert.equal(revert(before, after, 'a\n2\nb\nx\nc\n5\nd\n'), { text: 'a\n1\nb\nx\nc\n4\nd\n' });
  assert.equal(conflictOf(before, after, 'a\n2\nb\nc\n6\nd\n'), [
    'Line 5 of the earlier text, "4", could not be put back: the lines around it have changed since.',
  ]);
});

plain('takes no line for its twin', () => {
  // Which of two equal lines is the added one does not matter as long as both are there ...
  assert.equal(revert('a\nx\nb\n', 'a\nx\nx\nb\n', 'a\nx\nx\nb\nc\n'), { text: 'a\nx\nb\nc\n' });
  // ... and with one of them gone nobody can tell.
  assert.ok(conflictOf('s\nold\nt\nmine\nu\n', 's\nmine\nt\nmine\nu\n', 's\nt\nmine\nu\nmine\nt\n').length > 0);
  const twins = 'config rule\n\toption on 0\nconfig rule\n\toption on 0\n';
  const before = 'config rule\n\toption on 1\nconfig rule\n\toption on 0\n';
  assert.ok(conflictOf(before, twins, 'config rule\n\toption on 0\n').length > 0);
});

plain('keeps the ends of lines as their owner has them', () => {
  assert.equal(revert('a\r\nb\r\n', 'a\r\nmine\r\nb\r\n', 'a\r\nmine\r\nb\r\nc\n'), { text: 'a\r\nb\r\nc\n' });
  assert.equal(revert('a\nb', 'a\nmine\nb', 'x\na\nmine\nb'), { text: 'x\na\nb' });
  assert.equal(revert('a', 'a\nmine\n', 'x\na\nmine\n'), { text: 'x\na' });
  assert.equal(revert('a', 'a\nmine\n', 'a\nmine\nx\n'), { text: 'a\nx\n' });
  assert.equal(revert('a\nb\n', 'a\nb\nmine', 'a\nb\nmine\nx'), { text: 'a\nb\nx' });
  assert.equal(revert('a\nb', 'a\n', 'a\n'), { text: 'a\nb' });
  assert.equal(revert('', 'mine\n', 'mine\nx\n'), { text: 'x\n' });
});

plain('says so when the two differ beyond all comparing', () => {
  const many = (word: string): string => Array.from({ length: 3000 }, (_, n) => `${word} ${n}\n`).join('');
  assert.equal(conflictOf(many('a'), `${many('a')}mine\n`, many('b')), [
    'Too much of the file has changed since to find the earlier lines in it.',
  ]);
});

plain.run();

const files = suite('revert, in the files it is for');

files('gives /etc/modules.conf back with the lines its owner added', () => {
  const before = '# kernel modules\n';
  const after = `${before}# sipalg\nblacklist nf_nat_sip\nblacklist nf_conntrack_sip\n# sipalg end\n`;
  assert.equal(revert(before, after, `${after}blacklist usb_storage\n`), { text: `${before}blacklist usb_storage\n` });
  assert.equal(revert('', after.slice(before.length), `x\n${after.slice(before.length)}`), { text: 'x\n' });
});

files('undoes changes of a real firewall configuration around the edits of its owner', () => {
  const pkg = parseUci(STOCK);
  const changes = [
    setOption(pkg, firstOf(pkg, 'defaults'), 'auto_helper', '0'),
    setOption(pkg, firstOf(pkg, 'zone'), 'input', 'DROP'),
    addToList(pkg, firstOf(pkg, 'zone'), 'helper', 'ftp'),
    deleteOption(pkg, firstOf(pkg, 'rule'), 'family'),
    addSection(pkg, 'rule', null, [{ kind: 'option', name: 'name', value: 'mine' }]),
  ];
  const edits: ((text: string) => string)[] = [
    (text) => `# looked after by its owner\n${text}`,
    (text) => text.replace('config forwarding', "config zone\n\toption name\t\tguest\n\nconfig forwarding"),
    (text) => text.replace('# Allow IPv4 ping\n', ''),
    (text) => text.replace(/option name\t\tAllow-IGMP\n/, 'option name\t\tAllow-IGMP\n\toption enabled\t0\n'),
    (text) => text.replace(/config rule\n\toption name\t\tAllow-MLD\n[^]*?\n\n/, ''),
  ];
  for (const after of changes) {
    for (const edit of edits) {
      assert.is.not(edit(after), after);
      assert.equal(revert(STOCK, after, edit(after)), { text: edit(STOCK) });
    }
  }
});

files('undoes a neutralised rule with its comments and gaps as they were', () => {
  const pkg = parseUci(HELPER_RULE);
  const section = pkg.sections.find((one) => one.options.some((option) => option.name === 'set_helper'));
  if (section === undefined) throw new Error('no rule sets a helper');
  const after = deleteOption(pkg, section, 'set_helper');
  const owner = (text: string): string => text.replace("option syn_flood\t1", "option syn_flood\t0");
  assert.is.not(owner(after), after);
  assert.equal(revert(HELPER_RULE, after, owner(after)), { text: owner(HELPER_RULE) });
});

files('puts no option into a section that is not its own', () => {
  const before = "config rule 'a'\n\toption x '1'\n\toption y '2'\n\nconfig rule 'b'\n\toption z '3'\n";
  const pkg = parseUci(before);
  const after = setOption(pkg, firstOf(pkg, 'rule'), 'x', '9');
  // The owner took section a out and wrote another one with the same option.
  const now = after.replace("config rule 'a'", "config rule 'c'").replace("\toption y '2'\n", '');
  assert.is(conflictOf(before, after, now).length, 1);
  const gone = parseUci(after);
  assert.is(conflictOf(before, after, deleteSection(gone, firstOf(gone, 'rule'))).length, 1);
});

files('has nothing to take out of a section that is gone with what was added to it', () => {
  const before = "config rule 'a'\n\toption x '1'\n\nconfig rule 'b'\n\toption z '3'\n";
  const pkg = parseUci(before);
  const after = parseUci(setOption(pkg, firstOf(pkg, 'rule'), 'new', '1'));
  const now = deleteSection(after, firstOf(after, 'rule'));
  assert.equal(revert(before, after.text, now), { text: now });
});

files('gives a whole section back where it stood', () => {
  const before = "config a\n\toption x '1'\n\nconfig b\n\toption y '2'\n\nconfig c\n\toption z '3'\n";
  const pkg = parseUci(before);
  const after = deleteSection(pkg, firstOf(pkg, 'b'));
  assert.equal(revert(before, after, after.replace("'3'", "'4'")), { text: before.replace("'3'", "'4'") });
});

files.run();

/** The lines to delete and to insert between two texts. */
function distance(from: readonly string[], to: readonly string[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, line] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries()) {
      const least = 1 + Math.min(row[j + 1] ?? 0, next[j] ?? 0);
      next.push(line === other ? Math.min(row[j] ?? 0, least) : least);
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

const chance = suite('revert, by chance');

/** Lines of a text that is changed twice: by us (each part has a `before` and an `after`) and by its owner. */
type Part = { before: string[]; after: string[] };

function text(parts: readonly Part[], which: 'before' | 'after'): string {
  return parts.flatMap((part) => part[which].map((line) => `${line}\n`)).join('');
}

/** One to three changes of ours, at least two lines of others around each. */
function parts(random: Seeded, line: () => string): Part[] {
  const list: Part[] = [];
  const same = (count: number): void => {
    for (let n = 0; n < count; n++) {
      const one = line();
      list.push({ before: [one], after: [one] });
    }
  };
  same(2 + random.below(8));
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const before = Array.from({ length: random.below(3) }, line);
    const after = Array.from({ length: before.length === 0 ? 1 + random.below(2) : random.below(3) }, line);
    list.push({ before, after });
    same(2 + random.below(8));
  }
  return list;
}

/** One edit of the owner that touches neither our lines nor, where we only took lines out, the gap they left. */
function edit(list: readonly Part[], random: Seeded, fresh: () => string): Part[] {
  const ours = (part: Part | undefined): boolean => part !== undefined && part.before !== part.after && !sameLines(part);
  const guarded = list.map((part, at) => ours(part) || ours(list[at - 1]) || ours(list[at + 1]));
  const spots = list.flatMap((_, at) => (guarded[at] ? [] : [at]));
  if (spots.length === 0) return [...list];
  const at = random.pick(spots);
  let length = random.below(3);
  while (guarded.slice(at, at + length).some(Boolean)) length -= 1;
  const added = Array.from({ length: random.below(3) }, fresh).map((one) => ({ before: [one], after: [one] }));
  return [...list.slice(0, at), ...added, ...list.slice(at + length)];
}

function sameLines(part: Part): boolean {
  return JSON.stringify(part.before) === JSON.stringify(part.after);
}

chance('is the earlier text with the edits of its owner, where all lines differ', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = seeded(seed);
    let count = 0;
    const line = (): string => `line ${count++}`;
    const list = parts(random, line);
    let now = list;
    for (let edits = 1 + random.below(4); edits > 0; edits--) now = edit(now, random, line);
    assert.equal(revert(text(list, 'before'), text(list, 'after'), text(now, 'after')), { text: text(now, 'before') }, `seed ${seed}`);
  }
});

chance('is that or a conflict, and never another text, where lines are alike', () => {
  let done = 0;
  for (let seed = 1; seed <= 4000; seed++) {
    const random = seeded(seed);
    let count = 0;
    const line = (): string => random.pick(['', '\toption a 1', '\toption b 2', 'config x', '# c']);
    const list = parts(random, line);
    const now = edit(list, random, () => `owner ${count++}`);
    const before = text(list, 'before');
    const after = text(list, 'after');
    // Nobody can know of a longer change than the shortest that explains the two texts, nor of one that gave the earlier one.
    const steps = list.reduce((sum, part) => sum + (sameLines(part) ? 0 : part.before.length + part.after.length), 0);
    if (steps > distance(before.split('\n'), after.split('\n')) || text(now, 'after') === before) continue;
    const result = revert(before, after, text(now, 'after'));
    if ('conflict' in result) continue;
    done += 1;
    assert.is(result.text, text(now, 'before'), `seed ${seed}`);
  }
  assert.ok(done > 2000, `${done} of 4000 are undone`);
});

chance.run();

const matches = suite('certainMatches');

/** All longest common subsequences, by trying everything. */
function allMatchings(from: readonly string[], to: readonly string[]): number[][] {
  let best: number[][] = [];
  let most = -1;
  const go = (i: number, j: number, sofar: number[], kept: number): void => {
    if (i === from.length) {
      if (kept > most) [best, most] = [[], kept];
      if (kept === most) best.push(sofar);
      return;
    }
    go(i + 1, j, [...sofar, -1], kept);
    for (let at = j; at < to.length; at++) if (to[at] === from[i]) go(i + 1, at + 1, [...sofar, at], kept + 1);
  };
  go(0, 0, [], 0);
  return best;
}

matches('are those that every shortest edit script has, as trying them all shows', () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const random = seeded(seed);
    const lines = (): string[] => Array.from({ length: random.below(8) }, () => random.pick(['a', 'b', 'c', 'd']));
    const [from, to] = [lines(), lines()];
    const all = allMatchings(from, to);
    const certain = from.map((_, i) => {
      const first = all[0]?.[i] ?? -1;
      return all.every((matching) => matching[i] === first) ? first : -1;
    });
    assert.equal([...(certainMatches(from, to) ?? [])], certain, `seed ${seed}: ${from.join('')} ${to.join('')}`);
  }
});

matches.run();
