/**
 * The door to a machine on QuickJS, by its modules `std` and `os` alone. What they lack (fsync, chown, flock) is asked of
 * busybox, which every OpenWrt has.
 */
import * as os from 'qjs:os';
import { inWords, looked } from '../../host/errno.ts';
import { unfinishedAmong, unfinishedOf } from '../../host/host.ts';
import type { Host, HostAddress, Lock, ReadOptions, Reading } from '../../host/host.ts';
import { handed } from '../../host/handed.ts';
import { run } from './commands.ts';
import { first, must } from './errno.ts';
import { gather } from './gathering.ts';
import { buffer, ended, findProgram, killTree, openPipe, readAll, start } from './processes.ts';
import { encode, textOf } from './text.ts';

const MOST_READ = 4 << 20;

const dirname = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));

/** By open and read: the engine's own reader takes files of /proc for empty, and hides errors. */
function read(path: string, options: ReadOptions = {}): Reading<string> {
  return looked(path, () => {
    const gathered = gather(options, MOST_READ);
    const fd = must(os.open(handed(path), os.O_RDONLY));
    try {
      for (let got = 1; got > 0;) {
        got = must(os.read(fd, buffer, 0, buffer.byteLength));
        if (got > 0) gathered.take(new Uint8Array(buffer.slice(0, got)));
      }
    } finally {
      os.close(fd);
    }
    return gathered.text();
  });
}

/** A command of the system's that must work; its complaint is the error. */
async function helped(argv: readonly string[]): Promise<void> {
  const outcome = await run(argv);
  if (outcome.state === 'absent') throw new Error(`${argv[0]} is not installed`);
  if (outcome.state === 'failed') throw new Error(outcome.because);
  if (outcome.code !== 0)
    throw new Error(outcome.stderr.trim().split('\n').pop()?.replace(/^.*: /, '') || `${argv[0]} ended with ${outcome.code}`);
}

/** busybox has fsync, coreutils' sync takes a file. */
const SYNC = 'fsync "$1" 2>/dev/null || sync "$1"';

const synced = (path: string): Promise<void> => helped(['sh', '-c', SYNC, 'sh', path]);

function writeAll(fd: number, text: string): void {
  const bytes = encode(text);
  const buffer = bytes.buffer as ArrayBuffer;
  for (let at = 0; at < bytes.length;) at += must(os.write(fd, buffer, bytes.byteOffset + at, bytes.length - at));
}

/** Grows with each file that is written; of this process several may be written at once. */
let turn = 0;

/** What writers of a file that were cut off have left is taken away; a process of now may be writing. */
function sweep(target: string): void {
  const folder = dirname(target);
  const names = looked(folder, () => first(os.readdir(folder)));
  if (names.state !== 'present') return;
  for (const { name, process } of unfinishedAmong(names.value, target.slice(target.lastIndexOf('/') + 1))) {
    const left = `${folder}/${name}`;
    if (process !== null && os.stat(`/proc/${process}`)[1] === 0) continue;
    // os.remove takes an empty directory too.
    const found = looked(left, () => first(os.lstat(left)));
    if (found.state === 'present' && (found.value.mode & os.S_IFMT) !== os.S_IFDIR) os.remove(left);
  }
}

async function write(path: string, text: string, mode = 0o644): Promise<void> {
  let temporary: string | null = null;
  try {
    const real = looked(path, () => first(os.realpath(handed(path))));
    const target = real.state === 'present' ? real.value : handed(path);
    const before = looked(target, () => first(os.stat(target)));
    sweep(target);
    const beside = unfinishedOf(target, os.getpid(), ++turn);
    // Never through a link that lies there, and ours alone until it has the mode and owner it is to have.
    const fd = must(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600));
    temporary = beside;
    try {
      writeAll(fd, text);
    } finally {
      os.close(fd);
    }
    const [owner, bits] = before.state === 'present' ? [`${before.value.uid}:${before.value.gid}`, before.value.mode & 0o7777] : ['', mode];
    const script = `${owner === '' ? '' : 'chown "$3" "$1" && '}chmod "$2" "$1" && { ${SYNC}; }`;
    await helped(['sh', '-c', script, 'sh', temporary, bits.toString(8), owner]);
    must(os.rename(temporary, target));
    temporary = null;
    await synced(dirname(target));
  } catch (error) {
    if (temporary !== null) os.remove(temporary);
    throw new Error(`${path} could not be written: ${inWords(error)}`);
  }
}

/** Permission bits of a file, those that are not in `mode` taken away. */
async function narrow(path: string, mode: number): Promise<void> {
  const before = looked(path, () => first(os.stat(handed(path))).mode & 0o7777);
  if (before.state === 'failed') throw new Error(`the mode of ${path} could not be read: ${before.because}`);
  if (before.state === 'absent' || (before.value & ~mode) === 0) return;
  await helped(['chmod', (before.value & mode).toString(8), path]).catch((error: Error) => {
    throw new Error(`the mode of ${path} could not be changed: ${inWords(error)}`);
  });
}

