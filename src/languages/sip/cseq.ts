/** CSeq (RFC 3261 §20.16): a number and the method it counts for. */
import { piece, quoted, skipBlanks, dropBlanks } from './text.ts';
import type { Piece, Refusal, Span } from './text.ts';
import { runEnd } from './value.ts';

export interface CSeq extends Span {
  readonly digits: Piece;
  /** null where it is 2^32 or more, which RFC 3261 §8.1.1.5 does not allow (it is below 2^31). */
  readonly number: number | null;
  readonly method: Piece;
}

export function parseCSeq(text: string, start: number, end: number): CSeq | Refusal {
  const from = skipBlanks(text, start, end);
  const digits = piece(text, from, runEnd(text, from, end, ''));
  const next = skipBlanks(text, digits.end, end);
  const method = piece(text, next, runEnd(text, next, end, ''));
  if (!/^\d+$/.test(digits.text) || method.text === '' || dropBlanks(text, method.end, end) > method.end) {
    return { refused: `The CSeq ${quoted(text.slice(start, end))} is not a number and a method.` };
  }
  const number = Number(digits.text);
  return { digits, number: number < 2 ** 32 ? number : null, method, start: from, end: method.end };
}
