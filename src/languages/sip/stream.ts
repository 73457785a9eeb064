/**
 * Messages out of a stream of TCP (RFC 3261 §18.3): across segments, several in one, with keep-alives (RFC 5626 §4.4.1)
 * and STUN between them. What comes out depends on the bytes alone and not on how they were cut into segments. Where
 * Content-Length is missing or wrong, or bytes are lost, the next start line is found again, and the frame says so.
 */
import { fieldNamed } from './fields.ts';
import { mayBeStun, STUN_HEADER, stunLength } from './keep-alive.ts';
import { completed, MOST_BODY, MOST_BYTES, parseMessage } from './message.ts';
import type { Message } from './message.ts';
import { isStartLine, mayBeginStartLine, seekStartLine, startLineIn } from './seek.ts';
import { LONGEST_START_LINE } from './start-line.ts';
import { StreamBuffer } from './stream-buffer.ts';
import { latin1, report } from './text.ts';
import type { Problem } from './text.ts';

/** `offset`: bytes from the beginning of the stream, lost ones counted. */
export type StreamFrame = { readonly offset: number; readonly length: number } & (
  /** `message.text` is this message alone. */
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'keep-alive' }
  | { readonly kind: 'stun' }
  /** What is no message, or the beginning of one whose header never ended; `refused` says which. */
  | { readonly kind: 'other'; readonly text: string; readonly refused: string });

/** What is no message is handed on in pieces of this size, so that it costs no more memory. */
export const MOST_OTHER = 65_536;

type State =
  | { readonly at: 'start' }
  | { readonly at: 'line-ends' }
  | { readonly at: 'header' }
  /** `need`: bytes of the whole message. */
  | { readonly at: 'body'; readonly head: Message; readonly need: number }
  /** The body is there, and its last line looks like the beginning of a start line. */
  | { readonly at: 'last-line'; readonly head: Message; readonly need: number }
  /** A body of a length nobody knows: up to the next start line. */
  | { readonly at: 'open-body'; readonly head: Message }
  | { readonly at: 'other'; readonly why: string };

/** Most headers are shorter; a longer one costs more. */
const USUAL_HEADER = 4096;
/** Lines with it, but Via, are looked at one by one. */
const ANOTHER = /SIP\/2\.0(?!\/)/;
const LOST = 'It follows a message and is no start line: the Content-Length before it may be too small, or bytes were lost.';

export class StreamFramer {
  readonly #buffer: StreamBuffer;
  #state: State = { at: 'start' };
  #frames: StreamFrame[] = [];
  #framed = false;
  /** Whether the last header was found in the quick way, so that what never has one costs it once. */
  #usual = true;

  /** @param toText bytes to text as `latin1` does, where the engine has something faster */
  constructor(toText: (bytes: Uint8Array, start: number, end: number) => string = latin1) {
    this.#buffer = new StreamBuffer(toText);
  }

  /** Takes the next bytes of the stream, as many as there are; gives what is complete with them. */
  push(bytes: Uint8Array): StreamFrame[] {
    this.#buffer.push(bytes);
    return this.#run(false);
  }

  /** Bytes of the stream are missing here, `length` of them. What had begun is given as far as it goes. */
  gap(length: number): StreamFrame[] {
    const frames = this.#run(true);
    this.#buffer.skip(length);
    return frames;
  }

  /** The stream has ended: gives what is left. */
  end(): StreamFrame[] {
    return this.#run(true);
  }

