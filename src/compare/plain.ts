/**
 * The plainest change of a message, found in its bytes without parsing: in some lines the address of one end of the flow became
 * that of the other side's, with its port or without, and Content-Length went with it. `shape` is the same number for messages
 * that have the same differences but for their values, so that each shape is parsed once and the others are counted.
 */
import { bytesOf } from '../languages/sip/text.ts';
import type { AddressBook, Sighting, Written } from './sighting.ts';

const CR = 13;
const LF = 10;
const DOT = 46;
const COLON = 58;
const EQUALS = 61;
/** Lines among which a Call-ID is looked for. */
const MOST_LINES = 64;
/** Places in one line, more than which are not plain. */
const MOST_PLACES = 16;
/** What a byte is in the outline of a line: 0 the punctuation it is, 1 a letter or digit, which counts as one with those beside it. */
const KIND = Uint8Array.from({ length: 256 }, (_, code) => (/[0-9A-Za-z]/.test(String.fromCharCode(code)) || code > 127 ? 1 : 0));

export class Plain {
  /** What `read` found: the shape, in two numbers of 32 bits. */
  shape = 0;
  check = 0;
  /** The Call-ID as `hashOf` has it. */
  callId = 0;
  readonly #book: AddressBook;
  readonly #places = new Int32Array(MOST_PLACES);
  readonly #marks = new Int32Array(MOST_PLACES);
  /** The lengths of both, as Content-Length has them; -1 where there is none. */
  #length = -1;
  #otherLength = -1;

  constructor(book: AddressBook) {
    this.#book = book;
  }

  /** @returns whether `other` is `one` with a plain change, and has the same Call-ID, which stands there once */
  read(one: Sighting, other: Sighting): boolean {
    const was = one.flow;
    const is = other.flow;
    if (was.source !== is.source || was.sourcePort !== is.sourcePort) {
      was.sourceWritten ??= this.#written(was.source, was.sourcePort);
      is.sourceWritten ??= this.#written(is.source, is.sourcePort);
      return this.#walk(one, other, was.sourceWritten, is.sourceWritten);
    }
    was.destinationWritten ??= this.#written(was.destination, was.destinationPort);
    is.destinationWritten ??= this.#written(is.destination, is.destinationPort);
    return this.#walk(one, other, was.destinationWritten, is.destinationWritten);
  }