/** Made before flock makes it with the mode that the caller's umask gives: whoever may read a file may lock it. */
async function ownLock(path: string): Promise<void> {
  tried(`the lock ${path} could not be taken`, () => os.close(must(os.open(handed(path), os.O_WRONLY | os.O_CREAT, 0o600))));
  await narrow(path, 0o600);
}

function tried(sentence: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new Error(`${sentence}: ${inWords(error)}`);
  }
}

async function remove(path: string): Promise<void> {
  const there = looked(path, () => first(os.lstat(handed(path))));
  tried(`${path} could not be removed`, () => {
    if (there.state === 'failed') throw new Error(there.because);
    if (there.state === 'absent') return;
    if ((there.value.mode & os.S_IFMT) === os.S_IFDIR) throw new Error('it is a directory (EISDIR)');
    must(os.remove(path));
  });
  if (there.state === 'present') await synced(dirname(path)).catch(() => undefined); // removed it is; a power cut may bring it back
}

/** flock(2), held by a child that reads from a pipe of ours, and so ends, and lets go, when we end in any way. */
async function lock(path: string, wait: number, who: string): Promise<{ lock: Lock } | { busy: string }> {
  const complaint = (text: string): Error => new Error(`the lock ${path} could not be taken: ${text}`);
  let file: string | null;
  try {
    handed(path);
    file = findProgram('flock');
  } catch (error) {
    throw complaint(inWords(error));
  }
  if (file === null) {
    throw new Error('flock is not installed, and without it two changes could interleave; OpenWrt has it in busybox, Debian in util-linux');
  }
  if (who !== '') await ownLock(path);
  const [heldRead, heldWrite] = openPipe();
  const [outRead, outWrite] = openPipe();
  const [errRead, errWrite] = openPipe();
  const argv = ['flock', '-x', path, 'sh', '-c', 'echo held; read -r _'];
  const child = start(file, { argv, input: heldRead, stdout: outWrite, stderr: errWrite });
  for (const fd of [heldRead, outWrite, errWrite]) os.close(fd);
  let said = '';
  const closeErr = readAll(
    errRead,
    (chunk) => {
      said += textOf(chunk).slice(0, 500);
    },
    () => undefined,
  );
  const got = await new Promise<'held' | 'busy' | 'ended'>((resolve) => {
    const timer = os.setTimeout(() => resolve('busy'), wait);
    const settle = (how: 'held' | 'ended'): void => {
      os.clearTimeout(timer);
      resolve(how);
    };
    readAll(
      outRead,
      () => settle('held'),
      () => settle('ended'),
    );
  });
  const letGo = async (): Promise<void> => {
    os.close(heldWrite);
    await ended(child.pid);
    closeErr();
  };
  if (got === 'held') {
    try {
      if (who !== '') {
        const fd = must(os.open(path, os.O_WRONLY | os.O_TRUNC));
        try {
          writeAll(fd, `${who}\n`);
        } finally {
          os.close(fd);
        }
      }
    } catch (error) {
      await letGo();
      throw new Error(`the lock ${path} could not be written: ${inWords(error)}`);
    }
    return { lock: { release: letGo } };
  }
  if (got === 'busy') killTree(child);
  await letGo();
  if (got === 'ended') throw complaint(said.trim() || 'flock ended');
  const holder = read(path);
  return { busy: holder.state === 'present' ? holder.value.trim() : '' };
}

/** This machine, through QuickJS. Addresses and effective user are looked at when the program starts. */
export function quickjsHost(addresses: () => HostAddress[]): Host {
  return {
    read: async (path, options) => read(path, options),
    list: async (path) =>
      looked(path, () =>
        first(os.readdir(handed(path)))
          .filter((name) => name !== '.' && name !== '..')
          .sort(),
      ),
    kind: async (path) =>
      looked(path, () => {
        const type = first(os.stat(handed(path))).mode & os.S_IFMT;
        return type === os.S_IFREG ? 'file' : type === os.S_IFDIR ? 'directory' : 'other';
      }),
    write,
    async poke(path, text) {
      tried(`${path} could not be set to "${text.trim()}"`, () => {
        const fd = must(os.open(handed(path), os.O_WRONLY));
        try {
          writeAll(fd, text);
        } finally {
          os.close(fd);
        }
      });
    },
    async narrow(path, mode) {
      await narrow(path, mode);
    },
    remove,
    run,
    lock,
    addresses,
    now: () => Date.now(),
    process: () => ({ pid: os.getpid(), uid: effectiveUser() }),
  };
}

/** proc_pid_status(5): `Uid:` real, effective, saved, file system. */
function effectiveUser(): number {
  const status = read('/proc/self/status');
  const [, uid] = status.state === 'present' ? (/^Uid:\s+\d+\s+(\d+)/m.exec(status.value) ?? []) : [];
  return uid === undefined ? -1 : Number(uid);
}
