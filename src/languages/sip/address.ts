/**
 * Addresses as From, To, Contact, Route and their like have them (RFC 3261 §20.10): a URI between <>, with a display
 * name before it and parameters behind it, or a URI alone.
 */
import { dropBlanks, piece, quoted, report, skipBlanks } from './text.ts';
import type { Piece, Problem, Span } from './text.ts';
import { bracketEnd, parseList, parseParameters, quotedEnd, runEnd } from './value.ts';
import type { List, Parameter } from './value.ts';

export interface Address extends Span {
  /** As written, with its quotes; null where there is none. */
  readonly displayName: Piece | null;
  /** What stands between <>, or the URI alone; `*` in `Contact: *`. For `parseUri`. */
  readonly uri: Piece;
  /** Whether the URI stands between <>: if not, what follows a `;` belongs to the address and not to the URI. */
  readonly bracketed: boolean;
  /** tag, q, expires and what else there is. */
  readonly parameters: readonly Parameter[];
}

/** The members of a list, as Contact and Route have them. */
export function parseAddresses(text: string, start: number, end: number): List<Address> {
  return parseList(text, start, end, 'an address', readAddress);
}

/** The one address of From, To, Refer-To: a comma before `<` is a part of the display name, if not a legal one. */
export function parseAddress(text: string, start: number, end: number): List<Address> {
  const problems: Problem[] = [];
  const at = skipBlanks(text, start, end);
  const stop = dropBlanks(text, at, end);
  const address = readAddress(text, at, stop, problems) ?? readLoose(text, at, stop, problems);
  if (address === null) {
    report(problems, 'unread', { start: at, end: stop }, `${quoted(text.slice(at, stop))} is no address.`);
    return { members: [], problems };
  }
  if (address.end < stop) {
    report(problems, 'unread', { start: address.end, end: stop }, `${quoted(text.slice(address.end, stop))} stands behind an address.`);
  }
  return { members: [address], problems };
}

function readAddress(text: string, at: number, end: number, problems: Problem[]): Address | null {
  let next = at;
  if (text.charAt(at) === '"') {
    const closed = quotedEnd(text, at, end);
    if (closed < 0) return readLoose(text, at, end, problems);
    next = skipBlanks(text, closed, end);
    if (text.charAt(next) !== '<' || next >= end) return null;
    return bracketed(text, at, piece(text, at, closed), next, end, problems);
  }
  // Words up to the bracket, or a URI alone: it ends at a blank, at a `;`, at a `,` and cannot hold a `<`.
  const word = runEnd(text, at, end, '<,;"');
  next = skipBlanks(text, word, end);
  if (next < end && text.charAt(next) === '<') return bracketed(text, at, word === at ? null : piece(text, at, word), next, end, problems);
  if (text.slice(at, word).includes(':') || text.slice(at, word) === '*') return alone(text, at, word, end, problems);
  const open = memberStop(text, at, end);
  if (open >= end || text.charAt(open) !== '<') return null;
  return bracketed(text, at, piece(text, at, dropBlanks(text, at, open)), open, end, problems);
}

/** The `<` of a display name of several words, or what stands before it and may not. */
function memberStop(text: string, at: number, end: number): number {
  while (at < end && !'<,;"'.includes(text.charAt(at))) at++;
  return at;
}

/** A display name that is not what RFC 3261 allows, such as one with a quote that is never closed: up to `<`, whatever it is. */
function readLoose(text: string, at: number, end: number, problems: Problem[]): Address | null {
  const open = text.indexOf('<', at);
  if (open < 0 || open >= end) return null;
  const name = piece(text, at, dropBlanks(text, at, open));
  report(problems, 'display-name', name, `The display name ${quoted(name.text)} is neither words nor a quoted string that is closed.`);
  return bracketed(text, at, name, open, end, problems);
}

function bracketed(text: string, start: number, displayName: Piece | null, open: number, end: number, problems: Problem[]): Address | null {
  const closed = bracketEnd(text, open, end);
  if (closed < 0) {
    // No further member can have one either, so all that follows is this one's.
    const uri = piece(text, open + 1, dropBlanks(text, open + 1, end));
    report(problems, 'bracket-open', { start: open, end }, `${quoted(text.slice(open, end))} begins with "<" and has no ">".`);
    return { displayName, uri, bracketed: true, parameters: [], start, end: dropBlanks(text, open + 1, end) };
  }
  const from = skipBlanks(text, open + 1, closed);
  const uri = piece(text, from, dropBlanks(text, from, closed));
  if (uri.end - uri.start !== closed - open - 1) {
    report(problems, 'uri', { start: open, end: closed + 1 }, 'Blanks stand between <> and the URI; RFC 3261 §25.1 allows none.');
  }
  const { parameters, end: stop } = parseParameters(text, closed + 1, end, problems);
  return { displayName, uri, bracketed: true, parameters, start, end: stop };
}

function alone(text: string, start: number, stop: number, end: number, problems: Problem[]): Address {
  const uri = piece(text, start, stop);
  if (uri.text.includes('?')) {
    report(problems, 'uri', uri, 'A URI with a "?" stands without <> around it (RFC 3261 §20.10).');
  }
  const { parameters, end: last } = parseParameters(text, stop, end, problems);
  return { displayName: null, uri, bracketed: false, parameters, start, end: last };
}
