/** The program on QuickJS, once it is loaded: hands the doors in, and is the only place that sets the exit code. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { cli } from '../../cli/cli.ts';
import type { Screen } from '../../cli/command.ts';
import type { Following, Host, Reading, Streaming } from '../../host/host.ts';
import { createSurveyor } from '../../survey/survey.ts';
import { clearTests } from '../../probe/left.ts';
import { clock } from './clock.ts';
import { onSignal, readAll } from './processes.ts';
import { textOf } from './text.ts';

declare const SIPALG_VERSION: string;

const SIGHUP = 1;

/** The engine writes a lone surrogate as three bytes of no meaning; a terminal gets what Node gives it. */
const written = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

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

/** As POSIX orders them (XBD 8.2). */
function locale(): string {
  const { LC_ALL, LC_MESSAGES, LANG } = std.getenviron();
  return LC_ALL || LC_MESSAGES || LANG || '';
}

/** Who looks, where somebody does. */
function screen(): Screen | undefined {
  const { TERM, NO_COLOR } = std.getenviron();
  const [out, err] = [os.isatty(1), os.isatty(2)];
  return out || err ? { out, err, columns: os.ttyGetWinSize(1)?.[0] ?? null, kind: TERM ?? '', noColour: !!NO_COLOR } : undefined;
}

export function program(words: readonly string[], host: Host): void {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  onSignal(os.SIGINT, interrupt);
  onSignal(SIGHUP, interrupt);
  os.signal(os.SIGTERM, interrupt);
  const surveyor = createSurveyor(SIPALG_VERSION, async () => (await import('../../voice/voice.ts')).createVoice('nslookup'));
  void cli(
    words,
    {
      host,
      surveyor,
      clock,
      streaming,
      following,
      network: async () => (await import('./network.ts')).quickjsNetwork,
      clearTests: clearTests(host),
    },
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
    locale(),
    screen(),
  ).then((code) => std.exit(flushed() ? code : 2));
}
