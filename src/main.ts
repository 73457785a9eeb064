/** argv -> face. Opens the doors, and is the only place that sets the exit code. */
import { cli } from './cli/cli.ts';
import { nodeHost } from './host/node.ts';

declare const SIPALG_VERSION: string;

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // A change is never left half made: it is taken back before the next step, and the exit code says so.
  process.on(signal, () => { interrupted = true; });
}
// A fault of our own is trouble, never "the ALG is on".
process.on('uncaughtException', (error) => {
  process.stderr.write(`sipalg: this is a fault in sipalg itself, please report it: ${error.stack ?? error.message}\n`);
  process.exit(2);
});
// A reader that has gone (`sipalg status | head -1`) is no trouble.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => { process.exitCode ??= 2; });

cli(process.argv.slice(2), nodeHost, SIPALG_VERSION, {
  out: (text) => { process.stdout.write(text); },
  err: (text) => { process.stderr.write(text); },
  goOn: () => !interrupted,
}).then((code) => { process.exitCode = code; });