  #written(address: number, port: number): Written {
    return { host: bytesOf(this.#book.text(address)), suffix: bytesOf(`:${port}`) };
  }

  #walk(one: Sighting, other: Sighting, from: Written, to: Written): boolean {
    const { start, end } = one;
    const { start: otherStart, end: otherEnd } = other;
    const { bytes: a, view } = one.memory;
    const { bytes: b, view: otherView } = other.memory;
    const { host } = from;
    const newHost = to.host;
    let alike = 0;
    while (alike < host.length && alike < newHost.length && host[alike] === newHost[alike]) alike++;
    if (alike === host.length || alike === newHost.length) return false;
    this.shape = start === end ? 0 : firstWords(a, start, end);
    this.check = 0x2545f491;
    this.callId = -1;
    this.#length = this.#otherLength = -1;
    let body = -1;
    let otherBody = -1;
    let measured = false;
    let places = 0;
    let line = 0;
    let lineStart = start;
    let at = start;
    let there = otherStart;
    for (;;) {
      for (let word = 0; at + 4 <= end && there + 4 <= otherEnd; at += 4, there += 4) {
        word = view.getUint32(at);
        if (word !== otherView.getUint32(there)) break;
        word ^= 0x0a0a0a0a;
        if (((word - 0x01010101) & ~word & 0x80808080) !== 0) break; // a line ends within these four
      }
      while (at < end && there < otherEnd && a[at] === b[there] && a[at] !== LF) {
        at++;
        there++;
      }
      const ended = at >= end || there >= otherEnd;
      if (ended && (at < end || there < otherEnd)) return false;
      if (ended || (a[at] === LF && b[there] === LF)) {
        if (places > 0) {
          // A fold belongs to another line's field.
          const folded = body < 0 && (a[lineStart]! <= 32 || a[at + 1] === 32 || a[at + 1] === 9);
          if (folded || !this.#outline(a, lineStart, at, line, places, body < 0 ? COLON : EQUALS, host.length)) return false;
          places = 0;
        }
        if (ended) break;
        at++;
        there++;
        line++;
        lineStart = at;
        if (body >= 0) continue;
        const code = at < end ? a[at]! : 0;
        if (code === CR || code === LF) {
          // The empty line.
          const skip = code === CR && a[at + 1] === LF ? 2 : 1;
          if (code === CR && skip === 1) return false;
          for (let index = 0; index < skip; index++) if (a[at + index] !== b[there + index]) return false;
          at += skip;
          there += skip;
          line++;
          lineStart = body = at;
          otherBody = there;
          continue;
        }
        const letter = code | 32;
        if (letter === 105 || letter === 99) {
          const value = valueOf(a, at, end, letter === 105 ? '' : 'call-id');
          if (value > 0) {
            if (this.callId >= 0) return false;
            const stop = lineEnd(a, value, end);
            if (stop < 0) return false;
            this.callId = hashOf(a, value, stop);
            for (; at < stop; at++, there++) if (a[at] !== b[there]) return false;
            continue;
          }
          if (letter === 105) continue;
          const isCSeq = valueOf(a, at, end, 'cseq') > 0;
          if (isCSeq || valueOf(a, at, end, '') > 0 || valueOf(a, at, end, 'content-type') > 0) {
            this.#feedLine(a, at, end, isCSeq);
            continue;
          }
        }
        const value = letter === 99 ? valueOf(a, at, end, 'content-length') : letter === 108 ? valueOf(a, at, end, '') : 0;
        if (value > 0) {
          if (measured) return false;
          measured = true;
          const shift = there - at;
          for (let index = at; index < value; index++) if (a[index] !== b[index + shift]) return false;
          const stop = numberEnd(a, value, end);
          const otherStop = numberEnd(b, value + shift, otherEnd);
          if (stop < 0 || otherStop < 0) return false;
          this.#length = numberIn(a, value, stop);
          this.#otherLength = numberIn(b, value + shift, otherStop);
          at = stop;
          there = otherStop;
          if (this.#length !== this.#otherLength) this.#feed(0x6c656e);
        }
        continue;
      }
      // They part: the address has to begin here, or before where both are alike.
      let back = 0;
      while (back <= alike && !(begins(a, at - back, end, host) && begins(b, there - back, otherEnd, newHost))) back++;
      if (back > alike || at - back < lineStart || places === MOST_PLACES) return false;
      this.#places[places] = at - back;
      at += host.length - back;
      there += newHost.length - back;
      let mark = 1;
      if (begins(a, at, end, from.suffix) && begins(b, there, otherEnd, to.suffix)) {
        mark = 2;
        at += from.suffix.length;
        there += to.suffix.length;
      } else if (begins(b, there, otherEnd, to.suffix) && !(at < end && a[at] === COLON)) {
        mark = 3; // a port where none stood
        there += to.suffix.length;
      } else if (begins(a, at, end, from.suffix) && !(there < otherEnd && b[there] === COLON)) {
        mark = 4;
        at += from.suffix.length;
      } else if (at < end && a[at] === COLON) {
        mark = 5;
      }
      this.#marks[places++] = mark;
    }
    if (body < 0 || this.callId < 0) return false;
    return this.#length === this.#otherLength
      ? end - body === otherEnd - otherBody
      : this.#length === end - body && this.#otherLength === otherEnd - otherBody;
  }

  #feed(number: number): void {
    this.shape = Math.imul(this.shape ^ number, 0x01000193);
    this.check = Math.imul(this.check ^ (number + (this.shape >>> 16)), 0x5bd1e995);
  }

  /** @param wordsAlone without digits: the number of CSeq is each transaction's own */
  #feedLine(bytes: Uint8Array, at: number, end: number, wordsAlone: boolean): void {
    let number = 0;
    for (; at < end && bytes[at] !== LF; at++) {
      const code = bytes[at]!;
      if (!wordsAlone || code < 48 || code > 57) number = mixed(number, code);
    }
    this.#feed(number);
  }

  /**
   * What stands around the places of a line that was changed: names, punctuation, which parameter it is. Letters and digits
   * are one, but beside a dot, where numbers are an address. False where the line is not one line.
   */
  #outline(a: Uint8Array, start: number, end: number, line: number, places: number, ends: number, size: number): boolean {
    let number = line;
    let next = 0;
    let place = this.#places[0]!;
    let before = 0;
    let named = false;
    for (let at = start; at < end; ) {
      if (at === place) {
        number = mixed(number, 0x100 + this.#marks[next]!);
        at += size;
        place = ++next < places ? this.#places[next]! : -1;
      }
      const limit = place < 0 ? end : place;
      const word = at;
      while (at < limit && KIND[a[at]!] === 1) at++;
      const code = at < limit ? a[at]! : 0;
      if (code === CR && at + 1 < end) return false;
      // A name is told by what stands behind it; of any other word it counts that there is one.
      if (at > word) {
        if (code === EQUALS || (!named && code === ends)) {
          for (let letter = word; letter < at; letter++) number = mixed(number, a[letter]! | 32);
        } else {
          number = mixed(number, (code === DOT || before === DOT) && isNumber(a, word, at) ? 0x201 : 0x200);
        }
      }
      if (code === ends) named = true;
      before = code;
      if (at === limit) continue;
      number = mixed(number, code);
      at++;
    }
    this.#feed(number);
    return true;
  }
}

