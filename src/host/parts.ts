/**
 * A large output part by part as it comes, none of it held: the elements of a list, the lines of a table. Pure, so that
 * every engine's door can use it.
 */
import { join } from './lines.ts';
import type { Parts } from './host.ts';

/** Most bytes of a single part: as many as a command may say in all where its output is held. */
const LONGEST = 32 << 20;

export interface Splitter {
  /** Takes the next bytes. Throws an Error when a part is longer than a part can be, and what the taker throws. */
  push(chunk: Uint8Array): void;
  /** Hands over the last part. */
  end(): void;
}

/** A text taken apart in the same way. */
export function splitText(text: string, { at, take }: Parts): void {
  text.split(at).forEach((part, nth) => take(nth === 0 ? part : at + part));
}

/**
 * @param decode bytes to text, as the door does it
 * @param search the last place of a byte string, as `Buffer.lastIndexOf`
 */
export function createSplitter(
  { at, take }: Parts,
  decode: (bytes: Uint8Array) => string,
  search: (bytes: Uint8Array, needle: Uint8Array) => number,
): Splitter {
  const separator = Uint8Array.from(at, (char) => char.charCodeAt(0));
  let waiting: Uint8Array[] = [];
  let size = 0;
  let begun = false;

  function hand(bytes: Uint8Array): void {
    const parts = decode(bytes).split(at);
    // Once begun, the text starts with a separator, and what stands before that is nothing.
    parts.forEach((part, nth) => {
      if (nth > 0) take(at + part);
      else if (!begun) take(part);
    });
    begun = true;
  }

  return {
    push(chunk) {
      waiting.push(chunk);
      size += chunk.length;
      // A separator may lie across two pieces; between two of them no byte of it is lost.
      const tail = waiting.length === 1 ? chunk : join([(waiting.at(-2) as Uint8Array).slice(-separator.length), chunk]);
      const found = search(tail, separator);
      const last = found < 0 ? -1 : size - tail.length + found;
      if (last <= 0) {
        if (size > LONGEST) throw new Error(`it holds more than ${LONGEST} bytes in one part`);
        return;
      }
      const all = join(waiting);
      hand(all.subarray(0, last));
      waiting = [all.slice(last)];
      size = all.length - last;
    },
    end() {
      if (size > 0 || !begun) hand(join(waiting));
      waiting = [];
      size = 0;
    },
  };
}
