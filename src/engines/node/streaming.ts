/** Large files and standard input on Node, a piece at a time. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteStream, Streaming } from '../../host/host.ts';
import { inWords, looked } from '../../host/errno.ts';

const PIECE = 1 << 18;
/** So many pieces are read before signals get their turn. */
const AT_ONCE = 8;
/** Milliseconds between looks at whether to stop, while standard input says nothing. */
const LOOK = 200;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function file(path: string, goOn: () => boolean): ByteStream {
  const descriptor = openSync(path, 'r');
  const stat = fstatSync(descriptor);
  if (stat.isDirectory()) {
    closeSync(descriptor);
    throw new Error('it is a directory (EISDIR)');
  }
  const buffer = Buffer.allocUnsafeSlow(PIECE);
  let open = true;
  let pieces = 0;
  return {
    size: stat.isFile() ? stat.size : null,
    async next() {
      if (++pieces % AT_ONCE === 0) await turn();
      if (!open || !goOn()) return null;
      try {
        const got = readSync(descriptor, buffer, 0, PIECE, null);
        return got === 0 ? null : got === PIECE ? buffer : buffer.subarray(0, got);
      } catch (error) {
        throw new Error(`${path} could not be read to its end: ${inWords(error)}`);
      }
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

function standardInput(goOn: () => boolean): ByteStream {
  const pieces = process.stdin[Symbol.asyncIterator]();
  return {
    size: null,
    async next() {
      let timer: NodeJS.Timeout | undefined;
      const stopped = new Promise<null>((resolve) => {
        timer = setInterval(() => {
          if (!goOn()) resolve(null);
        }, LOOK);
      });
      try {
        const got = await Promise.race([pieces.next(), stopped]);
        return got === null || got.done === true ? null : (got.value as Uint8Array);
      } catch (error) {
        throw new Error(`standard input could not be read to its end: ${inWords(error)}`);
      } finally {
        clearInterval(timer);
      }
    },
    close: () => void process.stdin.destroy(),
  };
}

export const open: Streaming['open'] = async (path, goOn) =>
  path === null ? { state: 'present', source: 'standard input', value: standardInput(goOn) } : looked(path, () => file(path, goOn));

export const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');

export const progress: Streaming['progress'] = process.stderr.isTTY ? (text) => void process.stderr.write(text) : undefined;
