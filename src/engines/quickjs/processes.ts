/** Commands on QuickJS: started beside us, their outputs read as they come, ended with all they have started. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { toolPath } from '../../host/handed.ts';
import { must, SystemError } from './errno.ts';
import { encode, isWhole, latin1 } from './text.ts';

const KILL = 9;
const SIGHUP = 1;
const ENOENT = 2;
const EACCES = 13;

/** What a command finds its tools by. */
const path = (): string => toolPath(std.getenviron()['PATH']);

/** Whether the system would start that file: a script whose interpreter is not there is as good as none. */
function startable(file: string): boolean {
  const fd = os.open(file, os.O_RDONLY);
  if (fd < 0) return true; // it may be run and not read; a script could not
  const buffer = new ArrayBuffer(256);
  const got = os.read(fd, buffer, 0, buffer.byteLength);
  os.close(fd);
  const head = String.fromCharCode(...new Uint8Array(buffer, 0, Math.max(0, got)));
  const [, interpreter] = /^#![ \t]*([^\s]+)/.exec(head) ?? [];
  return interpreter === undefined || os.stat(interpreter)[1] === 0;
}

/**
 * The file of a program; null where there is none. `os.exec` looks in the caller's PATH, and whatever it cannot start is
 * 127 in silence: so the file is looked for here, as execvp(3) does.
 * @throws SystemError where there is one and it may not be run
 */
export function findProgram(name: string): string | null {
  const paths = name.includes('/')
    ? [name]
    : path()
        .split(':')
        .map((folder) => `${folder}/${name}`);
  let because = ENOENT;
  for (const file of paths) {
    const [stat, errno] = os.stat(file);
    if (errno !== 0) continue;
    if ((stat.mode & os.S_IFMT) !== os.S_IFREG || (stat.mode & 0o111) === 0) because = EACCES;
    else if (startable(file)) return file;
  }
  if (because === EACCES) throw new SystemError(because);
  return null;
}

/** Started with a standard stream closed, a pipe would come to lie on it: each gets something to stand there. */
export function occupyStandardStreams(): void {
  for (let fd = 0; fd <= 2;) {
    fd = must(os.open('/dev/null', os.O_RDONLY));
    if (fd > 2) os.close(fd);
  }
}

export function openPipe(): [read: number, write: number] {
  const ends = os.pipe();
  if (ends === null) throw new Error('no pipe could be made');
  return ends;
}

/** A descriptor from which these bytes are read; `close` when the command has it. A pipe would block us on a command that does not read. */
function inputFile(text: string): { fd: number; close: () => void } {
  const file = std.tmpfile();
  if (file === null) throw new Error('no temporary file could be made for its input');
  if (isWhole(text)) {
    file.puts(text);
  } else {
    const bytes = encode(text);
    file.write(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
  }
  file.flush();
  if (file.error()) {
    file.close();
    throw new Error('its input could not be written to a temporary file; is there no space left?');
  }
  const fd = file.fileno();
  must(os.seek(fd, 0, 0));
  return { fd, close: () => file.close() };
}

/** The variable that marks a command and what it starts. */
const MARK = 'SIPALG_COMMAND';

export interface Starting {
  argv: readonly string[];
  /** What it reads: a text, or a descriptor. Nothing by default. */
  input?: string | number;
  stdout: number;
  stderr: number;
}

/** A program that was started, and what in its environment tells it and all it starts from others. */
export interface Child {
  pid: number;
  mark: string;
}

let started = 0;

/** What these signals call; without an entry they end us. */
const hearing = new Map<number, () => void>();

/** Ctrl-C and the end of a terminal go to every process there: ignored while a child starts, they are ignored by it for good. */
const KEPT_FROM_CHILDREN = [os.SIGINT, SIGHUP];

/** What SIGINT or SIGHUP calls. Others may be set by `os.signal`. */
export function onSignal(signal: number, heard: () => void): void {
  hearing.set(signal, heard);
  os.signal(signal, heard);
}

/** Starts a program. @param file from `findProgram` */
export function start(file: string, { argv, input, stdout, stderr }: Starting): Child {
  const given = typeof input === 'number' ? { fd: input, close: () => undefined } : input === undefined ? null : inputFile(input);
  const nothing = given === null ? must(os.open('/dev/null', os.O_RDONLY)) : -1;
  const mark = `${os.getpid()}.${++started}`;
  const env = { ...std.getenviron(), LC_ALL: 'C', PATH: path(), [MARK]: mark };
  for (const signal of KEPT_FROM_CHILDREN) os.signal(signal, undefined);
  try {
    const pid = must(os.exec(argv, { block: false, usePath: false, file, cwd: '/', stdin: given?.fd ?? nothing, stdout, stderr, env }));
    return { pid, mark };
  } finally {
    for (const signal of KEPT_FROM_CHILDREN) os.signal(signal, hearing.get(signal) ?? null);
    given?.close();
    if (nothing >= 0) os.close(nothing);
  }
}

/** What is read goes through here, and is copied; so one is enough. As large as a pipe (pipe(7)). */
export const buffer = new ArrayBuffer(65_536);

/** Of less than this more is waited for, for a millisecond: nft writes its listings a line at a time. */
const LITTLE = 4096;

/** Everything a descriptor brings, piece by piece. `taken` may throw, which ends the reading. Never throws itself. */
export function readAll(fd: number, taken: (chunk: Uint8Array) => void, ended: (error: Error | null) => void): () => void {
  let open = true;
  let pause: object | null = null;
  const end = (error: Error | null): void => {
    if (!open) return;
    open = false;
    if (pause !== null) os.clearTimeout(pause);
    // At its end a pipe calls its handler again and again.
    os.setReadHandler(fd, null);
    os.close(fd);
    ended(error);
  };
  const listen = (): void => {
    pause = null;
    os.setReadHandler(fd, readable);
  };
  function readable(): void {
    // An error that leaves a handler is printed, and the program ends with 0.
    try {
      const got = must(os.read(fd, buffer, 0, buffer.byteLength));
      if (got === 0) return end(null);
      taken(new Uint8Array(buffer.slice(0, got)));
      if (got >= LITTLE || !open) return;
      os.setReadHandler(fd, null);
      pause = os.setTimeout(listen, 1);
    } catch (error) {
      end(error as Error);
    }
  }
  listen();
  return () => end(null);
}

/** How a process ended, by its raw wait status (waitpid(2)). */
export type Ending = { code: number } | { signal: string };

/** Those that have the same number on every Linux (signal(7)). */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
};

