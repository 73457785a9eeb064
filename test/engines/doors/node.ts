/** Node's door to a machine, served on standard input and output; signals as the program hears them. */
import { createInterface } from 'node:readline';
import { nodeHost } from '../../../src/engines/node/host.ts';
import { server } from './serve.ts';

for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

const answer = server(nodeHost);
createInterface({ input: process.stdin }).on('line', (line) => {
  void answer(line).then((reply) => process.stdout.write(reply));
});
