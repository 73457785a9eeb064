/** Names, versions and dependencies, as apk takes them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { saying } from '../../saying.ts';
import { library, type Library } from './apk-library.ts';
import { apkAtHand } from './apk-tool.ts';

/** From the oldest to the newest, as `apk version -t` of 3.0.6 says of each pair. */
const ORDER = [
  '0',
  '0.1',
  '0.1.0',
  '0.1.01',
  '0.1.1',
  '0.1.9',
  '0.1.10',
  '1_alpha',
  '1_alpha1',
  '1_alpha2',
  '1_beta',
  '1_pre',
  '1_rc1',
  '1_rc2',
  '1-r0',
  '1-r1',
  '1-r10',
  '1~0af',
  '1~1-r2',
  '1_cvs',
  '1_svn',
  '1_git',
  '1_hg',
  '1_p',
  '1_p1-r0',
  '1_p1_p2',
  '1a_rc1',
  '1a',
  '1b',
  '1.0-r5',
  '1.0.0_rc1-r0',
  '1.0.0-r1',
  '1.0.0~abc-r0',
  '1.0.0_p1-r0',
  '2',
  '10',
  '18',
  '20.18.1-r1',
  '100',
];

const words = suite<{ lib: Library }>('a word of apk');
words.before(async (context) => {
  context.lib = await library();
});

words('that is a version stands where apk puts it', ({ lib }) => {
  for (const [at, one] of ORDER.entries()) {
    for (const [place, other] of ORDER.entries()) {
      const [left, right] = [Math.sign(lib.compareVersions(one, other)), Math.sign(at - place)];
      assert.is(left, right, `${one} and ${other}`);
    }
  }
  if (apkAtHand() === undefined) return; // then it is the record alone
  for (const [at, one] of ORDER.slice(1).entries()) {
    const { stdout } = spawnSync('apk', ['version', '-t', ORDER[at] ?? '', one], { encoding: 'utf8' });
    assert.is(stdout.trim(), '<', `${ORDER[at]} and ${one}`);
  }
});

words('that apk would refuse is refused', ({ lib }) => {
  const versions = [
    '',
    '1.0.0-1',
    '1.0.0-rc.1',
    '1.0.0-rc1',
    'v1.0',
    '1.0.0+1',
    '1..0',
    '1.',
    '1ab',
    '1_foo',
    '1~xyz',
    '1-r',
    '1-r1-r2',
    '1 ',
    '1\n',
    '~abc',
    '1a.1',
  ];
  for (const version of versions) {
    assert.throws(() => lib.checkedVersion(version), saying(`"${version}" is no version that apk takes`));
  }
  for (const version of ORDER) assert.is(lib.checkedVersion(version), version);
  for (const name of ['', '@a/x', 'ü', '-a', '.a', '_a', 'a b', 'a,b', 'a:b', 'a\n']) {
    assert.throws(() => lib.checkedName(name), saying(`"${name}" is no name of a package`));
  }
  for (const name of ['a', '0ad', 'A.b_c+d-e', 'libstdc++6']) assert.is(lib.checkedName(name), name);
});

words('that is a dependency says what may be there', ({ lib }) => {
  // What apk keeps: 1 the same, 2 less, 4 greater, 8 as far as it goes, 16 not.
  const all: [word: string, name: string, version: string | undefined, match: number][] = [
    ['node', 'node', undefined, 7],
    ['!node', 'node', undefined, 23],
    ['so:libc.so.6', 'so:libc.so.6', undefined, 7],
    ['/bin/sh', '/bin/sh', undefined, 7],
    ['node=18', 'node', '18', 1],
    ['a=1~abc', 'a', '1~abc', 1],
    ['node<2.0-r1', 'node', '2.0-r1', 2],
    ['node<=2', 'node', '2', 3],
    ['node>2', 'node', '2', 4],
    ['node>=18', 'node', '18', 5],
    ['node~2', 'node', '2', 9],
    ['node<~2', 'node', '2', 11],
    ['node>~2', 'node', '2', 13],
    ['!node=1', 'node', '1', 17],
  ];
  for (const [word, name, version, match] of all) {
    const read = lib.parseDependency(word);
    assert.equal(read, { name, ...(version === undefined ? {} : { version }), match }, word);
    assert.is(lib.dependencyWord(read), word);
  }
  assert.throws(() => lib.dependencyWord({ name: 'a', match: 5 }), saying('The dependency on "a" compares by 5, which no word says.'));
});

words('that is no dependency is refused: a comma above all, which apk would take for a part of the name', ({ lib }) => {
  const of = (word: string) => () => lib.parseDependency(word);
  for (const word of ['a,', 'a, b', 'a>=1,b']) {
    assert.throws(of(word), saying(`The dependency "${word}" holds a comma, which apk takes for a part of the name.`));
  }
  const strange = ['', ' ', 'a b', 'a|b', '!', '>=1', 'a (>= 1)', 'a>=', 'ä', '!!a', 'a\n'];
  for (const word of strange) assert.throws(of(word), saying(`"${word}" is no dependency`));
  assert.throws(of('a=>1'), saying('The dependency "a=>1" compares by "=>"; allowed are = < <= > >= ~ <~ >~.'));
  assert.throws(of('a>=1.0.0-1'), saying('"1.0.0-1" is no version'));
});

words('may ask for a name twice, unless it does so in two ways that apk would put in no order', ({ lib }) => {
  assert.equal(
    lib.parseDependencies(['b>=1', 'a', 'b<2', 'a']).map(({ name }) => name),
    ['b', 'a', 'b', 'a'],
  );
  assert.throws(() => lib.parseDependencies(['a', 'a>=1']), saying('"a" and "a>=1" ask for the same in two ways.'));
  assert.throws(() => lib.parseDependencies(['a=01', 'a=1']), saying('"a=01" and "a=1" ask for the same in two ways.'));
});

words.run();
