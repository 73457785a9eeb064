import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, differences, JOURNAL, nameOf, ON_DISK, onRouter, WISH, type RouterOptions, type Told } from './router.ts';

const ROUTERS: readonly RouterOptions[] = [
  { ruleset: 'set-helper-rule', crowd: true },
  { ruleset: 'stock-alg-on' },
  { ruleset: 'lan-explicit-helpers' },
  { ruleset: 'user-include' },
  ON_DISK,
  { ...ON_DISK, crowd: true, picky: true },
  { ruleset: 'lan-explicit-helpers', engine: 'quickjs' },
];

/** Exit code 2, what did not work, that it was taken back, and what to do next; no claim of success. */
function saidSo(told: Told, what: string): void {
  const lines = complaints(told);
  assert.is(told.status, 2, `${what}: ${told.stderr}`);
  assert.is(told.stdout, '', what);
  assert.match(lines[0] ?? '', /No space|no space|Cannot allocate memory/, `${what}: it says why: ${told.stderr}`);
  assert.match(lines.join('\n'), /[Ee]verything done|[Nn]othing was changed/, `${what}: it says that all is as it was: ${told.stderr}`);
  assert.match(lines.join('\n'), /sipalg status|try again|again/, `${what}: it says what to do: ${told.stderr}`);
}

const faults = suite('a change that fails');

for (const options of ROUTERS) {
  const ways = options.crowd && !options.picky ? ['fail', 'fail-after'] : ['fail'];

  faults(`leaves everything as it was, whichever of disable's and enable's it is: ${nameOf(options)}`, () =>
    onRouter(options, async (router) => {
      await router.call();
      const before = await router.state();
      const count = async (words: string[]): Promise<number> => {
        const told = await router.sipalg(words);
        assert.ok(told.status === 0 || told.status === 1, told.stderr);
        return told.changes.length;
      };

      const disabling = await count(['disable']);
      const disabled = await router.state();
      assert.ok(differences(before, disabled).length > 0);
      const enabling = await count(['enable']);
      assert.equal(differences(before, await router.state(), [WISH]), []);
      router.lab.files.remove(WISH);

      for (const how of ways) {
        for (let at = 1; at <= disabling; at++) {
          await router.call();
          const told = await router.sipalg(['disable'], `${how}:${at}`);
          const what = `disable, ${how} ${at} of ${disabling} (${told.changes[at - 1]})`;
          if (options.picky && told.status !== 2) {
            // Here the first pass is taken back in any case: such a change may fail too, is tried again, and all goes on.
            assert.match(told.stderr, /# taking back: /, what);
            assert.equal(differences(disabled, await router.state(), [JOURNAL]), [], `${what}: ${told.stderr}`);
            assert.is((await router.sipalg(['enable'])).status, 0, what);
            assert.equal(differences(before, await router.state(), [WISH]), [], `${what}: ${told.stderr}`);
            router.lab.files.remove(WISH);
            continue;
          }
          assert.equal(differences(before, await router.state()), [], `${what}: ${told.stderr}`);
          saidSo(told, what);
        }
      }
      await router.call();
      assert.is(await count(['disable']), disabling);
      assert.equal(differences(disabled, await router.state(), [JOURNAL]), []);
      const ready = await router.state(); // the journal names the moment
      for (const how of ways) {
        for (let at = 1; at <= enabling; at++) {
          const told = await router.sipalg(['enable'], `${how}:${at}`);
          const what = `enable, ${how} ${at} of ${enabling} (${told.changes[at - 1]})`;
          assert.equal(differences(ready, await router.state()), [], `${what}: ${told.stderr}`);
          saidSo(told, what);
        }
      }
      assert.is(await count(['enable']), enabling);
      assert.equal(differences(before, await router.state(), [WISH]), []);
    }),
  );
}

faults('that cannot be taken back either is said to be so, and enable mends it later', () =>
  onRouter(ROUTERS[0]!, async (router) => {
    const before = await router.state();
    const told = await router.sipalg(['disable']);
    const disabling = told.changes.length;
    await router.sipalg(['enable']);
    router.lab.files.remove(WISH);
    for (let at = 2; at <= disabling; at += 2) {
      for (const how of [`fail-from:${at}`, `fail-but:${at}:1`, `fail-but:${at}:2`]) {
        await router.call();
        const trouble = await router.sipalg(['disable'], how);
        const what = `${how} of ${disabling}: ${trouble.stderr}`;
        assert.is(trouble.status, 2, what);
        assert.is(trouble.stdout, '', what);
        const left = differences(before, await router.state(), [JOURNAL]);
        if (left.length > 0) {
          assert.match(trouble.stderr, /could not be taken back/, what);
          assert.not.match(trouble.stderr, /[Ee]verything done before it has been taken back|[Nn]othing was changed/, what);
          assert.match(trouble.stderr, /sipalg enable/, what);
        }
        const mended = await router.sipalg(['enable']);
        assert.is(mended.status, 0, `${what} ${mended.stderr}`);
        assert.equal(differences(before, await router.state(), [WISH]), [], what);
        router.lab.files.remove(WISH);
      }
    }
  }),
);

faults.run();
