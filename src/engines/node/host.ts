/**
 * The door to a machine on Node 18 and later.
 *
 * Small files are read at once: what is read here lives in memory (/proc, /sys)
 * or is a few kilobytes, and a start should cost little. Commands run beside
 * each other, in a session of their own, so that a Ctrl-C meant for us does not
 * stop one of them half way.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
// Each by name: an import of the whole module costs the bundle half a kilobyte of shims.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { UNFINISHED } from '../../host/host.ts';
import type { Host, Lock, Outcome, ReadOptions, Reading, RunOptions } from '../../host/host.ts';
import { inWords, isMissing, looked } from '../../host/errno.ts';
import { handed, toolPath } from '../../host/handed.ts';
import { filterLines, join } from '../../host/lines.ts';
import { decode, encode } from '../../host/text.ts';

const MOST_READ = 4 << 20;
const MOST_SAID = 32 << 20;
const TIMEOUT = 30_000;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return decode(bytes); // not UTF-8: byte by byte, nothing lost
  }
}

/** Reads a file whose size is not known beforehand (those of /proc say 0), 64 KiB at a time. */
function readChunks(path: string, take: (chunk: Uint8Array) => void): void {
  const file = openSync(handed(path), 'r');
  try {
    const buffer = Buffer.allocUnsafe(65_536);
    for (let got = 1; got > 0;) {
      got = readSync(file, buffer, 0, buffer.length, null);
      if (got > 0) take(Uint8Array.prototype.slice.call(buffer, 0, got));
    }
  } finally {
    closeSync(file);
  }
}

const search = (bytes: Uint8Array, needle: Uint8Array, from: number): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(needle, from);

/** Gathers output: all of it up to a limit, or the lines selected. */
function gather(options: { select?: { holding: readonly string[] }; most?: number }, standard: number) {
  const most = options.most ?? standard;
  const filter = options.select ? filterLines(options.select.holding, search) : null;
  const parts: Uint8Array[] = [];
  let size = 0;
  return {
    take(chunk: Uint8Array): void {
      if (filter) return filter.push(chunk);
      size += chunk.length;
      if (size > most) throw new Error(`it holds more than ${most} bytes`);
      parts.push(chunk);
    },
    text(): string {
      return textOf(filter ? filter.end() : parts.length === 1 ? (parts[0] as Uint8Array) : join(parts));
    },
  };
}

