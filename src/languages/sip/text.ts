/**
 * Bytes as text, and pieces of a text by their place.
 *
 * A message is read as a text whose code units are its bytes (ISO 8859-1: byte 0xe9 is U+00E9): nothing is lost that is
 * not UTF-8, and an offset into the text is an offset into the bytes. Searching in such a text is what every engine does
 * natively. An engine that has a faster way from bytes to such a text (Node: `latin1Slice`) hands the text in.
 */

/** Half-open: from `start`, and not `end` itself. Bytes from the start of the message. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A part of a message as it is written there: `text` is what stands between `start` and `end`. */
export interface Piece extends Span {
  readonly text: string;
}

/** What is odd in something that can be read all the same. */
export interface Problem extends Span {
  /** For programs; the words may change, a code does not. */
  readonly code: ProblemCode;
  /** For people: what was found, and what it ought to be. */
  readonly sentence: string;
}

/** What could not be read as what it was asked to be, in one sentence. */
export interface Refusal {
  readonly refused: string;
}

export type ProblemCode =
  | 'start-line' | 'version' | 'status-code' | 'request-uri' | 'leading-bytes' // of the first line
  | 'line-ends' | 'no-blank-line' | 'not-a-field' | 'fold-without-field' // of the header
  | 'no-length' | 'bad-length' | 'two-lengths' | 'body-short' | 'body-long' // of Content-Length
  | 'empty-member' | 'quote-open' | 'bracket-open' | 'unread' | 'bad-port' | 'bad-host' | 'bad-parameter' // of values
  | 'display-name' | 'uri' // of addresses
  | 'sdp-line' | 'sdp-missing' | 'sdp-field' | 'sdp-again' // of a session description
  | 'boundary' | 'too-deep'; // of a multipart body

/** Arguments a function can be given at once: engines bear 65,534 and more (QuickJS), so this is far below. */
const AT_ONCE = 16_384;

/** The text whose code units are these bytes. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const codes = (from: number, to: number): string =>
    String.fromCharCode.apply(null, bytes.subarray(from, to) as unknown as number[]);
  if (end - start <= AT_ONCE) return codes(start, end);
  let text = '';
  for (let at = start; at < end; at += AT_ONCE) text += codes(at, Math.min(end, at + AT_ONCE));
  return text;
}

/** The bytes of a text that `latin1` made; of another text only the low 8 bits of each code unit. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

export function piece(text: string, start: number, end: number): Piece {
  return { text: text.slice(start, end), start, end };
}

/** Anybody can write a field that is wrong in 60,000 places: more than so many are of no use to anybody. */
export const MOST_PROBLEMS = 64;

/** Notes a problem, unless there are many already. */
export function report(problems: Problem[], code: ProblemCode, { start, end }: Span, sentence: string): void {
  if (problems.length < MOST_PROBLEMS) problems.push({ code, sentence, start, end });
}

/** Where a character stands between `start` and `end`; `end` where it does not. Looks no further, so that lists stay linear. */
export function indexIn(text: string, char: string, start: number, end: number): number {
  const at = text.slice(start, end).indexOf(char);
  return at < 0 ? end : start + at;
}

/** `text` between double quotes, cut so that a hostile one cannot flood a sentence. */
export function quoted(text: string, most = 60): string {
  return JSON.stringify(text.length > most ? `${text.slice(0, most)}...` : text);
}

const CR = 13;
const LF = 10;

/** Blanks of a header value: a line end inside a value belongs to a fold, and a fold is a blank (RFC 3261 §7.3.1). */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === CR || code === LF;
}

/** Where the blanks that begin at `at` end. */
export function skipBlanks(text: string, at: number, end: number): number {
  for (; at < end; at++) { // isBlank, without the call: this runs for every value
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 9 && code !== CR && code !== LF) break;
  }
  return at;
}

/** Where the blanks before `end` begin, `start` at the earliest. */
export function dropBlanks(text: string, start: number, end: number): number {
  for (; end > start; end--) {
    const code = text.charCodeAt(end - 1);
    if (code !== 32 && code !== 9 && code !== CR && code !== LF) break;
  }
  return end;
}

/** A value in one line: each fold, with the blanks around it, is one blank (RFC 3261 §7.3.1); no blanks at either end. */
export function unfold(text: string): string {
  if (!text.includes('\n') && !text.includes('\r')) return text.slice(skipBlanks(text, 0, text.length), dropBlanks(text, 0, text.length));
  return text.split(/[\r\n]+/).map((line) => unfold(line)).filter((line) => line !== '').join(' ');
}

/**
 * The lines of a text, one after another, in linear time: a line ends in CR LF, in LF alone or in CR alone, as the
 * kernel's ALG sees it too (nf_conntrack_sip.c, ct_sip_get_header). RFC 3261 §7 allows CR LF alone.
 */
export class Lines {
  readonly #text: string;
  readonly #end: number;
  #cr: number;
  #lf: number;
  /** Where the line begins. */
  start: number;
  /** Where its line end begins: the length of the text where it has none. */
  stop: number;
  /** Where the next line begins. */
  next: number;

  constructor(text: string, start: number, end: number) {
    this.#text = text;
    this.#end = end;
    this.start = this.stop = this.next = start;
    this.#cr = this.#lf = start - 1;
  }

  /** Goes to the next line; false where there is none. An end without a line end is a line unless it is empty. */
  advance(): boolean {
    const from = this.next;
    if (from >= this.#end) return false;
    if (this.#cr < from) this.#cr = this.#find('\r', from);
    if (this.#lf < from) this.#lf = this.#find('\n', from);
    this.start = from;
    this.stop = this.#cr < this.#lf ? this.#cr : this.#lf;
    this.next = this.stop === this.#end ? this.#end : this.#lf === this.#cr + 1 && this.#lf < this.#end ? this.#lf + 1 : this.stop + 1;
    return true;
  }

  #find(char: string, from: number): number {
    const at = this.#text.indexOf(char, from);
    return at < 0 || at > this.#end ? this.#end : at;
  }
}
