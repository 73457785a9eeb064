/**
 * A member's files, read and written from the test without starting a program.
 *
 * The way in is /proc/PID/root. An absolute symbolic link met on that way would lead to the host's files, so
 * links are followed by hand, inside the member.
 */
import * as fs from 'node:fs';

export type Files = {
  /** The text of a file; an error if there is none. */
  read(path: string): string;
  readBytes(path: string): Buffer;
  /** Writes a file, and the folders above it where they are missing. */
  write(path: string, text: string | Uint8Array, mode?: number): void;
  exists(path: string): boolean;
  /** Names in a folder, sorted. */
  list(path: string): string[];
  /** Removes a file or a whole folder; nothing to remove is fine. The host keeps its own. */
  remove(path: string): void;
  /** Where the path is for this process: /proc/PID/root/... with links followed. */
  host(path: string): string;
};

/** The files of the member whose holder is `pid`. */
export function filesOf(pid: number): Files {
  const root = `/proc/${pid}/root`;

  function follow(path: string, lastToo: boolean): string {
    let left = path.split('/').filter((part) => part !== '' && part !== '.');
    let at: string[] = [];
    for (let links = 0; left.length > 0;) {
      const part = left.shift()!;
      if (part === '..') {
        at.pop();
        continue;
      }
      const here = [...at, part];
      const found = fs.lstatSync(`${root}/${here.join('/')}`, { throwIfNoEntry: false });
      if (found?.isSymbolicLink() && (lastToo || left.length > 0)) {
        if (++links > 40) throw new Error(`${path} goes round in symbolic links`);
        const target = fs.readlinkSync(`${root}/${here.join('/')}`);
        if (target.startsWith('/')) at = [];
        left = [...target.split('/').filter((name) => name !== '' && name !== '.'), ...left];
        continue;
      }
      at = here;
    }
    return `${root}/${at.join('/')}`;
  }

  return {
    host: (path) => follow(path, true),
    read: (path) => fs.readFileSync(follow(path, true), 'utf8'),
    readBytes: (path) => fs.readFileSync(follow(path, true)),
    write(path, text, mode) {
      const target = follow(path, true);
      fs.mkdirSync(target.slice(0, target.lastIndexOf('/')), { recursive: true });
      fs.writeFileSync(target, text);
      if (mode !== undefined) fs.chmodSync(target, mode);
    },
    exists: (path) => fs.existsSync(follow(path, true)),
    list: (path) => fs.readdirSync(follow(path, true)).sort(),
    remove: (path) => fs.rmSync(follow(path, false), { recursive: true, force: true }),
  };
}