function read(path: string, options: ReadOptions = {}): Reading<string> {
  return looked(path, () => {
    const gathered = gather(options, MOST_READ);
    readChunks(path, gathered.take);
    return gathered.text();
  });
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function write(path: string, text: string, mode = 0o644): void {
  let temporary: string | null = null;
  try {
    const real = looked(path, () => realpathSync(handed(path)));
    const target = real.state === 'present' ? real.value : handed(path);
    const before = looked(target, () => statSync(target));
    const beside = target + UNFINISHED;
    // Never through a link that lies there: what a run that was cut off has left is taken away, and the file is ours alone
    // until it has the mode and owner it is to have.
    looked(beside, () => unlinkSync(beside));
    const file = openSync(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
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

function tried(sentence: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new Error(`${sentence}: ${inWords(error)}`);
  }
}

/**
 * A command with grep behind it, and its own exit code on descriptor 3. The shell
 * makes a pipe; Node would make a socket pair, through which `conntrack -L` of
 * 65,536 flows comes in two thousand pieces and a third more time.
 */
const FILTERED = '{ "$@" 3>&-; echo $? >&3; } | grep -F';

/** What a shell exits with for a program that it did not find (POSIX, 2.8.2). */
const NOT_FOUND = 127;

function filtered(argv: readonly string[], { select }: RunOptions): readonly string[] {
  if (!select?.much || !select.holding.every((needle) => /^[\w=. -]+$/.test(needle))) return argv;
  return ['sh', '-c', `${FILTERED} ${select.holding.map((needle) => `-e '${needle}'`).join(' ')}`, 'sh', ...argv];
}

async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  try {
    argv.forEach(handed);
    return await runCommand(argv, options);
  } catch (error) {
    // Most of what keeps a program from being started is told by its event; that its arguments are too long is thrown.
    return { state: 'failed', command: argv.join(' '), because: inWords(error) };
  }
}

function runCommand(argv: readonly string[], options: RunOptions): Promise<Outcome> {
  const called = filtered(argv, options);
  const [program = '', ...args] = called;
  const command = argv.join(' ');
  return new Promise((resolve) => {
    const out = gather(options, MOST_SAID);
    const err = gather({}, MOST_SAID);
    let stopped = '';
    const environment = { ...process.env, LC_ALL: 'C', PATH: toolPath(process.env['PATH']) };
    const child = spawn(program, args, {
      cwd: '/',
      env: environment,
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(called === argv ? [] : ['pipe' as const])],
    }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
    let exit = '';
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      exit += chunk.toString('latin1');
    });
    const stop = (because: string): void => {
      if (stopped !== '') return;
      stopped = because;
      // Its whole group, or what it started would keep the pipes open.
      if (child.pid !== undefined) looked(command, () => process.kill(-(child.pid as number), 'SIGKILL'));
      // What has left the group keeps them open all the same, and is not waited for.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const taking =
      (gathered: typeof out) =>
      (chunk: Buffer): void => {
        if (stopped !== '') return;
        try {
          gathered.take(chunk);
        } catch (error) {
          stop(`its output was not read to the end: ${(error as Error).message}`);
        }
      };
    const timeout = options.timeout ?? TIMEOUT;
    const timer = setTimeout(() => stop(`it did not end within ${timeout / 1000} s and was killed`), timeout);
    child.stdout.on('data', taking(out));
    child.stderr.on('data', taking(err));
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve(isMissing(error) ? { state: 'absent', command } : { state: 'failed', command, because: inWords(error) });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (stopped !== '') resolve({ state: 'failed', command, because: stopped });
      else if (code === null) resolve({ state: 'failed', command, because: `it was ended by ${signal}` });
      else if (called !== argv && (exit === '' || Number(exit) === NOT_FOUND)) resolve({ state: 'absent', command });
      else resolve({ state: 'exited', command, code: called === argv ? code : Number(exit), stdout: out.text(), stderr: err.text() });
    });
    child.stdin?.on('error', () => {
      /* it ended without reading its input: its exit code says why */
    });
    child.stdin?.end(encode(options.input ?? ''));
  });
}

/**
 * flock(2) is out of Node's reach, so a child holds it: `flock FILE sh` that
 * reads from a pipe of ours, and so ends, and lets go, when we end in any way.
 */
function lock(path: string, wait: number, who: string): Promise<{ lock: Lock } | { busy: string }> {
  return new Promise((resolve, reject) => {
    const complaint = (text: string): Error => new Error(`the lock ${path} could not be taken: ${text}`);
    try {
      handed(path);
    } catch (error) {
      reject(complaint((error as Error).message));
      return;
    }
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

/** This machine, through Node. */
export const nodeHost: Host = {
  async read(path, options) {
    return read(path, options);
  },
  async list(path) {
    return looked(path, () => readdirSync(handed(path)).sort());
  },
  async kind(path) {
    return looked(path, () => {
      const stat = statSync(handed(path));
      return stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
    });
  },
  async write(path, text, mode) {
    write(path, text, mode);
  },
  async poke(path, text) {
    tried(`${path} could not be set to "${text.trim()}"`, () => {
      const file = openSync(handed(path), constants.O_WRONLY);
      try {
        writeSync(file, text);
      } finally {
        closeSync(file);
      }
    });
  },
  async remove(path) {
    tried(`${path} could not be removed`, () => {
      try {
        unlinkSync(handed(path));
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
    });
    looked(path, () => syncDirectory(dirname(path))); // removed it is; a power cut may bring it back
  },
  run,
  lock,
  addresses() {
    return Object.entries(networkInterfaces()).flatMap(([device, addresses]) =>
      (addresses ?? []).map((address) => ({
        device,
        family: address.family === 'IPv6' ? ('ipv6' as const) : ('ipv4' as const),
        address: address.address,
        prefix: Number(address.cidr?.split('/')[1] ?? 0),
      })),
    );
  },
  now: () => Date.now(),
  process: () => ({ pid: process.pid, uid: process.geteuid?.() ?? -1 }),
};
