/**
 * What is used of QuickJS's own modules `std` and `os` (doc/quickjs.texi; releases 2025-04-26 and 2025-09-13, OpenWrt's
 * `qjs`). They are imported under names of their own, for Node has a module `os` too; build.mjs takes the prefix off.
 */
declare module 'qjs:std' {
  export interface File {
    puts(text: string): void;
    write(buffer: ArrayBuffer, position: number, length: number): number;
    readAsString(): string;
    /** Whether an operation has failed; which, it does not say. */
    error(): boolean;
    flush(): void;
    fileno(): number;
    close(): number;
  }
  export const out: File;
  export const err: File;
  /** Ends the program at once; what `out` holds is written. */
  export function exit(code: number): never;
  export function getenviron(): Record<string, string>;
  export function strerror(errno: number): string;
  /** fopen(3); null where that fails. */
  export function open(path: string, mode: string): File | null;
  /** null where it cannot be made. */
  export function tmpfile(): File | null;
  /** Through the shell; null where that cannot be started. */
  export function popen(command: string, mode: 'r'): File | null;
}

declare module 'qjs:os' {
  export const O_RDONLY: number;
  export const O_WRONLY: number;
  export const O_CREAT: number;
  export const O_EXCL: number;
  export const O_TRUNC: number;
  export const S_IFMT: number;
  export const S_IFREG: number;
  export const S_IFDIR: number;
  export const WNOHANG: number;
  export const SIGINT: number;
  export const SIGTERM: number;
  export const SIGPIPE: number;
  export interface Stat {
    mode: number;
    uid: number;
    gid: number;
    size: number;
  }
  /** A descriptor, or a negative errno. */
  export function open(path: string, flags: number, mode?: number): number;
  export function close(fd: number): number;
  /** How many bytes, 0 at the end, or a negative errno. */
  export function read(fd: number, buffer: ArrayBuffer, offset: number, length: number): number;
  export function write(fd: number, buffer: ArrayBuffer, offset: number, length: number): number;
  /** `whence`: 0 from the beginning. */
  export function seek(fd: number, offset: number, whence: number): number;
  export function stat(path: string): [Stat, number];
  export function lstat(path: string): [Stat, number];
  export function realpath(path: string): [string, number];
  export function readdir(path: string): [string[], number];
  export function readlink(path: string): [string, number];
  /** 0, or a negative errno. */
  export function remove(path: string): number;
  export function rename(from: string, to: string): number;
  export function pipe(): [number, number] | null;
  export function getpid(): number;
  export function isatty(fd: number): boolean;
  /** Columns and lines; null where it does not say. */
  export function ttyGetWinSize(fd: number): [number, number] | null;
  export function kill(pid: number, signal: number): number;
  /** [0, …] while it runs, with WNOHANG; else the pid and the raw wait status, or a negative errno. */
  export function waitpid(pid: number, options: number): [number, number];
  export function exec(
    argv: readonly string[],
    options: {
      block: false;
      usePath: false;
      file: string;
      cwd: string;
      stdin: number;
      stdout: number;
      stderr: number;
      env: Record<string, string>;
    },
  ): number;
  /** null takes a handler away. */
  export function setReadHandler(fd: number, heard: (() => void) | null): void;
  /** undefined: ignored; null: as the system has it. */
  export function signal(signal: number, heard: (() => void) | null | undefined): void;
  /** Milliseconds since the machine was started. */
  export function now(): number;
  export function setTimeout(task: () => void, milliseconds: number): object;
  export function clearTimeout(timer: object): void;
}
