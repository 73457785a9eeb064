/** STUN beside SIP on one port (RFC 5626 §3.5.2; RFC 8489 §5). */

/** 2112A442: the magic cookie, which makes STUN of RFC 5389 and later known for sure. */
const COOKIE = '\x21\x12\xa4\x42';
export const STUN_HEADER = 20;

/** Whether the first byte can be one of STUN: methods up to 0xff, requests, indications and answers (RFC 8489 §5, §18.2). */
export function mayBeStun(code: number): boolean {
  return code <= 3;
}

/** How many bytes the STUN message at `at` has; -1 where there is none. */
export function stunLength(text: string, at: number, end: number): number {
  if (end - at < STUN_HEADER || !mayBeStun(text.charCodeAt(at)) || text.slice(at + 4, at + 8) !== COOKIE) return -1;
  const length = text.charCodeAt(at + 2) << 8 | text.charCodeAt(at + 3);
  return length % 4 === 0 ? STUN_HEADER + length : -1;
}

/** Whether a datagram is one message of STUN, whole. */
export function isStun(text: string, start: number, end: number): boolean {
  return stunLength(text, start, end) === end - start;
}
