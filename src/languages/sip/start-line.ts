/**
 * The first line of a message (RFC 3261 §7.1, §7.2). It is read more leniently than the RFC allows, as the kernel's ALG
 * rewrites the header of what has an odd first line too: what the ALG changes, a comparison has to be able to show.
 */
import { isBlank, piece, quoted, report } from './text.ts';
import type { Piece, Problem, Refusal, Span } from './text.ts';

export interface RequestLine extends Span {
  readonly kind: 'request';
  /** As written: methods are told apart by case (RFC 3261 §7.1), and the kernel does not. */
  readonly method: Piece;
  /** Whatever stands where the URI belongs. */
  readonly uri: Piece;
  /** `SIP/2.0` as written; null where there is none, as before RFC 2543. */
  readonly version: Piece | null;
}

export interface StatusLine extends Span {
  readonly kind: 'response';
  readonly version: Piece;
  /** 100 to 699; null where something else stands there. */
  readonly status: number | null;
  /** What stands where the number belongs. */
  readonly code: Piece;
  /** May be empty. */
  readonly reason: Piece;
}

export type StartLine = RequestLine | StatusLine;

/** RFC 3261 §25.1, token. */
export const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const VERSION = /^SIP\/\d+\.\d+$/i;
/** The code alone, with anything behind it: what a status line is known by. */
const STATUS = /^SIP\/\d+\.\d+[ \t]/i;
const LONGEST_VERSION = 32;
/** URIs that make a SIP request of a line without a version. */
const SIP_URI = /^<?(sips?|tel|im|pres):/i;
/** `<scheme:`, as an absolute URI begins (RFC 3261 §25.1). */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
/** A longer line is no start line: a Request-URI longer than that would be refused with 414 by anybody. */
export const LONGEST_START_LINE = 8192;

/** The line between `start` and `end`, its line end left out. */
export function parseStartLine(text: string, start: number, end: number): { line: StartLine; problems: Problem[] } | Refusal {
  if (end - start > LONGEST_START_LINE) {
    return { refused: `The first line has ${end - start} bytes; a start line of SIP has ${LONGEST_START_LINE} at most.` };
  }
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  const isStatus = STATUS.test(text.slice(from, Math.min(to, from + LONGEST_VERSION)));
  // A reason phrase may be blanks, and may be empty behind its blank (RFC 3261 §7.2).
  while (!isStatus && to > from && isBlank(text.charCodeAt(to - 1))) to--;
  const problems: Problem[] = [];
  if (from > start || to < end) {
    report(problems, 'start-line', { start, end }, 'The start line has blanks before or behind it; RFC 3261 allows none.');
  }
  const written = text.slice(from, to);
  const line = isStatus ? statusLine(text, from, to, problems) : requestLine(text, from, to, problems);
  return line === null
    ? { refused: `It begins with ${quoted(written)}, which is neither METHOD, a URI and SIP/2.0, nor SIP/2.0 and a status code.` }
    : { line, problems };
}

function statusLine(text: string, start: number, end: number, problems: Problem[]): StatusLine {
  const space = wordEnd(text, start, end);
  const version = piece(text, start, space);
  let at = blanksEnd(text, space, end);
  if (at > space + 1 || text.charCodeAt(space) === 9) oneBlank({ start: space, end: at }, problems);
  const codeEnd = wordEnd(text, at, end);
  const code = piece(text, at, codeEnd);
  const status = /^[1-6]\d\d$/.test(code.text) ? Number(code.text) : null;
  if (status === null) report(problems, 'status-code', code, `The status code is ${quoted(code.text)}, and not a number from 100 to 699.`);
  checkVersion(version, problems);
  at = Math.min(codeEnd + 1, end);
  return { kind: 'response', version, status, code, reason: piece(text, at, end), start, end };
}

function requestLine(text: string, start: number, end: number, problems: Problem[]): RequestLine | null {
  const methodEnd = wordEnd(text, start, end);
  const method = piece(text, start, methodEnd);
  if (methodEnd === end || !TOKEN.test(method.text)) return null;
  const uriStart = blanksEnd(text, methodEnd, end);
  let versionStart = end;
  while (versionStart > uriStart && !isBlank(text.charCodeAt(versionStart - 1))) versionStart--;
  let version: Piece | null = piece(text, versionStart, end);
  let uriEnd = versionStart;
  while (uriEnd > uriStart && isBlank(text.charCodeAt(uriEnd - 1))) uriEnd--;
  if (!VERSION.test(version.text)) {
    version = null;
    uriEnd = versionStart = end;
  }
  const uri = piece(text, uriStart, uriEnd);
  if (version === null) {
    if (!SIP_URI.test(uri.text)) return null;
    report(problems, 'version', { start, end }, 'The request line has no SIP/2.0 at its end.');
  } else {
    checkVersion(version, problems);
    if (versionStart > uriEnd + 1 || text.charCodeAt(uriEnd) === 9) oneBlank({ start: uriEnd, end: versionStart }, problems);
  }
  if (uriStart > methodEnd + 1 || text.charCodeAt(methodEnd) === 9) oneBlank({ start: methodEnd, end: uriStart }, problems);
  if (/[ \t<>]/.test(uri.text) || !SCHEME.test(uri.text)) {
    report(problems, 'request-uri', uri,
      `The Request-URI is ${quoted(uri.text)}; a URI begins with its scheme and has neither blanks nor <> (RFC 3261 §7.1).`);
  }
  return { kind: 'request', method, uri, version, start, end };
}

function oneBlank(span: Span, problems: Problem[]): void {
  report(problems, 'start-line', span, 'The parts of the start line are not one space apart, as RFC 3261 §7 asks for.');
}

function checkVersion(version: Piece, problems: Problem[]): void {
  if (version.text.toUpperCase() === 'SIP/2.0') return;
  report(problems, 'version', version, `The version is ${quoted(version.text)}, and not SIP/2.0.`);
}

/** Where the word that begins at `at` ends. */
function wordEnd(text: string, at: number, end: number): number {
  while (at < end && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

function blanksEnd(text: string, at: number, end: number): number {
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}
