import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diskAt, type Disk } from '../../machine/qemu/disk.ts';

// A log as qemu's blklogwrites writes it: the superblock, then entries of a sector each with their data behind.
type Written = 'flush' | { readonly sector: number; readonly letter: string };

function logOf(writes: readonly Written[], counted = writes.length): Buffer {
  const sector = (fill: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.alloc(512);
    fill(bytes);
    return bytes;
  };
  return Buffer.concat([
    sector((head) => {
      head.writeBigUInt64LE(0x6a736677736872n, 0);
      head.writeBigUInt64LE(1n, 8);
      head.writeBigUInt64LE(BigInt(counted), 16);
      head.writeUInt32LE(512, 24);
    }),
    ...writes.flatMap((write) =>
      write === 'flush'
        ? [
            sector((entry) => {
              entry.writeBigUInt64LE(1n, 16);
            }),
          ]
        : [
            sector((entry) => {
              entry.writeBigUInt64LE(BigInt(write.sector), 0);
              entry.writeBigUInt64LE(1n, 8);
            }),
            Buffer.alloc(512, write.letter),
          ],
    ),
  ]);
}

const test = suite('the disk after a power cut');
let folder: string;
let disk: Disk;
const sectors = (path: string): string =>
  Array.from({ length: 4 }, (_, index) => String.fromCharCode(readFileSync(path)[index * 512]!)).join('');
const W = (sector: number, letter: string): Written => ({ sector, letter });

test.before.each(() => {
  folder = mkdtempSync(`${tmpdir()}/sipalg-disk-`);
  writeFileSync(`${folder}/disk`, Buffer.alloc(4 * 512, '.'));
  disk = diskAt(`${folder}/disk`);
  disk.begin();
});
test.after.each(() => rmSync(folder, { recursive: true }));

test('holds what was flushed, and nothing that was written after the last flush', () => {
  writeFileSync(disk.log, logOf([W(0, 'a'), 'flush', W(1, 'b'), 'flush', W(2, 'c')]));
  writeFileSync(disk.path, Buffer.alloc(4 * 512, 'x'));
  disk.settle('power cut');
  assert.is(sectors(disk.path), 'ab..');
});

test('holds what it held at boot when nothing was flushed', () => {
  writeFileSync(disk.log, logOf([W(0, 'a')]));
  disk.settle('power cut');
  assert.is(sectors(disk.path), '....');
});

test('holds everything after an orderly halt', () => {
  writeFileSync(disk.path, Buffer.alloc(4 * 512, 'x'));
  disk.settle('halt');
  assert.is(sectors(disk.path), 'xxxx');
});

test('can be had as it was after every flush, later writes of a sector over earlier ones', () => {
  writeFileSync(disk.log, logOf(['flush', W(0, 'a'), 'flush', W(0, 'b'), W(3, 'd'), 'flush']));
  assert.is(disk.flushes(), 3);
  assert.equal(
    [0, 1, 2, 3].map((flush) => sectors(disk.after(flush, `${folder}/after-${flush}`).path)),
    ['....', '....', 'a...', 'b..d'],
  );
});

test('counts only the entries that the superblock counts', () => {
  writeFileSync(disk.log, logOf([W(0, 'a'), 'flush', W(1, 'b'), 'flush'], 2));
  assert.is(disk.flushes(), 1);
});

test('is not made from a file that is no log', () => {
  writeFileSync(disk.log, Buffer.alloc(1024, 'z'));
  assert.throws(() => disk.flushes(), /is not a log of writes/);
});

test.run();
