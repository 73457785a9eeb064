import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Outcome } from '../../../src/host/host.ts';
import { nodeHost } from '../../../src/engines/node/host.ts';
import { announceSkip } from '../../layer.ts';

interface Folder {
  folder: string;
}

function withFolder(title: string) {
  const made = suite<Folder>(title);
  made.before((context) => {
    context.folder = fs.mkdtempSync(join(tmpdir(), 'host-'));
  });
  made.after(({ folder }) => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return made;
}

async function complaint(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, Error);
    return (error as Error).message;
  }
  throw new Error('It worked.');
}

const reading = withFolder('reading through Node');

reading('tells what is there from what is not and from what cannot be read', async ({ folder }) => {
  fs.writeFileSync(join(folder, 'a'), 'caf\u00e9\n');
  assert.equal(await nodeHost.read(join(folder, 'a')), { state: 'present', value: 'caf\u00e9\n', source: join(folder, 'a') });
  for (const path of [join(folder, 'nothing'), join(folder, 'a', 'below')])
    assert.equal(await nodeHost.read(path), { state: 'absent', source: path });
  assert.equal(await nodeHost.read(folder), { state: 'failed', source: folder, because: 'it is a directory (EISDIR)' });
  fs.symlinkSync('loop', join(folder, 'loop'));
  const loop = await nodeHost.read(join(folder, 'loop'));
  assert.is(loop.state === 'failed' && loop.because, 'too many symbolic links (ELOOP)');
  assert.is((await nodeHost.read('/nul\0inside')).state, 'failed');
});

reading('keeps bytes that are no text', async ({ folder }) => {
  fs.writeFileSync(join(folder, 'bytes'), Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x00]));
  const bytes = await nodeHost.read(join(folder, 'bytes'));
  assert.is(bytes.state === 'present' && bytes.value, 'a\udcff\udcc3(\0');
});

reading('refuses a file that is too large, unless lines are picked out of it', async ({ folder }) => {
  const path = join(folder, 'large');
  fs.writeFileSync(path, 'x'.repeat(99) + '\n' + 'sip\n');
  assert.equal(await nodeHost.read(path, { most: 50 }), { state: 'failed', source: path, because: 'it holds more than 50 bytes' });
  assert.equal(await nodeHost.read(path, { most: 50, select: { holding: ['sip'] } }), { state: 'present', value: 'sip\n', source: path });
});

reading('reads files whose size the kernel gives as 0', async () => {
  const status = await nodeHost.read('/proc/self/status');
  assert.match(status.state === 'present' ? status.value : '', /^Name:/);
});

reading('lists names in order, and says what a path is', async ({ folder }) => {
  const below = join(folder, 'names');
  fs.mkdirSync(join(below, 'b', 'c'), { recursive: true });
  fs.writeFileSync(join(below, 'a'), '');
  fs.symlinkSync('a', join(below, 'link'));
  assert.equal(await nodeHost.list(below), { state: 'present', value: ['a', 'b', 'link'], source: below });
  assert.is((await nodeHost.list(join(below, 'nothing'))).state, 'absent');
  assert.is((await nodeHost.list(join(below, 'a'))).state, 'absent');
  const kinds = await Promise.all(['a', 'b', 'link', 'nothing'].map((name) => nodeHost.kind(join(below, name))));
  assert.equal(
    kinds.map((kind) => (kind.state === 'present' ? kind.value : kind.state)),
    ['file', 'directory', 'file', 'absent'],
  );
  const device = await nodeHost.kind('/dev/null');
  assert.is(device.state === 'present' && device.value, 'other');
});

reading.run();

const writing = withFolder('writing through Node');

writing('makes a file with the mode asked for, and keeps the mode of one that is there', async ({ folder }) => {
  const path = join(folder, 'mode');
  await nodeHost.write(path, 'one', 0o600);
  assert.is(fs.statSync(path).mode & 0o7777, 0o600);
  fs.chmodSync(path, 0o640);
  await nodeHost.write(path, 'two', 0o755);
  assert.equal([fs.statSync(path).mode & 0o7777, fs.readFileSync(path, 'utf8')], [0o640, 'two']);
  const plain = join(folder, 'plain');
  const mask = process.umask(0o077);
  try {
    await nodeHost.write(plain, 'x');
  } finally {
    process.umask(mask);
  }
  assert.is(fs.statSync(plain).mode & 0o7777, 0o644, 'whatever the umask is');
});

