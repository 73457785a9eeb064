/** Large files and standard input on QuickJS, a piece at a time. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import type { ByteStream, Streaming } from '../../host/host.ts';
import { inWords, looked } from '../../host/errno.ts';
import { handed } from '../../host/handed.ts';
import { first, must } from './errno.ts';

/** Small, for memory is what a router has least of. */
const PIECE = 1 << 16;
/** So many pieces are read before signals get their turn. */
const AT_ONCE = 8;

const turn = (): Promise<void> => new Promise((resolve) => void os.setTimeout(resolve, 0));

function reading(
  fd: number,
  name: string,
  size: number | null,
  ready: () => Promise<void>,
  goOn: () => boolean,
  done: () => void,
): ByteStream {
  const buffer = new ArrayBuffer(PIECE);
  const whole = new Uint8Array(buffer);
  return {
    size,
    async next() {
      await ready();
      if (!goOn()) return null;
      try {
        const got = must(os.read(fd, buffer, 0, PIECE));
        return got === 0 ? null : got === PIECE ? whole : whole.subarray(0, got);
      } catch (error) {
        throw new Error(`${name} could not be read to its end: ${inWords(error)}`);
      }
    },
    close: done,
  };
}

function file(path: string, goOn: () => boolean): ByteStream {
  const { mode, size } = first(os.stat(handed(path)));
  const type = mode & os.S_IFMT;
  if (type === os.S_IFDIR) throw new Error('it is a directory (EISDIR)');
  const fd = must(os.open(path, os.O_RDONLY));
  let pieces = 0;
  let open = true;
  return reading(
    fd,
    path,
    type === os.S_IFREG ? size : null,
    async () => {
      if (++pieces % AT_ONCE === 0) await turn();
    },
    goOn,
    () => {
      if (open) os.close(fd);
      open = false;
    },
  );
}

/** Waits for a pipe in the event loop: a read that waits would hear no signal. */
function standardInput(goOn: () => boolean): ByteStream {
  const LOOK = 200;
  const ready = (): Promise<void> =>
    new Promise((resolve) => {
      const settle = (): void => {
        os.setReadHandler(0, null);
        os.clearTimeout(timer);
        resolve();
      };
      let timer = os.setTimeout(function look() {
        if (!goOn()) settle();
        else timer = os.setTimeout(look, LOOK);
      }, LOOK);
      os.setReadHandler(0, settle);
    });
  return reading(0, 'standard input', null, ready, goOn, () => os.setReadHandler(0, null));
}

export const open: Streaming['open'] = async (path, goOn) =>
  path === null ? { state: 'present', source: 'standard input', value: standardInput(goOn) } : looked(path, () => file(path, goOn));

function show(text: string): void {
  std.err.puts(text);
  std.err.flush();
}

export const progress: Streaming['progress'] = os.isatty(2) ? show : undefined;
