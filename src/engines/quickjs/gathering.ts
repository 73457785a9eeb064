/** What is kept of a large output: all of it up to a limit, some of its lines, or nothing, where it is handed on part by part. */
import type { Parts } from '../../host/host.ts';
import { filterLines, join } from '../../host/lines.ts';
import { createSplitter } from '../../host/parts.ts';
import { search, textOf } from './text.ts';

/** The last place of a byte string: the engine looks for single bytes itself. */
function searchLast(bytes: Uint8Array, needle: Uint8Array): number {
  const first = needle[0] as number;
  for (let at = bytes.lastIndexOf(first); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(first, at - 1)) {
    let same = 1;
    while (same < needle.length && bytes[at + same] === needle[same]) same++;
    if (same === needle.length) return at;
  }
  return -1;
}

/** Gathers output: all of it up to a limit, or the lines selected; or hands it over part by part. */
export function gather(options: { select?: { holding: readonly string[] }; most?: number; parts?: Parts }, standard: number) {
  // What is not held may be more, but not without end.
  const most = options.most ?? (options.parts ? standard * 8 : standard);
  const splitter = options.parts ? createSplitter(options.parts, textOf, searchLast) : null;
  const filter = options.select ? filterLines(options.select.holding, search, splitter?.push) : null;
  const parts: Uint8Array[] = [];
  let size = 0;
  return {
    take(chunk: Uint8Array): void {
      if (filter) return filter.push(chunk);
      size += chunk.length;
      if (size > most) throw new Error(`it holds more than ${most} bytes`);
      if (splitter) return splitter.push(chunk);
      parts.push(chunk);
    },
    text(): string {
      if (splitter) {
        filter?.end();
        splitter.end();
        return '';
      }
      return textOf(filter ? filter.end() : parts.length === 1 ? (parts[0] as Uint8Array) : join(parts));
    },
  };
}
