/** The program on Node: opens the doors, hands them in, and is the only place that sets the exit code. */
import { cli } from '../../cli/cli.ts';
import type { Screen } from '../../cli/command.ts';
import type { Reading } from '../../host/host.ts';
import { decode } from '../../host/text.ts';
import { createSurveyor } from '../../survey/survey.ts';
import { clearTests } from '../../probe/left.ts';
import { clock } from './clock.ts';
import { nodeHost as machine } from './host.ts';
import { sparing } from '../../observe/sparing.ts';

declare const SIPALG_VERSION: string;

const nodeHost = sparing(machine);

const surveyor = createSurveyor(SIPALG_VERSION, async () => {
  const [{ createVoice }, { nodeAsking }] = await Promise.all([import('../../voice/voice.ts'), import('./name-servers.ts')]);
  return createVoice(nodeAsking);
});

async function input(): Promise<Reading<string>> {
  const source = 'standard input';
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  } catch (error) {
    return { state: 'failed', source, because: (error as Error).message };
  }
  return { state: 'present', source, value: decode(Buffer.concat(chunks)) };
}

let interrupted = false;

/** A change is never left half made: it is taken back before the next step, and the exit code says so. */
function listen(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      interrupted = true;
    });
}

let read = true;
let lost = false;

// A reader that has gone (`sipalg status | head -1`) is no trouble; a document that a full disk cut short is.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    lost ||= stream === process.stdout && code !== 'EPIPE';
    if (lost) process.exitCode = 2;
    process.exitCode ??= 2;
    read &&= stream !== process.stdout;
  });

/** Who looks, where somebody does. */
function screen(): Screen | undefined {
  const { stdout, stderr, env } = process;
  return stdout.isTTY || stderr.isTTY
    ? {
        out: stdout.isTTY === true,
        err: stderr.isTTY === true,
        columns: stdout.columns ?? null,
        kind: env['TERM'] ?? '',
        noColour: !!env['NO_COLOR'],
      }
    : undefined;
}

const words = process.argv.slice(2);
// The daemon hears signals in its own way.
if (words[0] !== 'serve') listen();

void cli(
  words,
  {
    host: nodeHost,
    surveyor,
    clock,
    clearTests: clearTests(nodeHost),
    streaming: () => import('./streaming.ts'),
    following: () => import('./following.ts'),
    network: async () => (await import('./network.ts')).nodeNetwork,
    listening: async () => (await import('./listening.ts')).nodeListening,
    threads: () => import('./threads.ts'),
    serve: async (options) => (await import('./serve.ts')).stay(nodeHost, surveyor, options),
  },
  {
    out: (text) => {
      process.stdout.write(text);
    },
    err: (text) => {
      process.stderr.write(text);
    },
    input,
    goOn: () => !interrupted,
    isRead: () => read,
  },
  process.env['LC_ALL'] || process.env['LC_MESSAGES'] || process.env['LANG'] || '',
  screen(),
).then((code) => {
  process.exitCode = lost ? 2 : code;
});
