/** Locks through the doors of both engines, and between the two. */
import * as assert from 'uvu/assert';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ENGINES, openDoor } from './remote.ts';
import { complaint, throughDoor } from './suites.ts';

for (const engine of ENGINES) {
  const locking = throughDoor('a lock', engine);

  locking('keeps a second one out until it is released, and says who holds it', async ({ door, folder }) => {
    const path = join(folder, 'own.lock');
    const first = await door.lock(path, 5000, 'process 1 (sipalg)');
    assert.ok('lock' in first);
    assert.equal(await door.lock(path, 200, 'process 2'), { busy: 'process 1 (sipalg)' });
    if ('lock' in first) await first.lock.release();
    const second = await door.lock(path, 5000, 'process 2');
    assert.ok('lock' in second);
    assert.is(fs.readFileSync(path, 'utf8'), 'process 2\n');
    if ('lock' in second) await second.lock.release();
  });

  locking('keeps a lock of our own from everybody else, and leaves that of another program as it is', async ({ door, folder }) => {
    const [own, old, other] = [join(folder, 'mine.lock'), join(folder, 'older.lock'), join(folder, 'another.lock')];
    for (const path of [old, other]) {
      fs.writeFileSync(path, '');
      fs.chmodSync(path, 0o644);
    }
    for (const [path, who] of [
      [own, 'me'],
      [old, 'me'],
      [other, ''],
    ] as const) {
      const got = await door.lock(path, 5000, who);
      assert.ok('lock' in got);
      if ('lock' in got) await got.lock.release();
    }
    const modes = [own, old, other].map((path) => (fs.statSync(path).mode & 0o7777).toString(8));
    assert.equal(modes, ['600', '600', '644']);
  });

  locking('waits for a lock as long as it was told to', async ({ door, folder }) => {
    const path = join(folder, 'waiting.lock');
    const first = await door.lock(path, 5000, 'first');
    assert.ok('lock' in first);
    const second = door.lock(path, 20_000, 'second');
    setTimeout(() => {
      if ('lock' in first) void first.lock.release();
    }, 300);
    const got = await second;
    assert.ok('lock' in got);
    if ('lock' in got) await got.lock.release();
  });

  locking('writes nothing into a lock that belongs to another program', async ({ door, folder }) => {
    const path = join(folder, 'fw4.lock');
    fs.writeFileSync(path, '');
    const got = await door.lock(path, 5000, '');
    assert.ok('lock' in got);
    assert.is(fs.readFileSync(path, 'utf8'), '');
    assert.equal(await door.lock(path, 200, ''), { busy: '' });
    if ('lock' in got) await got.lock.release();
  });

  for (const holding of ENGINES)
    locking(`is let go when the process that holds it on ${holding} is killed`, async ({ door, folder }) => {
      const path = join(folder, 'killed.lock');
      const holder = await openDoor(holding);
      const held = await holder.lock(path, 5000, 'process of a test');
      assert.ok('lock' in held);
      assert.equal(await door.lock(path, 300, 'me'), { busy: 'process of a test' });
      await holder.kill();
      const got = await door.lock(path, 10_000, 'me');
      assert.ok('lock' in got);
      if ('lock' in got) await got.lock.release();
    });

  locking('stays held through a Ctrl-C and the end of the terminal', async ({ folder }) => {
    const path = join(folder, 'interrupted.lock');
    const door = await openDoor(engine);
    const held = await door.lock(path, 5000, 'me');
    assert.ok('lock' in held);
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(-door.pid, signal);
    assert.equal(await door.lock(path, 500, 'another'), { busy: 'me' });
    if ('lock' in held) await held.lock.release();
    await door.close();
  });

  locking('excludes what flock(1) excludes, and outlasts commands that are run meanwhile', async ({ door, folder }) => {
    const path = join(folder, 'flock.lock');
    const got = await door.lock(path, 5000, 'me');
    const tried = async (): Promise<unknown> => {
      const outcome = await door.run(['flock', '-n', path, 'true']);
      return outcome.state === 'exited' ? outcome.code : outcome;
    };
    assert.is(await tried(), 1);
    await door.run(['true']);
    assert.is(await tried(), 1);
    if ('lock' in got) await got.lock.release();
    assert.is(await tried(), 0);
  });

  locking('says why a lock cannot be taken', async ({ door, folder }) => {
    const path = join(folder, 'no', 'such', 'lock');
    assert.match(await complaint(door.lock(path, 5000, 'me')), `the lock ${path} could not be taken: `);
    assert.match(await complaint(door.lock(path, 5000, 'me')), /no such file or directory/i);
  });

  locking.run();
}