function endingOf(status: number): Ending {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { signal: SIGNALS[signal] ?? `signal ${signal}` };
}

/** Resolves when a child has ended; it is asked for more and more rarely, up to 20 times a second. */
export function ended(pid: number): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let wait = 1;
    const ask = (): void => {
      const [who, status] = os.waitpid(pid, os.WNOHANG);
      if (who === pid) return resolve(endingOf(status));
      if (who < 0) return reject(new Error(`process ${pid} is no child of this one`));
      os.setTimeout(ask, wait);
      wait = Math.min(wait * 2, 50);
    };
    ask();
  });
}

/** The first bytes of a file of /proc; '' where its process has ended meanwhile. */
function peek(file: string, most: number): string {
  const fd = os.open(file, os.O_RDONLY);
  if (fd < 0) return '';
  const buffer = new ArrayBuffer(most);
  const got = os.read(fd, buffer, 0, most);
  os.close(fd);
  return latin1(new Uint8Array(buffer, 0, Math.max(0, got)));
}

interface Process {
  pid: number;
  parent: number;
  group: number;
}

/** What runs now (proc_pid_stat(5)); what has ended and is only not waited for yet is left out. */
function processes(): Process[] {
  const [names] = os.readdir('/proc');
  return names.flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const text = peek(`/proc/${name}/stat`, 512);
    // Its name may hold anything, and stands in brackets.
    const [state = 'Z', parent, group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), group: Number(group) }];
  });
}

/** More than any environment here has; one that is longer is looked at so far. */
const MOST_ENVIRONMENT = 65_536;

/** Looks until nothing new is found: what is killed may have started something a moment before. */
const ROUNDS = 5;

/**
 * Ends a program and all that it has started, whether that still has its parent or not, but for what has left its
 * process group, as Node's door does. There is no setsid here, and so no group of its own to end.
 */
export function killTree({ pid, mark }: Child): void {
  const own = os.getpid();
  const marked = `\0${MARK}=${mark}\0`;
  const doomed = new Set([pid]);
  for (let round = 0; round < ROUNDS; round++) {
    const all = processes();
    const group = all.find((one) => one.pid === own)?.group;
    const mates = all.filter((one) => one.group === group && one.pid !== own && !doomed.has(one.pid));
    // Parents may have higher numbers than their children.
    const more = new Set<number>();
    for (let size = -1; size !== more.size;) {
      size = more.size;
      for (const one of mates) if (doomed.has(one.parent) || more.has(one.parent)) more.add(one.pid);
    }
    for (const one of mates)
      if (!more.has(one.pid) && `\0${peek(`/proc/${one.pid}/environ`, MOST_ENVIRONMENT)}`.includes(marked)) more.add(one.pid);
    if (round === 0) os.kill(pid, KILL); // not before its children are known, which lose it as their parent
    // What it started between the look and its end is seen by the next look.
    if (more.size === 0 && round > 0) return;
    for (const one of more) {
      doomed.add(one);
      os.kill(one, KILL);
    }
  }
}
