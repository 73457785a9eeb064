/** Via (RFC 3261 §20.42): where a request came by, newest first, one or more to a field. */
import { parseHostPort } from './host.ts';
import type { HostPort } from './host.ts';
import { piece, skipBlanks } from './text.ts';
import type { Piece, Problem, Span } from './text.ts';
import { parseList, parseParameters, runEnd } from './value.ts';
import type { List, Parameter } from './value.ts';

export interface Via extends Span {
  /** `SIP/2.0/UDP` as written, blanks and folds within it too. */
  readonly protocol: Piece;
  /** `UDP` as written. */
  readonly transport: Piece;
  readonly sentBy: HostPort;
  /** branch, received, rport, maddr, ttl and what else there is. */
  readonly parameters: readonly Parameter[];
}

/** The members of a Via field's value. */
export function parseVia(text: string, start: number, end: number): List<Via> {
  return parseList(text, start, end, 'a Via', readVia);
}

function readVia(text: string, at: number, end: number, problems: Problem[]): Via | null {
  // sent-protocol = protocol-name SLASH protocol-version SLASH transport, with blanks around each slash
  let next = at;
  let transport: Piece | null = null;
  for (let part = 0; part < 3; part++) {
    const stop = runEnd(text, next, end, '/,;');
    if (stop === next) return null;
    if (part === 2) {
      transport = piece(text, next, stop);
      next = stop;
      break;
    }
    const slash = skipBlanks(text, stop, end);
    if (slash >= end || text.charAt(slash) !== '/') return null;
    next = skipBlanks(text, slash + 1, end);
  }
  if (transport === null) return null;
  const sentBy = parseHostPort(text, skipBlanks(text, next, end), end, ';,', true, problems);
  if (sentBy === null) return null;
  const { parameters, end: stop } = parseParameters(text, sentBy.end, end, problems);
  return { protocol: piece(text, at, transport.end), transport, sentBy, parameters, start: at, end: stop };
}
