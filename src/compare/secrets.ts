/**
 * What must never be shown: credentials and what answers a challenge (RFC 3261 §22, RFC 8760), keys of the media
 * (RFC 4568, RFC 8839), passwords in URIs. It is taken out of a difference as soon as it was found, so that nothing that
 * shows differences can show it. That it differs is still said.
 */
import { canonical, grammarOf } from '../languages/sip/names.ts';
import type { Piece } from '../languages/sip/text.ts';
import { NO_FIELD } from './difference.ts';
import type { Difference } from './difference.ts';

export const REDACTED = '[redacted]';

/** Parameters of credentials that tell nothing: which server asks, and how. */
const HARMLESS = new Set(['scheme', ';realm', ';algorithm', ';qop', ';stale', 'name', 'place']);
/** Fields of anybody's making, by what they are called. */
const SECRET_NAME = /auth|token|secret|passw|cookie|credential|api-?key|^identity$|digest/i;
const SECRET_LINE = /^SDP (?:k=|a=(?:crypto|key-mgmt|ice-pwd|ice-ufrag)$)/;
const PARAMETER = /\b(response|nonce|cnonce|nextnonce|rspauth|opaque|auts|username|password|token)(\s*=\s*)(?:"[^"]*"?|[^\s,;>]*)/gi;
const SCHEME = /\b(Basic|Bearer|Digest)[ \t]+[^\r\n]*/gi;
const INLINE = /\binline:[^\s|]*/gi;
const PASSWORD = /\b(sips?:[^\s:@;<>"]*):[^\s@<>"]*@/gi;

/** A text of which nobody knows what it is. */
function scrubbed(text: string): string {
  return text
    .replace(SCHEME, `$1 ${REDACTED}`)
    .replace(PARAMETER, `$1$2${REDACTED}`)
    .replace(INLINE, `inline:${REDACTED}`)
    .replace(PASSWORD, `$1:${REDACTED}@`);
}

function hidden(piece: Piece | null, as = REDACTED): Piece | null {
  return piece === null ? null : { ...piece, text: as };
}

const shown = (piece: Piece | null): Piece | null => {
  if (piece === null) return null;
  const text = scrubbed(piece.text);
  return text === piece.text ? piece : { ...piece, text };
};

export function withoutSecrets(difference: Difference): Difference {
  const { field, part, before, after } = difference;
  // The last resort shows where, and not what: it may be anything.
  if (field === 'Message' && part === '') return { ...difference, before: bytesIn(before), after: bytesIn(after) };
  const name = canonical(field);
  const isSecret = grammarOf(name) === 'credentials' || SECRET_NAME.test(name) || SECRET_LINE.test(field);
  if (field === NO_FIELD || (isSecret && !HARMLESS.has(part)) || part === 'URI password' || part === 'password') {
    return { ...difference, before: hidden(before), after: hidden(after) };
  }
  return { ...difference, before: shown(before), after: shown(after) };
}

function bytesIn(piece: Piece | null): Piece | null {
  return piece === null ? null : { ...piece, text: `${piece.end - piece.start} bytes from byte ${piece.start}` };
}
