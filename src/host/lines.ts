/**
 * Keeps of a large output only the lines that hold one of some byte strings:
 * a table of 65,536 flows passes by without ever being held as a whole.
 */

const NEWLINE = 0x0a;

/** Most bytes of a single line; a longer one is no line of any tool. */
const LONGEST = 1 << 20;

function find(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  const first = needle[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let same = 1;
    while (same < needle.length && bytes[at + same] === needle[same]) same++;
    if (same === needle.length) return at;
  }
  return -1;
}

export interface LineFilter {
  /** Takes the next bytes. Throws an Error when a line is longer than a line can be. */
  push(chunk: Uint8Array): void;
  /** The lines kept, each with its newline, after the last push. */
  end(): Uint8Array;
}

/**
 * @param needles ASCII
 * @param search  the engine's own search in bytes where it has a faster one
 * @param sink    takes the lines kept as they come; none is held then
 */
export function filterLines(needles: readonly string[], search = find, sink?: (line: Uint8Array) => void): LineFilter {
  const wanted = needles.map((needle) => Uint8Array.from(needle, (char) => char.charCodeAt(0)));
  const kept: Uint8Array[] = [];
  let carried = new Uint8Array(0);

  const keepFrom = (bytes: Uint8Array): void => {
    for (let from = 0; from < bytes.length;) {
      let hit = -1;
      for (const needle of wanted) {
        const at = search(bytes, needle, from);
        if (at >= 0 && (hit < 0 || at < hit)) hit = at;
      }
      if (hit < 0) return;
      const start = bytes.lastIndexOf(NEWLINE, hit) + 1;
      const newline = bytes.indexOf(NEWLINE, hit);
      const end = newline < 0 ? bytes.length : newline + 1;
      if (sink) sink(bytes.subarray(start, end));
      else kept.push(bytes.slice(start, end));
      from = end;
    }
  };

  return {
    push(chunk) {
      const last = chunk.lastIndexOf(NEWLINE);
      if (last < 0) {
        if (carried.length + chunk.length > LONGEST) throw new Error(`a line is longer than ${LONGEST} bytes`);
        carried = join([carried, chunk]);
        return;
      }
      if (carried.length === 0) {
        keepFrom(chunk.subarray(0, last + 1));
      } else {
        const first = chunk.indexOf(NEWLINE);
        keepFrom(join([carried, chunk.subarray(0, first + 1)]));
        keepFrom(chunk.subarray(first + 1, last + 1));
      }
      carried = chunk.slice(last + 1);
    },
    end() {
      keepFrom(carried);
      return join(kept);
    },
  };
}

/** Several byte strings as one. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
