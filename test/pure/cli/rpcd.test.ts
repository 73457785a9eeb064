/** The watch that a page has asked for, where its package is not there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Doors, Terminal } from '../../../src/cli/command.ts';
import { watching } from '../../../src/cli/rpcd.ts';
import { keepWatched } from '../../../src/object/watched.ts';
import { Trouble } from '../../../src/words/say.ts';

const doors = { surveyor: { version: '1.2.3' } } as Doors;
const { told, remark } = keepWatched(0, 1);
const without = (message: string): Promise<unknown> =>
  watching(
    doors,
    '60',
    {} as Terminal,
    { told, remark, each: async () => undefined, goOn: () => true },
    () => Promise.reject(new Error(message)),
  ).then(
    () => assert.unreachable('nothing was there to watch with'),
    (error: unknown) => error,
  );

const rpcd = suite('a watch without the package that watches');

rpcd('names the package, in a sentence with a code, as Node and QuickJS say that a file is missing', async () => {
  for (const message of [
    "Cannot find module '/usr/lib/sipalg/watch-A1B2C3.mjs' imported from /usr/lib/sipalg/sipalg.mjs",
    "could not load module '/usr/lib/sipalg/watch-A1B2C3.mjs'",
  ]) {
    const error = await without(message);
    assert.ok(error instanceof Trouble);
    assert.is(error.said.text, '`sipalg watch` is in a package of its own; install sipalg-calls, of this version (1.2.3).');
    assert.is(error.said.code, 'missing-package');
  }
});

rpcd('does not take another error for a missing package', async () => {
  assert.is(((await without('Unexpected end of input')) as Error).message, 'Unexpected end of input');
});

rpcd.run();
