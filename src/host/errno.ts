/** Errors as engines throw them, in words for people; pure, so that every engine's door can use it. */
import type { Reading } from './host.ts';

/** What a failed system call is thrown as: errno(3) by name, where there is one. */
interface Failure {
  code?: string;
  message: string;
}

/** What went wrong, in words; the code stays for those who search for it. */
export function inWords(error: unknown): string {
  const { code, message } = error as Failure;
  const words: Record<string, string> = {
    EACCES: 'permission denied; run as root',
    EPERM: 'not permitted; run as root',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space is left on the device',
    EDQUOT: 'the disk quota is used up',
    EISDIR: 'it is a directory',
    ENOTDIR: 'part of its path is no directory',
    ENOENT: 'no such file or directory',
    ELOOP: 'too many symbolic links',
    EIO: 'input/output error',
    EINVAL: 'the kernel takes no such value',
    E2BIG: 'its arguments are too long',
    EEXIST: 'something of that name is there already',
    ENAMETOOLONG: 'the name is too long',
  };
  const known = code === undefined ? undefined : words[code];
  return known === undefined ? message : `${known} (${code})`;
}

export function isMissing(error: unknown): boolean {
  const { code } = error as Failure;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export function looked<T>(source: string, look: () => T): Reading<T> {
  try {
    return { state: 'present', value: look(), source };
  } catch (error) {
    return isMissing(error) ? { state: 'absent', source } : { state: 'failed', source, because: inWords(error) };
  }
}
