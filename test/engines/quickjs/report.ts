/** In the place of test/runner/report.ts on QuickJS: what happens in a test file, a JSON line per event, on standard output. */
import * as std from 'qjs:std';
import type { Event } from '../../runner/report.ts';

export function report(event: Event): void {
  std.out.puts(`\u0001${JSON.stringify(event)}\n`);
  std.out.flush();
}