/** Prints every mode that a file has while it is there and not yet as long as it is to be. */
const MODES = `
const fs = require('fs');
const [, path] = process.argv;
const seen = new Set();
const end = Date.now() + 20000;
console.log('ready');
while (Date.now() < end) {
  let stat;
  try { stat = fs.statSync(path); } catch { if (seen.size > 0) break; continue; }
  seen.add((stat.mode & 0o7777).toString(8));
}
console.log([...seen].join(' '));
`;

writing('lets nobody but root read a file before all of it is written', async ({ folder }) => {
  const text = 'secret\n'.repeat(8 << 20);
  for (const mode of [0o600, 0o644]) {
    const path = join(folder, `secret-${mode}`);
    fs.writeFileSync(path, 'old', { mode });
    fs.writeFileSync(path + '.sipalg-new', 'left by an interrupted run', { mode: 0o644 });
    fs.chmodSync(path + '.sipalg-new', 0o600); // so that every wider one is of this run
    const child = spawn(process.execPath, ['-e', MODES, path + '.sipalg-new'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data;
    });
    const closed = new Promise((done) => {
      child.on('close', done);
    });
    await new Promise((ready) => {
      child.stdout.once('data', ready);
    });
    await nodeHost.write(path, text);
    await closed;
    const seen = said.split('\n')[1]?.split(' ') ?? [];
    assert.ok(seen.includes('600'), said);
    assert.is(fs.statSync(path).mode & 0o7777, mode);
    if (mode === 0o600) assert.equal(seen, ['600'], 'a private file is private all the while');
  }
});

writing('narrows what it is told to, and nothing else', async ({ folder }) => {
  const path = join(folder, 'wide');
  fs.writeFileSync(path, 'x', { mode: 0o644 });
  await nodeHost.narrow(path, 0o600);
  assert.is(fs.statSync(path).mode & 0o7777, 0o600);
  fs.chmodSync(path, 0o400);
  await nodeHost.narrow(path, 0o600);
  assert.is(fs.statSync(path).mode & 0o7777, 0o400, 'nothing is added');
  await nodeHost.narrow(join(folder, 'not there'), 0o600);
});

writing('keeps the owner of a file that is there', async ({ folder }) => {
  // Only root may give a file away, and only then is there something to keep.
  if (process.geteuid?.() !== 0) return announceSkip('That an owner is kept is not tested: run this as root.');
  const path = join(folder, 'owned');
  fs.writeFileSync(path, 'one');
  fs.chownSync(path, 1234, 2345);
  await nodeHost.write(path, 'two');
  assert.equal([fs.statSync(path).uid, fs.statSync(path).gid], [1234, 2345]);
});

writing('follows a link and leaves it a link', async ({ folder }) => {
  fs.writeFileSync(join(folder, 'target'), 'one');
  fs.symlinkSync('target', join(folder, 'through'));
  await nodeHost.write(join(folder, 'through'), 'two');
  assert.is(fs.readlinkSync(join(folder, 'through')), 'target');
  assert.is(fs.readFileSync(join(folder, 'target'), 'utf8'), 'two');
});

writing('puts a new file in the place of the old one, so that whoever reads sees one of the two whole', async ({ folder }) => {
  const path = join(folder, 'atomic');
  fs.writeFileSync(path, 'old'.repeat(100_000));
  const open = fs.openSync(path, 'r');
  const before = fs.fstatSync(open).ino;
  await nodeHost.write(path, 'new'.repeat(100_000));
  assert.is(fs.readFileSync(open, 'utf8'), 'old'.repeat(100_000));
  assert.is.not(fs.statSync(path).ino, before);
  fs.closeSync(open);
});