  #run(final: boolean): StreamFrame[] {
    let more = true;
    while (more) more = this.#step(final);
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }

  /** @returns whether something was done; if not, more bytes are needed */
  #step(final: boolean): boolean {
    const state = this.#state;
    if (this.#buffer.length === 0) return false;
    switch (state.at) {
      case 'start': return this.#start(final);
      case 'line-ends': return this.#lineEnds(final);
      case 'header': return this.#header(final);
      case 'body': return this.#body(state.head, state.need, final);
      case 'last-line': return this.#lastLine(state.head, state.need, final);
      case 'open-body': return this.#openBody(state.head, final);
      case 'other': return this.#other(state.why, final);
    }
  }

  #go(state: State): true {
    this.#state = state;
    return true;
  }

  #start(final: boolean): boolean {
    const buffer = this.#buffer;
    const code = buffer.byte(0);
    if (code === 13 || code === 10) return this.#go({ at: 'line-ends' });
    if (mayBeStun(code)) {
      if (buffer.length < STUN_HEADER && !final) return false;
      const length = stunLength(buffer.text(0, Math.min(STUN_HEADER, buffer.length)), 0, STUN_HEADER);
      if (length < 0) return this.#go({ at: 'other', why: this.#why() });
      if (buffer.length >= length) return this.#take('stun', length);
      return final ? this.#go({ at: 'other', why: 'It begins as a message of STUN and is not whole.' }) : false;
    }
    const line = buffer.line(final, LONGEST_START_LINE);
    if (line === null) return false;
    const begins = isStartLine(buffer.text(line.start, line.stop));
    const end = begins && this.#usual ? this.#usualHeader(line.next) : -1;
    buffer.rewind();
    if (end > 0) return this.#headed(end, end);
    this.#usual = false;
    return this.#go(begins ? { at: 'header' } : { at: 'other', why: this.#why() });
  }

  #why(): string {
    return this.#framed ? LOST : 'It is no start line of SIP: the stream was joined within a message, or carries something else.';
  }

  #lineEnds(final: boolean): boolean {
    const buffer = this.#buffer;
    let end = buffer.scanned;
    while (end < buffer.length && end < MOST_OTHER && (buffer.byte(end) === 13 || buffer.byte(end) === 10)) end++;
    buffer.scanned = end;
    if (end === buffer.length && end < MOST_OTHER && !final) return false;
    return this.#take('keep-alive', end);
  }

  /**
   * Where the header ends that begins with a start line of `first` bytes; -1 where it is not here whole, or has any line
   * end but CR LF, or may hold another start line: then it is walked line by line. Most are found like this.
   */
  #usualHeader(first: number): number {
    const text = this.#buffer.text(0, Math.min(this.#buffer.length, USUAL_HEADER));
    const blank = text.indexOf('\n\r');
    if (blank < 0 || !text.startsWith('\r\n\r\n', blank - 1)) return -1;
    const header = text.slice(0, blank);
    return header.includes('\n\n') || header.includes('\r\r') || ANOTHER.test(header.slice(first)) ? -1 : blank + 3;
  }

  #header(final: boolean): boolean {
    const buffer = this.#buffer;
    for (;;) {
      const line = buffer.line(final, MOST_BYTES);
      if (line === null) {
        if (!final) return false;
        return this.#put(buffer.length, 'A message breaks off within its header.');
      }
      if (line.start > 0 && buffer.mayBeStartLine(line) && isStartLine(buffer.text(line.start, line.stop))) {
        return this.#put(line.start, 'A message breaks off within its header: the start line of another follows.');
      }
      if (line.stop > line.start && line.next <= MOST_BYTES) continue;
      return this.#headed(line.next, line.stop > line.start ? 0 : line.next);
    }
  }

  /** The header has ended, at `end`; or was too long, where `whole` is 0. */
  #headed(end: number, whole: number): boolean {
    const buffer = this.#buffer;
    const head = parseMessage(buffer.text(0, end));
    if ('refused' in head || whole === 0) {
      buffer.rewind();
      buffer.line(true, MOST_BYTES); // its start line is not to be found again
      return this.#go({ at: 'other', why: 'refused' in head ? head.refused : `Its header has more than ${MOST_BYTES} bytes.` });
    }
    const length = head.declaredLength;
    if (length !== null && length <= MOST_BODY) return this.#go({ at: 'body', head, need: end + length });
    const mayHaveBody = head.fields.some(({ canonical }) => canonical === 'content-length' || canonical === 'content-type');
    if (!mayHaveBody) return this.#message(head, end);
    buffer.scanned = end;
    return this.#go({ at: 'open-body', head });
  }

  #body(head: Message, need: number, final: boolean): boolean {
    const buffer = this.#buffer;
    if (buffer.length < need && !final) return false;
    const there = Math.min(need, buffer.length);
    // These may hold what begins like a message.
    if (/^(message|multipart)\//i.test(fieldNamed(head.fields, 'content-type')?.content ?? '')) return this.#message(head, there);
    const text = buffer.text(0, there);
    const other = seekStartLine(text, head.body.start, there);
    if (other >= 0) return this.#message(head, other);
    const line = Math.max(head.body.start, text.lastIndexOf('\n') + 1, text.lastIndexOf('\r') + 1);
    if (there < need || !mayBeginStartLine(text.slice(line))) return this.#message(head, there);
    buffer.scanned = line;
    return this.#go({ at: 'last-line', head, need });
  }

  /** A body that is declared too long can end within the next start line. */
  #lastLine(head: Message, need: number, final: boolean): boolean {
    const line = this.#buffer.line(final, LONGEST_START_LINE);
    if (line === null) return false;
    const begins = startLineIn(this.#buffer.text(line.start, line.stop));
    return this.#message(head, begins < 0 ? need : Math.min(need, line.start + begins));
  }

  #openBody(head: Message, final: boolean): boolean {
    const buffer = this.#buffer;
    for (;;) {
      const line = buffer.line(final, LONGEST_START_LINE);
      if (line === null) return final ? this.#message(head, buffer.length) : false;
      const begins = buffer.mayBeStartLine(line) ? startLineIn(buffer.text(line.start, line.stop)) : -1;
      if (begins >= 0) return this.#message(head, line.start + begins);
      if (line.next > head.body.start + MOST_BODY) return this.#message(head, line.next);
    }
  }

  #other(why: string, final: boolean): boolean {
    const buffer = this.#buffer;
    for (;;) {
      const line = buffer.line(final, LONGEST_START_LINE);
      if (line === null) return final ? this.#put(buffer.length, why) : false;
      const begins = buffer.mayBeStartLine(line) ? startLineIn(buffer.text(line.start, line.stop)) : -1;
      if (begins >= 0) {
        if (line.start + begins > 0) return this.#put(line.start + begins, why);
        buffer.rewind();
        return this.#go({ at: 'start' });
      }
      if (line.next >= MOST_OTHER) {
        this.#put(line.next, why);
        return this.#go({ at: 'other', why });
      }
    }
  }

  #message(head: Message, length: number): boolean {
    let message = completed(head, this.#buffer.text(0, length));
    if (head.declaredLength === null) {
      const problems: Problem[] = [...message.problems];
      report(problems, 'no-length', message.body,
        'Over TCP a message has a Content-Length (RFC 3261 §18.3), and this one has none that can be read: '
        + `its body is taken to be ${length - message.body.start} bytes, up to the next start line.`);
      message = { ...message, problems };
    }
    const { offset } = this.#buffer;
    this.#buffer.take(length);
    this.#frames.push({ kind: 'message', message, offset, length });
    this.#framed = this.#usual = true;
    return this.#go({ at: 'start' });
  }

  #take(kind: 'keep-alive' | 'stun', length: number): boolean {
    const { offset } = this.#buffer;
    this.#buffer.take(length);
    this.#frames.push({ kind, offset, length });
    return this.#go({ at: 'start' });
  }

  #put(length: number, refused: string): boolean {
    const { offset } = this.#buffer;
    const text = this.#buffer.text(0, length);
    this.#buffer.take(length);
    this.#frames.push({ kind: 'other', text, refused, offset, length });
    return this.#go({ at: 'start' });
  }
}
