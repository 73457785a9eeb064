import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { filesOf, sources, textOf } from './sources.ts';

const LONGEST = 400;
const WIDEST = 140;

/** Every place in these files where a pattern holds, as 'file:line: text'. */
function places(files: readonly string[], pattern: RegExp): string[] {
  assert.ok(files.length > 100, `${files.length} files are looked at`);
  return files.flatMap((file) => placesIn(file, textOf(file), pattern));
}

function placesIn(file: string, text: string, pattern: RegExp): string[] {
  const every = new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : pattern.flags + 'g');
  return [...text.matchAll(every)].map(
    (match) => `${file}:${text.slice(0, match.index).split('\n').length}: ${match[0].trim().slice(0, 80)}`,
  );
}

const isCode = (file: string): boolean => /\.(ts|mjs|js)$/.test(file);
const code = (): string[] => filesOf().filter(isCode);
const tests = (): string[] => filesOf('test').filter(isCode);

// Written so that this file does not break its own laws.
const PROMISES = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`);
const VAGUE = /(^|[-_.])(utils?|common|manager|service|misc|stuff)\b/i;
// A comment that says why an error may be dropped makes it a decision.
const EMPTY_CATCH = /\bcatch\s*(\(\s*\w*\s*\))?\s*\{\s*\}|\.catch\(\s*(\(\s*\w*\s*\)|\w+)\s*=>\s*(\{\s*\}|undefined)\s*\)(?!;?[ \t]*\/\/)/;
const CHANCE = /\bMath\s*\.\s*random\b/;
// A string there is what uvu shows when nothing is thrown; what is thrown is not looked at. test/saying.ts looks.
const DEAF = /\bassert\.throws\((?:[^;{}\n]|\{[^{}\n]*\})*, (['"])(?:(?!\1)[^\\\n]|\\.)*\1\);/;
const HIDING = /^\s*[\w.]+\.(only|skip)\(/m;

const house = suite('the house');

house(`holds no source of more than ${LONGEST} lines`, () => {
  const lines = sources().map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }));
  assert.ok(lines.length > 20);
  assert.equal(
    lines.filter((each) => each.lines > LONGEST),
    [],
  );
});

house(`has no line of more than ${WIDEST} columns in src`, () => {
  const wide = sources().flatMap((file) =>
    textOf(file)
      .split('\n')
      .flatMap((line, at) => (line.length > WIDEST ? [`${file}:${at + 1}`] : [])),
  );
  assert.equal(wide, []);
});

house(`has no line of prose of more than ${WIDEST} columns`, () => {
  // Rows of a table cannot be broken, and what is typed is shown as it is typed.
  const wide = filesOf()
    .filter((file) => file.endsWith('.md') && !file.startsWith('test/'))
    .flatMap((file) => {
      let typed = false;
      return textOf(file)
        .split('\n')
        .flatMap((line, at) => {
          if (line.startsWith('```')) typed = !typed;
          return line.length > WIDEST && !typed && !/^(\|| {4})/.test(line) ? [`${file}:${at + 1}`] : [];
        });
    });
  assert.equal(wide, []);
});

house('has no file whose name says nothing', () => {
  // What mirrors a router bears the names it has there, such as /etc/rc.common.
  const ours = filesOf().filter((file) => !/^(files|test\/fixtures|test\/machine\/qemu\/root)\//.test(file));
  assert.equal(
    ours.filter((file) => file.split('/').some((part) => VAGUE.test(part))),
    [],
  );
});

house('puts nothing off', () => {
  assert.equal(
    places(
      filesOf().filter((file) => /\.(ts|mjs|js|md|json|sh)$/.test(file) && !file.startsWith('test/fixtures/')),
      PROMISES,
    ),
    [],
  );
});

house('swallows no error', () => {
  assert.equal(places(code(), EMPTY_CATCH), []);
});

house('leaves no test to chance', () => {
  assert.equal(places(code(), CHANCE), []);
});

house('hides no test', () => {
  // test/runner tries .only and .skip out on purpose.
  assert.equal(
    places(
      tests().filter((file) => !file.startsWith('test/runner/')),
      HIDING,
    ),
    [],
  );
});

house('looks at what an error says, where it says what', () => {
  assert.equal(
    places(
      tests().filter((file) => !file.startsWith('test/pure/laws/')),
      DEAF,
    ),
    [],
  );
});

house("mirrors src/ in test/LAYER/: every test of a room stands beside that room's name", () => {
  const rooms = new Set(sources().map((file) => file.split('/')[1] ?? ''));
  const others = new Set(['lab', 'machine', 'laws', 'runner', 'package', 'files', 'attacks']);
  const lost = tests()
    .filter((file) => /^test\/(pure|lab)\/.*\.test\.ts$/.test(file))
    .map((file) => file.split('/'))
    .filter((parts) => parts.length > 3)
    .filter((parts) => !rooms.has(parts[2] ?? '') && !others.has(parts[2] ?? ''))
    .map((parts) => parts.join('/'));
  assert.equal(lost, []);
});

house('sees an error that is swallowed, and lets pass what is told why', () => {
  const swallowed = ['cat' + 'ch {}', 'cat' + 'ch (e) {\n}', '.cat' + 'ch(() => {})', '.cat' + 'ch(e => undefined)'];
  for (const text of swallowed) assert.equal(placesIn('a.ts', `one\n${text}`, EMPTY_CATCH), [`a.ts:2: ${text}`]);
  const told = [
    'catch { return undefined; }',
    'catch {\n  // it was gone already\n}',
    'catch (error) {\n  // why\n  throw error;\n}',
    '.catch((e) => log(e))',
    '.catch(() => undefined); // it is told below',
  ];
  assert.equal(
    told.filter((text) => EMPTY_CATCH.test(text)),
    [],
  );
});

house.run();
