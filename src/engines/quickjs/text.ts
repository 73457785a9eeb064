/**
 * Bytes as text and back, quickly: QuickJS walks a string character by character a hundred times slower than its own
 * functions do. The same mapping as host/text.ts, which does what is not ASCII.
 */
import { decode, encode } from '../../host/text.ts';

/** More than 65,534 arguments are a RangeError. */
const PIECE = 32_768;

/** Each byte as the character of its number. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= PIECE) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) pieces.push(latin1(bytes.subarray(at, at + PIECE)));
  return pieces.join('');
}

let searched: Uint8Array | null = null;
let asText = '';

/** As `Buffer.indexOf`: the engine looks for a text by itself, for a byte string not. The same bytes are looked through many times. */
export function search(bytes: Uint8Array, needle: Uint8Array, from: number): number {
  if (bytes !== searched) asText = latin1((searched = bytes));
  return asText.indexOf(latin1(needle), from);
}

/** Every sequence of UTF-8 beyond ASCII lies within one run of high bytes. */
export function textOf(bytes: Uint8Array): string {
  return latin1(bytes).replace(/[\x80-\xff]+/g, (run) => decode(Uint8Array.from(run, (char) => char.charCodeAt(0))));
}

/** Whether the engine's own writing gives the very bytes: it would write a lone surrogate as three. */
export const isWhole = (text: string): boolean => !/\p{Surrogate}/u.test(text);

export { encode };
