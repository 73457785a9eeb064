/**
 * What a probe and a mirror say to each other. Both sides make an answer's header by the same function, so the probe knows
 * byte for byte what the mirror sent, and sees what was changed on the way back too. Pure.
 *
 * A question is any message of SIP with one line more in its header:
 *
 *   X-Sipalg-Probe: 1;id=0123456789abcdef;cookie=...;answer=sip
 *
 * `answer=plain` asks for an answer that is no SIP, for where the one that is does not come through.
 *
 * An answer is a response of SIP that ends whatever the question began. Its body is a part of the question in base64: no ALG
 * finds an address in it. Who asked is in `seen`, every byte of address and port turned over, for the same reason.
 *
 *   X-Sipalg-Mirror: 1;id=0123456789abcdef;part=1/2;seen=8cff8ef1ec3b;cookie=...
 *
 * Who has not proven to be where it asks from (no cookie, or another's) is answered with a cookie and nothing else: a header
 * shorter than the question. So nobody's address can be made to receive more than was sent for it.
 */
import { bitsOf, writePrefix } from '../languages/address/prefixes.ts';
import { fieldNamed, fieldsNamed } from '../languages/sip/fields.ts';
import { parseMessage } from '../languages/sip/message.ts';
import type { Peer } from '../host/network.ts';

export const VERSION = 1;
/** Where a mirror listens, and the control: so many ports above it (5060 and 5080). No ALG of a router looks there. */
export const PORT = 5060;
export const CONTROL = 20;
/** Bytes of a question that is mirrored; of one that could be a question at all. */
export const MOST_QUESTION = 6144;
/** Bytes of an answer's datagram: no network breaks it up, so an answer to a long question comes in several. */
const MOST_DATAGRAM = 1200;
const MOST_PARTS = 16;
const BASE64_LINE = 64;

export interface Mark {
  id: string;
  /** Hexadecimal; '' where there is none yet. */
  cookie: string;
  answer: 'sip' | 'plain';
}

export const ID = /^[0-9a-f]{16}$/;
const QUESTION = /^X-Sipalg-Probe: 1;id=([0-9a-f]{16});cookie=([0-9a-f]{0,32});answer=(sip|plain)\r?$/m;
const ANSWER =
  /^X-Sipalg-Mirror: 1;id=([0-9a-f]{16})(?:;part=(\d{1,2})\/(\d{1,2});seen=([0-9a-f]{12}|[0-9a-f]{36}))?(?:;cookie=([0-9a-f]{32}))?\r?$/m;

export const markLine = ({ id, cookie, answer }: Mark): string => `X-Sipalg-Probe: 1;id=${id};cookie=${cookie};answer=${answer}`;

/** The mark of a question; null: it is none, and nobody's business. @param text a code unit a byte */
export function markOf(text: string): Mark | null {
  const [, id, cookie, answer] = QUESTION.exec(text) ?? [];
  return id === undefined || cookie === undefined ? null : { id, cookie, answer: answer === 'plain' ? 'plain' : 'sip' };
}

/** Every byte of a text of hex digits turned over. */
const turned = (hex: string): string => hex.replace(/../g, (byte) => (parseInt(byte, 16) ^ 0xff).toString(16).padStart(2, '0'));

/** Address and port with every byte turned over, in hexadecimal. */
export const hidden = ({ address, port }: Peer): string => turned(`${bitsOf(address) ?? ''}${port.toString(16).padStart(4, '0')}`);

/** The other way. @param text 12 or 36 hex digits */
export function shownAgain(text: string): Peer {
  const hex = turned(text);
  const bits = hex.slice(0, -4);
  const family = bits.length === 8 ? 'ipv4' : 'ipv6';
  return { address: writePrefix({ family, bits, length: bits.length * 4 }), port: parseInt(hex.slice(-4), 16) };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 §4. @param text a code unit a byte */
export function base64(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at += 3) {
    const [one, two, three] = [text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2)];
    out += ALPHABET.charAt(one >> 2) + ALPHABET.charAt(((one & 3) << 4) | (two >> 4));
    out += at + 1 < text.length ? ALPHABET.charAt(((two & 15) << 2) | (three >> 6)) : '=';
    out += at + 2 < text.length ? ALPHABET.charAt(three & 63) : '=';
  }
  return out;
}