writing('gives back every byte it has read', async ({ folder }) => {
  const path = join(folder, 'every');
  const bytes = Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 7) & 0xff));
  fs.writeFileSync(path, bytes);
  const read = await nodeHost.read(path);
  assert.is(read.state, 'present');
  if (read.state === 'present') await nodeHost.write(path, read.value);
  assert.ok(fs.readFileSync(path).equals(bytes));
});

writing('says what is wrong, and leaves neither a changed file nor one half written', async ({ folder }) => {
  const inside = join(folder, 'directory');
  fs.mkdirSync(join(inside, 'is', 'one'), { recursive: true });
  assert.is(await complaint(nodeHost.write(join(inside, 'is'), 'x')), `${inside}/is could not be written: it is a directory (EISDIR)`);
  assert.equal(fs.readdirSync(inside), ['is']);
  assert.is(
    await complaint(nodeHost.write(join(inside, 'none', 'file'), 'x')),
    `${inside}/none/file could not be written: no such file or directory (ENOENT)`,
  );
  // Somebody waits with a link where the temporary file would be.
  fs.writeFileSync(join(inside, 'victim'), 'untouched');
  fs.symlinkSync('victim', join(inside, 'file.sipalg-new'));
  await nodeHost.write(join(inside, 'file'), 'x');
  assert.is(fs.readFileSync(join(inside, 'victim'), 'utf8'), 'untouched');
  assert.not.ok(fs.lstatSync(join(inside, 'file')).isSymbolicLink());
});

writing('writes over what an interrupted run was writing', async ({ folder }) => {
  const path = join(folder, 'again');
  fs.writeFileSync(path + '.sipalg-new', 'half of something much longer');
  await nodeHost.write(path, 'whole');
  assert.is(fs.readFileSync(path, 'utf8'), 'whole');
  assert.not.ok(fs.existsSync(path + '.sipalg-new'));
});

writing('leaves nothing behind on a full disk', async () => {
  // /dev/full takes no byte; what is told of it is what a full disk is told of.
  assert.is(
    await complaint(nodeHost.poke('/dev/full', '1\n')),
    '/dev/full could not be set to "1": no space is left on the device (ENOSPC)',
  );
});

writing('pokes only what is there', async ({ folder }) => {
  const path = join(folder, 'poked');
  assert.is(await complaint(nodeHost.poke(path, '0\n')), `${path} could not be set to "0": no such file or directory (ENOENT)`);
  assert.not.ok(fs.existsSync(path));
});

writing('removes a file once and twice', async ({ folder }) => {
  const path = join(folder, 'gone');
  fs.writeFileSync(path, '');
  await nodeHost.remove(path);
  await nodeHost.remove(path);
  await nodeHost.remove(join(folder, 'no', 'such'));
  assert.match(await complaint(nodeHost.remove(folder)), `${folder} could not be removed: `);
});

writing.run();

const running = suite('running commands through Node');

const ended = (outcome: Outcome) =>
  outcome.state === 'exited' ? { code: outcome.code, stdout: outcome.stdout, stderr: outcome.stderr } : outcome;
const shell = (script: string): string[] => ['sh', '-c', script];

running('tells exit code, output and complaint apart', async () => {
  assert.equal(ended(await nodeHost.run(shell('echo out; echo err >&2; exit 3'))), { code: 3, stdout: 'out\n', stderr: 'err\n' });
});

running('tells a program that is not installed from one that may not be run and one that was ended', async () => {
  assert.equal(await nodeHost.run(['sipalg-no-such-tool', '-L']), { state: 'absent', command: 'sipalg-no-such-tool -L' });
  assert.equal(await nodeHost.run(['/dev/null']), {
    state: 'failed',
    command: '/dev/null',
    because: 'permission denied; run as root (EACCES)',
  });
  const killed = await nodeHost.run(shell('kill -9 $$'));
  assert.is(killed.state === 'failed' && killed.because, 'it was ended by SIGKILL');
});

running('runs no shell, in no language but C, away from any mounted place', async () => {
  assert.equal(ended(await nodeHost.run(['printf', '%s', '$HOME; `id` && "x"'])), { code: 0, stdout: '$HOME; `id` && "x"', stderr: '' });
  assert.equal(ended(await nodeHost.run(shell('echo $LC_ALL; pwd'))), { code: 0, stdout: 'C\n/\n', stderr: '' });
});

