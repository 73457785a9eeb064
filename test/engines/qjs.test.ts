/** The program on QuickJS: dist/sipalg.qjs.js and the router's folder in Debian's `qjs`, held against Node byte for byte. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { recordedRouter, routerNames } from '../routers.ts';
import { surveyor } from '../survey.ts';

interface Context {
  qjs: string;
  folder: string;
}

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const FLAGS = ['--no-unhandled-rejection', '-m'];
const LONE = 'dist/sipalg.qjs.js';
const ROUTER = 'dist/router/sipalg.qjs.mjs';

const engine = suite<Context>('the program on QuickJS');

engine.before(async (context) => {
  ({ QJS: context.qjs } = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as { QJS: string });
  context.folder = mkdtempSync(join(tmpdir(), 'qjs-'));
});

engine.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

const ran = (command: string, argv: readonly string[], input = ''): Ran => {
  const { error, status, stdout, stderr } = spawnSync(command, argv, { encoding: 'utf8', input, maxBuffer: 64 << 20, timeout: 60_000 });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
};
const onQuickjs = ({ qjs }: Context, words: readonly string[], input = '', flags = FLAGS, program = LONE): Ran =>
  ran(qjs, [...flags, program, ...words], input);
const onNode = (words: readonly string[], input = ''): Ran => ran(process.execPath, ['dist/sipalg.js', ...words], input);

engine('answers words right and wrong as on Node', (context) => {
  for (const words of [
    ['version'],
    ['help'],
    ['--help'],
    ['stauts'],
    ['disable', '--dryrun'],
    ['status', '--from'],
    ['status', '--from', '/nowhere'],
  ]) {
    assert.equal(onQuickjs(context, words), onNode(words), words.join(' '));
  }
});

engine('says what it cannot do, and what to install', (context) => {
  const { status, stderr } = onQuickjs(context, ['serve']);
  assert.is(status, 2);
  assert.match(stderr, /^sipalg: `sipalg serve` needs Node, which OpenWrt packages up to 24\.10: install sipalg-daemon there\. /);
});

for (const name of routerNames()) {
  engine(`${name}: comes to the same in words, as JSON and by its exit code, from a file and from standard input`, async (context) => {
    const { facts } = await surveyor.report(await surveyor.look(recordedRouter(name)));
    const text = JSON.stringify({ version, facts });
    const file = join(context.folder, `${name}.json`);
    writeFileSync(file, text);
    for (const words of [['status'], ['plan', '--json']]) {
      const expected = onNode([...words, '--from', file]);
      assert.equal([expected.status !== null, expected.stdout !== '', expected.stderr], [true, true, '']);
      assert.equal(onQuickjs(context, [...words, '--from', file]), expected, words.join(' '));
    }
    assert.equal(onQuickjs(context, ['policy', '--from', '-'], text), onNode(['policy', '--from', '-'], text));
  });
}

engine('looks at a machine within a small stack, from the folder of a router and by another path', (context) => {
  const link = join(context.folder, 'program');
  symlinkSync(join(process.cwd(), 'dist/router'), link);
  for (const [flags, program] of [
    [['--no-unhandled-rejection', '--stack-size', '96k', '-m'], ROUTER],
    [FLAGS, `${link}/sipalg.qjs.mjs`],
  ] as const) {
    const { status, stdout, stderr } = onQuickjs(context, ['version'], '', [...flags], program);
    assert.equal([status, stderr], [0, '']);
    assert.is(stdout, onNode(['version']).stdout);
  }
});

engine('tells by its exit code that its words went nowhere', ({ qjs, folder }) => {
  const full = openSync('/dev/full', 'w');
  const ends = ([command = '', ...words]: string[]) => spawnSync(command, words, { stdio: ['ignore', full, 'ignore'], timeout: 20_000 }).status;
  for (const words of [['help'], ['status', '--json', '--from', join(folder, 'stock-alg-absent.json')]]) {
    assert.is(ends([qjs, ...FLAGS, LONE, ...words]), 2);
    assert.is(ends([process.execPath, 'dist/sipalg.js', ...words]), 2);
  }
  closeSync(full);
});

engine('is not troubled by a reader that goes away', async ({ qjs, folder }) => {
  const file = join(folder, 'stock-alg-on.json');
  assert.is(onNode(['status', '--json', '--from', file]).stderr, '');
  const child = spawn('sh', ['-c', '"$@" 2>&1 >&3 | cat', 'x', qjs, ...FLAGS, LONE, 'status', '--json', '--from', file], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  (child.stdio[3] as NodeJS.ReadableStream & { destroy(): void }).destroy();
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((done) => {
    child.on('close', done);
  });
  assert.is(said, '');
});

engine('begins with descriptors closed, and reads every byte of what is no text', (context) => {
  const file = join(context.folder, 'bytes');
  writeFileSync(file, Buffer.from([0x7b, 0xff, 0xfe]));
  const closed = ran('sh', ['-c', 'exec "$@" 0<&- ', 'x', context.qjs, ...FLAGS, LONE, 'status', '--from', file]);
  assert.equal(closed, onNode(['status', '--from', file]));
  assert.match(readFileSync(file).toString('latin1'), /\xff/);
});

engine.run();
