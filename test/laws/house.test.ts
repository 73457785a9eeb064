import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { filesOf, sources, textOf } from './sources.ts';

const LONGEST = 300;

/** Every place in these files where a pattern holds, as 'file:line: text'. */
function places(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) => placesIn(file, textOf(file), pattern));
}

function placesIn(file: string, text: string, pattern: RegExp): string[] {
  const every = new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : pattern.flags + 'g');
  return [...text.matchAll(every)].map((match) =>
    `${file}:${text.slice(0, match.index).split('\n').length}: ${match[0].trim().slice(0, 80)}`);
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
const HIDING = /^\s*[\w.]+\.(only|skip)\(/m;
// A string there is what uvu shows when nothing is thrown; what is thrown is not looked at. test/saying.ts looks.
const DEAF = /\bassert\.throws\((?:[^;{}\n]|\{[^{}\n]*\})*, (['"])(?:(?!\1)[^\\\n]|\\.)*\1\);/;
const PLACES = new RegExp([
  '/(work|home/\\w+)/', '/tmp/(owrt|fw|brief)\\b', '\\.\\./shared\\b', '\\b(localhost|127\\.0\\.0\\.1):4873\\b',
  'https?://[^\\s"\']*\\b(artifactory|verdaccio|nexus|proxy)\\b',
].join('|'));
const AUTHORS = /^\s*(co-authored-by|generated (with|by))\b/im;

const house = suite('the house');

house(`holds no source of more than ${LONGEST} lines`, () => {
  const lines = sources().map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }));
  assert.ok(lines.length > 20);
  assert.equal(lines.filter((each) => each.lines > LONGEST), []);
});

house('has no file whose name says nothing', () => {
  // What mirrors a router bears the names it has there, such as /etc/rc.common.
  const ours = filesOf().filter((file) => !/^(files|test\/fixtures|test\/lab\/.*\broot)\//.test(file));
  assert.equal(ours.filter((file) => file.split('/').some((part) => VAGUE.test(part))), []);
});

house('puts nothing off', () => {
  assert.equal(places(filesOf().filter((file) => /\.(ts|mjs|js|md|json|sh)$/.test(file) && !file.startsWith('test/fixtures/')), PROMISES), []);
});

house('swallows no error', () => {
  assert.equal(places(code(), EMPTY_CATCH), []);
});

house('leaves no test to chance', () => {
  assert.equal(places(code(), CHANCE), []);
});

house('hides no test', () => {
  // test/runner tries .only and .skip out on purpose.
  assert.equal(places(tests().filter((file) => !file.startsWith('test/runner/')), HIDING), []);
});

house('looks at what an error says, where it says what', () => {
  assert.equal(places(tests().filter((file) => file !== 'test/laws/house.test.ts'), DEAF), []);
});

house('mirrors src/ in test/: every test of a room stands beside that room\'s name', () => {
  const rooms = new Set(sources().map((file) => file.split('/')[1] ?? ''));
  const others = new Set(['lab', 'vm', 'laws', 'runner', 'engines', 'program', 'package', 'files', 'routers', 'start', 'setup']);
  const lost = tests().filter((file) => file.endsWith('.test.ts'))
    .map((file) => file.split('/')).filter((parts) => parts.length > 2)
    .filter((parts) => !rooms.has(parts[1] ?? '') && !others.has(parts[1] ?? '')).map((parts) => parts.join('/'));
  assert.equal(lost, []);
});

house('speaks of the project alone', () => {
  assert.equal(places(filesOf().filter((file) => file !== 'package-lock.json'), PLACES), []);
});

house('locks packages to the public registry', () => {
  const lock = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, { resolved?: string }> };
  const hosts = Object.values(lock.packages).flatMap(({ resolved }) => resolved === undefined ? [] : [new URL(resolved).host]);
  assert.equal([...new Set(hosts)].filter((host) => host !== 'registry.npmjs.org'), []);
});

house('has a history that speaks of the project alone', () => {
  if (!existsSync('.git')) return; // a release is a folder without a history
  const { status, stdout, stderr } = spawnSync('git', ['-c', 'safe.directory=*', 'log', '--format=%h %B'], { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  assert.ok(stdout.length > 0);
  assert.equal([...placesIn('git log', stdout, PLACES), ...placesIn('git log', stdout, AUTHORS)], []);
});

const laws = suite('the law against');

const CASES: [law: string, pattern: RegExp, breaks: readonly string[], keeps: readonly string[]][] = [
  ['names that say nothing', VAGUE, ['utils.ts', 'string-util.ts', 'common', 'flow.manager.ts', 'service.ts'],
    ['serve.ts', 'community.ts', 'utility.ts']],
  ['promises', PROMISES, ['// TO' + 'DO: later', 'FIX' + 'ME'], ['a todo list', 'XXXX']],
  ['swallowed errors', EMPTY_CATCH,
    ['cat' + 'ch {}', 'cat' + 'ch (e) {\n}', '.cat' + 'ch(() => {})', '.cat' + 'ch(e => undefined)'],
    ['catch { return undefined; }', 'catch {\n  // it was gone already\n}', 'catch (error) {\n  // why\n  throw error;\n}', '.catch((e) => log(e))', '.catch(() => undefined); // it is told below']],
  ['chance', CHANCE, ['Math' + '.random()'], ['Math.round(1)', 'seeded.random()']],
  ['hidden tests', HIDING, ['flows.only(\'alone\', () => {})', '  a.b.skip('], ['assert.is(1, 1)', 'reader.skipLine(']],
  ['errors nobody listens to', DEAF,
    ['assert.throws(() => f(\'a\'), \'b\');', 'assert.throws(() => { throw new Error(\'a\'); }, \'b\');', 'assert.throws(f, "it\\\'s");'],
    ['assert.throws(() => f(\'a\', \'b\'));', 'assert.throws(() => { f(\'a\', \'b\'); });', 'assert.throws(f, saying(\'a\'));',
      'assert.throws(f, /a/);', 'assert.throws(f, (e) => e, \'a\' + b);']],
  ['places that only one machine has', PLACES,
    ['/wo' + 'rk/main/x', '/tmp/' + 'owrt/NOTES', '../' + 'shared/data', 'http://127.0.0.1' + ':4873/uvu'],
    ['/tmp/fwd', 'test/network/', '/tmp/sipalg', 'https://openwrt.org/', 'workshop/']],
];

for (const [law, pattern, breaks, keeps] of CASES) {
  laws(`${law} sees what breaks it and lets pass what does not`, () => {
    assert.equal(breaks.filter((text) => placesIn('x', text, pattern).length !== 1), []);
    assert.equal(keeps.filter((text) => pattern.test(text)), []);
  });
}

laws('anything names the file and the line', () => {
  assert.equal(placesIn('a.ts', 'one\ntwo\n', /two/), ['a.ts:2: two']);
});

house.run();
laws.run();
