import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { differences, JOURNAL, nameOf, ON_DISK, onRouter, WISH, type Router, type RouterOptions, type State } from './router.ts';

type Way = { readonly kind: string; readonly then: readonly string[]; readonly only?: number };

/** How it is killed, and what mends it; between two changes, "after the one" and "before the next" are one place. */
const THOROUGH: readonly Way[] = [
  { kind: 'kill-before', then: ['enable'], only: 1 },
  { kind: 'kill-middle', then: ['enable'] },
  { kind: 'kill-after', then: ['apply', 'enable'] },
];
const QUICK: readonly Way[] = [{ kind: 'kill-after', then: ['enable'] }];

/** SIPALG_KILLS=200, as for the voice rules, takes more ways and more routers. */
const LONG = process.env['SIPALG_KILLS'] !== undefined;

const ROUTERS: readonly { readonly options: RouterOptions; readonly ways: readonly Way[] }[] = [
  { options: { ruleset: 'set-helper-rule', crowd: true }, ways: THOROUGH },
  { options: { ruleset: 'stock-alg-on' }, ways: QUICK },
  { options: { ruleset: 'user-include' }, ways: QUICK },
  { options: { ...ON_DISK, crowd: true, picky: true }, ways: QUICK },
  { options: { ruleset: 'stock-alg-on', engine: 'quickjs' }, ways: QUICK },
  { options: { fw3: 'stock-21.02' }, ways: LONG ? THOROUGH : QUICK },
  ...(LONG ? [{ options: { fw3: 'zone-lists-sip-alone' }, ways: THOROUGH } as const] : []),
];

/** The two clean states, and the way to them. */
class Clean {
  readonly router: Router;
  readonly before: State;
  readonly disabled: State;
  /** What disable answers here: 1 where an include would bring the helper back. */
  readonly answer: number | null;

  constructor(router: Router, before: State, disabled: State, answer: number | null) {
    this.router = router;
    this.before = before;
    this.disabled = disabled;
    this.answer = answer;
  }

  /** Runs a command that must arrive, at the state the wish then asks for. */
  async arrive(command: string, what: string): Promise<void> {
    const told = await this.router.sipalg([command]);
    const wish = this.router.lab.files.exists(WISH) ? /option alg '(\w+)'/.exec(this.router.lab.files.read(WISH))?.[1] : undefined;
    const state = await this.router.state();
    assert.is(told.status, wish === 'disabled' ? this.answer : 0, `${what}, then ${command}: ${told.stderr}`);
    if (command === 'enable') assert.is(wish, 'enabled');
    if (wish === 'disabled') assert.equal(differences(this.disabled, state, [JOURNAL]), [], `${what}, then ${command}`);
    else assert.equal(differences(this.before, state, [WISH]), [], `${what}, then ${command}`);
    const journal = this.router.lab.files.exists(JOURNAL)
      ? (JSON.parse(this.router.lab.files.read(JOURNAL)) as { state: string })
      : undefined;
    assert.is(journal?.state, wish === 'disabled' ? 'taken' : undefined, `${what}, then ${command}: the journal`);
  }
}

const kills = suite('a run that is killed');

for (const { options, ways } of ROUTERS) {
  kills(`leaves a router that apply and enable bring to a clean state: ${nameOf(options)}`, () =>
    onRouter(options, async (router) => {
      const before = await router.state();
      await router.call();
      const disabling = await router.sipalg(['disable']);
      const clean = new Clean(router, before, await router.state(), disabling.status);
      const enabling = await router.sipalg(['enable']);
      assert.ok(disabling.changes.length > 4 && enabling.changes.length > 4);

      for (const [command, changes] of [
        ['disable', disabling.changes],
        ['enable', enabling.changes],
      ] as const) {
        for (const { kind, then, only } of ways) {
          for (const [index, change] of changes.entries()) {
            if (only !== undefined && index + 1 !== only) continue;
            if (command === 'disable') router.lab.files.remove(WISH);
            else await clean.arrive('disable', 'to begin with');
            if (command === 'disable') await router.call();
            const what = `${command}, ${kind} ${index + 1} of ${changes.length} (${change})`;
            const told = await router.sipalg([command], `${kind}:${index + 1}`);
            assert.is(told.signal, 'SIGKILL', `${what}: it was killed: ${told.stderr}`);
            await router.quiet();
            for (const mend of then) await clean.arrive(mend, what);
          }
        }
      }
    }),
  );
}

kills.run();
