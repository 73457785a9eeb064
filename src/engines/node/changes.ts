/** What the door on Node does to a machine: files written, narrowed and removed so that a power cut harms none, kernel files, locks. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { inWords, isMissing, looked } from '../../host/errno.ts';
import { unfinishedAmong, unfinishedOf } from '../../host/host.ts';
import type { Lock, Reading } from '../../host/host.ts';
import { encode } from '../../host/text.ts';
import { handed, toolPath } from '../../host/handed.ts';

/** Of a file while it is being written, and of what is ours alone. */
const PRIVATE = 0o600;

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Grows with each file that is written. */
let turn = 0;

/** What writers of a file that were cut off have left is taken away; a process of now may be writing. */
function sweep(target: string): void {
  const folder = dirname(target);
  const names = looked(folder, () => readdirSync(folder));
  if (names.state !== 'present') return;
  for (const { name, process: writer } of unfinishedAmong(names.value, basename(target)))
    if (writer === null || writer === process.pid || !existsSync(`/proc/${writer}`))
      looked(name, () => unlinkSync(join(folder, name)));
}

export function write(path: string, text: string, mode = 0o644): void {
  let temporary: string | null = null;
  try {
    const real = looked(path, () => realpathSync(handed(path)));
    const target = real.state === 'present' ? real.value : handed(path);
    const before = looked(target, () => statSync(target));
    sweep(target);
    const beside = unfinishedOf(target, process.pid, ++turn);
    // Never through a link that lies there, and ours alone until it has the mode and owner it is to have.
    const file = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, PRIVATE);
    temporary = beside;
    try {
      const bytes = encode(text);
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      if (before.state === 'present') {
        fchownSync(file, before.value.uid, before.value.gid);
        fchmodSync(file, before.value.mode & 0o7777);
      } else {
        fchmodSync(file, mode);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, target);
    temporary = null;
    syncDirectory(dirname(target));
  } catch (error) {
    const left = temporary;
    if (left !== null) looked(left, () => unlinkSync(left));
    throw new Error(`${path} could not be written: ${inWords(error)}`);
  }
}

/** Permission bits of a file, those that are not in `mode` taken away. */
export function narrow(path: string, mode: number): void {
  const before = looked(path, () => statSync(path).mode & 0o7777);
  if (before.state === 'failed') throw new Error(`the mode of ${path} could not be read: ${before.because}`);
  if (before.state === 'present' && (before.value & ~mode) !== 0)
    tried(`the mode of ${path} could not be changed`, () => chmodSync(path, before.value & mode));
}

function tried(sentence: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new Error(`${sentence}: ${inWords(error)}`);
  }
}

/** Writes into a kernel file in one write. */
export function poke(path: string, text: string): void {
  tried(`${path} could not be set to "${text.trim()}"`, () => {
    const file = openSync(handed(path), constants.O_WRONLY);
    try {
      writeSync(file, text);
    } finally {
      closeSync(file);
    }
  });
}

export function remove(path: string): void {
  tried(`${path} could not be removed`, () => {
    try {
      unlinkSync(handed(path));
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
  });
  looked(path, () => syncDirectory(dirname(path))); // removed it is; a power cut may bring it back
}

/** Made before flock makes it with the mode that the caller's umask gives: whoever may read a file may lock it. */
function ownLock(path: string): void {
  tried(`the lock ${path} could not be taken`, () =>
    closeSync(openSync(handed(path), constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, PRIVATE)),
  );
  narrow(path, PRIVATE);
}

/**
 * flock(2) is out of Node's reach, so a child holds it: `flock FILE sh` that
 * reads from a pipe of ours, and so ends, and lets go, when we end in any way.
 */
export function lock(
  path: string,
  wait: number,
  who: string,
  read: (path: string) => Reading<string>,
): Promise<{ lock: Lock } | { busy: string }> {
  return new Promise((resolve, reject) => {
    const complaint = (text: string): Error => new Error(`the lock ${path} could not be taken: ${text}`);
    try {
      handed(path);
    } catch (error) {
      reject(complaint((error as Error).message));
      return;
    }
    if (who !== '') ownLock(path);
    const child = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; read -r _'], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PATH: toolPath(process.env['PATH']) },
    });
    const ended = new Promise<void>((done) => child.on('close', () => done()));
    let said = '';
    let settled = false;
    const settle = (act: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      act();
    };
    const timer = setTimeout(
      () =>
        settle(() => {
          child.kill('SIGKILL');
          child.stdin.destroy();
          const holder = read(path);
          resolve({ busy: holder.state === 'present' ? holder.value.trim() : '' });
        }),
      wait,
    );
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8').slice(0, 500);
    });
    child.on('error', (error) =>
      settle(() =>
        reject(
          isMissing(error)
            ? new Error(
                'flock is not installed, and without it two changes could interleave; OpenWrt has it in busybox, Debian in util-linux',
              )
            : complaint(inWords(error)),
        ),
      ),
    );
    child.on('close', () => settle(() => reject(complaint(said.trim() || 'flock ended'))));
    child.stdin.on('error', () => {
      /* the holder is gone already */
    });
    child.stdout.once('data', () =>
      settle(() => {
        try {
          if (who !== '') writeFileSync(path, who + '\n');
        } catch (error) {
          child.stdin.end();
          reject(new Error(`the lock ${path} could not be written: ${inWords(error)}`));
          return;
        }
        resolve({
          lock: {
            async release() {
              child.stdin.end();
              await ended;
            },
          },
        });
      }),
    );
  });
}
