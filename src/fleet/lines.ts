/** Lines of a stream of bytes, a piece at a time: one line is held, and never all of them. */
import { join } from '../host/lines.ts';

/** A line without its end; null where it has more bytes than may be held, and was passed by. */
export interface Line {
  /** Counted from 1, blank ones too. */
  number: number;
  bytes: Uint8Array | null;
}

const NEWLINE = 0x0a;
/** The blanks of JSON (RFC 8259 section 2). */
const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0d;

/**
 * @param next the next piece, which holds until the next call; null at the end
 * @param most bytes that a line may have
 * @returns the lines that a piece ends, together, blank ones left out; they hold until the next ones are asked for
 */
export async function* linesOf(next: () => Promise<Uint8Array | null>, most: number): AsyncGenerator<Line[]> {
  let number = 0;
  /** The beginning of a line whose end has not come; null once it is too long. */
  let begun: Uint8Array[] | null = [];
  let length = 0;
  const ended = (rest: Uint8Array, lines: Line[]): void => {
    number++;
    const bytes: Uint8Array | null =
      begun === null || length + rest.length > most ? null : begun.length === 0 ? rest : join([...begun, rest]);
    begun = [];
    length = 0;
    if (bytes === null || !bytes.every(isBlank)) lines.push({ number, bytes });
  };
  for (let piece = await next(); piece !== null; piece = await next()) {
    const lines: Line[] = [];
    let from = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, from)) {
      ended(piece.subarray(from, at), lines);
      from = at + 1;
    }
    if (from < piece.length) {
      length += piece.length - from;
      if (length > most) begun = null;
      // The piece is used again for what follows; `slice` of a Buffer would be no copy.
      else begun?.push(new Uint8Array(piece.subarray(from)));
    }
    if (lines.length > 0) yield lines;
  }
  const last: Line[] = [];
  if (length > 0) ended(new Uint8Array(0), last);
  if (last.length > 0) yield last;
}
