/** argv -> face. Opens the doors, and is the only place that sets the exit code. */
import { createRequire } from 'node:module';
import { cli } from '../../cli/cli.ts';
import { core } from '../../core.ts';
import type { run } from './serve.ts';
import { nodeHost } from './host.ts';
import { policyFrom } from '../../survey/voice.ts';
import type { Policy } from '../../survey/voice.ts';

declare const SIPALG_VERSION: string;
declare const SIPALG_BUILD: string;

/** Loads a part of the program that lies in a file beside this one, so that no other command pays for it. */
function part<T>(name: string): T {
  const require = createRequire(__filename);
  const file = `./${__filename.replace(/^.*\/|\.js$/g, '')}-${name}.js`;
  const { build, open } = require(file) as { build: string; open(core: (at: number) => unknown, require: NodeJS.Require): T };
  if (build !== SIPALG_BUILD) throw new Error(`${file} and ${__filename} are not of the same build`);
  return open((at) => core[at], require);
}

policyFrom(async () => part<{ policy: Policy }>('policy').policy);

function serve(words: readonly string[]): Promise<0 | 2> {
  let bundle: { run: typeof run };
  try {
    bundle = part('serve');
  } catch (error) {
    process.stderr.write(`sipalg: \`sipalg serve\` lives in a file beside ${__filename}, and that could not be loaded: ${(error as Error).message.split('\n')[0]}. Install sipalg again; all other commands work without it.\n`);
    return Promise.resolve(2);
  }
  return bundle.run(words, nodeHost, SIPALG_VERSION);
}

function speak(words: readonly string[]): Promise<0 | 1 | 2> {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // A change is never left half made: it is taken back before the next step, and the exit code says so.
    process.on(signal, () => { interrupted = true; });
  }
  return cli(words, nodeHost, SIPALG_VERSION, {
    out: (text) => { process.stdout.write(text); },
    err: (text) => { process.stderr.write(text); },
    goOn: () => !interrupted,
  });
}

// A reader that has gone (`sipalg status | head -1`) is no trouble.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => { process.exitCode ??= 2; });

const [command, ...words] = process.argv.slice(2);
(command === 'serve' ? serve(words) : speak(process.argv.slice(2))).then((code) => { process.exitCode = code; });
