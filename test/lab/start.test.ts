import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emptied, spaceOf, traces } from './traces.ts';

const start = suite('npm start');

function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { NO_COLOR: _, ...env } = process.env;
  return { ...env, ...extra };
}

/** The lab's processes below a program: what holds the namespaces open. */
function below(pid: number): number[] {
  let children: number[];
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it has just ended
  }
  return children.flatMap((child) => [child, ...below(child)]);
}

start('shows the INVITE changed, untouched and changed again around disable and enable, in under 30 s', () => {
  const before = traces();
  const began = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['test/start.mjs'], { encoding: 'utf8', env: environment() });
  const took = Date.now() - began;
  const steps = stdout.split(/^\[\d+\/\d+\] /m);
  assert.is(status, 0, stdout + stderr);
  assert.ok(took < 30_000, `took ${took} ms`);
  assert.is(steps.length, 11, stdout);
  const [, , , , called, found, disabled, again, off, , third] = steps as [string, ...string[]] & string[];
  assert.match(
    called!,
    '  - Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK-lab-1;rport\n'
      + '  + Via: SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bK-lab-1;rport\n',
  );
  assert.match(called!, '5 fields were changed on the way: Via, From, Contact, SDP o=, SDP c=.');
  assert.match(found!, '(exit code 1)');
  assert.match(disabled!, /^ {2}\[#\] .*nft/m);
  assert.match(disabled!, '(exit code 0)');
  assert.match(again!, /arrived as it was sent: \d+ bytes compared one by one, none differs/);
  assert.not.match(again!, '  - Via');
  assert.match(off!, '(exit code 0)');
  assert.match(third!, '5 fields were changed on the way: Via, From, Contact, SDP o=, SDP c=.');
  assert.match(third!, /Done in [\d.]+ s; nothing of the lab is left\.\n$/);
  assert.not.match(stdout, '\u001b', 'colours without a terminal');
  assert.equal(traces(), before);
});

/** Starts it, sends a signal when `when` is on its output, and tells how it ended. */
async function interrupted(signal: NodeJS.Signals, when: string): Promise<{ status: number | null; stdout: string; spaces: string[] }> {
  const child = spawn(process.execPath, ['test/start.mjs'], { stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
  let stdout = '';
  let spaces: string[] = [];
  child.stderr.resume();
  child.stdout.on('data', (data: Buffer) => {
    const had = stdout.includes(when);
    stdout += data;
    if (had || !stdout.includes(when)) return;
    spaces = [...new Set(below(child.pid!).map((pid) => spaceOf(pid)))].filter((space) => space !== '' && space !== spaceOf(process.pid));
    child.kill(signal);
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, spaces };
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  start(`takes the lab away on ${signal} in the middle of it`, async () => {
    const before = traces();
    const ended = await interrupted(signal, '[6/10]');
    assert.is(ended.status, status, ended.stdout);
    assert.match(ended.stdout, `${signal}: taking the lab away.`);
    assert.not.match(ended.stdout, 'Done');
    assert.is(ended.spaces.length, 4);
    await emptied(ended.spaces);
    assert.equal(traces(), before);
  });
}

start('marks with colours on a terminal, and not where NO_COLOR says so', () => {
  const onTerminal = (env: NodeJS.ProcessEnv): string =>
    spawnSync('script', ['-qec', `'${process.execPath}' test/start.mjs`, '/dev/null'], { encoding: 'utf8', env }).stdout;
  assert.match(onTerminal(environment({ TERM: 'xterm' })), '\u001b[32m  + Via: ');
  assert.not.match(onTerminal(environment({ TERM: 'xterm', NO_COLOR: '1' })), '\u001b[');
});

start('says what it needs and ends with 2 where it is not root', () => {
  const { status, stderr, stdout } = spawnSync(
    'setpriv',
    ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--', process.execPath, 'test/start.mjs'],
    { encoding: 'utf8', env: environment({ HOME: '/tmp' }) },
  );
  assert.is(status, 2, stdout + stderr);
  assert.match(stderr, 'root');
  assert.match(stderr, 'sudo npm start');
});

start('says what it needs and ends with 2 where the kernel has no SIP ALG', () => {
  // A mount namespace in which /sys/module is empty; modprobe finds no module either.
  const script = 'mount -t tmpfs none /sys/module && mount -t tmpfs none /lib/modules 2>/dev/null; exec "$0" test/start.mjs';
  const { status, stderr, stdout } = spawnSync('unshare', ['--mount', 'sh', '-c', script, process.execPath], {
    encoding: 'utf8',
    env: environment(),
  });
  assert.is(status, 2, stdout + stderr);
  assert.match(stderr, 'has no SIP ALG');
});

start.run();
