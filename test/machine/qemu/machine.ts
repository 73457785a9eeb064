/**
 * A virtual machine: programs run in it, files written and read, reboots, and power cuts. What its disk keeps of a
 * power cut is said in disk.ts; the router that lives in it is router.ts.
 */
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Ran, RunOptions } from '../../lab/member.ts';
import { newDisk, type Disk } from './disk.ts';
import { acceleration, startQemu, type Acceleration } from './engine.ts';
import { initramfs, rootImage, type Layer } from './image.ts';
import { kernelOf, type Kernel, type Line } from './kernels.ts';
import { openWire, type Remote, type Wire } from './wire.ts';

export type Machine = {
  readonly kernel: Kernel;
  readonly acceleration: Acceleration;
  /** What the init scripts said on standard error at the last boot; empty when nothing went wrong. */
  bootLog(): string;
  /** Everything the kernel wrote to its console since the machine was made. */
  console(): string;
  spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): Remote;
  /** Runs a program to its end. A program that fails is an answer, not an error. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Like `run`, but a status other than 0 is an error that shows what the program said. */
  must(argv: readonly string[], options?: RunOptions): Promise<string>;
  read(path: string): Promise<string>;
  /** Writes a file as any program does: it is on the disk when something syncs it. */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Syncs, stops in order and boots again: everything written is there. */
  reboot(): Promise<void>;
  /** Takes the power away at once and boots again from what the disk had flushed. */
  powerCut(): Promise<void>;
  /** The disk of this boot, with the log of all that was written to it; it stays as it is after `bootAt`. */
  disk(): Disk;
  /** Takes the power away and boots from that disk as it was after one of its flushes. */
  bootAt(disk: Disk, flush: number): Promise<void>;
  /** Writes bytes into a file, not text. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * Boots from another image and an empty disk, as after a sysupgrade.
   * @param kept what the old one kept (tar, gzip), put over the new one before it boots; nothing if not given
   */
  flash(image: Layer, kept?: Uint8Array): Promise<void>;
  close(): Promise<void>;
};

const BOOT_LIMIT = 240_000;
/** A file to which machines write what is done in them, as it is done; show.mjs shows it. */
const LOG = process.env['SIPALG_VM_LOG'];

/** Makes a machine with an empty disk and boots it. */
export async function openMachine(line: Line, layer: Layer): Promise<Machine> {
  const kernel = kernelOf(line);
  const how = acceleration(kernel.image);
  const root = rootImage(kernel);
  const folder = mkdtempSync(`${tmpdir()}/sipalg-vm-`);
  let first = `${folder}/initramfs`;
  initramfs(kernel, layer, first);
  let disk = newDisk(`${folder}/disk`);
  let qemu: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  let wire: Wire | undefined;
  let boots = 0;
  let log = '';
  const console_ = `${folder}/console`;
  const saidSoFar = (): string => (existsSync(console_) ? readFileSync(console_, 'utf8') : '');

  async function boot(): Promise<void> {
    const socket = `${folder}/agent-${++boots}`;
    note('boots');
    disk.begin();
    wire = await openWire(socket);
    const started = startQemu({ acceleration: how, kernelImage: kernel.image, initramfs: first, root, disk, socket, console: console_ });
    qemu = started;
    const line_ = wire;
    gone = new Promise((resolve) => {
      started.once('error', (error) => {
        line_.close(`qemu could not be started: ${error.message}`);
        resolve();
      });
      started.once('close', () => {
        line_.close('the machine is gone');
        resolve();
      });
    });
    const timer = setTimeout(() => line_.close(`the machine was not up in ${BOOT_LIMIT / 1000} s`), BOOT_LIMIT);
    try {
      log = await wire.ready;
      note('is up', log);
    } catch (error) {
      started.kill('SIGKILL');
      throw new Error(`${(error as Error).message}; its console ends with\n${saidSoFar().slice(-3000)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  function note(what: string, said = ''): void {
    if (LOG === undefined) return;
    const lines = said
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => `    ${text}\n`);
    appendFileSync(LOG, `[Linux ${line}, ${process.uptime().toFixed(1)} s] ${what}\n${lines.join('')}`);
  }

  async function off(): Promise<void> {
    wire?.close('the machine lost its power');
    qemu?.kill('SIGKILL');
    await gone;
  }

  async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const remote = wire!.spawn(argv, options.env);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    remote.child.stdout.on('data', (data: Buffer) => out.push(data));
    remote.child.stderr.on('data', (data: Buffer) => err.push(data));
    remote.child.stdin.end(options.input ?? '');
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      remote.signal('SIGKILL');
    }, options.timeout ?? 180_000);
    try {
      const { status, signal } = await remote.ended;
      const [stdout, stderr] = [Buffer.concat(out).toString(), Buffer.concat(err).toString()];
      note(`# ${argv.join(' ')}${status === 0 ? '' : `   -> ${status ?? signal}`}`, stderr + stdout);
      return { status, signal, timedOut, stdout, stderr };
    } finally {
      clearTimeout(timer);
    }
  }

  const machine: Machine = {
    kernel,
    acceleration: how,
    bootLog: () => log,
    console: saidSoFar,
    spawn: (argv, env) => wire!.spawn(argv, env),
    run,
    async must(argv, options) {
      const ran = await run(argv, options);
      if (ran.status === 0) return ran.stdout;
      const ended = ran.timedOut ? 'did not end in time' : `ended with ${ran.status ?? ran.signal}`;
      throw new Error(`${argv.join(' ')} ${ended}\n${ran.stderr || ran.stdout}`);
    },
    read: (path) => machine.must(['cat', path]),
    async write(path, text, mode = 0o644) {
      await machine.must(['sh', '-ec', 'mkdir -p "${1%/*}"; cat >"$1"; chmod "$2" "$1"', 'sh', path, mode.toString(8)], { input: text });
    },
    async reboot() {
      wire!.spawn(['sh', '-c', 'sync; mount -o remount,ro /overlay; sync; reboot -f']);
      const timer = setTimeout(() => qemu?.kill('SIGKILL'), 30_000);
      await gone;
      clearTimeout(timer);
      if (qemu?.signalCode) throw new Error('The machine did not stop within 30 s.');
      disk.settle('halt');
      await boot();
    },
    async powerCut() {
      await off();
      disk.settle('power cut');
      await boot();
    },
    disk: () => disk,
    async bootAt(recorded, flush) {
      await off();
      disk = recorded.after(flush, `${folder}/disk-${boots}`);
      await boot();
    },
    async put(path, bytes) {
      await machine.must(['sh', '-ec', 'mkdir -p "${1%/*}"; base64 -d >"$1"', 'sh', path], {
        input: Buffer.from(bytes).toString('base64'),
      });
    },
    async flash(image, kept) {
      await off();
      first = `${folder}/initramfs-${boots}`;
      initramfs(kernel, image, first, kept);
      disk = newDisk(`${folder}/disk-${boots}`);
      await boot();
    },
    async close() {
      await off();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await boot();
  } catch (error) {
    await machine.close();
    throw error;
  }
  return machine;
}