/** Without a call of Math: QuickJS takes longer for that than for all of this. */
const mixed = (number: number, more: number): number => (((number << 5) - number) ^ more ^ (number >>> 17)) | 0;

function isNumber(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 57) return false;
  return true;
}

/** A method, or the version and the status code of a response. */
function firstWords(bytes: Uint8Array, start: number, end: number): number {
  let number = 0x811c9dc5 | 0;
  let blanks = bytes[start + 3] === 47 ? 2 : 1; // `SIP/`
  for (let at = start; at < end && bytes[at]! >= 32; at++) {
    if (bytes[at] === 32 && --blanks === 0) break;
    number = mixed(number, bytes[at]!);
  }
  return number;
}

/** Where the value of a field begins whose line begins at `at`; 0 where it has another name. @param name '' for a compact form */
function valueOf(bytes: Uint8Array, at: number, end: number, name: string): number {
  let index = name === '' ? 1 : name.length;
  if (at + index >= end || (bytes[at + index] !== COLON && bytes[at + index] !== 32)) return 0;
  for (let letter = 1; letter < name.length; letter++) {
    const code = bytes[at + letter]!;
    if ((code >= 65 && code <= 90 ? code | 32 : code) !== name.charCodeAt(letter)) return 0;
  }
  index += at;
  while (index < end && bytes[index] === 32) index++;
  if (bytes[index] !== COLON) return 0;
  index++;
  while (index < end && (bytes[index] === 32 || bytes[index] === 9)) index++;
  return index;
}

/** Where a number as it is mostly written ends, its line with it; -1 where it is none. */
function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  let stop = at;
  while (stop < end && bytes[stop]! >= 48 && bytes[stop]! <= 57) stop++;
  if (stop === at || stop - at > 6 || (bytes[at] === 48 && stop - at > 1)) return -1;
  if (stop >= end || (bytes[stop] !== CR && bytes[stop] !== LF)) return -1;
  const next = bytes[stop] === CR ? stop + 2 : stop + 1;
  return bytes[next - 1] !== LF || bytes[next] === 32 || bytes[next] === 9 ? -1 : stop;
}

function numberIn(bytes: Uint8Array, at: number, stop: number): number {
  let number = 0;
  for (; at < stop; at++) number = number * 10 + bytes[at]! - 48;
  return number;
}

function begins(bytes: Uint8Array, at: number, end: number, what: Uint8Array): boolean {
  if (at + what.length > end) return false;
  for (let index = 0; index < what.length; index++) if (bytes[at + index] !== what[index]) return false;
  return true;
}

/** 53 bits of what stands there: what is counted is not kept. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let a = 0x811c9dc5;
  let b = 0x1234567;
  for (let at = start; at < end; at++) {
    a = Math.imul(a ^ bytes[at]!, 0x01000193);
    b = Math.imul(b ^ bytes[at]!, 0x5bd1e995);
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}

/** The same of a text whose code units are bytes. */
export const hashOfText = (text: string): number => hashOf(bytesOf(text), 0, text.length);

/** The Call-ID of a message as `hashOf` has it, found by its bytes alone; -1 where it is not written as it mostly is. */
export function callIdHash(bytes: Uint8Array, start: number, end: number): number {
  for (let line = 0; line < MOST_LINES; line++) {
    const at = bytes.indexOf(LF, start) + 1;
    if (at === 0 || at >= end) return -1;
    start = at;
    const letter = bytes[at]! | 32;
    if (letter !== 99 && letter !== 105) {
      if (bytes[at] === CR || bytes[at] === LF) return -1;
      continue;
    }
    const value = valueOf(bytes, at, end, letter === 105 ? '' : 'call-id');
    if (value === 0) continue;
    const stop = lineEnd(bytes, value, end);
    return stop < 0 ? -1 : hashOf(bytes, value, stop);
  }
  return -1;
}

/** Where a value ends that stands in one line, with no blanks behind it; -1 where it does not. */
function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  let stop = start;
  while (stop < end && bytes[stop] !== CR && bytes[stop] !== LF) stop++;
  const line = bytes[stop] === CR ? stop + 1 : stop;
  if (line >= end || bytes[line] !== LF || bytes[line + 1] === 32 || bytes[line + 1] === 9) return -1;
  return stop === start || bytes[stop - 1] === 32 || bytes[stop - 1] === 9 ? -1 : stop;
}
