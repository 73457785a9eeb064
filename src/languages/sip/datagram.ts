/** What one datagram of UDP holds: a message, several, a keep-alive, STUN, or none of these. */
import { isStun } from './keep-alive.ts';
import { MOST_BYTES, parseMessage, withoutRest } from './message.ts';
import type { Message } from './message.ts';
import { isStartLine, lineAt, seekStartLine } from './seek.ts';
import { quoted } from './text.ts';
import type { Span } from './text.ts';

export type DatagramFrame =
  | { readonly kind: 'message'; readonly message: Message }
  /** CR LF (RFC 5626 §3.5.1), a NUL or four, `jaK`, or nothing: what phones send to keep a NAT's entry. */
  | { readonly kind: 'keep-alive' } & Span
  /** RFC 8489 §5. */
  | { readonly kind: 'stun' } & Span
  /** What is none of these; `refused` says why it is no message. */
  | { readonly kind: 'other'; readonly refused: string } & Span;

/** A datagram that holds more messages is made to cost time. */
export const MOST_MESSAGES = 64;

const KEEP_ALIVE = /^(?:[\r\n]*|\0{1,4}|jaK)$/;

/** Takes a datagram's payload apart; the frames follow one another and leave nothing out. */
export function framesOf(text: string): DatagramFrame[] {
  const end = text.length;
  const other = (start: number, stop: number, refused: string): DatagramFrame => ({ kind: 'other', start, end: stop, refused });
  if (end > MOST_BYTES) return [other(0, end, `It has ${end} bytes, and a datagram has ${MOST_BYTES} at most.`)];
  if (end <= 256 && KEEP_ALIVE.test(text)) return [{ kind: 'keep-alive', start: 0, end }];
  if (isStun(text, 0, end)) return [{ kind: 'stun', start: 0, end }];
  const frames: DatagramFrame[] = [];
  for (let at = 0; at < end;) {
    const parsed = parseMessage(text, at, end);
    if ('refused' in parsed) {
      // Seen in captures: something before a message; the kernel's ALG finds the header fields behind it too.
      const behind = frames.length === 0 ? seekStartLine(text, 0, end) : -1;
      if (behind > 0) {
        frames.push(other(0, behind, `${quoted(text.slice(0, behind))} stands before the start line of a message.`));
        at = behind;
        continue;
      }
      frames.push(other(at, end, parsed.refused));
      return frames;
    }
    const { rest } = parsed;
    const follows = rest.end > rest.start && frames.length + 1 < MOST_MESSAGES && messageFollows(text, rest);
    frames.push({ kind: 'message', message: follows ? withoutRest(parsed) : parsed });
    at = follows ? rest.start : end;
  }
  return frames;
}

/** Whether what stands behind a declared body is another message, and no more of the body. */
function messageFollows(text: string, { start, end }: Span): boolean {
  let at = start;
  while (at < end && (text.charCodeAt(at) === 13 || text.charCodeAt(at) === 10)) at++;
  return isStartLine(lineAt(text, at, end));
}
