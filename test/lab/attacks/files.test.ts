/** What a local user who is not root can read of what the program writes, and lock of what it locks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statSync } from 'node:fs';
import type { Lab } from '../lab.ts';
import { openLab } from '../lab.ts';

interface Context {
  lab: Lab;
}

const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
const JOURNAL = '/etc/sipalg.journal';
const LOCK = '/var/run/sipalg.lock';
const FIREWALL = '/etc/config/firewall';

const files = suite<Context>('files and locks, for a user who is not root');

files.before(async (context) => {
  // Its configuration names the helper, so the journal holds the whole file.
  context.lab = await openLab({ ruleset: 'lan-explicit-helpers' });
});
files.after(({ lab }) => lab.close());

const modeOf = (lab: Lab, path: string): string => (statSync(lab.files.host(path)).mode & 0o7777).toString(8);

files('the text of a private file is in no file that others may read', async ({ lab }) => {
  await lab.router.must(['chmod', '600', FIREWALL]);
  await lab.router.must(['sipalg', 'disable']);
  assert.match(lab.files.read(JOURNAL), /"kind": "file"/, 'there is something to hide');
  assert.is(modeOf(lab, JOURNAL), '600');
  assert.is(modeOf(lab, FIREWALL), '600');
  assert.is.not((await lab.router.run([...NOBODY, 'cat', JOURNAL])).status, 0);
});

files('a journal that an older version has left open is narrowed by the next run, whatever that has to do', async ({ lab }) => {
  await lab.router.must(['chmod', '644', JOURNAL]);
  const before = lab.files.read(JOURNAL);
  await lab.router.must(['sipalg', 'apply']);
  assert.is(modeOf(lab, JOURNAL), '600');
  assert.is(lab.files.read(JOURNAL), before);
});

files('nobody but root can hold the lock that every change waits for', async ({ lab }) => {
  for (const mode of ['600', '644']) {
    await lab.router.must(['chmod', mode, LOCK]);
    await lab.router.must(['sipalg', 'apply']);
    const taken = await lab.router.run([...NOBODY, 'flock', '-n', LOCK, 'true']);
    assert.is.not(taken.status, 0, `a lock that was ${mode}`);
    assert.match(taken.stderr, /Permission denied/);
  }
});

files('who holds the lock is said to be unknown where the process that its file names is gone', async ({ lab }) => {
  lab.files.write(LOCK, 'process 99999 (sipalg, towards "disabled")\n');
  const holder = lab.router.spawn(['flock', '-x', LOCK, 'sh', '-c', 'echo held; read -r _']);
  await new Promise((held) => {
    holder.child.stdout.once('data', held);
  });
  const told = await lab.router.run(['sipalg', 'apply'], { timeout: 60_000 });
  holder.child.stdin.end();
  assert.is(told.status, 2);
  assert.match(
    told.stderr,
    /sipalg is locked \(\/var\/run\/sipalg\.lock\) by an unknown process \(its file names process 99999, which is gone\)/,
  );
});

files.run();
