import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, differences, nameOf, ON_DISK, onRouter, WISH, type Router, type RouterOptions } from './router.ts';

/** Every byte of every rule, handles included; only what counts by itself is left out. */
async function handles(router: Router): Promise<string> {
  const text = await router.lab.router.must(['nft', '-a', 'list', 'ruleset']);
  return text.replace(/packets \d+ bytes \d+/g, 'counted').replace(/ expires \d+\w+/g, '');
}

const again = suite('a second run');

const ROUTERS: readonly RouterOptions[] = [
  { ruleset: 'set-helper-rule', crowd: true },
  { ruleset: 'user-include' },
  { ruleset: 'stock-alg-absent' },
  ON_DISK,
  { ...ON_DISK, crowd: true, picky: true },
  { ruleset: 'set-helper-rule', crowd: true, engine: 'quickjs' },
  { ...ON_DISK, engine: 'quickjs' },
];

for (const options of ROUTERS) {
  again(`says no command and makes no change: ${nameOf(options)}`, () =>
    onRouter(options, async (router) => {
      const before = await router.state();
      for (const command of ['disable', 'enable']) {
        await router.call();
        const first = await router.sipalg([command]);
        assert.is(first.status, command === 'disable' && (options.ruleset === 'user-include' || options.picky) ? 1 : 0, first.stderr);
        const [state, rules] = [await router.state(), await handles(router)];
        for (const words of [[command], ['apply'], [command], ['status'], ['plan'], [command, '--dry-run']]) {
          const told = await router.sipalg(words);
          assert.equal(told.changes, [], words.join(' '));
          const acts = words.length === 1 && words[0] !== 'status' && words[0] !== 'plan';
          const held = options.picky && command === 'disable';
          assert.not.match(told.stderr, '[#]', words.join(' '));
          // A held firewall is told of each time.
          if (acts && held) {
            assert.match(
              complaints(told).join(' '),
              /^SIP is not blocked or unloaded: without the SIP modules the firewall would not load/,
            );
            assert.match(complaints(told).join(' '), 'Take what needs the helper out, then run `sipalg disable` again.');
          } else {
            assert.is(told.stderr, '', words.join(' '));
          }
          if (acts && !held) assert.match(told.stdout, /There was nothing to (do|give back)\./, words.join(' '));
          if (words[1] === '--dry-run') assert.is(told.stdout, '');
          assert.equal(differences(state, await router.state()), [], words.join(' '));
          assert.is(await handles(router), rules, words.join(' '));
        }
      }
      assert.equal(differences(before, await router.state(), [WISH]), []);
    }),
  );
}

again('--dry-run and plan print the very commands, and change nothing', () =>
  onRouter({ ruleset: 'set-helper-rule', crowd: true }, async (router) => {
    await router.call();
    for (const command of ['disable', 'enable']) {
      const before = await router.state();
      const dry = await router.sipalg([command, '--dry-run']);
      assert.equal(dry.changes, []);
      assert.equal(differences(before, await router.state()), []);
      const real = await router.sipalg([command]);
      assert.is(real.status, 0, real.stderr);
      assert.is(dry.stdout, real.stderr);
      assert.match(dry.stdout, /^\[#\] /);
    }
  }),
);

again('commands that were said do the same when they are typed', () =>
  onRouter({ ruleset: 'lan-explicit-helpers', crowd: true }, async (router) => {
    const before = await router.state();
    const dry = await router.sipalg(['disable', '--dry-run']);
    await router.sipalg(['disable']);
    const disabled = await router.state();
    await router.sipalg(['enable']);
    // No uci here, and so the firewall would be loaded from the old configuration; everything else is typed as it was said.
    // Handles are new after enable, so it is said anew.
    const typed = (await router.sipalg(['disable', '--dry-run'])).stdout
      .split('\n')
      .filter((line) => line.startsWith('[#] '))
      .map((line) => line.slice(4));
    assert.is(typed.length, dry.stdout.trim().split('\n').length - 2, 'the section of the wish is there already');
    await router.lab.router.must(['sh', '-ec', typed.filter((line) => !/^(?:(?:uci|touch) |fw4 reload$)/.test(line)).join('\n')]);
    const after = await router.state();
    assert.equal(
      // The load of the firewall that was left out declares the helper's object again, which no rule uses.
      differences(disabled, after).filter((line) => /^nft(?! ct helper inet fw4 )|tables/.test(line)),
      [],
    );
    assert.ok(differences(before, after).length > 0);
  }),
);

again('is told from a first one: what was never taken away is not said to be given back', () =>
  onRouter({ ruleset: 'stock-alg-on' }, async (router) => {
    const untouched = await router.sipalg(['enable']);
    assert.is(untouched.status, 0, untouched.stderr);
    assert.match(untouched.stdout, /There was nothing to give back\.\n$/);
    await router.sipalg(['disable']);
    assert.match((await router.sipalg(['enable'])).stdout, 'Everything that was taken away has been given back.');
  }),
);

again.run();
