/**
 * Node and QuickJS, each on a router of its own that is like the other's: the same commands, faults and kills one after
 * another, and each time the same words, exit code, changes and router.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { differences, JOURNAL, openRouter, WISH, type Router, type RouterOptions, type Told } from '../apply/router.ts';

interface Pair {
  node: Router;
  quickjs: Router;
}

/** Two looks are not of the same moment, rules count what passes, and devices of a lab have hardware addresses of their own. */
const timeless = (text: string): string =>
  text
    .replace(/\b1[6-9]\d{11}\b/g, '(a moment)')
    .replace(/"(packets|bytes)": ?\d+|packets \d+ bytes \d+/g, '(counted)')
    .replace(/\bfe80:[0-9a-f:]+/g, 'fe80::(its own)');

const saying = ({ status, signal, stdout, stderr, changes }: Told) => ({
  status,
  signal,
  stdout: timeless(stdout).split('\n'),
  stderr: timeless(stderr).split('\n'),
  changes,
});

/** Opens both, uses them, takes them away. */
async function onBoth(options: RouterOptions, use: (pair: Pair) => Promise<void>): Promise<void> {
  const opened = await Promise.allSettled([openRouter(options), openRouter({ ...options, engine: 'quickjs' })]);
  try {
    const [node, quickjs] = opened.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    }) as [Router, Router];
    await use({ node, quickjs });
  } finally {
    for (const one of opened) if (one.status === 'fulfilled') await one.value.close();
  }
}

/** Runs the same on both and expects the same. */
async function same({ node, quickjs }: Pair, words: readonly string[], trouble?: string): Promise<Told> {
  const [here, there] = await Promise.all([node.sipalg(words, trouble), quickjs.sipalg(words, trouble)]);
  const what = `sipalg ${words.join(' ')}${trouble === undefined ? '' : `, ${trouble}`}`;
  assert.equal(saying(there), saying(here), what);
  assert.equal([here.timedOut, there.timedOut], [false, false], what);
  return here;
}

/** The routers are the same too; the journal says when it was written. */
async function alike({ node, quickjs }: Pair, what: string): Promise<void> {
  const [here, there] = await Promise.all([node.state(), quickjs.state()]);
  assert.ok(here.size > 20);
  assert.equal(differences(here, there, [JOURNAL]), [], what);
  assert.is(node.lab.files.exists(JOURNAL), quickjs.lab.files.exists(JOURNAL), what);
}

const VOICE = `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config provider 'one'
	list signalling '203.0.113.0/24'
	list media '198.51.100.0/24'

config timeouts 'timeouts'
	option media '240'
`;

const both = suite('both engines');

for (const ruleset of ['set-helper-rule', 'user-include'] as const)
  both(`say and do the same, command by command: ${ruleset}`, () =>
    onBoth({ ruleset, ...(ruleset === 'set-helper-rule' ? { crowd: true } : {}) }, async (pair) => {
      for (const words of [
        ['status'],
        ['status', '--json'],
        ['plan', '--json'],
        ['policy'],
        ['disable', '--dry-run'],
        ['disable'],
        ['status', '--json'],
        ['apply'],
        ['enable', '--dry-run'],
        ['enable'],
        ['plan'],
      ]) {
        await same(pair, words);
        await alike(pair, words.join(' '));
      }
    }),
  );

both('say and do the same with the voice rules', () =>
  onBoth({ ruleset: 'stock-alg-absent' }, async (pair) => {
    for (const router of [pair.node, pair.quickjs]) router.lab.files.write(WISH, VOICE);
    for (const words of [['plan', '--json'], ['apply', '--dry-run'], ['apply'], ['policy'], ['policy', '--json'], ['apply'], ['plan']]) {
      await same(pair, words);
      await alike(pair, words.join(' '));
    }
    assert.match(await pair.quickjs.lab.router.must(['nft', 'list', 'table', 'inet', 'sipalg']), /203\.0\.113\.0\/24/);
    for (const router of [pair.node, pair.quickjs]) router.lab.files.write(WISH, VOICE.replace("policy '1'", "policy '0'"));
    await same(pair, ['apply']);
    await alike(pair, 'apply, without the rules');
  }),
);

both('take back the same when a change fails, and arrive at the same from where they were killed', () =>
  onBoth({ ruleset: 'lan-explicit-helpers' }, async (pair) => {
    const { changes } = await same(pair, ['disable']);
    assert.ok(changes.length > 4);
    await same(pair, ['enable']);
    for (let at = 1; at <= changes.length; at++) {
      await same(pair, ['disable'], `fail:${at}`);
      await alike(pair, `disable, change ${at} fails`);
      for (const router of [pair.node, pair.quickjs]) await router.sipalg(['disable'], `kill-after:${at}`);
      for (const router of [pair.node, pair.quickjs]) await router.quiet();
      await same(pair, ['status', '--json']);
      await same(pair, ['apply']);
      await alike(pair, `disable, killed after change ${at}`);
      await same(pair, ['enable']);
      await alike(pair, `and enabled`);
    }
  }),
);

both.run();