running('finds the tools of sbin where PATH lacks them', async () => {
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    assert.is((await nodeHost.run(['sh', '-c', 'true'])).state, 'exited');
  } finally {
    process.env['PATH'] = path;
  }
});

running('hands over more input than a pipe holds, and outlives a program that does not read it', async () => {
  const input = 'x'.repeat(1 << 20) + '\u00e9\udcff';
  const echoed = await nodeHost.run(['cat'], { input });
  assert.ok(echoed.state === 'exited' && echoed.stdout === input);
  assert.equal(ended(await nodeHost.run(['true'], { input })), { code: 0, stdout: '', stderr: '' });
  assert.equal(ended(await nodeHost.run(['cat'])), { code: 0, stdout: '', stderr: '' });
});

running('ends a program that takes too long, with all it started', async () => {
  // Both sleep longer than a test file may take.
  const slow = await nodeHost.run(shell('sleep 63 & echo $!; sleep 63'), { timeout: 300 });
  assert.equal(slow, {
    state: 'failed',
    command: 'sh -c sleep 63 & echo $!; sleep 63',
    because: 'it did not end within 0.3 s and was killed',
  });
});

running('does not wait for a program that left its group and kept the pipes open', async () => {
  const note = join(fs.mkdtempSync(join(tmpdir(), 'left-')), 'pid');
  const left = await nodeHost.run(shell(`setsid sh -c 'echo $$ >${note}; exec sleep 20' & echo here`), { timeout: 500 });
  process.kill(Number(fs.readFileSync(note, 'utf8')), 'SIGKILL'); // it still runs: nobody waited for it
  assert.is(left.state === 'failed' && left.because, 'it did not end within 0.5 s and was killed');
});

running('ends a program that says too much', async () => {
  const loud = await nodeHost.run(['yes'], { most: 100_000 });
  assert.is(loud.state === 'failed' && loud.because, 'its output was not read to the end: it holds more than 100000 bytes');
  const endless = await nodeHost.run(shell('tr "\\0" a </dev/zero'), { select: { holding: ['sip'] } });
  assert.is(endless.state === 'failed' && endless.because, 'its output was not read to the end: a line is longer than 1048576 bytes');
});

running('keeps only the lines selected', async () => {
  assert.equal(ended(await nodeHost.run(shell('printf "a sip\\nb\\nc sip"'), { select: { holding: ['sip'] } })), {
    code: 0,
    stdout: 'a sip\nc sip',
    stderr: '',
  });
});

running("filters much output beside itself: lines, exit code, complaint and absence are the command's own", async () => {
  const select = { holding: ['helper=sip', 'helper=ftp'], much: true } as const;
  const said = await nodeHost.run(shell('echo a helper=sip; echo b; echo c helper=ftp; echo d helper=irc; echo oh >&2; exit 3'), {
    select,
  });
  assert.equal(ended(said), { code: 3, stdout: 'a helper=sip\nc helper=ftp\n', stderr: 'oh\n' });
  assert.equal(ended(await nodeHost.run(shell('echo b'), { select })), { code: 0, stdout: '', stderr: '' });
  assert.equal(await nodeHost.run(['no-such-program-here', '-L'], { select }), { state: 'absent', command: 'no-such-program-here -L' });
  const hung = await nodeHost.run(shell('echo x helper=sip; sleep 60'), { select, timeout: 300 });
  assert.equal(hung.state === 'failed' ? hung.because : hung, 'it did not end within 0.3 s and was killed');
});

running('hands no needle to a shell that a shell could read something into', async () => {
  const select = { holding: ["'; echo taken; '"], much: true } as const;
  const said = await nodeHost.run(shell('printf "%s\\n" "x \'; echo taken; \' y" z'), { select });
  assert.equal(ended(said), { code: 0, stdout: "x '; echo taken; ' y\n", stderr: '' });
});

running.run();

const locking = withFolder('a lock through Node');

const HOLDER = `
import { nodeHost } from './src/engines/node/host.ts';
nodeHost.lock(process.argv[2], 5000, process.argv[3]).then((got) => { console.log('lock' in got ? 'held' : 'busy'); });
setInterval(() => {}, 1000);
`;

