/**
 * Bodies: multipart ones taken apart (RFC 2046 §5.1, RFC 5621), session descriptions found in them, and fragments of
 * messages (message/sipfrag, RFC 3420) read.
 */
import { fieldNamed, parseHeader } from './fields.ts';
import type { Field } from './fields.ts';
import type { Message } from './message.ts';
import { parseSdp } from './sdp.ts';
import type { Sdp } from './sdp.ts';
import { parseStartLine } from './start-line.ts';
import type { StartLine } from './start-line.ts';
import { dropBlanks, indexIn, Lines, quoted, report, skipBlanks } from './text.ts';
import type { Problem, Refusal, Span } from './text.ts';
import { meaningOf, parameterNamed, parseParameters } from './value.ts';

/** A body, or a part of one; a body that is not multipart is its own only part. */
export interface Part {
  /** `type/subtype` in lower case; empty where there is no Content-Type. */
  readonly type: string;
  /** The part's own header; empty for a whole body. */
  readonly fields: readonly Field[];
  readonly content: Span;
  /** 0 for the whole body, 1 for its parts. */
  readonly depth: number;
}

export interface Bodies {
  /** The parts that are not multipart themselves, in their order. */
  readonly parts: readonly Part[];
  readonly problems: readonly Problem[];
}

/** Multipart in multipart in multipart is more than RFC 5621 has examples of. */
const MOST_DEPTH = 4;
const MOST_PARTS = 64;
/** RFC 2046 §5.1.1 allows 70 characters. */
const LONGEST_BOUNDARY = 256;

/** @param content the body, or what stands behind the header in all where Content-Length cuts it: `body.start` to `end` */
export function bodiesOf(message: Message, content: Span = message.body): Bodies {
  const problems: Problem[] = [];
  const parts: Part[] = [];
  if (content.end > content.start) takeApart(message.text, message.fields, content, 0, parts, problems);
  return { parts, problems };
}

/** @param header the fields that say of what type `content` is: of the message, or of the part */
function takeApart(text: string, header: readonly Field[], content: Span, depth: number, parts: Part[], problems: Problem[]): void {
  const { type, boundary } = contentTypeOf(text, fieldNamed(header, 'content-type'));
  const part: Part = { type, fields: depth === 0 ? [] : header, content, depth };
  if (!type.startsWith('multipart/')) {
    parts.push(part);
    return;
  }
  if (boundary === null || depth === MOST_DEPTH) {
    if (boundary === null) report(problems, 'boundary', content, `A body of type ${quoted(type)} has no boundary that can be used.`);
    else report(problems, 'too-deep', content, `Multipart bodies stand in one another more than ${MOST_DEPTH} deep.`);
    parts.push(part);
    return;
  }
  const inner = between(text, boundary, content, problems);
  if (inner.length === 0) parts.push(part);
  for (const span of inner) {
    if (parts.length >= MOST_PARTS) {
      report(problems, 'boundary', span, `A body has more than ${MOST_PARTS} parts: the rest is not read.`);
      return;
    }
    const inside = parseHeader(text, span.start, span.end, problems);
    if ('refused' in inside) {
      report(problems, 'boundary', span, `A part of a body cannot be read: ${inside.refused}`);
      continue;
    }
    takeApart(text, inside.fields, { start: inside.end, end: span.end }, depth + 1, parts, problems);
  }
}

/** What stands between the lines `--boundary`; the line end before each belongs to it. */
function between(text: string, boundary: string, content: Span, problems: Problem[]): Span[] {
  const spans: Span[] = [];
  const lines = new Lines(text, content.start, content.end);
  let open = -1;
  let before = content.start; // where the line end before this line begins
  while (lines.advance()) {
    const line = text.slice(lines.start, dropBlanks(text, lines.start, Math.min(lines.stop, lines.start + LONGEST_BOUNDARY + 8)));
    const closing = line === `--${boundary}--`;
    if (line === `--${boundary}` || closing) {
      if (open >= 0) spans.push({ start: open, end: Math.max(open, before) });
      open = closing ? -1 : lines.next;
      if (closing) return spans;
    }
    before = lines.stop;
  }
  report(problems, 'boundary', content, spans.length === 0 && open < 0 ? `The boundary ${quoted(boundary)} does not stand in the body.`
    : `The body ends before the closing boundary ${quoted(`--${boundary}--`)}.`);
  if (open >= 0) spans.push({ start: open, end: content.end });
  return spans;
}

function contentTypeOf(text: string, field: Field | undefined): { type: string; boundary: string | null } {
  if (field === undefined) return { type: '', boundary: null };
  const { start, end } = field.value;
  const semicolon = indexIn(text, ';', start, end);
  // m-type SLASH m-subtype, with blanks around the slash (RFC 3261 §25.1)
  const type = text.slice(start, semicolon).replace(/[ \t\r\n]+/g, '').toLowerCase();
  const value = parameterNamed(parseParameters(text, semicolon, end, []).parameters, 'boundary')?.value;
  const boundary = value === null || value === undefined ? null : meaningOf(value);
  return { type, boundary: boundary === null || boundary === '' || boundary.length > LONGEST_BOUNDARY ? null : boundary };
}

/**
 * The session descriptions of a message's body: its parts of type application/sdp, and what begins with `v=` whatever its
 * type is, for the kernel's ALG rewrites that too.
 */
export function sdpsOf(message: Message, whole: Span = message.body): { sdps: Sdp[]; refusals: string[] } {
  const sdps: Sdp[] = [];
  const refusals: string[] = [];
  for (const { type, content } of bodiesOf(message, whole).parts) {
    const { text } = message;
    const declared = type === 'application/sdp';
    const start = declared ? content.start : skipBlanks(text, content.start, content.end);
    if (!declared && !text.startsWith('v=', start) || content.end === content.start) continue;
    const sdp = parseSdp(text, start, content.end);
    if (!('refused' in sdp)) sdps.push(sdp);
    else if (declared) refusals.push(sdp.refused);
  }
  return { sdps, refusals };
}

/** A part of a message (RFC 3420): a start line, or header fields, or both; a body where an empty line stands. */
export interface Fragment extends Span {
  readonly startLine: StartLine | null;
  readonly fields: readonly Field[];
  /** null where no empty line ends the header. */
  readonly body: Span | null;
  readonly problems: readonly Problem[];
}

export function parseFragment(text: string, { start, end }: Span): Fragment | Refusal {
  const lines = new Lines(text, start, end);
  if (!lines.advance()) return { refused: 'The fragment of a message is empty.' };
  const problems: Problem[] = [];
  const first = parseStartLine(text, lines.start, lines.stop);
  const startLine = 'refused' in first ? null : first.line;
  if (!('refused' in first)) problems.push(...first.problems);
  const header = parseHeader(text, startLine === null ? start : lines.next, end, problems);
  if ('refused' in header) return header;
  if (startLine === null && !header.fields.some(({ name }) => name.text !== '')) {
    return { refused: `${quoted(text.slice(start, end))} is no fragment of a message: neither a start line nor a header field.` };
  }
  return { startLine, fields: header.fields, body: header.blank === null ? null : { start: header.end, end }, problems, start, end };
}
