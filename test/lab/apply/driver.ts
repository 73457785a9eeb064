/**
 * The product with trouble built in: src/cli/cli.ts on the real door to the machine, wrapped so that every change is
 * counted and one of them can go wrong. Test code only; the product has no such hook.
 *
 * TROUBLE in the environment:
 *   count            nothing goes wrong
 *   fail:K           change K is refused, as a full disk or a tool that fails would
 *   fail-from:K      change K and every later one is refused: what was done cannot be taken back either
 *   fail-after:K     change K is made, and then said to have failed
 *   fail-but:K:J     change K is refused, and so is change J of those that follow it (1 is the next)
 *   kill-before:K    SIGKILL right before change K
 *   kill-after:K     SIGKILL right after it
 *   kill-middle:K    SIGKILL as soon as its command has been started, or its file has been written beside the old one
 *   interrupt:K      SIGINT to the own process group right before change K
 *
 * Changes are counted from 1. Each is written as a line to the file DRIVER_LOG names, before it is made.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { cli } from '../../../src/cli/cli.ts';
import type { Host, Outcome } from '../../../src/host/host.ts';
import { nodeHost } from '../../../src/engines/node/host.ts';
import { nodeAsking } from '../../../src/engines/node/name-servers.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { isLook } from './looks.ts';

const [kind = 'count', first = '0', second = '0'] = (process.env['TROUBLE'] ?? 'count').split(':');
const at = Number(first);
const also = at + Number(second);
let changes = 0;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal is there before this matters
}

/** What one change is called, and how it goes: by itself, refused, or cut off. */
async function change<T>(words: string, act: () => Promise<T>, refuse: () => T, half: () => void): Promise<T> {
  const number = ++changes;
  appendFileSync(process.env['DRIVER_LOG'] ?? '/tmp/driver.log', `${words.split('\n')[0]}\n`);
  const here = number === at;
  if (here && kind === 'kill-before') die();
  if (here && kind === 'interrupt') {
    process.kill(0, 'SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (here && kind === 'kill-middle') {
    half();
    die();
  }
  if (
    (here && (kind === 'fail' || kind === 'fail-but'))
    || (kind === 'fail-from' && number >= at)
    || (kind === 'fail-but' && number === also)
  )
    return refuse();
  const done = await act();
  if (here && kind === 'kill-after') die();
  return here && kind === 'fail-after' ? refuse() : done;
}

function refused(sentence: string): never {
  throw new Error(`${sentence}: no space is left on the device (ENOSPC)`);
}

const host: Host = {
  ...nodeHost,
  write: (path, text, mode) =>
    change(
      `write ${path}`,
      () => nodeHost.write(path, text, mode),
      () => refused(`${path} could not be written`),
      () => writeFileSync(`${path}.sipalg-new`, text.slice(0, text.length / 2)),
    ),
  poke: (path, text) =>
    change(
      `poke ${path}`,
      () => nodeHost.poke(path, text),
      () => refused(`${path} could not be set`),
      () => undefined,
    ),
  remove: (path) =>
    change(
      `remove ${path}`,
      () => nodeHost.remove(path),
      () => refused(`${path} could not be removed`),
      () => undefined,
    ),
  run(argv, options) {
    if (isLook(argv)) return nodeHost.run(argv, options);
    const command = argv.join(' ');
    return change<Outcome>(
      command,
      () => nodeHost.run(argv, options),
      // conntrack says with 1 that there was nothing to delete.
      () => ({
        state: 'exited',
        command,
        code: argv[0] === 'conntrack' ? 3 : 1,
        stdout: '',
        stderr: 'Error: Could not process rule: Cannot allocate memory\n',
      }),
      () => {
        void nodeHost.run(argv, options);
      },
    );
  },
};

// As src/engines/node/main.ts does it.
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    interrupted = true;
  });

const surveyor = createSurveyor('driver', async () => createVoice(nodeAsking));
void cli(
  process.argv.slice(2),
  { host, surveyor },
  {
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      process.stderr.write(text);
    },
    input: () => host.read('/dev/stdin'),
    goOn: () => !interrupted,
  },
).then((code) => {
  process.exitCode = code;
});
