/** What is kept of a large output, by what this engine does fastest. */
import { createGather } from '../../host/gather.ts';
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

export const gather = createGather({ textOf, search, searchLast });
