/**
 * Authentication (RFC 3261 §20.7, §20.27, §20.44; RFC 8760 for digests): as far as it has to be found to be kept from
 * being shown. A scheme, and parameters between commas; of a scheme without parameters all that stands behind it.
 */
import { piece, report, skipBlanks } from './text.ts';
import type { Piece, Problem, Span } from './text.ts';
import { memberEnd, parseParameter, runEnd } from './value.ts';
import type { Parameter } from './value.ts';

export interface Credentials extends Span {
  /** `Digest`, as written; empty in an Authentication-Info, which has parameters alone. */
  readonly scheme: Piece;
  readonly parameters: readonly Parameter[];
  /** All that stands behind the scheme. */
  readonly opaque: Piece;
  readonly problems: readonly Problem[];
}

export function parseCredentials(text: string, start: number, end: number): Credentials {
  const problems: Problem[] = [];
  const from = skipBlanks(text, start, end);
  const word = runEnd(text, from, end, ',=');
  const behind = skipBlanks(text, word, end);
  // `nextnonce="..."` is a parameter already; a scheme has a blank behind it, or nothing.
  const hasScheme = behind >= end || (behind > word && text.charAt(behind) !== '=');
  const scheme = piece(text, from, hasScheme ? word : from);
  const first = hasScheme ? behind : from;
  const parameters: Parameter[] = [];
  for (let at = first; at < end; at = skipBlanks(text, at + 1, end)) {
    const parameter = parseParameter(text, at, end, problems, ',', '');
    const stop = memberEnd(text, parameter?.end ?? at, end);
    if (parameter !== null) parameters.push(parameter);
    if (parameter === null || skipBlanks(text, parameter.end, stop) < stop) {
      report(problems, stop === at ? 'empty-member' : 'unread', { start: at, end: stop },
        'Between commas stands something that is no name="value".');
    }
    at = stop;
  }
  return { scheme, parameters, opaque: piece(text, first, end), problems, start: from, end };
}
