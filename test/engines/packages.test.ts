/** The program as package `sipalg` alone has it, and with each of the others, on both engines. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sideOf } from '../pure/compare/captures.ts';
import { recordedRouter } from '../routers.ts';
import { surveyor } from '../survey.ts';
import { startOf } from './start.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

interface Context {
  folder: string;
  /** Saved facts of a recorded router, and a capture without a message. */
  saved: string;
  empty: string;
  engines: readonly { name: string; words: readonly string[]; program: string }[];
}

const packages = suite<Context>('the program in packages');

packages.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'packages-'));
  [context.saved, context.empty] = [join(context.folder, 'saved.json'), join(context.folder, 'empty.pcap')];
  const { facts } = await surveyor.report(await surveyor.look(recordedRouter('stock-alg-on')));
  writeFileSync(context.saved, JSON.stringify({ version, facts }));
  writeFileSync(context.empty, sideOf([], false));
  context.engines = [
    { name: 'node', words: await startOf('node'), program: 'sipalg.mjs' },
    { name: 'quickjs', words: await startOf('quickjs'), program: 'sipalg.qjs.mjs' },
  ];
});

packages.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command where these packages are, on each engine; what is given is asked of each. */
function onEach(
  context: Context,
  names: readonly string[],
  words: readonly string[],
  asked: (ran: Ran, engine: string) => void,
  locale = 'C',
): void {
  const folder = join(context.folder, names.join('+'));
  for (const name of names) cpSync(`dist/packages/${name}`, folder, { recursive: true });
  for (const { name, words: begin, program } of context.engines) {
    const [command = '', ...rest] = begin;
    const options = { encoding: 'utf8', timeout: 60_000, env: { ...process.env, LC_ALL: locale } } as const;
    const { status, stdout, stderr } = spawnSync(command, [...rest, join(folder, program), ...words], options);
    asked({ status, stdout, stderr }, name);
  }
}

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

packages('runs every command but two with sipalg alone', (context) => {
  for (const [words, expected] of [
    [['help'], 0],
    [['version'], 0],
    [['status', '--from', context.saved], 1],
    [['plan', '--json', '--from', context.saved], 1],
    [['policy', '--from', context.saved], 1],
  ] as const)
    onEach(context, ['sipalg'], words, ({ status, stdout, stderr }, engine) => {
      assert.equal([status, stderr], [expected, ''], `${engine}: ${words.join(' ')}`);
      assert.ok(stdout.length > 10);
    });
});

packages('says which package to install where one is missing, and of which version', (context) => {
  const sentence = (command: string, name = `sipalg-${command}`): string =>
    `sipalg: \`sipalg ${command}\` is in a package of its own; install ${name}, of this version (${version}).\n`;
  for (const words of [
    ['compare', context.empty, context.empty],
    ['compare', '--help'],
  ])
    onEach(context, ['sipalg', 'sipalg-daemon'], words, (ran, engine) =>
      assert.equal(ran, { status: 2, stdout: '', stderr: sentence('compare', 'sipalg-calls') }, engine),
    );
  onEach(context, ['sipalg'], ['serve', '--no-page'], (ran, engine) => {
    if (engine === 'node') assert.equal(ran, { status: 2, stdout: '', stderr: sentence('serve', 'sipalg-daemon') });
    else assert.match(ran.stderr, /^sipalg: `sipalg serve` needs Node, which .*: install sipalg-daemon there\. /);
  });
});

packages('compares with sipalg-calls', (context) => {
  const names = ['sipalg', 'sipalg-calls'];
  onEach(context, names, ['compare', '--help'], ({ status, stdout }) => {
    assert.is(status, 0);
    assert.match(stdout, /^usage: sipalg compare/);
  });
  onEach(context, names, ['compare', context.empty, context.empty], ({ status, stdout, stderr }) => {
    assert.is(status, 2);
    assert.not.match(stdout + stderr, 'install');
  });
});

packages('speaks German with sipalg-i18n-de, English without it, and loads what is said of calls for that alone', (context) => {
  const said = (names: readonly string[], words: readonly string[], expected: RegExp): void =>
    onEach(
      context,
      names,
      words,
      ({ stdout, stderr }, engine) => {
        assert.is(stderr, '', engine);
        assert.match(stdout, expected);
      },
      'de_DE.UTF-8',
    );
  const status = ['status', '--from', context.saved];
  said(['sipalg'], status, /^A SIP ALG rewrites calls on this router\.\n/);
  said(['sipalg', 'sipalg-i18n-de'], status, /^Ein SIP-ALG schreibt auf diesem Router Gespräche um\.\n/);
  said(['sipalg', 'sipalg-i18n-de'], ['diagnose', '--help'], /^Aufruf: sipalg diagnose/);
  const folder = join(context.folder, 'sipalg+sipalg-i18n-de');
  for (const name of readdirSync(folder)) if (/^de-(calls|page)-/.test(name)) rmSync(join(folder, name));
  const plain = readdirSync(folder).filter((name) => name.startsWith('de-'));
  assert.is(plain.length, 1);
  for (const { name, words: begin, program } of context.engines) {
    const [command = '', ...rest] = begin;
    const env = { ...process.env, LC_ALL: 'de_DE.UTF-8' };
    const { stdout } = spawnSync(command, [...rest, join(folder, program), ...status], { encoding: 'utf8', timeout: 60_000, env });
    assert.match(stdout, /^Ein SIP-ALG schreibt/, name);
  }
});

packages.run();
