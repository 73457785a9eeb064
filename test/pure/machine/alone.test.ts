import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from '../../bundled.ts';
import { saying } from '../../saying.ts';
import { alone } from '../../machine/qemu/alone.ts';

const folder = mkdtempSync(join(tmpdir(), 'sipalg-alone-'));
const lock = join(folder, 'sub', 'lock');
const test = suite('one process at a time');

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('gives what is made, passes an error on, and leaves no lock', () => {
  assert.is(
    alone(lock, () => readFileSync(lock, 'utf8')),
    String(process.pid),
  );
  assert.throws(
    () =>
      alone(lock, () => {
        throw new Error('not made');
      }),
    saying('not made'),
  );
  assert.not.ok(existsSync(lock));
});

test('takes a lock whose owner has gone', () => {
  writeFileSync(lock, '99999999');
  assert.is(
    alone(lock, () => 7),
    7,
  );
});

test('four processes that count together lose nothing', async () => {
  const counter = join(folder, 'counter');
  writeFileSync(counter, '0');
  const module = join(folder, 'alone.cjs');
  writeFileSync(module, await bundled('test/machine/qemu/alone.ts'));
  const count = `const { alone } = require(${JSON.stringify(module)}); const fs = require('node:fs');
    for (let n = 0; n < 50; n++) alone(${JSON.stringify(lock)}, () => fs.writeFileSync(${JSON.stringify(counter)}, String(Number(fs.readFileSync(${JSON.stringify(counter)}, 'utf8')) + 1)));`;
  const ends = await Promise.all(
    [0, 1, 2, 3].map(() => new Promise((resolve) => spawn(process.execPath, ['-e', count], { stdio: 'inherit' }).once('close', resolve))),
  );
  assert.equal(ends, [0, 0, 0, 0]);
  assert.is(readFileSync(counter, 'utf8'), '200');
});

test.run();
