/**
 * The messages of RFC 4475 from test/fixtures/sip/rfc4475/, one to a file, and beside each what a comparison needs of
 * it, written from what the RFC says of the message. The files are in the RFC's own notation (§2):
 * lines end in CR LF in the message; `<allOneLine>` joins lines, `<repeat count=N>` repeats, `<hex>` gives bytes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { bytesOf } from '../../../../src/languages/sip/text.ts';

const FOLDER = 'test/fixtures/sip/rfc4475';

/** The short names of the RFC, sorted. */
export function names(): string[] {
  return readdirSync(FOLDER).flatMap((file) => file.endsWith('.txt') ? [file.slice(0, -4)] : []).sort();
}

/** The bytes of a message. */
export function message(name: string): Uint8Array {
  return bytesOf(expand(readFileSync(`${FOLDER}/${name}.txt`, 'latin1')));
}

/** What is to be read out of it: a list, for a datagram can hold several. */
export function expected(name: string): unknown {
  return JSON.parse(readFileSync(`${FOLDER}/${name}.json`, 'utf8'));
}

/** What the notation stands for, one code unit a byte. */
export function expand(notation: string): string {
  return notation
    .replace(/<allOneLine>\n([\s\S]*?)<\/allOneLine>\n/g, (_, lines: string) => `${lines.replace(/\n/g, '')}\n`)
    .replace(/<repeat count=(\d+)>([^<]*)<\/repeat>/g, (_, count: string, text: string) => text.repeat(Number(count)))
    .replace(/\n/g, '\r\n')
    .replace(/<hex>([0-9A-Fa-f]*)<\/hex>/g, (_, digits: string) =>
      digits.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));
}
