/**
 * Finding where a message begins amid other bytes. Stricter than parseStartLine: only a line with its version is taken
 * for a start line, in capitals as RFC 3261 §7.1 has it sent, so that a text that speaks of SIP is none.
 */
import { LONGEST_START_LINE } from './start-line.ts';
import { dropBlanks, Lines } from './text.ts';

const RESPONSE = /SIP\/2\.0 [1-6]\d\d(?![^ ])/;
const REQUEST = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+<?[A-Za-z][A-Za-z0-9+.-]*:/;
const URI = /^<?[A-Za-z][A-Za-z0-9+.-]*:/;
const VERSION = 'SIP/2.0';
/** RFC 3261 and the RFCs that added one. */
const METHODS = [
  'INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'PRACK',
  'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'INFO', 'REFER', 'MESSAGE', 'UPDATE',
];
const LONGEST_METHOD = 9;

/** Whether a line, its line end left out, is a start line: asked where a message is to begin. */
export function isStartLine(line: string): boolean {
  return line.length <= LONGEST_START_LINE && line.includes(VERSION)
    && (line.search(RESPONSE) === 0 || (REQUEST.test(line) && versionAt(line) > 0));
}

/**
 * Where in one line a start line begins that is looked for: at 0, or behind bytes that have no line end, as the end of
 * a body has none. -1 where there is none. Behind other bytes only a method that is known is one, as the end of the
 * word would be anybody's guess.
 */
export function startLineIn(line: string): number {
  if (!line.includes(VERSION)) return -1;
  const cut = Math.max(0, line.length - LONGEST_START_LINE);
  const at = inShort(cut === 0 ? line : line.slice(cut));
  return at < 0 ? -1 : cut + at;
}

function inShort(line: string): number {
  const response = line.search(RESPONSE);
  // Behind these it is a value that speaks of a response.
  if (response === 0 || (response > 0 && !' \t"\':=<('.includes(line.charAt(response - 1)))) return response;
  const version = versionAt(line);
  if (version < 0) return -1;
  const whole = REQUEST.exec(line)?.[1];
  if (whole !== undefined) return whole.length - (knownAtEnd(whole) ?? whole).length;
  const uriEnd = dropBlanks(line, 0, version);
  const uri = line.lastIndexOf(' ', uriEnd - 1) + 1;
  const methodEnd = dropBlanks(line, 0, uri);
  if (uriEnd === version || methodEnd === uri || !URI.test(line.slice(uri, uriEnd))) return -1;
  const known = knownAtEnd(line.slice(line.lastIndexOf(' ', methodEnd - 1) + 1, methodEnd));
  return known === undefined ? -1 : methodEnd - known.length;
}

function knownAtEnd(word: string): string | undefined {
  return METHODS.find((method) => word.endsWith(method));
}

/** Where the version stands at the end of a request line; -1 where it does not. */
function versionAt(line: string): number {
  const version = dropBlanks(line, 0, line.length) - VERSION.length;
  return version > 0 && line.startsWith(VERSION, version) ? version : -1;
}

const BEGUN = new RegExp(`(?:${METHODS.join('|')}) |${VERSION.replace('.', '\\.')}`);

/** Whether a start line may have begun in a line that is not whole yet: of a known method, or of a response. */
export function mayBeginStartLine(line: string): boolean {
  if (BEGUN.test(line)) return true;
  for (let length = Math.min(line.length, LONGEST_METHOD); length > 0; length--) {
    const tail = line.slice(-length);
    if (VERSION.startsWith(tail) || METHODS.some((method) => method.startsWith(tail))) return true;
  }
  return false;
}

/** The line that begins at `at`, cut where it is longer than any start line. */
export function lineAt(text: string, at: number, end: number): string {
  const window = text.slice(at, Math.min(end, at + LONGEST_START_LINE + 1));
  const stop = window.search(/[\r\n]/);
  return stop < 0 ? window : window.slice(0, stop);
}

/** Where in `text` the first start line stands, from `start` on; -1 where none does. In linear time. */
export function seekStartLine(text: string, start: number, end: number): number {
  const first = text.indexOf(VERSION, start);
  if (first < 0 || first >= end) return -1;
  const lines = new Lines(text, start, end);
  while (lines.advance()) {
    if (lines.stop <= first) continue;
    const begins = startLineIn(text.slice(lines.start, lines.stop));
    if (begins >= 0) return lines.start + begins;
  }
  return -1;
}
