/** The driver on QuickJS, put together as src/engines/quickjs/main.ts does it. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { cli } from '../../../src/cli/cli.ts';
import { addresses } from '../../../src/engines/quickjs/addresses.ts';
import { quickjsHost } from '../../../src/engines/quickjs/host.ts';
import { occupyStandardStreams, onSignal } from '../../../src/engines/quickjs/processes.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { troubled } from './driver.ts';

declare const scriptArgs: readonly string[];

const [SIGHUP, SIGKILL] = [1, 9];

occupyStandardStreams();
let interrupted = false;
for (const signal of [os.SIGINT, SIGHUP])
  onSignal(signal, () => {
    interrupted = true;
  });
os.signal(os.SIGTERM, () => {
  interrupted = true;
});

function put(path: string, mode: 'w' | 'a', text: string): void {
  const file = std.open(path, mode);
  if (file === null) throw new Error(`${path} cannot be written`);
  file.puts(text);
  file.close();
}

const host = troubled({
  host: quickjsHost(addresses),
  variable: (name) => std.getenviron()[name],
  append: (path, text) => put(path, 'a', text),
  write: (path, text) => put(path, 'w', text),
  kill: () => os.kill(os.getpid(), SIGKILL),
  interrupt: () => os.kill(0, os.SIGINT),
  pause: (milliseconds) => new Promise((resolve) => os.setTimeout(() => resolve(), milliseconds)),
});

const surveyor = createSurveyor('driver', async () => createVoice('nslookup'));
void cli(
  scriptArgs.slice(1),
  { host, surveyor },
  {
    out: (text) => std.out.puts(text),
    err(text) {
      std.err.puts(text);
      std.err.flush();
    },
    input: () => host.read('/dev/stdin'),
    goOn: () => !interrupted,
  },
).then((code) => std.exit(code));
