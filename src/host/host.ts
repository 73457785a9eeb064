/**
 * The one narrow door to the machine. Everything that touches a system is a
 * method here; an engine (Node, QuickJS) is one implementation, a folder of
 * recorded answers is another, and nothing else in the program knows which.
 *
 * Text: files and outputs are bytes. They are handed over as strings in which
 * valid UTF-8 is decoded and each byte that is not is kept as one lone
 * surrogate U+DC80..U+DCFF (as Python's "surrogateescape" does), so that
 * writing a text back gives the very bytes that were read.
 */

/**
 * What came of looking. "Could not read" never looks like "is not there".
 * `source` names what was looked at: a path, or a command line.
 */
export type Reading<T> =
  | { state: 'present'; value: T; source: string }
  | { state: 'absent'; source: string }
  | { state: 'failed'; source: string; because: string };

/** Narrows what a large output is kept of: the lines holding one of these byte strings. */
export interface Selection {
  /** ASCII needles; a line holding any of them is kept. */
  holding: readonly string[];
  /** A command's output may be tens of megabytes: worth a filter that runs beside us. */
  much?: true;
}

/** Hands a large output over instead of holding it: what is read or said is '' then. */
export interface Parts {
  /** ASCII, and no beginning of it is an end of it: each part but the first begins with it. */
  at: string;
  take: (part: string) => void;
}

export interface ReadOptions {
  parts?: Parts;
  /** Keep only these lines (the file may be far larger than memory allows). */
  select?: Selection;
  /** Refuse a file that yields more than this many bytes. Default 4 MiB. */
  most?: number;
}

export interface RunOptions {
  /** What the command reads on standard input; none by default. */
  input?: string;
  parts?: Parts;
  /** Asked several times a second: false kills it. For what may be broken off at any moment. */
  goOn?: () => boolean;
  /** Kill it after this many milliseconds. Default 30,000. */
  timeout?: number;
  /** Keep only these lines of its output. */
  select?: Selection;
  /**
   * Of a listing of nft's rules: the tables (`family name`) that are needed in any case. Rules of others may be left out where they
   * cannot matter (observe/sparing.ts). Not given: all are needed.
   */
  tables?: readonly string[];
  /** Kill it when it has yielded more than this many bytes. Default 32 MiB. */
  most?: number;
}

/** How a command ended. */
export type Outcome =
  /** It is not installed. */
  | { state: 'absent'; command: string }
  /** It ran and exited. */
  | { state: 'exited'; command: string; code: number; stdout: string; stderr: string }
  /** It could not be started, was killed, ran too long or said too much. */
  | { state: 'failed'; command: string; because: string };

/** A lock that is held until it is released, or this process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/** An address of this machine. */
export interface HostAddress {
  device: string;
  family: 'ipv4' | 'ipv6';
  address: string;
  /** Prefix length in bits. */
  prefix: number;
}

/** What the name of a file that is being written ends with, beside the one it is to replace. */
export const UNFINISHED = '.sipalg-new';

/** Its whole name: two that write the same file write each its own. @param turn differs within a process */
export const unfinishedOf = (path: string, process: number, turn: number): string => `${path}.${process}.${turn}${UNFINISHED}`;

/**
 * Those of a directory's names that are a file being written in place of `base`, or what is left of one.
 * @returns with the process that wrote it; null: of a version that named none
 */
export function unfinishedAmong(names: readonly string[], base: string): { name: string; process: number | null }[] {
  return names
    .filter((name) => name.startsWith(`${base}.`) && name.endsWith(UNFINISHED))
    .map((name) => ({ name, between: name.slice(base.length, -UNFINISHED.length) }))
    .filter(({ between }) => /^(\.\d+\.\d+)?$/.test(between))
    .map(({ name, between }) => ({ name, process: between === '' ? null : Number(between.split('.')[1]) }));
}

