/**
 * The voice rules switched on and off, and the run killed on the way: whatever is there then, the next `apply` arrives at
 * one of the two clean states, of files and of rules in force. SIPALG_KILLS=200 kills that often.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seeded } from '../../seeded.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { differences, nameOf, onRouter, WISH, type Router, type RouterOptions, type State } from './router.ts';

type Firewall = {
  readonly options: RouterOptions;
  readonly kills: number;
  /** What loads it, what shows its rules, and what it calls ours. */
  readonly load: string;
  readonly show: readonly string[];
  readonly title: string;
};

const kills = (otherwise: number): number => Number(process.env['SIPALG_KILLS'] ?? otherwise);

const FIREWALLS: readonly Firewall[] = [
  {
    options: { ruleset: 'stock-alg-absent' },
    kills: kills(12),
    load: 'fw4 reload',
    show: ['nft', '-t', 'list', 'table', 'inet', 'fw4'],
    title: '!fw4: sipalg',
  },
  { options: { fw3: 'stock-21.02' }, kills: kills(8), load: 'fw3 reload', show: ['iptables-save'], title: '!fw3: sipalg' },
];

const KINDS = ['kill-before', 'kill-middle', 'kill-after'] as const;

const wish = (policy: 0 | 1): string => `config sipalg 'main'
	option alg 'unmanaged'
	option policy '${policy}'

config provider 'lab'
	list signalling '${ADDRESS.provider}'
	list signalling '${ADDRESS6.provider}'
	option inbound '1'
	list pbx '${ADDRESS.phone}'
	list pbx '${ADDRESS6.phone}'
	option media_ports '10000-10100'
`;

/** Files in memory that are ours, locks aside, beside all that is durable and in force; rules in no order between tables and chains. */
async function stateOf({ state, lab }: Router): Promise<State> {
  const memory = lab.files.list('/var/run').filter((name) => name.startsWith('sipalg.') && !name.endsWith('.lock'));
  return new Map([...(await state()), ['/var/run', memory.join(' ')]]);
}

const test = suite('voice rules, switched by a run that is killed');

for (const firewall of FIREWALLS)
  test(`stand as wished after the next apply, or leave nothing: ${nameOf(firewall.options)}`, () => switched(firewall));

const switched = ({ options, kills: KILLS, load: loads, show, title }: Firewall): Promise<void> =>
  onRouter(options, async (router) => {
    const { lab } = router;
    const clean: State[] = [];
    const changes: (readonly string[])[] = [];
    // A chain that fw4 has made once stays, empty (ruleset.uc flushes its table): so the first round is none to compare with.
    for (const [nth, policy] of ([1, 0, 1, 0, 1, 0] as const).entries()) {
      lab.files.write(WISH, wish(policy));
      const told = await router.sipalg(['apply']);
      assert.is(told.status, 0, told.stderr);
      if (nth < 2) continue;
      const state = await stateOf(router);
      assert.equal(differences(clean[policy] ?? state, state), [], `policy ${policy}, without a kill`);
      clean[policy] = state;
      changes[policy] = told.changes;
    }
    // A load that is said to have failed was done all the same (its exit code is that of scripts it runs): it lets nobody in.
    const load = (changes[1] ?? []).indexOf(loads) + 1;
    assert.ok(load > 0);
    lab.files.write(WISH, wish(1));
    const failed = await router.sipalg(['apply'], `fail-after:${load}`);
    assert.is(failed.status, 2, failed.stderr);
    assert.not.match(await lab.router.must(show), title, failed.stderr);
    assert.is(lab.files.exists('/etc/sipalg.policy'), false);
    // What it leaves of fw4's own, a set that nothing uses and chains without a redirect, goes with the rules' next way in and out.
    for (const policy of [1, 0] as const) {
      lab.files.write(WISH, wish(policy));
      assert.is((await router.sipalg(['apply'])).status, 0);
      assert.equal(differences(clean[policy] as State, await stateOf(router)), [], `a load that failed, then ${policy}`);
    }
    const random = seeded(707);
    let now: 0 | 1 = 0;
    for (let round = 0; round < KILLS; round++) {
      const towards: 0 | 1 = now === 0 ? 1 : 0;
      // Each stretch of the way once, the last steps first, before any comes again.
      const [all, half] = [changes[towards]?.length ?? 0, Math.ceil(KILLS / 2)];
      const nth = Math.floor(round / 2);
      const at = Math.max(1, all - Math.floor(((nth + random.next()) / half) * all));
      const kind = random.pick(KINDS);
      lab.files.write(WISH, wish(towards));
      const killed = await router.sipalg(['apply'], `${kind}:${at}`);
      const what = `policy ${now} to ${towards}, ${kind} ${at} of ${all} (${changes[towards]?.[at - 1]})`;
      assert.is(killed.signal, 'SIGKILL', `${what}: it was killed: ${killed.stderr}`);
      await router.quiet();
      // Its owner may have thought better of it.
      const then: 0 | 1 = random.below(4) === 0 ? now : towards;
      lab.files.write(WISH, wish(then));
      const told = await router.sipalg(['apply']);
      assert.is(told.status, 0, `${what}, then ${then}: ${told.stderr}`);
      assert.equal(differences(clean[then] as State, await stateOf(router), [WISH]), [], `${what}, then ${then}`);
      now = then;
    }
  });

test.run();
