/** QuickJS's door to a machine, served on standard input and output; descriptors and signals as in the program. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { addresses } from '../../../src/engines/quickjs/addresses.ts';
import { quickjsHost } from '../../../src/engines/quickjs/host.ts';
import { occupyStandardStreams, onSignal, readAll } from '../../../src/engines/quickjs/processes.ts';
import { textOf } from '../../../src/engines/quickjs/text.ts';
import { server } from './serve.ts';

occupyStandardStreams();
for (const signal of [os.SIGINT, 1]) onSignal(signal, () => undefined);
os.signal(os.SIGPIPE, () => undefined);

const answer = server(quickjsHost(addresses));
let had: Uint8Array[] = [];

function take(chunk: Uint8Array): void {
  for (let from = 0; from < chunk.length;) {
    const newline = chunk.indexOf(10, from);
    had.push(chunk.subarray(from, newline < 0 ? chunk.length : newline));
    if (newline < 0) return;
    const line = had.map(textOf).join(''); // requests are ASCII: JSON.stringify is told to escape the rest
    had = [];
    void answer(line).then((reply) => {
      std.out.puts(reply);
      std.out.flush();
    });
    from = newline + 1;
  }
}

readAll(0, take, () => std.exit(0));
