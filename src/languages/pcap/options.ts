/** Options of pcapng blocks (draft-ietf-opsawg-pcapng §3.5): code, length, value padded to 32 bits; code 0 ends them. */

const MOST_TEXT = 256;

export type EachOption = (code: number, from: number, length: number) => void;

/**
 * Calls `each` with every option's code, and place and length of its value.
 * @returns where an option begins that does not end before `end`, which is not read; -1 where there is none
 */
export function readOptions(bytes: Uint8Array, at: number, end: number, little: boolean, each: EachOption): number {
  while (end - at >= 4) {
    const code = u16(bytes, at, little);
    const length = u16(bytes, at + 2, little);
    if (code === 0) return -1;
    if (at + 4 + length > end) return at;
    each(code, at + 4, length);
    at += 4 + (length + 3 & ~3);
  }
  return -1;
}

function u16(bytes: Uint8Array, at: number, little: boolean): number {
  return little ? bytes[at]! | bytes[at + 1]! << 8 : bytes[at]! << 8 | bytes[at + 1]!;
}

/** An option's text, UTF-8, cut at 256 bytes; where it is none, each byte is a character. */
export function optionText(bytes: Uint8Array, from: number, length: number): string {
  const raw = [...bytes.subarray(from, from + Math.min(length, MOST_TEXT))];
  try {
    return decodeURIComponent(raw.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    return String.fromCharCode(...raw);
  }
}
