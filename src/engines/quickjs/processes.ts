/** Commands on QuickJS: started beside us, their outputs read as they come, ended with all they have started. */
import * as os from 'qjs:os';
import * as std from 'qjs:std';
import { must } from './errno.ts';
import { encode, isWhole } from './text.ts';

/** Where tools live, also where a caller's PATH is short (cron, procd, a plain `su`). */
const TOOL_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

const KILL = 9;

/** The caller's PATH, then that; an empty one would have meant the folder we stand in. */
const toolPath = (): string => [std.getenviron()['PATH'], TOOL_PATH].filter(Boolean).join(':');

/** `os.exec` looks in the caller's PATH and says nothing where it finds nothing: so the file is looked for here. */
export function findProgram(name: string): string | null {
  const paths = name.includes('/')
    ? [name]
    : toolPath()
        .split(':')
        .map((folder) => `${folder}/${name}`);
  return (
    paths.find((path) => {
      const [stat, errno] = os.stat(path);
      return errno === 0 && (stat.mode & os.S_IFMT) === os.S_IFREG && (stat.mode & 0o111) !== 0;
    }) ?? null
  );
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

export interface Starting {
  argv: readonly string[];
  /** What it reads: a text, or a descriptor. Nothing by default. */
  input?: string | number;
  stdout: number;
  stderr: number;
}

/** Starts a program. @param file from `findProgram` @returns its pid */
export function start(file: string, { argv, input, stdout, stderr }: Starting): number {
  const given = typeof input === 'number' ? { fd: input, close: () => undefined } : input === undefined ? null : inputFile(input);
  const nothing = given === null ? must(os.open('/dev/null', os.O_RDONLY)) : -1;
  const env = { ...std.getenviron(), LC_ALL: 'C', PATH: toolPath() };
  // Ignored while it starts, and so by it for good: a Ctrl-C meant for us does not stop it half way.
  os.signal(os.SIGINT, undefined);
  try {
    return must(os.exec(argv, { block: false, usePath: false, file, cwd: '/', stdin: given?.fd ?? nothing, stdout, stderr, env }));
  } finally {
    os.signal(os.SIGINT, hearInterrupt);
    given?.close();
    if (nothing >= 0) os.close(nothing);
  }
}

let hearInterrupt: (() => void) | null = null;

/** What a Ctrl-C calls; null: it ends us. */
export function onInterrupt(heard: () => void): void {
  hearInterrupt = heard;
  os.signal(os.SIGINT, heard);
}

/** Everything a descriptor brings, piece by piece. `taken` may throw, which ends the reading. Never throws itself. */
export function readAll(fd: number, taken: (chunk: Uint8Array) => void, ended: (error: Error | null) => void): () => void {
  const buffer = new ArrayBuffer(65_536);
  let open = true;
  const end = (error: Error | null): void => {
    if (!open) return;
    open = false;
    // At its end a pipe calls its handler again and again.
    os.setReadHandler(fd, null);
    os.close(fd);
    ended(error);
  };
  os.setReadHandler(fd, () => {
    // An error that leaves a handler is printed, and the program ends with 0.
    try {
      const got = must(os.read(fd, buffer, 0, buffer.byteLength));
      if (got === 0) end(null);
      else taken(new Uint8Array(buffer.slice(0, got)));
    } catch (error) {
      end(error as Error);
    }
  });
  return () => end(null);
}

/** How a process ended, by its raw wait status (waitpid(2)). */
export type Ending = { code: number } | { signal: number };

const endingOf = (status: number): Ending => ((status & 0x7f) === 0 ? { code: (status >> 8) & 0xff } : { signal: status & 0x7f });

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

/** Parents by process, as /proc has them now. */
function parents(): Map<number, number> {
  const [names] = os.readdir('/proc');
  const found = new Map<number, number>();
  const buffer = new ArrayBuffer(512);
  for (const name of names.filter((one) => /^\d+$/.test(one))) {
    const fd = os.open(`/proc/${name}/stat`, os.O_RDONLY);
    if (fd < 0) continue; // it has ended meanwhile
    const got = os.read(fd, buffer, 0, buffer.byteLength);
    os.close(fd);
    const text = String.fromCharCode(...new Uint8Array(buffer, 0, Math.max(0, got)));
    // Its name may hold anything, and stands in brackets.
    found.set(Number(name), Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]));
  }
  return found;
}

/** Ends a process and all that descends from it; there is no setsid here, and so no group to end. */
export function killTree(pid: number): void {
  const all = parents();
  const doomed = [pid];
  for (let at = 0; at < doomed.length; at++) for (const [child, parent] of all) if (parent === doomed[at]) doomed.push(child);
  for (const one of doomed) os.kill(one, KILL);
}