/** @returns null where it is not base64 */
export function fromBase64(text: string): string | null {
  const packed = text.replace(/[\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return null;
  let out = '';
  for (let at = 0; at < packed.length; at += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = [...packed.slice(at, at + 4)].map((char) => Math.max(0, ALPHABET.indexOf(char)));
    out += String.fromCharCode((a << 2) | (b >> 4));
    if (packed.charAt(at + 2) !== '=') out += String.fromCharCode(((b & 15) << 4) | (c >> 2));
    if (packed.charAt(at + 3) !== '=') out += String.fromCharCode(((c & 3) << 6) | d);
  }
  return out;
}

/** The top Via of a reply (RFC 3581 §4), which is what an ALG looks for in it. */
function withReceived(value: string, { address, port }: Peer): string {
  const end = value.search(/,(?=\s*SIP\/)/i);
  const [top, rest] = end < 0 ? [value, ''] : [value.slice(0, end), value.slice(end)];
  return `${top.replace(/;rport(?![=\w])/i, `;rport=${port}`)};received=${address}${rest}`;
}

/** Fields that an answer repeats (RFC 3261 §8.2.6.2), with their lines as they came. */
function repeatedLines(text: string, from: Peer): string[] {
  const message = parseMessage(text);
  if ('refused' in message) return [];
  const lines: string[] = [];
  fieldsNamed(message.fields, 'via').forEach(({ name, value }, index) => {
    const written = text.slice(value.start, value.end);
    lines.push(`${name.text}: ${index === 0 ? withReceived(written, from) : written}`);
  });
  for (const wanted of ['from', 'to', 'call-id', 'cseq']) {
    const field = fieldNamed(message.fields, wanted);
    if (field !== undefined) lines.push(`${field.name.text}: ${text.slice(field.value.start, field.value.end)}`);
  }
  return lines;
}

export interface Part {
  id: string;
  /** From 1. */
  part: number;
  parts: number;
  from: Peer;
}

/** One answer: its header, and a piece of base64. @param question as the mirror got it */
export function answerText(question: string, { id, part, parts, from }: Part, answer: Mark['answer'], body: string): string {
  const mark = `X-Sipalg-Mirror: ${VERSION};id=${id};part=${part}/${parts};seen=${hidden(from)}`;
  if (answer === 'plain') return `${mark}\r\n\r\n${body}`;
  const head = ['SIP/2.0 404 Mirrored', ...repeatedLines(question, from), mark, 'Content-Type: application/octet-stream'];
  return [...head, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/**
 * All answers to a question.
 * @param whole as one, over a stream
 * @returns null where it would take too many
 */
export function answersTo(question: string, { id, answer }: Mark, from: Peer, whole: boolean): string[] | null {
  const packed = base64(question).replace(new RegExp(`.{${BASE64_LINE}}`, 'g'), '$&\r\n');
  const head = answerText(question, { id, part: MOST_PARTS, parts: MOST_PARTS, from }, answer, '').length + 4;
  const room = whole ? packed.length : MOST_DATAGRAM - head;
  const parts = Math.max(1, Math.ceil(packed.length / Math.max(1, room)));
  if (parts > MOST_PARTS) return null;
  return Array.from({ length: parts }, (_, index) =>
    answerText(question, { id, part: index + 1, parts, from }, answer, packed.slice(index * room, (index + 1) * room)),
  );
}

/** What a stranger gets: a cookie. Shorter than any question with the same fields. */
export function cookieText(question: string, { id, answer }: Mark, from: Peer, cookie: string): string {
  const mark = `X-Sipalg-Mirror: ${VERSION};id=${id};cookie=${cookie}`;
  if (answer === 'plain') return `${mark}\r\n\r\n`;
  return ['SIP/2.0 401 Cookie', ...repeatedLines(question, from), mark, 'Content-Length: 0', '', ''].join('\r\n');
}

export type Read = { id: string } & ({ cookie: string } | { part: number; parts: number; from: Peer; body: string });

/** An answer as it came, changed on the way or not; null: it is none. */
export function readAnswer(text: string): Read | null {
  const [, id, part, parts, seen, cookie] = ANSWER.exec(text) ?? [];
  if (id === undefined) return null;
  if (cookie !== undefined) return { id, cookie };
  const end = text.search(/\r?\n\r?\n/);
  if (part === undefined || parts === undefined || seen === undefined || end < 0) return null;
  const [nth, all] = [Number(part), Number(parts)];
  if (nth < 1 || nth > all || all > MOST_PARTS) return null;
  return { id, part: nth, parts: all, from: shownAgain(seen), body: text.slice(end).replace(/^\r?\n\r?\n/, '') };
}
