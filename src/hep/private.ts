/**
 * A message without what proves who somebody is: credentials and challenges (RFC 3261 §20.7, §20.27, §20.44; RFC 7616) are taken
 * out whole, keys of the media (RFC 4568, RFC 3830) are written over in their length, so that what is left is as it was on the wire.
 */

import type { Message } from '../languages/sip/message.ts';

const SECRET = new Set([
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'proxy-authentication-info',
]);

const over = (text: string): string => 'x'.repeat(text.length);

/** @param text bytes as the text of the same code units (ISO 8859-1), of which `message` was read */
export function withoutAuthentication(text: string, { start, fields, blank }: Message): string {
  // As the parser sees them: whatever ends their lines, and folds and all.
  const bodyAt = blank?.end ?? text.length;
  let header = '';
  let from = start;
  for (const field of fields) {
    if (!SECRET.has(field.canonical)) continue;
    header += text.slice(from, field.start);
    from = field.end;
  }
  header += text.slice(from, bodyAt);
  const body = text
    .slice(bodyAt)
    .replace(/(\binline:)([^\s|;]+)/gi, (_, name: string, key: string) => name + over(key))
    .replace(/^((?:k=|a=(?:key-mgmt|ice-pwd):)[ \t]*)([^\r\n]+)/gim, (_, name: string, key: string) => name + over(key));
  return header.replace(/\b(sips?:[^\s:@;<>"]*:)([^\s@<>"]*)(?=@)/gi, (_, user: string, password: string) => user + over(password)) + body;
}
