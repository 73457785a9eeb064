/**
 * What the values of header fields are made of (RFC 3261 §25.1): quoted strings, parameters, members of a list. Blanks
 * and folds are allowed around every separator, and are no part of a piece. Each walk goes forward only.
 */
import { isBlank, piece, quoted, report, skipBlanks } from './text.ts';
import type { Piece, Problem, Span } from './text.ts';

/** So many members, or parameters, nobody needs; each costs memory. What follows them is unread. */
export const MOST_MEMBERS = 1024;

/** What a field's value was read as. */
export interface List<T> {
  readonly members: readonly T[];
  readonly problems: readonly Problem[];
}

/** `;name`, `;name=value`: from the name to the end of the value, the separator left out. */
export interface Parameter extends Span {
  readonly name: Piece;
  /** With its quotes where it has some; null where there is no `=`. */
  readonly value: Piece | null;
}

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const LESS = 60;

/** Behind the quote that closes the one at `at`; -1 where none does. A backslash keeps the next character from closing. */
export function quotedEnd(text: string, at: number, end: number): number {
  for (at++; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at++;
  }
  return -1;
}

/** Where the first of `stops`, or a blank, stands from `at` on; `end` where none does. */
export function runEnd(text: string, at: number, end: number, stops: string): number {
  while (at < end && !isBlank(text.charCodeAt(at)) && !stops.includes(text.charAt(at))) at++;
  return at;
}

/** The comma that ends the member of a list `at` stands in, outside of quotes and of <>; `end` where there is none. */
export function memberEnd(text: string, at: number, end: number): number {
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === COMMA) return at;
    if (code === QUOTE) {
      const closed = quotedEnd(text, at, end);
      if (closed < 0) return end;
      at = closed;
    } else if (code === LESS) {
      const closed = text.indexOf('>', at);
      if (closed < 0 || closed >= end) return end;
      at = closed + 1;
    } else {
      at++;
    }
  }
  return end;
}

/** What a member of a list is read by: from `at` to its comma or to `end`; null where it is none of its kind. */
export type ReadMember<T> = (text: string, at: number, end: number, problems: Problem[]) => (T & Span) | null;

/** Members between commas. An empty one, and one that cannot be read, is a problem with its place. */
export function parseList<T extends Span>(text: string, start: number, end: number, what: string, read: ReadMember<T>): List<T> {
  const members: T[] = [];
  const problems: Problem[] = [];
  let at = skipBlanks(text, start, end);
  for (; at < end; at = skipBlanks(text, at + 1, end)) {
    if (text.charCodeAt(at) === COMMA) {
      report(problems, 'empty-member', { start: at, end: at + 1 }, `A list of ${what} has an empty member.`);
      continue;
    }
    if (members.length === MOST_MEMBERS) {
      report(problems, 'unread', { start: at, end }, `A list of more than ${MOST_MEMBERS} members: the rest is not read.`);
      break;
    }
    const member = read(text, at, end, problems);
    if (member === null) {
      const stop = memberEnd(text, at, end);
      report(problems, 'unread', { start: at, end: stop }, `${quoted(text.slice(at, stop))} is not ${what}.`);
      at = stop;
      continue;
    }
    members.push(member);
    at = skipBlanks(text, member.end, end);
    if (at < end && text.charCodeAt(at) !== COMMA) {
      const stop = memberEnd(text, at, end);
      report(problems, 'unread', { start: at, end: stop }, `${quoted(text.slice(at, stop))} stands behind ${what}.`);
      at = stop;
    }
  }
  return { members, problems };
}

/**
 * Parameters from `at` on, each behind `separator`, until something else stands there.
 * @param stops where a value ends that has no quotes, besides the separator and a blank
 * @returns the parameters, and where the last of them ended
 */
export function parseParameters(
  text: string, at: number, end: number, problems: Problem[], separator = ';', stops = ',',
): { parameters: Parameter[]; end: number } {
  const parameters: Parameter[] = [];
  let stopped = at;
  for (;;) {
    at = skipBlanks(text, stopped, end);
    if (at >= end || text.charAt(at) !== separator || parameters.length === MOST_MEMBERS) return { parameters, end: stopped };
    const start = skipBlanks(text, at + 1, end);
    const parameter = parseParameter(text, start, end, problems, separator, stops);
    if (parameter === null) {
      report(problems, 'bad-parameter', { start: at, end: at + 1 }, `Behind a ${quoted(separator)} there is no parameter.`);
      stopped = at + 1;
    } else {
      parameters.push(parameter);
      stopped = parameter.end;
    }
  }
}

/** One parameter that begins at `start`; null where there is no name. */
export function parseParameter(
  text: string, start: number, end: number, problems: Problem[], separator = ';', stops = ',',
): Parameter | null {
  const ends = separator + stops;
  const nameEnd = runEnd(text, start, end, `${ends}="`);
  if (nameEnd === start) return null;
  const name = piece(text, start, nameEnd);
  const equals = skipBlanks(text, nameEnd, end);
  if (equals >= end || text.charAt(equals) !== '=') return { name, value: null, start, end: nameEnd };
  const from = skipBlanks(text, equals + 1, end);
  let to: number;
  if (text.charCodeAt(from) === QUOTE && from < end) {
    to = quotedEnd(text, from, end);
    if (to < 0) {
      report(problems, 'quote-open', { start: from, end }, 'A quoted string is not closed.');
      to = end;
    }
  } else {
    to = runEnd(text, from, end, ends);
  }
  return { name, value: piece(text, from, to), start, end: Math.max(to, equals + 1) };
}

/** The first parameter of a name, in any case. @param name in lower case */
export function parameterNamed(parameters: readonly Parameter[], name: string): Parameter | undefined {
  return parameters.find((parameter) => parameter.name.text.toLowerCase() === name);
}

/** What a parameter's value means: without quotes, and without the backslashes that keep characters (RFC 3261 §25.1). */
export function meaningOf(value: Piece): string {
  return value.text.length >= 2 && value.text.startsWith('"') && value.text.endsWith('"')
    ? value.text.slice(1, -1).replace(/\\([\s\S])/g, '$1') : value.text;
}

/** The end of what stands between `<` at `at` and its `>`; -1 where there is none. */
export function bracketEnd(text: string, at: number, end: number): number {
  const closed = text.indexOf('>', at);
  return closed < 0 || closed >= end ? -1 : closed;
}
