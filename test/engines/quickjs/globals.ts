/** What tests expect to be there without importing it, and QuickJS has not. Loaded before anything else. */
import * as os from 'qjs:os';

type Encoding = 'utf8' | 'utf-8' | 'latin1' | 'binary' | 'ascii' | 'hex';

/** UTF-8 (RFC 3629), without the engine's own reader: tests are to see each byte. Half a pair becomes U+FFFD, as in Node. */
function encode(text: string): number[] {
  const bytes: number[] = [];
  for (const char of text) {
    let code = char.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}

/** By the maximal subparts of the Unicode standard (chapter 3, U+FFFD substitution), as browsers and Node do it. */
function decode(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at++]!;
    let code = first;
    if (first >= 0x80) {
      const more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
      code = more === 0 ? 0xfffd : first & (0x3f >> more);
      for (let nth = 0; nth < more; nth++) {
        const next = bytes[at] ?? 0;
        const least = nth === 0 ? ({ 0xe0: 0xa0, 0xf0: 0x90 }[first] ?? 0x80) : 0x80;
        const most = nth === 0 ? ({ 0xed: 0x9f, 0xf4: 0x8f }[first] ?? 0xbf) : 0xbf;
        if (next < least || next > most) {
          code = 0xfffd;
          break;
        }
        code = (code << 6) | (next & 63);
        at++;
      }
    }
    text += String.fromCodePoint(code);
    if (text.length > 4096) {
      pieces.push(text);
      text = '';
    }
  }
  return pieces.join('') + text;
}

/** As much of Node's Buffer as pure tests use. */
class Bytes extends Uint8Array {
  override toString(how: Encoding = 'utf8'): string {
    if (how === 'hex') return [...this].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    if (how !== 'latin1' && how !== 'binary') return decode(this);
    let text = '';
    for (let at = 0; at < this.length; at += 8192) text += String.fromCharCode(...this.subarray(at, at + 8192));
    return text;
  }
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, at) => byte === other[at]);
  }
}

// Not as methods of the class: Uint8Array has a `from` of its own, which takes something else.
Object.assign(Bytes, {
  from(given: string | ArrayBuffer | ArrayLike<number>, how?: Encoding | number, length?: number): Bytes {
    if (given instanceof ArrayBuffer) return new Bytes(given, how as number | undefined, length);
    if (typeof given !== 'string') return new Bytes(given);
    if (how === 'latin1' || how === 'binary' || how === 'ascii') return new Bytes([...given].map((char) => char.charCodeAt(0) & 0xff));
    if (how === 'hex') return new Bytes((given.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
    return new Bytes(encode(given));
  },
  alloc: (size: number, fill = 0): Bytes => new Bytes(size).fill(fill) as Bytes,
  concat(parts: readonly Uint8Array[]): Bytes {
    const whole = new Bytes(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  },
  byteLength: (text: string): number => encode(text).length,
  isBuffer: (one: unknown): boolean => one instanceof Bytes,
});

const task = (work: (...args: unknown[]) => void, milliseconds: number, args: unknown[]): object =>
  os.setTimeout(() => work(...args), milliseconds);

Object.assign(globalThis, {
  Buffer: Bytes,
  setTimeout: (work: () => void, milliseconds = 0, ...args: unknown[]) => task(work, milliseconds, args),
  clearTimeout: (timer?: object) => {
    if (timer !== undefined) os.clearTimeout(timer);
  },
  setImmediate: (work: () => void, ...args: unknown[]) => task(work, 0, args),
  queueMicrotask: (work: () => void) => {
    void Promise.resolve().then(work);
  },
  structuredClone: (given: unknown) => JSON.parse(JSON.stringify(given)) as unknown,
  TextEncoder: class {
    encode(text = ''): Uint8Array {
      return new Uint8Array(encode(text));
    }
  },
  TextDecoder: class {
    decode(bytes: Uint8Array = new Uint8Array()): string {
      return decode(bytes);
    }
  },
  process: { env: { SIPALG_TEST_DEMANDING: '1' }, on: () => {}, cwd: () => '.' },
});
