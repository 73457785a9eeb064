/**
 * The writable disk of a virtual machine, and what a power cut leaves of it.
 *
 * qemu writes through its driver `blklogwrites`: every write goes to the disk and, in order, to a log, flushes
 * marked as such (the format of Linux's dm-log-writes). While the machine runs the log is the truth; when power
 * goes, the disk is made anew from what it held at boot and the log up to a flush. A write that was finished but
 * not flushed is lost: that is the least a disk with a cache of its own has to keep, and more than qemu's SIGKILL
 * takes by itself (the host's page cache would survive it). So `sync` and `fsync` matter exactly as on a router.
 * Not modelled: of the writes after the last flush, some may survive in any order.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { must } from './debian.ts';

// The log, all numbers little-endian: one sector { magic, version, entries, sector size (32 bits) }, then for each
// entry one sector { sector, sectors, flags, bytes of data } and the data itself, unless it is a discard.
const MAGIC = 0x6a736677736872n;
const FLUSH = 1n;
const DISCARD = 4n;
const SECTOR = 512;

type Entry = { readonly at: number; readonly bytes: number; readonly flags: bigint; readonly data: number };

export type Disk = {
  readonly path: string; // the file qemu writes
  readonly log: string;
  /** Flushes so far in the log of this boot. Right while the machine runs: qemu counts when it flushes. */
  flushes(): number;
  /** Makes a disk of its own as it would be had power gone right after flush number `flush` of this boot. */
  after(flush: number, path: string): Disk;
  /** The files of a folder after that flush, path to text, as the next boot would find them; nothing is booted. */
  filesAfter(flush: number, folder: string): Map<string, string>;
  /** Keeps what was flushed (`power cut`) or all that was written (`halt`), for the next boot. */
  settle(how: 'power cut' | 'halt'): void;
  /** Notes what the disk holds now, and begins a new log. To be called before qemu starts. */
  begin(): void;
};

/** Makes an empty disk with an ext4 file system. */
export function newDisk(path: string, mebibytes = 24): Disk {
  writeFileSync(path, '');
  must('mke2fs', [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0,nodiscard',
    '-J',
    'size=4',
    path,
    `${mebibytes}M`,
  ]);
  return diskAt(path);
}

/** A disk whose file exists. */
export function diskAt(path: string): Disk {
  const log = `${path}.log`;
  const before = `${path}.before`;

  function replay(most: number, onto: string): void {
    const { entries, file } = readLog(log);
    const disk = openSync(onto, 'r+');
    const flushes = entries.flatMap((entry, index) => ((entry.flags & FLUSH) !== 0n ? [index] : []));
    const kept = flushes[Math.min(most, flushes.length) - 1] ?? 0;
    for (const entry of entries.slice(0, kept)) {
      if (entry.bytes === 0) continue;
      const data = Buffer.alloc(entry.bytes);
      readSync(file, data, 0, entry.bytes, entry.data);
      writeSync(disk, data, 0, entry.bytes, entry.at);
    }
    closeSync(disk);
    closeSync(file);
  }

  return {
    path,
    log,
    begin() {
      copyFileSync(path, before, constants.COPYFILE_FICLONE);
      writeFileSync(log, '');
    },
    flushes() {
      const { entries, file } = readLog(log);
      closeSync(file);
      return entries.filter((entry) => (entry.flags & FLUSH) !== 0n).length;
    },
    after(flush, other) {
      copyFileSync(before, other, constants.COPYFILE_FICLONE);
      replay(flush, other);
      return diskAt(other);
    },
    filesAfter(flush, folder) {
      const copy = `${path}.look`;
      const into = `${path}.files`;
      copyFileSync(before, copy, constants.COPYFILE_FICLONE);
      replay(flush, copy);
      // The journal has to be played back first, as mounting would; 1 means that something was.
      const { status, stdout } = spawnSync('e2fsck', ['-fy', copy], { encoding: 'utf8', timeout: 30_000 });
      if (status !== 0 && status !== 1) throw new Error(`The file system after flush ${flush} is broken: ${stdout}`);
      mkdirSync(into, { recursive: true });
      must('debugfs', ['-R', `rdump ${folder} ${into}`, copy]);
      const files = new Map<string, string>();
      for (const name of (readdirSync(into, { recursive: true }) as string[]).sort()) {
        if (lstatSync(`${into}/${name}`).isFile()) files.set(name, readFileSync(`${into}/${name}`, 'latin1'));
      }
      rmSync(into, { recursive: true });
      rmSync(copy);
      return files;
    },
    settle(how) {
      if (how === 'halt') return;
      replay(Infinity, before);
      renameSync(before, path);
    },
  };
}

function readLog(path: string): { entries: Entry[]; file: number } {
  const file = openSync(path, 'r');
  const head = Buffer.alloc(SECTOR);
  const size = fstatSync(file).size;
  if (readSync(file, head, 0, SECTOR, 0) < SECTOR) return { entries: [], file };
  if (head.readBigUInt64LE(0) !== MAGIC) throw new Error(`${path} is not a log of writes.`);
  const sector = head.readUInt32LE(24);
  const entries: Entry[] = [];
  let at = sector;
  for (let left = head.readBigUInt64LE(16); left > 0n && at + sector <= size; left--) {
    readSync(file, head, 0, 32, at);
    const flags = head.readBigUInt64LE(16);
    const bytes = (flags & DISCARD) !== 0n ? 0 : Number(head.readBigUInt64LE(8)) * sector;
    entries.push({ at: Number(head.readBigUInt64LE(0)) * sector, bytes, flags, data: at + sector });
    at += sector + bytes;
  }
  return { entries, file };
}
