import * as std from 'qjs:std';
import { follow } from '../../../src/engines/quickjs/following.ts';
import { occupyStandardStreams } from '../../../src/engines/quickjs/processes.ts';
import { drive } from './following.ts';

declare const scriptArgs: readonly string[];

occupyStandardStreams();
void drive(follow, scriptArgs.slice(1)).then((text) => {
  std.out.puts(text);
  std.exit(0);
});
