/**
 * Finding where a message begins amid other bytes. Stricter than parseStartLine: only a line with its version is taken
 * for a start line, so that a text that speaks of SIP is none.
 */
import { LONGEST_START_LINE, TOKEN } from './start-line.ts';
import { dropBlanks } from './text.ts';

const RESPONSE = /SIP\/2\.0 [1-6]\d\d(?![^ ])/;
const REQUEST = /^[A-Za-z0-9\-.!%*_+`'~]+[ \t]+<?[A-Za-z][A-Za-z0-9+.-]*:/;
const VERSION = 'SIP/2.0';
/** RFC 3261 and the RFCs that added one. */
const METHODS = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'PRACK', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'INFO', 'REFER', 'MESSAGE', 'UPDATE'];

/**
 * Where in one line, its line end left out, a start line begins: at 0, or behind bytes that have no line end, as the
 * end of a body has none. -1 where there is none.
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
  const end = dropBlanks(line, 0, line.length);
  const version = end - VERSION.length;
  if (version <= 0 || !line.startsWith(VERSION, version)) return -1;
  if (REQUEST.test(line)) return 0;
  const uriEnd = dropBlanks(line, 0, version);
  const uri = line.lastIndexOf(' ', uriEnd - 1) + 1;
  const methodEnd = dropBlanks(line, 0, uri);
  if (uriEnd === version || methodEnd === uri || !/^<?[A-Za-z][A-Za-z0-9+.-]*:/.test(line.slice(uri, uriEnd))) return -1;
  // Behind other bytes only a method that is known, or the end of the word would be anybody's guess.
  const word = line.slice(line.lastIndexOf(' ', methodEnd - 1) + 1, methodEnd);
  if (word.length === methodEnd && TOKEN.test(word) && !METHODS.some((method) => word.endsWith(method))) return 0;
  const known = METHODS.find((method) => word.endsWith(method));
  return known === undefined ? -1 : methodEnd - known.length;
}

/** The same for the line that begins at `at`; the place in `text`, or -1. */
export function startLineAt(text: string, at: number, end: number): number {
  const window = text.slice(at, Math.min(end, at + LONGEST_START_LINE + 1));
  const stop = window.search(/[\r\n]/);
  const found = startLineIn(stop < 0 ? window : window.slice(0, stop));
  return found < 0 ? -1 : at + found;
}

/** Where in `text` the first start line stands, from `start` on; -1 where none does. In linear time. */
export function seekStartLine(text: string, start: number, end: number): number {
  for (let at = start; at < end;) {
    const found = text.indexOf(VERSION, at);
    if (found < 0 || found >= end) return -1;
    // The line it stands in: what was looked at before it is not looked at again.
    const line = Math.max(at, text.lastIndexOf('\n', found) + 1, text.lastIndexOf('\r', found) + 1);
    const begins = startLineAt(text, line, end);
    if (begins >= 0) return begins;
    const ends = [text.indexOf('\n', found), text.indexOf('\r', found)].filter((each) => each >= 0);
    if (ends.length === 0) return -1;
    at = Math.min(...ends) + 1;
  }
  return -1;
}