/** Another process that takes the lock and keeps it until it is killed. */
async function holder(folder: string, path: string, who: string) {
  const file = join(folder, 'holder.cjs');
  buildSync({
    stdin: { contents: HOLDER, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: file,
    logLevel: 'silent',
  });
  const child = spawn(process.execPath, [file, path, who], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((ready) => {
    child.stdout.once('data', ready);
  });
  return child;
}

locking('keeps a second one out until it is released, and says who holds it', async ({ folder }) => {
  const path = join(folder, 'own.lock');
  const first = await nodeHost.lock(path, 5000, 'process 1 (sipalg)');
  assert.ok('lock' in first);
  assert.equal(await nodeHost.lock(path, 200, 'process 2'), { busy: 'process 1 (sipalg)' });
  if ('lock' in first) await first.lock.release();
  const second = await nodeHost.lock(path, 5000, 'process 2');
  assert.ok('lock' in second);
  assert.is(fs.readFileSync(path, 'utf8'), 'process 2\n');
  if ('lock' in second) await second.lock.release();
});

locking('keeps a lock of our own from everybody else, and leaves that of another program as it is', async ({ folder }) => {
  const [own, old, other] = [join(folder, 'mine.lock'), join(folder, 'older.lock'), join(folder, 'another.lock')];
  fs.writeFileSync(old, '', { mode: 0o644 });
  fs.writeFileSync(other, '', { mode: 0o644 });
  for (const [path, who] of [
    [own, 'me'],
    [old, 'me'],
    [other, ''],
  ] as const) {
    const got = await nodeHost.lock(path, 5000, who);
    assert.ok('lock' in got);
    if ('lock' in got) await got.lock.release();
  }
  const modes = [own, old, other].map((path) => (fs.statSync(path).mode & 0o7777).toString(8));
  assert.equal(modes, ['600', '600', '644']);
});

locking('waits for a lock as long as it was told to', async ({ folder }) => {
  const path = join(folder, 'waiting.lock');
  const first = await nodeHost.lock(path, 5000, 'first');
  assert.ok('lock' in first);
  const second = nodeHost.lock(path, 20_000, 'second');
  setTimeout(() => {
    if ('lock' in first) void first.lock.release();
  }, 300);
  const got = await second;
  assert.ok('lock' in got);
  if ('lock' in got) await got.lock.release();
});

locking('writes nothing into a lock that belongs to another program', async ({ folder }) => {
  const path = join(folder, 'fw4.lock');
  fs.writeFileSync(path, '');
  const got = await nodeHost.lock(path, 5000, '');
  assert.is(fs.readFileSync(path, 'utf8'), '');
  assert.equal(await nodeHost.lock(path, 200, ''), { busy: '' });
  if ('lock' in got) await got.lock.release();
});

locking('is let go when the process that holds it is killed', async ({ folder }) => {
  const path = join(folder, 'killed.lock');
  const child = await holder(folder, path, 'process of a test');
  assert.equal(await nodeHost.lock(path, 300, 'me'), { busy: 'process of a test' });
  child.kill('SIGKILL');
  const got = await nodeHost.lock(path, 10_000, 'me');
  assert.ok('lock' in got);
  if ('lock' in got) await got.lock.release();
});

locking('excludes what flock(1) excludes', async ({ folder }) => {
  const path = join(folder, 'flock.lock');
  const got = await nodeHost.lock(path, 5000, 'me');
  assert.equal(ended(await nodeHost.run(['flock', '-n', path, 'true'])), { code: 1, stdout: '', stderr: '' });
  if ('lock' in got) await got.lock.release();
  assert.equal(ended(await nodeHost.run(['flock', '-n', path, 'true'])), { code: 0, stdout: '', stderr: '' });
});

locking('says why a lock cannot be taken', async ({ folder }) => {
  const path = join(folder, 'no', 'such', 'lock');
  assert.match(await complaint(nodeHost.lock(path, 5000, 'me')), `the lock ${path} could not be taken: `);
});

locking.run();
