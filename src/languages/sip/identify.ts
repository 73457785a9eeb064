/**
 * What a message is known by, without parsing it: enough to find the same message on the other side of a router, and
 * the transaction and the call it belongs to (RFC 3261 §8.1.1, §12, §17.1.3). One walk over the lines of the header,
 * which stops when all was found. It is made for speed: what most messages look like is asked first, and by means that
 * are native in every engine. The texts are cut out of `text`: an engine may keep all of `text` alive for them.
 */
import { LONGEST_START_LINE, TOKEN } from './start-line.ts';
import { skipBlanks, unfold } from './text.ts';

export interface Identity {
  /** Of a request: its method as written; null for a response. */
  readonly method: string | null;
  /** Of a response: its status code; null for a request, and where it is no number. */
  readonly status: number | null;
  readonly callId: string | null;
  /** `1 INVITE`: number and method as written, one blank between. */
  readonly cseq: string | null;
  /** Of the first Via; null where it has none. */
  readonly branch: string | null;
  readonly fromTag: string | null;
}

/** How many lines of header are looked at: a message of more is known by less. */
const MOST_LINES = 1024;
/** So many blanks and line ends before a start line are looked past. */
const MOST_LEAD = 64;

const BRANCH = /;[ \t\r\n]*branch[ \t\r\n]*=[ \t\r\n]*("[^"]*"|[^ \t\r\n;,>"]+)/i;
const TAG = /;[ \t\r\n]*tag[ \t\r\n]*=[ \t\r\n]*("[^"]*"|[^ \t\r\n;,>"]+)/i;
const UNUSUAL = /[ \t\r\n,>"]/;
const LONE_CR = /\r(?!\n)/;

/**
 * @param text one message, from its start line or the line ends before it on
 * @returns null where the text does not begin like a message of SIP: the first line says neither SIP/ nor a URI of SIP
 */
export function identify(text: string): Identity | null {
  const found = walk(text);
  // CR alone ends a line too, and is not looked for as long as nothing is missing.
  const whole = found !== null && found.callId !== null && found.cseq !== null && found.branch !== null && found.fromTag !== null;
  return whole || !LONE_CR.test(text) ? found : walk(text.replace(/\r(?!\n)/g, '\n'));
}

/** Lines here end in LF, with or without a CR before it. Written without calls where no field is: this is what costs. */
function walk(text: string): Identity | null {
  const { length } = text;
  const begin = skipBlanks(text, 0, Math.min(MOST_LEAD, length));
  let next = lineEnd(text, begin);
  const first = firstLine(text, begin, stopOf(text, begin, next));
  if (first === null) return null;
  let callId: string | null = null;
  let cseq: string | null = null;
  let branch: string | null | undefined;
  let fromTag: string | null | undefined;
  for (let count = 0; count < MOST_LINES && next < length; count++) {
    const start = next + 1;
    next = text.indexOf('\n', start);
    if (next < 0) next = length;
    const code = text.charCodeAt(start);
    const letter = code | 32;
    if (letter !== 99 && letter !== 105 && letter !== 118 && letter !== 102) { // c, i, v, f
      if (next === start || (code === 13 && next === start + 1)) break;
      continue;
    }
    const name = nameAt(text, start, letter);
    if (name === 0) continue;
    let blank = text.charCodeAt(next + 1);
    while ((blank === 32 || blank === 9) && next < length) { // a fold belongs to the line before it
      next = lineEnd(text, next + 1);
      blank = text.charCodeAt(next + 1);
    }
    const stop = stopOf(text, start, next);
    const value = start + name;
    if (letter === 118) branch = branch === undefined ? branchIn(text, value, stop) : branch;
    else if (letter === 102) fromTag = fromTag === undefined ? tagIn(text, value, stop) : fromTag;
    else if (letter === 105 || (text.charCodeAt(start + 1) | 32) === 97) callId ??= valueIn(text, value, stop);
    else cseq ??= cseqIn(text, value, stop);
    if (callId !== null && cseq !== null && branch !== undefined && fromTag !== undefined) break;
  }
  return { method: first.method, status: first.status, callId, cseq, branch: branch ?? null, fromTag: fromTag ?? null };
}

function lineEnd(text: string, start: number): number {
  const at = text.indexOf('\n', start);
  return at < 0 ? text.length : at;
}

function stopOf(text: string, start: number, next: number): number {
  return next > start && text.charCodeAt(next - 1) === 13 ? next - 1 : next;
}

function firstLine(text: string, start: number, stop: number): Pick<Identity, 'method' | 'status'> | null {
  if (stop - start > LONGEST_START_LINE) return null;
  const space = text.indexOf(' ', start);
  if (space > 0 && space < stop && text.startsWith('SIP/2.0', stop - 7) && text.charCodeAt(stop - 8) === 32) {
    const method = text.slice(start, space);
    if (stop - 8 > space && TOKEN.test(method)) return { method, status: null };
  }
  const line = text.slice(start, stop);
  if (/^SIP\/\d+\.\d+[ \t]/i.test(line)) {
    const code = /^[^ \t]+[ \t]+([1-6]\d\d)(?:[ \t]|$)/.exec(line);
    return { method: null, status: code === null ? null : Number(code[1]) };
  }
  const words = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+([^ \t].*)$/.exec(line);
  if (words === null || !(/[ \t]SIP\/\d+\.\d+[ \t]*$/i.test(line) || /^<?(?:sips?|tel|im|pres):/i.test(words[2] as string))) return null;
  return { method: words[1] as string, status: null };
}

/** How long the name with its colon is, of a line that begins with c, i, v or f; 0 where it is none of the four fields. */
function nameAt(text: string, start: number, letter: number): number {
  const second = text.charCodeAt(start + 1);
  if (second === 58) return letter === 99 ? 0 : 2; // the compact form; c: is Content-Type
  const long = letter === 118 ? 'via' : letter === 102 ? 'from' : letter === 105 ? 'i' : (second | 32) === 115 ? 'cseq' : 'call-id';
  let end = start + long.length;
  if (letter !== 105 && text.slice(start, end).toLowerCase() !== long) {
    if (letter === 99) return 0;
    end = start + 1;
  }
  while (text.charCodeAt(end) === 32 || text.charCodeAt(end) === 9) end++;
  return text.charCodeAt(end) === 58 ? end + 1 - start : 0;
}

function valueIn(text: string, start: number, stop: number): string {
  while (start < stop && (text.charCodeAt(start) === 32 || text.charCodeAt(start) === 9)) start++;
  const value = text.slice(start, stop);
  const last = text.charCodeAt(stop - 1);
  return last === 32 || last === 9 || value.includes('\n') ? unfold(value) : value;
}

function cseqIn(text: string, start: number, stop: number): string {
  const value = valueIn(text, start, stop);
  return /^\d+ [^ \t]+$/.test(value) ? value : value.split(/[ \t]+/).join(' ');
}

function branchIn(text: string, start: number, stop: number): string | null {
  const at = text.indexOf(';branch=', start);
  if (at > 0 && at < stop && !text.slice(start, at).includes(',')) {
    const value = usualIn(text, at + 8, stop);
    if (value !== null) return value;
  }
  // The first member ends at a comma that stands outside of quotes.
  const value = text.slice(start, stop);
  const comma = value.indexOf(',');
  const quote = value.indexOf('"');
  return BRANCH.exec(comma < 0 || (quote >= 0 && quote < comma) ? value : value.slice(0, comma))?.[1] ?? null;
}

function tagIn(text: string, start: number, stop: number): string | null {
  const at = text.indexOf(';tag=', start);
  if (at > 0 && at < stop && !text.slice(at, stop).includes('>')) {
    const value = usualIn(text, at + 5, stop);
    if (value !== null) return value;
  }
  const value = text.slice(start, stop);
  return TAG.exec(value.slice(value.lastIndexOf('>') + 1))?.[1] ?? null;
}

/** A parameter's value up to a semicolon or the end; null where anything else may end it, so that the pattern is asked. */
function usualIn(text: string, start: number, stop: number): string | null {
  const end = text.indexOf(';', start);
  const value = text.slice(start, end < 0 || end > stop ? stop : end);
  return value === '' || UNUSUAL.test(value) ? null : value;
}
