/** Errors of system calls, which `os` gives as numbers, as the ones Node throws: so that host/errno.ts words them. */
import * as std from 'qjs:std';

/** By number, where it is the same on every Linux (include/uapi/asm-generic/errno-base.h). */
const NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  6: 'ENXIO',
  7: 'E2BIG',
  8: 'ENOEXEC',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  26: 'ETXTBSY',
  28: 'ENOSPC',
  30: 'EROFS',
  32: 'EPIPE',
  34: 'ERANGE',
};

/** MIPS numbers these otherwise (arch/mips/include/uapi/asm/errno.h): told by what the C library calls them. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/symbolic link/i, 'ELOOP'],
  [/quota/i, 'EDQUOT'],
  [/name too long/i, 'ENAMETOOLONG'],
  [/not empty/i, 'ENOTEMPTY'],
];

export class SystemError extends Error {
  readonly code: string | undefined;

  /** @param errno positive */
  constructor(errno: number) {
    const words = std.strerror(errno);
    super(words);
    this.code = NAMES[errno] ?? WORDS.find(([pattern]) => pattern.test(words))?.[1];
  }
}

/** What a call gave, or its error thrown. */
export function must(result: number): number {
  if (result < 0) throw new SystemError(-result);
  return result;
}

/** The same for calls that give a pair. */
export function first<T>([value, errno]: readonly [T, number]): T {
  if (errno !== 0) throw new SystemError(Math.abs(errno));
  return value;
}
