/** `host` and `host:port` as Via and URIs have them (RFC 3261 §25.1; RFC 5118 for the forms of IPv6). */
import { indexIn, piece, quoted, report, skipBlanks } from './text.ts';
import type { Piece, Problem, Span } from './text.ts';
import { runEnd } from './value.ts';

export interface HostPort extends Span {
  /** As written: a name, an IPv4 address, an IPv6 address in brackets. */
  readonly host: Piece;
  /** The host without brackets: what an address is compared by. */
  readonly address: string;
  readonly port: Piece | null;
  /** The port as a number, 0 to 65535; null where there is none, or where it is none. */
  readonly number: number | null;
}

/** An address has 45 characters at most, a zone and its `%25` come behind it (RFC 6874). */
const LONGEST_REFERENCE = 96;
/** Asked of short texts alone, as it goes back and forth. IPv6 without brackets, which RFC 5118 §4.1 calls wrong and which some send. */
const BARE_IPV6 = /^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/;

/**
 * Reads a host and its port from `at` on.
 * @param stops where either ends, besides a blank
 * @param blanks whether blanks may stand around the colon, as in a Via
 * @returns null where there is no host
 */
export function parseHostPort(text: string, at: number, end: number, stops: string, blanks: boolean, problems: Problem[]): HostPort | null {
  let host: Piece;
  if (text.charAt(at) === '[' && at < end) {
    const within = Math.min(end, at + LONGEST_REFERENCE);
    const closed = indexIn(text, ']', at, within);
    if (closed === within) {
      host = piece(text, at, runEnd(text, at, end, stops));
      report(problems, 'bracket-open', host, `${quoted(host.text)} begins with "[" and has no "]".`);
    } else {
      host = piece(text, at, closed + 1);
    }
  } else {
    host = piece(text, at, runEnd(text, at, end, `:${stops}`));
    const whole = runEnd(text, at, end, stops);
    if (whole > host.end && whole - at <= LONGEST_REFERENCE && BARE_IPV6.test(text.slice(at, whole))) {
      host = piece(text, at, whole);
      report(problems, 'bad-host', host,
        `${quoted(host.text)} is an IPv6 address without brackets, so it is not clear where a port would begin.`);
    }
  }
  if (host.end === host.start) return null;
  const address = host.text.startsWith('[') && host.text.endsWith(']') ? host.text.slice(1, -1) : host.text;
  const colon = blanks ? skipBlanks(text, host.end, end) : host.end;
  if (colon >= end || text.charAt(colon) !== ':') return { host, address, port: null, number: null, start: at, end: host.end };
  const from = blanks ? skipBlanks(text, colon + 1, end) : colon + 1;
  const port = piece(text, from, runEnd(text, from, end, stops));
  const number = /^\d{1,9}$/.test(port.text) && Number(port.text) <= 65_535 ? Number(port.text) : null;
  if (number === null) report(problems, 'bad-port', port, `The port is ${quoted(port.text)}, and not a number from 0 to 65535.`);
  return { host, address, port, number, start: at, end: Math.max(port.end, colon + 1) };
}
