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
import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Host, HostAddress, Outcome, ReadOptions, Reading, RunOptions } from '../../host/host.ts';
import { inWords, isMissing, looked } from '../../host/errno.ts';
import { handed, toolPath } from '../../host/handed.ts';
import { createGather } from '../../host/gather.ts';
import { decode, encode } from '../../host/text.ts';
import { addresses4, addresses6, LOCAL } from '../../languages/kernel/addresses.ts';

const MOST_READ = 4 << 20;
const MOST_SAID = 32 << 20;
const TIMEOUT = 30_000;
/** Milliseconds between two questions whether a command is still wanted, and for one that was killed to be gone. */
const ASKED_EVERY = 100;
const UNKILLABLE = 2000;

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

const searchLast = (bytes: Uint8Array, needle: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(needle);

const gather = createGather({ textOf, search, searchLast });

function read(path: string, options: ReadOptions = {}): Reading<string> {
  return looked(path, () => {
    const gathered = gather(options, MOST_READ);
    readChunks(path, gathered.take);
    return gathered.text();
  });
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
    // What a filter beside us lets through needs none of ours.
    const out = gather(called === argv || !options.parts ? options : { parts: options.parts }, MOST_SAID);
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
      // One that the kernel does not let end (a disk, a driver that hangs) is not waited for either.
      setTimeout(() => finish({ state: 'failed', command, because: stopped }), UNKILLABLE).unref();
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
    const asking = options.goOn && setInterval(() => options.goOn?.() === false && stop('it was broken off'), ASKED_EVERY);
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer);
      clearInterval(asking);
      resolve(outcome);
    };
    child.stdout.on('data', taking(out));
    child.stderr.on('data', taking(err));
    child.on('error', (error) =>
      finish(isMissing(error) ? { state: 'absent', command } : { state: 'failed', command, because: inWords(error) }),
    );
    child.on('close', (code, signal) => {
      let stdout = '';
      try {
        if (stopped === '') stdout = out.text();
      } catch (error) {
        stopped = `its output was not read to the end: ${(error as Error).message}`;
      }
      if (stopped !== '') finish({ state: 'failed', command, because: stopped });
      else if (code === null) finish({ state: 'failed', command, because: `it was ended by ${signal}` });
      else if (called !== argv && (exit === '' || Number(exit) === NOT_FOUND)) finish({ state: 'absent', command });
      else finish({ state: 'exited', command, code: called === argv ? code : Number(exit), stdout, stderr: err.text() });
    });
    child.stdin?.on('error', () => {
      /* it ended without reading its input: its exit code says why */
    });
    child.stdin?.end(encode(options.input ?? ''));
  });
}

/** Those of devices without a carrier, of which `running` are not. */
function silent(running: ReadonlySet<string>): HostAddress[] {
  const text = (path: string, holding?: readonly string[]): string => {
    const reading = read(path, holding === undefined ? {} : { select: { holding } });
    return reading.state === 'present' ? reading.value : '';
  };
  const others = ({ device }: HostAddress): boolean => !running.has(device);
  const six = addresses6(text('/proc/net/if_inet6')).filter(others);
  const route = text('/proc/net/route');
  const lines = route.split('\n').slice(1);
  // The trie of a router with many routes is long: it is read where a route leads by another device.
  if (lines.every((line) => line === '' || running.has(line.split('\t')[0] ?? ''))) return six;
  return [...addresses4(text('/proc/net/fib_trie', LOCAL), route).filter(others), ...six];
}

function addresses(): HostAddress[] {
  const running = networkInterfaces();
  const up = Object.entries(running).flatMap(([device, all = []]) =>
    all.map(({ family, address, cidr }): HostAddress => ({
      device,
      family: family === 'IPv6' ? 'ipv6' : 'ipv4',
      address,
      prefix: Number(cidr?.split('/')[1] ?? 0),
    })),
  );
  return [...up, ...silent(new Set(Object.keys(running)))];
}

const changes = () => import('./changes.ts');

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
  // What changes a machine is loaded when it does, for most runs only look.
  write: async (path, text, mode) => (await changes()).write(path, text, mode),
  poke: async (path, text) => (await changes()).poke(path, text),
  narrow: async (path, mode) => (await changes()).narrow(path, mode),
  remove: async (path) => (await changes()).remove(path),
  run,
  lock: async (path, wait, who) => (await changes()).lock(path, wait, who, read),
  addresses,
  now: () => Date.now(),
  elapsed: () => performance.now(),
  process: () => ({ pid: process.pid, uid: process.geteuid?.() ?? -1 }),
};
