/**
 * What a changed message looks like as a short text: messages of one shape have the same differences, but for their values.
 * Once no more calls are kept, and changes are counted alone, each shape is parsed once. Only the plainest change has one:
 * in some lines one address became another, wherever it stood, and Content-Length went with it.
 */
import type { Translation } from './classify.ts';

const LENGTH = /^(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r?$/i;

/** @returns null where it has to be parsed */
export function shapeOf(before: string, after: string, { inside, outside }: Translation, toProvider: boolean): string | null {
  const [from, to] = toProvider ? [inside, outside] : [outside, inside];
  const [was, is] = [`${from.address}:${from.port}`, `${to.address}:${to.port}`];
  let shape = toProvider ? '>' : '<';
  let lengths: [number, number] | null = null;
  let inHeader = true;
  for (let at = 0, other = 0, line = 0; ; line++) {
    if (at >= before.length || other >= after.length) return at >= before.length && other >= after.length ? shape : null;
    const end = endOf(before, at);
    const otherEnd = endOf(after, other);
    const one = before.slice(at, end);
    const two = after.slice(other, otherEnd);
    [at, other] = [end + 1, otherEnd + 1];
    if (one === two) {
      if (!inHeader || (one !== '\r' && one !== '')) continue;
      inHeader = false;
      if (lengths !== null && (lengths[0] !== before.length - at || lengths[1] !== after.length - other)) return null;
      if (lengths === null && before.length - at !== after.length - other) return null;
      continue;
    }
    const number = inHeader ? LENGTH.exec(one) : null;
    if (number !== null) {
      const newNumber = LENGTH.exec(two);
      if (
        newNumber === null
        || lengths !== null
        || String(Number(number[1])) !== number[1]
        || String(Number(newNumber[1])) !== newNumber[1]
      )
        return null;
      lengths = [Number(number[1]), Number(newNumber[1])];
      shape += ` ${line}length`;
    } else {
      if (one.split(was).join(is).split(from.address).join(to.address) !== two) return null;
      shape += ` ${line}${one.slice(0, Math.max(0, one.indexOf(inHeader ? ':' : '=')))}${placesOf(one, from.address)}`;
    }
  }
}

function endOf(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/** Where in its line each occurrence stands: how many commas, quotes and brackets are before it, and what it belongs to. */
function placesOf(line: string, address: string): string {
  let places = '';
  for (let at = line.indexOf(address); at >= 0; at = line.indexOf(address, at + 1)) {
    const head = line.slice(0, at);
    const name = /[;?&][^;?&=]*=[^;?&=]*$/.exec(head)?.[0] ?? head.slice(-1);
    const end = at + address.length;
    const port = /:\d/.test(line.slice(end, end + 2)) ? ':' : '';
    places += `,${name.slice(0, 16)}${head.replace(/[^,"<>]/g, '')}${port}`;
  }
  return places;
}
