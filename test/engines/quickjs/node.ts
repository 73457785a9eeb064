/**
 * As much of Node's fs, path and crypto as pure tests use to read their fixtures, on QuickJS: test/engines/pure.test.ts packs
 * it in their place. What is missing fails at once, by name, where a test asks for it.
 */
import * as os from 'qjs:os';

const failure = (what: string, path: string, errno: number): Error =>
  Object.assign(new Error(`${what} '${path}': errno ${-errno}`), { code: errno === -2 ? 'ENOENT' : `E${-errno}` });

export const existsSync = (path: string): boolean => os.stat(path)[1] === 0;

export function statSync(path: string): { size: number; isFile(): boolean; isDirectory(): boolean } {
  const [stat, errno] = os.stat(path);
  if (errno !== 0) throw failure('stat', path, -errno);
  const is = (kind: number): boolean => (stat.mode & os.S_IFMT) === kind;
  return { size: stat.size, isFile: () => is(os.S_IFREG), isDirectory: () => is(os.S_IFDIR) };
}

function bytesOf(path: string): Buffer {
  const fd = os.open(path, os.O_RDONLY);
  if (fd < 0) throw failure('open', path, fd);
  const { size } = statSync(path);
  const buffer = new ArrayBuffer(size);
  let read = 0;
  for (let got = 1; got > 0 && read < size; read += Math.max(got, 0)) got = os.read(fd, buffer, read, size - read);
  os.close(fd);
  return Buffer.from(buffer.slice(0, read));
}

export function readFileSync(path: string, how?: BufferEncoding | { encoding: BufferEncoding }): Buffer | string {
  const encoding = typeof how === 'string' ? how : how?.encoding;
  const bytes = bytesOf(path);
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

const never = (what: string) => (): never => {
  throw new Error(`Nothing is written here, and ${what} was asked for.`);
};
export const writeFileSync = never('writeFileSync');
export const mkdirSync = never('mkdirSync');

interface Entry {
  name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

export function readdirSync(path: string, { recursive = false, withFileTypes = false } = {}): (string | Entry)[] {
  const [found, errno] = os.readdir(path);
  if (errno !== 0) throw failure('readdir', path, -errno);
  const names = found.filter((name) => name !== '.' && name !== '..').sort();
  const isFolder = (name: string): boolean => statSync(`${path}/${name}`).isDirectory();
  if (withFileTypes) return names.map((name) => ({ name, isFile: () => !isFolder(name), isDirectory: () => isFolder(name) }));
  if (!recursive) return names;
  return names.flatMap((name) => [
    name,
    ...(isFolder(name) ? readdirSync(`${path}/${name}`, { recursive }).map((one) => `${name}/${one as string}`) : []),
  ]);
}

export function join(...parts: string[]): string {
  const kept: string[] = [];
  for (const part of parts.join('/').split('/')) {
    if (part === '..' && kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return (parts.find((part) => part !== '')?.startsWith('/') ? '/' : '') + kept.join('/');
}
export const basename = (path: string, ending = ''): string => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return ending !== '' && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
};
export const dirname = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '.';
export const sep = '/';

/** Names the recorded answer of a command that was given input: SHA-256 (FIPS 180-4) over text. */
export function createHash(name: string): { update(text: string): unknown; digest(how: 'hex'): string } {
  if (name !== 'sha256') throw new Error(`There is no hash '${name}' here; there is sha256.`);
  let all = '';
  const hash = {
    update(text: string) {
      all += text;
      return hash;
    },
    digest: () => sha256(new TextEncoder().encode(all)),
  };
  return hash;
}

const primes = (count: number): number[] => {
  const found: number[] = [];
  for (let next = 2; found.length < count; next++) if (found.every((prime) => next % prime !== 0)) found.push(next);
  return found;
};
/** The first 32 bits of what is behind the point. */
const fraction = (value: number): number => Math.floor((value - Math.floor(value)) * 4294967296) >>> 0;

function sha256(text: Uint8Array): string {
  const rounds = primes(64).map((prime) => fraction(Math.cbrt(prime)));
  const state = primes(8).map((prime) => fraction(Math.sqrt(prime)));
  const padded = new Uint8Array(Math.ceil((text.length + 9) / 64) * 64);
  padded.set(text);
  padded[text.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, text.length * 8);
  const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by));
  for (let block = 0; block < padded.length; block += 64) {
    const words = Array.from({ length: 16 }, (_, at) => view.getUint32(block + 4 * at));
    for (let at = 16; at < 64; at++) {
      const [early, late] = [words[at - 15]!, words[at - 2]!];
      const one = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
      const two = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
      words[at] = (words[at - 16]! + one + words[at - 7]! + two) >>> 0;
    }
    let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
    for (let at = 0; at < 64; at++) {
      const first = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + rounds[at]! + words[at]!;
      const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) >>> 0, c, b, a, (first + second) >>> 0];
    }
    for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at]! + word) >>> 0;
  }
  return state.map((word) => word.toString(16).padStart(8, '0')).join('');
}
