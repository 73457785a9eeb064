/** Messages to try things on, and how work is counted. */

/** Lines of a header and a body: CR LF behind each line of the header, an empty line, the body. */
export function message(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export const SDP = [
  'v=0', 'o=alice 3344 3344 IN IP4 192.168.1.10', 's=-', 'c=IN IP4 192.168.1.10', 't=0 0',
  'm=audio 16384 RTP/AVP 0 8', 'a=rtpmap:0 PCMU/8000', 'a=sendrecv', '',
].join('\r\n');

/** An INVITE as a phone behind a router sends it. */
export function invite({ branch = 'z9hG4bK776asdhds', body = SDP,
  length = `Content-Length: ${body.length}` }: { branch?: string; body?: string; length?: string | null } = {}): string {
  return message([
    'INVITE sip:bob@203.0.113.10 SIP/2.0', `Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=${branch}`, 'Max-Forwards: 70',
    'From: "Alice" <sip:alice@192.168.1.10:5060>;tag=1928301774', 'To: <sip:bob@203.0.113.10>', 'Call-ID: a84b4c76e66710@192.168.1.10',
    'CSeq: 314159 INVITE', 'Contact: <sip:alice@192.168.1.10:5060>', 'Content-Type: application/sdp', ...(length === null ? [] : [length]),
  ], body);
}

export const RINGING = message([
  'SIP/2.0 180 Ringing', 'Via: SIP/2.0/UDP 192.168.1.10:5060;rport=5060;received=203.0.113.20;branch=z9hG4bK776asdhds',
  'From: "Alice" <sip:alice@192.168.1.10:5060>;tag=1928301774', 'To: <sip:bob@203.0.113.10>;tag=314',
    'Call-ID: a84b4c76e66710@192.168.1.10',
  'CSeq: 314159 INVITE', 'Contact: <sip:bob@203.0.113.10:5070>', 'Content-Length: 0',
]);

export const OPTIONS = message([
  'OPTIONS sip:203.0.113.10 SIP/2.0', 'v: SIP/2.0/TCP 192.168.1.10;branch=z9hG4bKopt', 'f: <sip:alice@example.org>;tag=9',
    't: <sip:203.0.113.10>',
  'i: opt-1', 'CSeq: 7 OPTIONS', 'l: 0',
]);

/** A binding request of STUN (RFC 8489 §5) with no attributes. */
export const STUN = '\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl';

/**
 * How much a run does, in characters looked at: each search counts how far it went, each copy what it copied, each
 * pattern the text it was given. No clock is asked, so it is the same number on every machine.
 */
export function work(run: () => unknown): number {
  let count = 0;
  const text = String.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const pattern = RegExp.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const kept: [Record<string, (...args: unknown[]) => unknown>, string, (...args: unknown[]) => unknown][] = [];
  const counted = (host: typeof text, name: string, cost: (self: string, args: unknown[], result: unknown) => number): void => {
    const original = host[name] as (...args: unknown[]) => unknown;
    kept.push([host, name, original]);
    host[name] = function (this: unknown, ...args: unknown[]): unknown {
      const result = original.apply(this, args);
      count += cost(this as string, args, result);
      return result;
    };
  };
  counted(text, 'charCodeAt', () => 1);
  counted(text, 'charAt', () => 1);
  counted(text, 'startsWith', () => 1);
  counted(text, 'indexOf', (self, [, from], at) => ((at as number) < 0 ? self.length : at as number) - Number(from ?? 0) + 1);
  counted(text, 'lastIndexOf', (self, [, from], at) => Math.min(self.length, Number(from ?? self.length)) - (at as number) + 1);
  counted(text, 'includes', (self) => self.length + 1);
  counted(text, 'slice', (_, __, result) => (result as string).length + 1);
  counted(text, 'toLowerCase', (self) => self.length + 1);
  // A pattern goes from where it is told to as far as it matches; the patterns here do not go back.
  counted(pattern, 'exec', (_, [of], result) => result === null ? String(of).length : (result as RegExpExecArray)[0].length + 1);
  try {
    run();
  } finally {
    for (const [host, name, original] of kept) host[name] = original;
  }
  return count;
}