export interface Host {
  /** Reads a whole file. Absent: no such file. Failed: it may not be read, or is too large. */
  read(path: string, options?: ReadOptions): Promise<Reading<string>>;
  /** The names in a directory, sorted. Absent: no such directory. */
  list(path: string): Promise<Reading<string[]>>;
  /** What a path is, links followed. */
  kind(path: string): Promise<Reading<'file' | 'directory' | 'other'>>;
  /**
   * Replaces a file's bytes so that a power cut leaves either the old or the new
   * ones: temporary file (`unfinishedOf`; those of writers that are gone are taken away), sync, rename, sync of the
   * directory. Mode and owner of an existing file are kept, `mode` is that of a new one (0644 where it is not given); a link is
   * followed, not replaced. Until all of it is written, nobody but root may read it. Throws an Error whose message is a sentence.
   */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Takes away the permissions of a file that are not in `mode`; one that is not there has none. Throws as `write` does. */
  narrow(path: string, mode: number): Promise<void>;
  /** Writes into a kernel file (/proc, /sys) in one write. Throws as `write` does. */
  poke(path: string, text: string): Promise<void>;
  /** Removes a file; one that is not there is removed already. Throws as `write` does. */
  remove(path: string): Promise<void>;
  /** Runs a command, never through a shell. */
  run(argv: readonly string[], options?: RunOptions): Promise<Outcome>;
  /**
   * Takes an flock(2) on a file, waiting at most `wait` milliseconds. While it is
   * held the file says `who` (unless that is ''). Resolves to `busy` with what the
   * file said when somebody else holds it. A file that says who holds it is ours, and root's alone (0600): whoever may
   * read a file may lock it. Throws as `write` does.
   */
  lock(path: string, wait: number, who: string): Promise<{ lock: Lock } | { busy: string }>;
  /** Addresses of the devices that are up, with a carrier or without. */
  addresses(): HostAddress[];
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from any fixed moment, which never go back; a router without a clock has its `now` set while it runs. */
  elapsed?: () => number;
  /** This process and its effective user. */
  process(): { pid: number; uid: number };
}

/** Where a name server listens. */
export interface NameServer {
  address: string;
  port: number;
}

/** The way to name servers; a door of its own, for few runs need it. */
export interface Asking {
  /** A number of 16 bits that nobody can guess. */
  id(): number;
  /**
   * Sends a message from a port of its own and waits for one that fits; others are passed over.
   * @param over    `datagram`: UDP; `stream`: TCP, for what does not fit into a datagram
   * @param timeout milliseconds, all in all
   * @throws Error whose message is a sentence without its final dot
   */
  ask(
    server: NameServer,
    message: Uint8Array,
    over: 'datagram' | 'stream',
    timeout: number,
    fits: (reply: Uint8Array) => boolean,
  ): Promise<Uint8Array>;
}

/** The bytes of a file or of standard input, a piece at a time. */
export interface ByteStream {
  /** How many bytes there are in all; null where that is not known: a pipe. */
  readonly size: number | null;
  /**
   * The next piece, which holds until the next call; null at the end, and once it is told to stop.
   * @throws Error whose message is a sentence without its final dot
   */
  next(): Promise<Uint8Array | null>;
  close(): void;
}

/** The way to files that are too large to be held; a door of its own, for few runs need it. */
export interface Streaming {
  /**
   * @param path null: standard input
   * @param goOn false once the person who waits wants it to stop
   */
  open(path: string | null, goOn: () => boolean): Promise<Reading<ByteStream>>;
  /** Bytes as the text of the same code units (ISO 8859-1), where the engine is quicker at it than the language. */
  latin1?(bytes: Uint8Array, start: number, end: number): string;
  /** Writes on the terminal of standard error, as it is: how far work has come; undefined where nobody sees it. */
  progress: ((text: string) => void) | undefined;
}

/** How a command that was followed ended. */
export type FollowedEnd =
  /** It is not installed. */
  | { state: 'absent'; command: string }
  /** By `stop`. */
  | { state: 'stopped'; command: string }
  /** By itself; `stderr`: the first 2000 characters. */
  | { state: 'exited'; command: string; code: number; stderr: string }
  /** It could not be started, or was killed. */
  | { state: 'failed'; command: string; because: string };

/** A command that goes on. */
export interface Followed {
  /** Never rejects. */
  readonly ended: Promise<FollowedEnd>;
  /** Ends it with all it has started. */
  stop(): void;
}

/** The way to commands that go on until they are told to end; a door of its own, for few runs need it. */
export interface Following {
  /**
   * Starts a command, never through a shell, and hands over the lines of its standard output without their ends, byte by byte
   * (ISO 8859-1). Lines of more than 64 KiB are passed over.
   * @param every milliseconds between two readings at least: what comes meanwhile waits in the pipe, for each waking costs
   */
  follow(argv: readonly string[], take: (line: string) => void, every: number): Followed;
}

/** The same program once more, on another processor: it answers messages of plain data, one after another. */
export interface Thread {
  /** Rejects with an Error once it has ended. */
  ask(message: unknown): Promise<unknown>;
  end(): void;
}

/** The way to the other processors of this machine. */
export interface Threads {
  /** How many can work at a time. */
  readonly processors: number;
  /** @param words the command that the program is to run there, which calls `answer` */
  start(words: readonly string[]): Thread;
  /** In a thread: answers messages until it is ended. @throws Error in the program's own thread */
  answer(answers: (message: unknown) => Promise<unknown>): Promise<void>;
}
