/** The driver on Node, put together as src/engines/node/main.ts does it. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { cli } from '../../../src/cli/cli.ts';
import { nodeHost } from '../../../src/engines/node/host.ts';
import { nodeAsking } from '../../../src/engines/node/name-servers.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { troubled } from './driver.ts';

const host = troubled({
  host: nodeHost,
  variable: (name) => process.env[name],
  append: appendFileSync,
  write: writeFileSync,
  kill: () => process.kill(process.pid, 'SIGKILL'),
  interrupt: () => process.kill(0, 'SIGINT'),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
});

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
