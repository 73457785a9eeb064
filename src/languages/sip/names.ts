/** Names of header fields, and which grammar the value of each has. */

/** The compact forms, by IANA's registry of SIP header fields; RFC 3261 §7.3.3 and the RFC of each. */
const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact', b: 'referred-by', c: 'content-type', d: 'request-disposition', e: 'content-encoding', f: 'from',
  i: 'call-id', j: 'reject-contact', k: 'supported', l: 'content-length', m: 'contact', n: 'identity-info', o: 'event',
  r: 'refer-to', s: 'subject', t: 'to', u: 'allow-events', v: 'via', x: 'session-expires', y: 'identity',
};

/** How a value is to be read: `text` is anything that has no addresses in it, or a grammar of its own. */
export type Grammar = 'via' | 'addresses' | 'address' | 'cseq' | 'credentials' | 'length' | 'text';

const GRAMMARS: ReadonlyMap<string, Grammar> = new Map<string, Grammar>([
  ['via', 'via'],
  ['cseq', 'cseq'],
  ['content-length', 'length'],
  // One address, so that a comma is part of it (RFC 3261 §20.20, §20.39; RFC 3515 §2.1; RFC 3892 §3).
  ...['from', 'to', 'refer-to', 'referred-by'].map((name) => [name, 'address'] as const),
  // RFC 3261 §20; RFC 3327, 3608 (Path, Service-Route); RFC 3325, 7315, 5002, 5502 (P-...); RFC 5806 (Diversion);
  // RFC 7044 (History-Info); Remote-Party-ID from draft-ietf-sip-privacy-04.
  ...['contact', 'route', 'record-route', 'path', 'service-route', 'reply-to', 'p-asserted-identity', 'p-preferred-identity',
    'p-associated-uri', 'p-called-party-id', 'p-profile-key', 'p-served-user', 'remote-party-id', 'diversion', 'history-info',
    'alert-info', 'call-info', 'error-info', 'permission-missing', 'trigger-consent', 'p-user-database']
    .map((name) => [name, 'addresses'] as const),
  ...['authorization', 'proxy-authorization', 'www-authenticate', 'proxy-authenticate', 'authentication-info', 'proxy-authentication-info']
    .map((name) => [name, 'credentials'] as const),
]);

/** Other names that messages mostly have, so that they need not be lowered each time. */
const USUAL = [
  'max-forwards', 'user-agent', 'server', 'allow', 'accept', 'expires', 'min-expires', 'require', 'proxy-require', 'date', 'reason',
  'warning', 'retry-after', 'content-disposition', 'min-se', 'privacy', 'organization', 'rseq', 'rack', 'mime-version',
];

/**
 * The long name in lower case: `v` and `VIA` are `via`. An unknown name is itself in lower case. Names are compared
 * without regard to case (RFC 3261 §7.3.1).
 */
export function canonical(name: string): string {
  const usual = SPELLINGS.get(name);
  if (usual !== undefined) return usual;
  const lower = name.toLowerCase();
  return SPELLINGS.get(lower) ?? lower;
}

/** Whether a name is written as it mostly is; so it is a token, too. */
export function isUsual(name: string): boolean {
  return SPELLINGS.has(name);
}

/** Whether a name as it is written is a compact form. */
export function isCompact(name: string): boolean {
  return name.length === 1 && Object.hasOwn(COMPACT, name.toLowerCase());
}

/** @param name canonical */
export function grammarOf(name: string): Grammar {
  return GRAMMARS.get(name) ?? 'text';
}

const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'id': 'ID', 'cseq': 'CSeq', 'uri': 'URI', 'www': 'WWW', 'mime': 'MIME', 'rack': 'RAck', 'rseq': 'RSeq', 'sip': 'SIP', 'etag': 'ETag',
};

/** A canonical name as the RFCs write it: `call-id` is `Call-ID`. */
export function titleOf(name: string): string {
  return name.split('-').map((word) => Object.hasOwn(ABBREVIATIONS, word) ? ABBREVIATIONS[word] as string
    : word.slice(0, 1).toUpperCase() + word.slice(1)).join('-');
}

/** Usual spellings: in lower case, as the RFCs write them, and the compact forms in either case. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...[...GRAMMARS.keys(), ...Object.values(COMPACT), ...USUAL].flatMap((name) => [[name, name], [titleOf(name), name]] as const),
  ...Object.entries(COMPACT).flatMap(([letter, name]) => [[letter, name], [letter.toUpperCase(), name]] as const),
]);
