/** Commands on QuickJS: how they are started, also before anybody has asked for them, and what comes of them. */
import * as os from 'qjs:os';
import { inWords } from '../../host/errno.ts';
import { handed } from '../../host/handed.ts';
import type { Outcome, RunOptions } from '../../host/host.ts';
import type { Asked } from '../../observe/tools.ts';
import { SystemError } from './errno.ts';
import { gather } from './gathering.ts';
import { ended, findProgram, killTree, openPipe, readAll, start } from './processes.ts';
import type { Child } from './processes.ts';
import { encode, textOf } from './text.ts';

const MOST_SAID = 32 << 20;
const TIMEOUT = 30_000;

/**
 * A command with grep behind it. Descriptors from 3 on are closed in a child, so its own exit code comes by the pipe
 * that is its standard input.
 */
const FILTERED = 'exec 3>&0 </dev/null; { "$@" 3>&-; echo $? >&3; } | grep -F';

/** Linux takes no argument of more bytes, its last one included (MAX_ARG_STRLEN, 32 pages); here it would be 127 in silence. */
const MOST_ARGUMENT = 131_072;
const E2BIG = 7;

/** What a shell exits with for a program that it did not find (POSIX, 2.8.2). */
const NOT_FOUND = 127;

/** The command behind a filter; null where it is read as it is. */
function filtered(argv: readonly string[], { select }: RunOptions): readonly string[] | null {
  if (!select?.much || !select.holding.every((needle) => /^[\w=. -]+$/.test(needle))) return null;
  return ['sh', '-c', `${FILTERED} ${select.holding.map((needle) => `-e '${needle}'`).join(' ')}`, 'sh', ...argv];
}

/** A command that runs, and what it says is read from. */
interface Running {
  child: Child;
  out: number;
  err: number;
  /** Where the exit code of a command behind a filter comes from; null where it is the child's own. */
  code: number | null;
}

/** @returns null where it is not installed @throws Error where it cannot be started */
function begin(argv: readonly string[], options: RunOptions): Running | null {
  argv.forEach(handed);
  const through = filtered(argv, options);
  const called = through ?? argv;
  const file = findProgram(called[0] ?? '');
  if (file === null || (through !== null && findProgram(argv[0] ?? '') === null)) return null;
  const long = argv.find(
    (word) => word.length >= MOST_ARGUMENT || (word.length * 3 >= MOST_ARGUMENT && encode(word).length >= MOST_ARGUMENT),
  );
  if (long !== undefined) throw new SystemError(E2BIG);
  const [outRead, outWrite] = openPipe();
  const [errRead, errWrite] = openPipe();
  const code = through === null ? null : openPipe();
  try {
    const input = code === null ? options.input : code[1];
    const child = start(file, { argv: called, stdout: outWrite, stderr: errWrite, ...(input === undefined ? {} : { input }) });
    return { child, out: outRead, err: errRead, code: code === null ? null : code[0] };
  } catch (error) {
    for (const fd of [outRead, errRead, ...(code === null ? [] : [code[0]])]) os.close(fd);
    throw error;
  } finally {
    for (const fd of [outWrite, errWrite, ...(code === null ? [] : [code[1]])]) os.close(fd);
  }
}

async function follow({ child, ...from }: Running, command: string, options: RunOptions): Promise<Outcome> {
  // What a filter beside us lets through needs none of ours.
  const out = gather(from.code === null || !options.parts ? options : { parts: options.parts }, MOST_SAID);
  const err = gather({}, MOST_SAID);
  let stopped = '';
  let exit = '';
  const readers: (() => void)[] = [];
  const stop = (because: string): void => {
    if (stopped !== '') return;
    stopped = because;
    killTree(child);
    for (const close of readers) close(); // what has left the family keeps the pipes open, and is not waited for
  };
  const reading = (fd: number, take: (chunk: Uint8Array) => void): Promise<void> =>
    new Promise((resolve) => {
      readers.push(
        readAll(fd, take, (error) => {
          if (error !== null) stop(`its output was not read to the end: ${error.message}`);
          resolve();
        }),
      );
    });
  const timeout = options.timeout ?? TIMEOUT;
  const timer = os.setTimeout(() => stop(`it did not end within ${timeout / 1000} s and was killed`), timeout);
  await Promise.all([
    reading(from.out, out.take),
    reading(from.err, err.take),
    ...(from.code === null
      ? []
      : [
          reading(from.code, (chunk) => {
            exit += textOf(chunk);
          }),
        ]),
  ]);
  const end = await ended(child.pid);
  os.clearTimeout(timer);
  let stdout = '';
  try {
    if (stopped === '') stdout = out.text();
  } catch (error) {
    stopped = `its output was not read to the end: ${(error as Error).message}`;
  }
  if (stopped !== '') return { state: 'failed', command, because: stopped };
  if ('signal' in end) return { state: 'failed', command, because: `it was ended by ${end.signal}` };
  if (from.code !== null && (exit === '' || Number(exit) === NOT_FOUND)) return { state: 'absent', command };
  return { state: 'exited', command, code: from.code === null ? end.code : Number(exit), stdout, stderr: err.text() };
}

/** What a look needs of a command, but for who takes what it says. */
const keyOf = (argv: readonly string[], { parts: _, ...options }: RunOptions): string => JSON.stringify([argv, options]);

const ahead = new Map<string, Running>();

/**
 * Starts commands that will be asked for, while the program is still being loaded. What they say waits in their pipes; who first
 * runs one in the same way takes it.
 */
export function startAhead(asked: readonly Asked[]): void {
  for (const { argv, options = {} } of asked) {
    try {
      const running = begin(argv, options);
      if (running !== null) ahead.set(keyOf(argv, options), running);
    } catch {
      // Whoever asks for it is told.
    }
  }
}

export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const command = argv.join(' ');
  const key = keyOf(argv, options);
  try {
    const running = ahead.get(key) ?? begin(argv, options);
    ahead.delete(key);
    return running === null ? { state: 'absent', command } : await follow(running, command, options);
  } catch (error) {
    return { state: 'failed', command, because: inWords(error) };
  }
}
