/** Commands through the doors of both engines: outcomes, limits, and that nothing is left running. */
import * as assert from 'uvu/assert';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../../src/host/host.ts';
import { ENGINES, openDoor } from './remote.ts';
import { throughDoor } from './suites.ts';

const ended = (outcome: Outcome) =>
  outcome.state === 'exited' ? { code: outcome.code, stdout: outcome.stdout, stderr: outcome.stderr } : outcome;
const because = (outcome: Outcome) => (outcome.state === 'failed' ? outcome.because : outcome);
const shell = (script: string): string[] => ['sh', '-c', script];

/** Whether a process is there and not only waited for. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100 && runs(pid); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  return !runs(pid);
}

for (const engine of ENGINES) {
  const running = throughDoor('running commands', engine);

  running('tells exit code, output and complaint apart', async ({ door }) => {
    for (const code of [0, 3, 126, 127, 255])
      assert.equal(ended(await door.run(shell(`echo out; echo err >&2; exit ${code}`))), { code, stdout: 'out\n', stderr: 'err\n' });
    assert.equal(ended(await door.run(['true'])), { code: 0, stdout: '', stderr: '' });
  });

  running('tells a program that is not installed from one that may not be run and one that was ended', async ({ door, folder }) => {
    assert.equal(await door.run(['sipalg-no-such-tool', '-L']), { state: 'absent', command: 'sipalg-no-such-tool -L' });
    assert.equal(await door.run(['/nowhere/tool']), { state: 'absent', command: '/nowhere/tool' });
    for (const path of ['/etc/passwd', folder])
      assert.equal(await door.run([path]), { state: 'failed', command: path, because: 'permission denied; run as root (EACCES)' });
    const script = join(folder, 'script');
    fs.writeFileSync(script, '#!/nowhere/interpreter\n', { mode: 0o755 });
    assert.equal(await door.run([script]), { state: 'absent', command: script });
    for (const signal of ['KILL', 'TERM', 'PIPE', 'SEGV'])
      assert.is(because(await door.run(shell(`kill -${signal} $$`))), `it was ended by SIG${signal}`);
  });

  running('runs no shell, in no language but C, away from any mounted place', async ({ door }) => {
    assert.equal(ended(await door.run(['printf', '%s', '$HOME; `id` && "x"'])), { code: 0, stdout: '$HOME; `id` && "x"', stderr: '' });
    assert.equal(ended(await door.run(shell('echo $LC_ALL; pwd'))), { code: 0, stdout: 'C\n/\n', stderr: '' });
    assert.equal(ended(await door.run(['printf', '%s|', '', 'caf\u00e9 \u{1f4de}', ''])), {
      code: 0,
      stdout: '|caf\u00e9 \u{1f4de}||',
      stderr: '',
    });
  });

  running('finds the tools of sbin where PATH lacks them, and none in the folder it stands in', async ({ folder }) => {
    fs.writeFileSync(join(folder, 'sipalg-here'), '#!/bin/sh\necho wrong\n', { mode: 0o755 });
    for (const PATH of ['/nowhere', '', ':.:bin']) {
      const door = await openDoor(engine, { env: { PATH }, before: `cd '${folder}'` });
      assert.is((await door.run(['sh', '-c', 'true'])).state, 'exited');
      assert.is((await door.run(['sipalg-here'])).state, 'absent');
      await door.close();
    }
    const door = await openDoor(engine, { env: { PATH: `/nowhere:${folder}:/usr/bin:/bin` } });
    assert.equal(ended(await door.run(['sipalg-here'])), { code: 0, stdout: 'wrong\n', stderr: '' });
    await door.close();
  });

  running('hands over more input than a pipe holds, and outlives a program that does not read it', async ({ door }) => {
    const input = 'x'.repeat(1 << 20) + '\u00e9\udcff\0';
    const echoed = await door.run(['cat'], { input });
    assert.ok(echoed.state === 'exited' && echoed.stdout === input);
    assert.equal(ended(await door.run(['true'], { input })), { code: 0, stdout: '', stderr: '' });
    assert.equal(ended(await door.run(shell('sleep 0.2'), { input })), { code: 0, stdout: '', stderr: '' });
    assert.equal(ended(await door.run(['cat'], { input: '' })), { code: 0, stdout: '', stderr: '' });
    assert.equal(ended(await door.run(['cat'])), { code: 0, stdout: '', stderr: '' });
    assert.equal(ended(await door.run(['wc', '-l'], { input: 'a\nb\n' })), { code: 0, stdout: '2\n', stderr: '' });
  });

  running('reads large outputs of both kinds at once', async ({ door }) => {
    const said = await door.run(shell('yes caf\u00e9 | head -c 3000000 & yes oh | head -c 2000000 >&2; wait'));
    assert.ok(said.state === 'exited');
    if (said.state !== 'exited') return;
    assert.is(said.stdout, 'caf\u00e9\n'.repeat(500_000));
    assert.is(said.stderr.length, 2_000_000);
  });

  running('takes an argument as long as the system does, and says of a longer one that it is', async ({ door }) => {
    const longest = 'x'.repeat(131_071);
    const said = await door.run(['printf', '%s', longest]);
    assert.ok(said.state === 'exited' && said.stdout === longest);
    assert.is(because(await door.run(['printf', '%s', `${longest}x`])), 'its arguments are too long (E2BIG)');
    assert.is(because(await door.run(['printf', '%s', '\u00e9'.repeat(65_536)])), 'its arguments are too long (E2BIG)');
  });

  running('ends a program that takes too long, with all it started', async ({ door, folder }) => {
    const note = join(folder, 'started');
    const start = Date.now();
    // A child, a grandchild whose parent has ended, one that lets go of every stream.
    const script = `echo $$ >>${note}; sleep 63 & echo $! >>${note}; (sleep 63 & echo $! >>${note}); (sleep 63 </dev/null >/dev/null 2>&1 & echo $! >>${note}); sleep 63`;
    const slow = await door.run(shell(script), { timeout: 500 });
    assert.equal(slow, { state: 'failed', command: `sh -c ${script}`, because: 'it did not end within 0.5 s and was killed' });
    assert.ok(Date.now() - start < 5000);
    const pids = fs.readFileSync(note, 'utf8').trim().split('\n').map(Number);
    assert.is(pids.length, 4);
    for (const pid of pids) assert.ok(await gone(pid), `${pid} still runs`);
  });

  running('ends what a program left behind that has ended, when the time is over', async ({ door, folder }) => {
    const note = join(folder, 'orphan');
    const left = await door.run(shell(`sleep 63 & echo $! >${note}; echo here`), { timeout: 300 });
    assert.is(because(left), 'it did not end within 0.3 s and was killed');
    assert.ok(await gone(Number(fs.readFileSync(note, 'utf8'))));
  });

  running('does not wait for a program that left its group and kept the pipes open, and leaves it alone', async ({ door, folder }) => {
    const start = Date.now();
    const note = join(folder, 'left');
    const left = await door.run(shell(`setsid sh -c 'echo $$ >${note}; exec sleep 20' & echo here`), { timeout: 500 });
    const pid = Number(fs.readFileSync(note, 'utf8'));
    const stayed = runs(pid);
    process.kill(pid, 'SIGKILL');
    assert.ok(Date.now() - start < 10_000, `${Date.now() - start} ms`);
    assert.is(because(left), 'it did not end within 0.5 s and was killed');
    assert.ok(stayed);
  });

  running('ends nothing but that program: another of ours goes on', async ({ door }) => {
    const [slow, other] = await Promise.all([door.run(shell('sleep 63'), { timeout: 300 }), door.run(shell('sleep 1; echo done'))]);
    assert.is(because(slow), 'it did not end within 0.3 s and was killed');
    assert.equal(ended(other), { code: 0, stdout: 'done\n', stderr: '' });
  });

  running('ends a program that says too much', async ({ door }) => {
    const start = Date.now();
    const loud = await door.run(['yes'], { most: 100_000 });
    assert.is(because(loud), 'its output was not read to the end: it holds more than 100000 bytes');
    const endless = await door.run(shell('tr "\\0" a </dev/zero'), { select: { holding: ['sip'] } });
    assert.is(because(endless), 'its output was not read to the end: a line is longer than 1048576 bytes');
    assert.ok(Date.now() - start < 20_000);
  });

  running('keeps only the lines selected', async ({ door }) => {
    assert.equal(ended(await door.run(shell('printf "a sip\\nb\\nc sip"'), { select: { holding: ['sip'] } })), {
      code: 0,
      stdout: 'a sip\nc sip',
      stderr: '',
    });
  });

  running("filters much output beside itself: lines, exit code, complaint and absence are the command's own", async ({ door }) => {
    const select = { holding: ['helper=sip', 'helper=ftp'], much: true } as const;
    const said = await door.run(shell('echo a helper=sip; echo b; echo c helper=ftp; echo d helper=irc; echo oh >&2; exit 3'), { select });
    assert.equal(ended(said), { code: 3, stdout: 'a helper=sip\nc helper=ftp\n', stderr: 'oh\n' });
    assert.equal(ended(await door.run(shell('echo b'), { select })), { code: 0, stdout: '', stderr: '' });
    assert.equal(await door.run(['no-such-program-here', '-L'], { select }), { state: 'absent', command: 'no-such-program-here -L' });
    const hung = await door.run(shell('echo x helper=sip; sleep 60'), { select, timeout: 300 });
    assert.is(because(hung), 'it did not end within 0.3 s and was killed');
  });

  running('hands no needle to a shell that a shell could read something into', async ({ door }) => {
    const select = { holding: ["'; echo taken; '"], much: true } as const;
    const said = await door.run(shell('printf "%s\\n" "x \'; echo taken; \' y" z'), { select });
    assert.equal(ended(said), { code: 0, stdout: "x '; echo taken; ' y\n", stderr: '' });
  });

  running('keeps a Ctrl-C and the end of the terminal from its commands', async () => {
    const door = await openDoor(engine);
    const slow = door.run(shell('echo $$; sleep 1; echo done'));
    await door.run(['true']); // so that it has begun
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(-door.pid, signal);
    const said = await slow;
    assert.match(said.state === 'exited' ? said.stdout : JSON.stringify(said), /^\d+\ndone\n$/);
    await door.close();
    assert.is(door.complaints(), '');
  });

  running('hands its commands the three standard descriptors, and loses none itself', async ({ door, folder }) => {
    const lock = await door.lock(join(folder, 'held'), 1000, 'me');
    // What this test was started with is inherited by everything that does not close it.
    const inherited = fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // the one by which the folder was read
      }
    });
    for (const options of [{}, { input: 'x' }]) {
      const said = await door.run(shell('ls -l /proc/$$/fd; exit 0'), options);
      const open = [...(said.state === 'exited' ? said.stdout : '').matchAll(/ (\d+ -> .+)$/gm)].map(([, line = '']) => line);
      assert.ok(open.length >= 3, JSON.stringify(said));
      const more = open.filter((line) => Number.parseInt(line) > 2 && /pipe:|socket:|held/.test(line));
      assert.equal(
        more.filter((line) => !inherited.some((target) => line.endsWith(` ${target}`))),
        [],
      );
    }
    const count = async (): Promise<number> => {
      const open = await door.list('/proc/self/fd');
      return open.state === 'present' ? open.value.length : -1;
    };
    const before = await count();
    for (let round = 0; round < 20; round++) {
      await door.run(['true'], { input: 'x' });
      await door.run(['sipalg-no-such-tool']);
      await door.run(['/etc/passwd']);
      await door.run(shell('sleep 9'), { timeout: 10 });
      await door.run(shell('echo a sip'), { select: { holding: ['sip'], much: true } });
    }
    assert.is(await count(), before);
    if ('lock' in lock) await lock.lock.release();
  });

  running('keeps streams apart where it was started without standard error', async () => {
    const door = await openDoor(engine, { redirected: '2>&-' });
    assert.equal(ended(await door.run(shell('echo out; echo err >&2'))), { code: 0, stdout: 'out\n', stderr: 'err\n' });
    await door.close();
  });

  running('runs many at a time', async ({ door }) => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, at) => door.run(shell(`sleep 0.1; echo ${at}; exit ${at}`))));
    assert.equal(
      all.map(ended),
      Array.from({ length: 30 }, (_, at) => ({ code: at, stdout: `${at}\n`, stderr: '' })),
    );
  });

  running.run();
}
