/** What comes from a file or from standard input: one saved document, or one in each line. */
import type { ByteStream, Reading, Streaming } from '../host/host.ts';
import { join } from '../host/lines.ts';
import { decode } from '../host/text.ts';

/** Bytes to text as quickly as the engine can; the same text as `decode` gives. */
export const textWith =
  ({ latin1 }: Pick<Streaming, 'latin1'>) =>
  (bytes: Uint8Array): string => {
    if (latin1 === undefined) return decode(bytes);
    const text = latin1(bytes, 0, bytes.length);
    // Each run of bytes beyond ASCII holds whole sequences of UTF-8.
    return text.replace(/[\x80-\xff]+/g, (run) => decode(Uint8Array.from(run, (char) => char.charCodeAt(0))));
  };

const trimmed = (line: string): string => line.replace(/^[ \t\r]+|[ \t\r]+$/g, '');

function isDocument(line: string): boolean {
  if (!line.startsWith('{') || !line.endsWith('}')) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a text holds one document in each line, by its beginning. A document that was printed for people begins with `{` alone,
 * and its second line with a name; one that was cut or damaged in a stream is told by the one behind it.
 * @returns null: that cannot be told yet
 */
export function holdsLines(beginning: string, ended: boolean): boolean | null {
  const lines = beginning.split('\n');
  // The last one may go on.
  if (!ended) lines.pop();
  const [first, second] = lines.map(trimmed).filter((line) => line !== '');
  if (first !== undefined && second !== undefined) return second.startsWith('{') || isDocument(first);
  return ended ? false : null;
}

/** As much of a beginning is looked at. */
const MOST_BEGINNING = 64 << 20;

export type Input = { kind: 'one'; text: Reading<string> } | { kind: 'lines'; stream: ByteStream };

/**
 * @param path null: standard input
 * @param lines true: it holds lines, however it begins
 * @param most bytes that one document may have
 */
export async function openInput(
  streaming: Streaming,
  path: string | null,
  goOn: () => boolean,
  { lines = false, most = MOST_BEGINNING }: { lines?: boolean; most?: number } = {},
): Promise<Input> {
  const opened = await streaming.open(path, goOn);
  if (opened.state !== 'present') return { kind: 'one', text: opened };
  const { value: stream, source } = opened;
  if (lines) return { kind: 'lines', stream };
  const text = textWith(streaming);
  const held: Uint8Array[] = [];
  let length = 0;
  let told: boolean | null = null;
  let newlines = 0;
  try {
    for (;;) {
      const piece = await stream.next();
      if (piece !== null) {
        held.push(new Uint8Array(piece)); // A Buffer's own `slice` would be no copy.
        length += piece.length;
        newlines += piece.includes(0x0a) ? 1 : 0;
      }
      // Before its first line has ended nothing can be told.
      if (told === null && (piece === null || newlines > 0)) told = holdsLines(text(join(held)), piece === null);
      if (told === true) return { kind: 'lines', stream: { ...stream, next: behind(held, stream) } };
      if (piece === null) break;
      if (length > most) {
        stream.close();
        return { kind: 'one', text: { state: 'failed', source, because: `it holds more than ${most} bytes` } };
      }
    }
  } catch (error) {
    return { kind: 'one', text: { state: 'failed', source, because: (error as Error).message } };
  }
  stream.close();
  return { kind: 'one', text: { state: 'present', source, value: text(join(held)) } };
}

/** The pieces that were held, and then the rest. */
function behind(held: Uint8Array[], stream: ByteStream): ByteStream['next'] {
  return () => {
    const first = held.shift();
    return first === undefined ? stream.next() : Promise.resolve(first);
  };
}
