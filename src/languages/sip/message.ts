/**
 * A message of SIP (RFC 3261 §7) as the bytes it came in, and where in them what stands. Nothing is normalised: what
 * `render` makes of a message is what it was parsed from, byte for byte. A message that breaks the rules and can be
 * read is read, with its problems beside it; what cannot be read is refused in a sentence. Nothing is thrown.
 */
import { fieldNamed, fieldsNamed, parseHeader } from './fields.ts';
import type { Field } from './fields.ts';
import { parseStartLine } from './start-line.ts';
import type { StartLine } from './start-line.ts';
import { bytesOf, isBlank, Lines, report, quoted } from './text.ts';
import type { Problem, Refusal, Span } from './text.ts';

/** All offsets are bytes from the beginning of `text`. */
export interface Message extends Span {
  /** What the message was parsed from, one code unit a byte (see text.ts); it may hold more than the message. */
  readonly text: string;
  /** Line ends before the start line, which a receiver ignores (RFC 3261 §7.5); mostly empty. */
  readonly lead: Span;
  /** The first line; its `start` and `end` leave out the blanks around it and its line end. */
  readonly startLine: StartLine;
  /** In their order. */
  readonly fields: readonly Field[];
  /** The empty line; null where the message ends in its header. */
  readonly blank: Span | null;
  /** What Content-Length says, bytes; null where there is none that can be read. */
  readonly declaredLength: number | null;
  /** The body as Content-Length has it, as far as it is there; without Content-Length all the rest. */
  readonly body: Span;
  /** What stands behind the declared body; mostly empty. */
  readonly rest: Span;
  readonly problems: readonly Problem[];
}

/** The most one datagram can bring (RFC 768: a length of 16 bits), and so the most that is read at once. */
export const MOST_BYTES = 65_535;
/** A body over TCP may be longer than a datagram. No body of SIP that was ever seen is near; it bounds what is kept in memory. */
export const MOST_BODY = 262_144;

/** Reads the one message in `text` from `start` to `end`; what stands behind its declared body is its `rest`. */
export function parseMessage(text: string, start = 0, end = text.length): Message | Refusal {
  if (end - start > MOST_BYTES + MOST_BODY) {
    return { refused: `It has ${end - start} bytes; a message is read up to ${MOST_BYTES + MOST_BODY}.` };
  }
  const problems: Problem[] = [];
  let at = start;
  while (at < end && (text.charCodeAt(at) === 13 || text.charCodeAt(at) === 10)) at++;
  if (at === end) return { refused: end === start ? 'It is empty.' : 'It holds line ends alone, as a keep-alive does (RFC 5626 §3.5.1).' };
  const lead = { start, end: at };
  if (at > start) report(problems, 'leading-bytes', lead,
    'Line ends stand before the start line; a receiver ignores them (RFC 3261 §7.5).');
  const first = new Lines(text, at, end);
  first.advance();
  const parsed = parseStartLine(text, first.start, first.stop);
  if ('refused' in parsed) return parsed;
  problems.push(...parsed.problems);
  const header = parseHeader(text, first.next, end, problems);
  if ('refused' in header) return header;
  if (header.fields.length === 0) {
    return { refused: `A start line, ${quoted(text.slice(first.start, first.stop))}, and no header field behind it.` };
  }
  if (header.blank === null) {
    report(problems, 'no-blank-line', { start: header.end, end: header.end },
      'It ends within its header: the empty line behind it is missing.');
  }
  const declaredLength = lengthOf(header.fields, problems);
  const { fields, blank } = header;
  return withBody({ lead, startLine: parsed.line, fields, blank, declaredLength, start }, problems, header.end, text, end);
}

/** What a message is before it is known where it ends. */
type Head = Pick<Message, 'lead' | 'startLine' | 'fields' | 'blank' | 'declaredLength' | 'start'>;

