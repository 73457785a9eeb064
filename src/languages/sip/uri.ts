/** URIs of SIP (RFC 3261 §19.1) and of telephone numbers (RFC 3966); of others the scheme. */
import { parseHostPort } from './host.ts';
import type { HostPort } from './host.ts';
import { indexIn, piece, quoted, report } from './text.ts';
import type { Piece, Problem, Refusal, Span } from './text.ts';
import { parseParameter, parseParameters } from './value.ts';
import type { Parameter } from './value.ts';

interface AnyUri extends Span {
  /** As written: `sip`, `SIPS`. */
  readonly scheme: Piece;
  readonly problems: readonly Problem[];
}

/** Escapes (`%41`) are left as they are written: RFC 3261 §19.1.2 compares by them. */
export interface SipUri extends AnyUri {
  readonly kind: 'sip' | 'sips';
  /** Before `@`, without the password; null where there is no `@`. */
  readonly user: Piece | null;
  readonly password: Piece | null;
  readonly hostPort: HostPort;
  readonly parameters: readonly Parameter[];
  /** Behind `?`: header fields for the request that is made of the URI. */
  readonly headers: readonly Parameter[];
}

export interface TelUri extends AnyUri {
  readonly kind: 'tel';
  readonly number: Piece;
  readonly parameters: readonly Parameter[];
}

export interface OtherUri extends AnyUri {
  readonly kind: 'other';
  /** What stands behind the colon. */
  readonly opaque: Piece;
}

export type Uri = SipUri | TelUri | OtherUri;

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
/** No scheme is longer; so the colon is not sought through a whole message. */
const LONGEST_SCHEME = 64;

/** Reads the URI that fills `start` to `end`. */
export function parseUri(text: string, start: number, end: number): Uri | Refusal {
  const head = text.slice(start, Math.min(end, start + LONGEST_SCHEME + 1));
  const colon = head.indexOf(':');
  if (colon < 0 || !SCHEME.test(head.slice(0, colon))) {
    return { refused: `${quoted(text.slice(start, end))} is no URI: it does not begin with a scheme and a colon.` };
  }
  const scheme = piece(text, start, start + colon);
  const from = scheme.end + 1;
  const problems: Problem[] = [];
  const kind = scheme.text.toLowerCase();
  if (kind === 'tel') {
    const stop = indexIn(text, ';', from, end);
    const { parameters, end: last } = parseParameters(text, stop, end, problems, ';', '');
    leftover(text, last, end, problems);
    return { kind, scheme, number: piece(text, from, stop), parameters, problems, start, end };
  }
  if (kind !== 'sip' && kind !== 'sips') return { kind: 'other', scheme, opaque: piece(text, from, end), problems, start, end };
  // The user may hold ; ? / : and more, and no @ (RFC 3261 §25.1): what stands before the first @ is the user, as for the kernel.
  const at = indexIn(text, '@', from, end);
  let user: Piece | null = null;
  let password: Piece | null = null;
  let host = from;
  if (at < end) {
    const split = indexIn(text, ':', from, at);
    user = piece(text, from, split);
    if (split < at) password = piece(text, split + 1, at);
    host = at + 1;
  }
  const hostPort = parseHostPort(text, host, end, ';?,>', false, problems);
  if (hostPort === null) return { refused: `${quoted(text.slice(start, end))} is a URI of SIP without a host.` };
  const { parameters, end: stop } = parseParameters(text, hostPort.end, end, problems, ';', '?>');
  const { headers, end: last } = parseHeaders(text, stop, end, problems);
  leftover(text, last, end, problems);
  return { kind, scheme, user, password, hostPort, parameters, headers, problems, start, end };
}

/** `?name=value&name=value`. */
function parseHeaders(text: string, at: number, end: number, problems: Problem[]): { headers: Parameter[]; end: number } {
  if (at >= end || text.charAt(at) !== '?') return { headers: [], end: at };
  const first = parseParameter(text, at + 1, end, problems, '&', '');
  const { parameters, end: stop } = parseParameters(text, first?.end ?? at + 1, end, problems, '&', '');
  return { headers: first === null ? parameters : [first, ...parameters], end: stop };
}

function leftover(text: string, at: number, end: number, problems: Problem[]): void {
  if (at < end) report(problems, 'uri', { start: at, end }, `${quoted(text.slice(at, end))} at the end of a URI is no part of one.`);
}
