/** The header: fields up to the empty line (RFC 3261 §7.3). Also of a part of a multipart body, and of a sipfrag. */
import { canonical, isUsual } from './names.ts';
import { TOKEN } from './start-line.ts';
import { dropBlanks, Lines, piece, report, quoted, skipBlanks, unfold } from './text.ts';
import type { Piece, Problem, Refusal, Span } from './text.ts';

/** A field with the lines it is folded into, from its name to its last line end. */
export interface Field extends Span {
  /** As written, without blanks; empty where the line has no name and no colon. */
  readonly name: Piece;
  /** The long name in lower case: `v` is `via`. Empty where there is no name. */
  readonly canonical: string;
  /** Where the value is, folds and all, without the blanks around it. `text.slice(value.start, value.end)` is the raw value. */
  readonly value: Span;
  /** The value in one line: folds are one blank. */
  readonly content: string;
}

export interface Header extends Span {
  readonly fields: readonly Field[];
  /** The empty line that ends the header; null where the text ends before it. */
  readonly blank: Span | null;
}

/** Nobody's message has so many; each costs memory, and a datagram could bring 20,000 of them. */
export const MOST_FIELDS = 1024;

/** Reads fields from `start` on until an empty line, or until `end`. */
export function parseHeader(text: string, start: number, end: number, problems: Problem[]): Header | Refusal {
  const fields: Field[] = [];
  const lines = new Lines(text, start, end);
  let oddEnds = false;
  let first = -1;
  let stop = start;
  let last = start;
  let colon = -1;
  let folded = false;
  while (lines.advance()) {
    if (!oddEnds && lines.next - lines.stop !== 2 && lines.stop < end) {
      oddEnds = true;
      report(problems, 'line-ends', { start: lines.stop, end: lines.next },
        `A line of the header ends in ${text.charCodeAt(lines.stop) === 10 ? 'LF' : 'CR'} alone; RFC 3261 §7 asks for CR LF.`);
    }
    if (lines.stop === lines.start) {
      if (first >= 0) fields.push(fieldOf(text, { start: first, end: last }, stop, colon, folded, problems));
      return { fields, blank: { start: lines.start, end: lines.next }, start, end: lines.next };
    }
    const code = text.charCodeAt(lines.start);
    if ((code === 32 || code === 9) && first >= 0) {
      folded = true;
      stop = lines.stop;
      last = lines.next;
      continue;
    }
    if (first >= 0) fields.push(fieldOf(text, { start: first, end: last }, stop, colon, folded, problems));
    if (fields.length === MOST_FIELDS) return { refused: `Its header has more than ${MOST_FIELDS} fields.` };
    first = lines.start;
    stop = lines.stop;
    last = lines.next;
    folded = false;
    const at = text.slice(lines.start, lines.stop).indexOf(':');
    colon = at < 0 ? -1 : lines.start + at;
  }
  if (first >= 0) fields.push(fieldOf(text, { start: first, end: last }, stop, colon, folded, problems));
  return { fields, blank: null, start, end };
}

/** @param stop where the field's last line end begins */
function fieldOf(text: string, { start, end }: Span, stop: number, colon: number, folded: boolean, problems: Problem[]): Field {
  const name = piece(text, start, colon < 0 ? start : dropBlanks(text, start, colon));
  const valueStart = skipBlanks(text, colon < 0 ? start : colon + 1, stop);
  const value = { start: valueStart, end: dropBlanks(text, valueStart, stop) };
  const raw = text.slice(value.start, value.end);
  const code = text.charCodeAt(start);
  if (code === 32 || code === 9) {
    report(problems, 'fold-without-field', { start, end },
      'The first line of the header begins with a blank, so it continues a field that is not there.');
  } else if (!isUsual(name.text) && !TOKEN.test(name.text)) {
    report(problems, 'not-a-field', { start, end },
      `${quoted(text.slice(start, end))} is no field: a name, a colon and a value (RFC 3261 §7.3.1).`);
  }
  return { name, canonical: canonical(name.text), value, content: folded ? unfold(raw) : raw, start, end };
}

/** The first field of a name. @param name canonical, as `call-id` */
export function fieldNamed(fields: readonly Field[], name: string): Field | undefined {
  return fields.find((field) => field.canonical === name);
}

/** Every field of a name, in order. @param name canonical, as `via` */
export function fieldsNamed(fields: readonly Field[], name: string): Field[] {
  return fields.filter((field) => field.canonical === name);
}