function withBody(head: Head, found: readonly Problem[], from: number, text: string, end: number): Message {
  const { declaredLength } = head;
  const problems = [...found];
  const there = end - from;
  const body = { start: from, end: from + Math.min(there, declaredLength ?? there) };
  const rest = { start: body.end, end };
  if (declaredLength !== null && declaredLength > there) {
    report(problems, 'body-short', body, `Content-Length is ${declaredLength}, and ${there} bytes of body are there.`);
  } else if (rest.end > rest.start) {
    report(problems, 'body-long', rest, `Content-Length is ${declaredLength ?? 0}, and ${there} bytes stand behind the header.`);
  }
  // Not spread out of `head`: named, a message takes a third of the time on V8.
  const { lead, startLine, fields, blank, start } = head;
  return { text, lead, startLine, fields, blank, declaredLength, body, rest, problems, start, end };
}

/**
 * The message whose header was parsed alone, with what came behind it.
 * @param text the header's text and the body behind it, where the header stands as it did
 */
export function completed(head: Message, text: string): Message {
  return withBody(head, head.problems.filter(({ code }) => code !== 'body-short'), head.body.start, text, text.length);
}

/** The same message without its rest: what follows is another's. */
export function withoutRest(message: Message): Message {
  if (message.rest.start === message.rest.end) return message;
  return { ...message, end: message.body.end, rest: { start: message.body.end, end: message.body.end },
    problems: message.problems.filter(({ code }) => code !== 'body-long') };
}

/**
 * What the Content-Length fields declare, and what is wrong with them. A missing one is a fault over TCP alone (§18.3).
 * @returns null where no number of bytes is declared; of several that differ the first, as the kernel's ALG takes it
 */
export function lengthOf(fields: readonly Field[], problems: Problem[]): number | null {
  const all = fieldsNamed(fields, 'content-length');
  const [first] = all;
  if (first === undefined) return null;
  for (const field of all) {
    if (field !== first) {
      report(problems, 'two-lengths', field, field.content === first.content ? 'Content-Length stands there twice.'
        : `Content-Length is there as ${quoted(first.content)} and as ${quoted(field.content)}; the first is taken.`);
    }
  }
  if (!/^\d+$/.test(first.content)) {
    report(problems, 'bad-length', first.value, `Content-Length is ${quoted(first.content)}, and not a number of bytes.`);
    return null;
  }
  return Math.min(Number(first.content), Number.MAX_SAFE_INTEGER);
}

/** The parts of a message, one after the other; together they are all of it. */
export function partsOf({ lead, startLine, fields, blank, body, rest }: Message): Span[] {
  // There is a field always: without one it is refused.
  const line = { start: lead.end, end: fields[0]?.start ?? startLine.end };
  return [lead, line, ...fields, ...(blank === null ? [] : [blank]), body, rest];
}

/** The bytes of a message, put together from its parts. */
export function render(message: Message): Uint8Array {
  return bytesOf(partsOf(message).map(({ start, end }) => message.text.slice(start, end)).join(''));
}

/** What a field's value is, folds and all. */
export function rawValue(message: Message, field: Field): string {
  return message.text.slice(field.value.start, field.value.end);
}

/** The unfolded value of the first field of a name, or undefined. @param name canonical, as `content-type` */
export function contentOf(message: Message, name: string): string | undefined {
  return fieldNamed(message.fields, name)?.content;
}

/**
 * Whether a text begins like a message of SIP, by its first line alone: the cheap question before `parseMessage`, and
 * no answer to whether that will read it. Blanks and line ends before it count for nothing.
 */
export function looksLikeSip(text: string, start = 0, end = text.length): boolean {
  let at = start;
  while (at < end && at < start + MOST_LEAD && isBlank(text.charCodeAt(at))) at++;
  const line = new Lines(text, at, end);
  return line.advance() && !('refused' in parseStartLine(text, line.start, line.stop));
}

/** So many blanks before a start line are looked past. */
const MOST_LEAD = 64;
