/**
 * The program on QuickJS (`qjs`). Half of what a look costs here is loading the program, so this file holds no more than the
 * doors: it starts the tools that a look needs, and loads the rest while they run.
 */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { EVERY_LOOK } from '../../observe/tools.ts';
import { addresses, askAhead } from './addresses.ts';
import { startAhead } from './commands.ts';
import { quickjsHost } from './host.ts';
import { occupyStandardStreams } from './processes.ts';

declare const scriptArgs: readonly string[];

occupyStandardStreams();
// A reader that has gone (`sipalg status | head -1`) is no trouble; ignored, it would be ignored by every command too.
os.signal(os.SIGPIPE, () => undefined);

const words = scriptArgs.slice(1);
/** What only looks, and begins with a look; anything else may have to wait for somebody first, or is not understood. */
if (/^((status|plan|policy)( --json)?)?$/.test(words.join(' '))) {
  startAhead(EVERY_LOOK);
  askAhead();
}

void import('./program.ts').then(
  ({ program }) => program(words, quickjsHost(addresses)),
  (error: Error) => {
    std.err.puts(`sipalg: a file of this program is missing (${error.message}); install sipalg again.\n`);
    std.exit(2);
  },
);
