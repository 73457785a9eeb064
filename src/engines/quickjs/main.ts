/** The program on QuickJS (`qjs`): opens the doors, hands them in, and is the only place that sets the exit code. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { cli } from '../../cli/cli.ts';
import type { Following, Reading, Streaming } from '../../host/host.ts';
import { createSurveyor } from '../../survey/survey.ts';
import { addresses } from './addresses.ts';
import { clearTests } from '../../probe/left.ts';
import { clock } from './clock.ts';
import { quickjsHost } from './host.ts';
import { occupyStandardStreams, onSignal, readAll } from './processes.ts';
import { textOf } from './text.ts';

declare const SIPALG_VERSION: string;
declare const scriptArgs: readonly string[];

occupyStandardStreams();

const SIGHUP = 1;
let interrupted = false;
const interrupt = (): void => {
  interrupted = true;
};
onSignal(os.SIGINT, interrupt);
onSignal(SIGHUP, interrupt);
os.signal(os.SIGTERM, interrupt);
// A reader that has gone (`sipalg status | head -1`) is no trouble; ignored, it would be ignored by every command too.
os.signal(os.SIGPIPE, () => undefined);

/** The engine writes a lone surrogate as three bytes of no meaning; a terminal gets what Node gives it. */
const written = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

const surveyor = createSurveyor(SIPALG_VERSION, async () => (await import('../../voice/voice.ts')).createVoice('nslookup'));
const host = quickjsHost(addresses);

function input(): Promise<Reading<string>> {
  const source = 'standard input';
  const chunks: Uint8Array[] = [];
  return new Promise((resolve) => {
    readAll(
      0,
      (chunk) => chunks.push(chunk),
      (error) =>
        resolve(
          error === null
            ? { state: 'present', source, value: chunks.map(textOf).join('') }
            : { state: 'failed', source, because: error.message },
        ),
    );
  });
}

/** Standard output is buffered, and what could not be written is told only by this. */
function flushed(): boolean {
  std.out.flush();
  std.err.flush();
  return !std.out.error();
}

const streaming = (): Promise<Streaming> => import('./streaming.ts');
const following = (): Promise<Following> => import('./following.ts');

void cli(
  scriptArgs.slice(1),
  { host, surveyor, clock, streaming, following, clearTests: clearTests(host) },
  {
    out(text) {
      std.out.puts(written(text));
      std.out.flush(); // what goes on for hours is read as it comes
    },
    err(text) {
      std.out.flush();
      std.err.puts(written(text));
      std.err.flush();
    },
    input,
    goOn: () => !interrupted,
    isRead: () => !std.out.error(),
  },
).then((code) => std.exit(flushed() ? code : 2));
