/** Commands on QuickJS that go on until they are told to end: their lines as they come. */
import * as os from 'qjs:os';
import type { Followed, FollowedEnd, Following } from '../../host/host.ts';
import { inWords } from '../../host/errno.ts';
import { handed } from '../../host/handed.ts';
import { lineSplitter } from '../../host/followed.ts';
import { must } from './errno.ts';
import { ended, findProgram, killTree, openPipe, readAll, start } from './processes.ts';
import type { Child } from './processes.ts';
import { latin1 } from './text.ts';

/** What is kept of its complaints. */
const MOST_COMPLAINT = 2000;
const PIECE = 65_536;

/** Reads what has come, at most once in `every` milliseconds; the pipe holds the rest meanwhile. */
function readNowAndThen(fd: number, every: number, taken: (text: string) => void, done: () => void): () => void {
  const buffer = new ArrayBuffer(PIECE);
  let open = true;
  let timer: unknown;
  const close = (): void => {
    if (!open) return;
    open = false;
    os.setReadHandler(fd, null);
    if (timer !== undefined) os.clearTimeout(timer as Parameters<typeof os.clearTimeout>[0]);
    os.close(fd);
    done();
  };
  const listen = (): void =>
    os.setReadHandler(fd, () => {
      // An error that leaves a handler is printed, and the program ends with 0.
      try {
        const got = must(os.read(fd, buffer, 0, PIECE));
        if (got === 0) return close();
        taken(latin1(new Uint8Array(buffer, 0, got)));
        if (!open) return;
        os.setReadHandler(fd, null);
        timer = os.setTimeout(listen, every);
      } catch {
        close();
      }
    });
  listen();
  return close;
}

async function outcomeOf(child: Child, command: string, said: () => string, stopped: () => boolean): Promise<FollowedEnd> {
  const end = await ended(child.pid);
  if (stopped()) return { state: 'stopped', command };
  if ('signal' in end) return { state: 'failed', command, because: `it was ended by ${end.signal}` };
  return { state: 'exited', command, code: end.code, stderr: said() };
}

function followed(argv: readonly string[], command: string, take: (line: string) => void, every: number): Followed {
  argv.forEach(handed);
  const file = findProgram(argv[0] ?? '');
  if (file === null) return { ended: Promise.resolve({ state: 'absent', command }), stop: () => undefined };
  const [outRead, outWrite] = openPipe();
  const [errRead, errWrite] = openPipe();
  let child: Child;
  try {
    child = start(file, { argv, stdout: outWrite, stderr: errWrite });
  } catch (error) {
    for (const fd of [outRead, errRead]) os.close(fd);
    throw error;
  } finally {
    for (const fd of [outWrite, errWrite]) os.close(fd);
  }
  const lines = lineSplitter(take);
  let said = '';
  let stopped = false;
  const closing: (() => void)[] = [];
  const outEnded = new Promise<void>((resolve) => {
    closing.push(readNowAndThen(outRead, every, lines.push, resolve));
  });
  closing.push(
    readAll(
      errRead,
      (chunk) => {
        if (said.length < MOST_COMPLAINT) said += latin1(chunk);
      },
      () => undefined,
    ),
  );
  return {
    ended: outEnded.then(() =>
      outcomeOf(
        child,
        command,
        () => said,
        () => stopped,
      ),
    ),
    stop() {
      if (stopped) return;
      stopped = true;
      killTree(child);
      for (const close of closing) close();
    },
  };
}

export const follow: Following['follow'] = (argv, take, every) => {
  const command = argv.join(' ');
  try {
    return followed(argv, command, take, every);
  } catch (error) {
    return { ended: Promise.resolve({ state: 'failed', command, because: inWords(error) }), stop: () => undefined };
  }
};
