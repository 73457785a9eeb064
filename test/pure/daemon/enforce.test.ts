import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Applied } from '../../../src/apply/apply.ts';
import { createKeep, HELD, LEAST_WAIT, LONGEST_PAUSE, LONGEST_WAIT, PAUSE } from '../../../src/daemon/enforce.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { RANK } from '../../../src/plan/step.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import { HOUR, MINUTE, policyFacts } from '../../voice.ts';
import { handClock, later, reportOf } from './hand.ts';
import type { Provider } from '../../../src/wish/wish.ts';

const STEP = {
  code: 'step-x',
  rank: RANK.policy,
  why: 'policy-missing',
  text: 'Put the voice firewall rules in force.',
  actions: [],
  undo: [],
  commands: [],
  of: 'policy' as const,
};
const host = (name: string): Provider['hosts'][number] => ({ name, port: null });

/** The router's clock was started at this moment; the hand's begins at 0. */
const EPOCH = 1_790_000_000_000;

let stock: Report;

/** A report on voice rules that are wished (or not), in force or missing. */
function report(missing: boolean, changes: Partial<PolicyFacts> = {}): Report {
  const policy = policyFacts(changes);
  return {
    ...stock,
    facts: { ...stock.facts, policy: { state: 'present', value: policy, source: 'x' } },
    plan: { ...stock.plan, steps: missing ? [STEP] : [] },
  };
}

/** A report on a router whose ALG is there, as its owner wishes it or not. */
function algBack(alg: 'unmanaged' | 'disabled'): Report {
  const { of: _, ...step } = STEP;
  const policy = { state: 'absent', source: 'x' } as const;
  return {
    ...stock,
    facts: { ...stock.facts, policy, wish: { ...stock.facts.wish, wish: { alg, policy: false } } },
    plan: { ...stock.plan, wish: alg, towards: 'disabled', refused: [], steps: [step] },
  };
}

function keeping() {
  const clock = handClock();
  const state = {
    refreshes: [] as number[],
    applies: [] as number[],
    towards: [] as string[],
    looks: 0,
    busy: false,
    fails: '',
    changed: false,
    next: null as number | null,
    broken: '',
    going: true,
    /** There is something left to do when the lock is had. */
    acts: true,
  };
  const lines: string[] = [];
  const hold: { until: Promise<void> | null } = { until: null };
  const voice = createKeep({
    clock,
    time: () => EPOCH + clock.now(),
    busy: () => state.busy,
    say: (line) => lines.push(line),
    look: () => {
      state.looks += 1;
    },
    async refresh() {
      state.refreshes.push(clock.now());
      if (state.broken !== '') throw new Error(state.broken);
      return { changed: state.changed, next: state.next };
    },
    async apply(towards, goOn, onEcho) {
      if (state.acts) for (let n = 0; n < 2; n++) onEcho();
      state.towards.push(towards);
      state.applies.push(clock.now());
      await hold.until;
      state.going = goOn();
      if (state.fails !== '') throw new Error(state.fails);
      return { outcome: 'reached', because: [] } as unknown as Applied;
    },
  });
  return { clock, state, voice, lines, hold };
}

const keep = suite('keeping what is wished in force');

keep.before(async () => {
  stock = await reportOf('disabled');
});

keep('asks for names at once, again when their time has come, and looks when they have changed', async () => {
  const { clock, state, voice } = keeping();
  state.next = EPOCH + 5 * MINUTE;
  voice.seen(report(false));
  await clock.pass(0);
  assert.equal([state.refreshes, state.looks], [[0], 0]);
  voice.seen(report(false));
  await clock.pass(5 * MINUTE - 1);
  assert.equal(state.refreshes, [0], 'the same names are no reason to ask');
  Object.assign(state, { changed: true, next: EPOCH + 6 * MINUTE });
  await clock.pass(1);
  assert.equal([state.refreshes, state.looks], [[0, 5 * MINUTE], 1]);
});

keep('never asks in a hurry, nor waits for ever, whatever the TTL says and the clock does', async () => {
  const { clock, state, voice } = keeping();
  state.next = EPOCH - 20 * HOUR;
  voice.seen(report(false));
  await clock.pass(3 * LEAST_WAIT);
  assert.equal(
    state.refreshes,
    [0, 1, 2, 3].map((times) => times * LEAST_WAIT),
  );
  state.next = EPOCH + 1000 * HOUR;
  await clock.pass(LEAST_WAIT);
  const { length } = state.refreshes;
  await clock.pass(2 * LONGEST_WAIT);
  assert.is(state.refreshes.length, length + 2);
});

keep('asks at once for names that are new, and for none where there is none', async () => {
  const { clock, state, voice } = keeping();
  const { wish } = policyFacts();
  const named = (...hosts: string[]): Partial<PolicyFacts> => ({
    wish: { ...wish, providers: [{ name: 'p', hosts: hosts.map(host), signalling: [], media: [], inbound: null }] },
  });
  voice.seen(report(false, named()));
  await clock.pass(2 * LONGEST_WAIT);
  assert.equal(state.refreshes, []);
  assert.is(clock.waiting(), 0, 'nothing to wait for');
  voice.seen(report(false, named('a.example')));
  await clock.pass(1000);
  voice.seen(report(false, named('a.example', 'b.example')));
  await clock.pass(1000);
  assert.equal(
    state.refreshes.map((at) => at - 2 * LONGEST_WAIT),
    [0, 1000],
  );
  voice.seen(report(false, { ...named('a.example'), wanted: false }));
  await clock.pass(2 * LONGEST_WAIT);
  assert.is(state.refreshes.length, 2, 'not wished, not asked');
  assert.is(clock.waiting(), 0);
});

keep('goes on asking after the policy itself has failed, and says so', async () => {
  const { clock, state, voice, lines } = keeping();
  state.broken = 'the file is gone';
  voice.seen(report(false));
  await clock.pass(LONGEST_WAIT);
  assert.equal(lines, ["providers' names: the file is gone", "providers' names: the file is gone"]);
});

keep('puts in force what is missing, once', async () => {
  const { clock, state, voice, lines, hold } = keeping();
  const held = later<void>();
  hold.until = held.promise;
  voice.seen(report(true));
  voice.seen(report(true));
  await clock.pass(0);
  held.resolve();
  await clock.pass(0);
  voice.seen(report(false));
  await clock.pass(HOUR);
  assert.equal([state.applies, state.looks], [[0], 0]);
  assert.equal(lines, ['not as wished any more: Put the voice firewall rules in force.']);
});

keep('says nothing where another run has just done it', async () => {
  const { clock, state, voice, lines } = keeping();
  state.acts = false;
  voice.seen(report(true));
  await clock.pass(0);
  assert.equal([state.applies, lines], [[0], []]);
});

keep('leaves alone what is not wished, what is not readable, and what a run is at', async () => {
  const { clock, state, voice } = keeping();
  voice.seen(report(true, { wanted: false }));
  voice.seen({ ...report(true), facts: { ...stock.facts, policy: { state: 'failed', source: 'x', because: 'y' } } });
  voice.seen({ ...report(true), facts: { ...stock.facts, policy: { state: 'absent', source: 'x' } } });
  voice.seen(algBack('unmanaged'));
  voice.seen({ ...algBack('disabled'), plan: { ...algBack('disabled').plan, refused: ['nft could not be read.'] } });
  state.busy = true;
  voice.seen(report(true));
  await clock.pass(HOUR);
  assert.equal(state.applies, []);
  state.busy = false;
  voice.seen(report(true));
  assert.is(state.applies.length, 1);
});

keep('takes the ALG away again where it is to be off and has come back, whatever there is of the voice rules', async () => {
  const { clock, state, voice } = keeping();
  voice.seen(algBack('disabled'));
  await clock.pass(0);
  assert.equal([state.applies, state.towards], [[0], ['disabled']]);
  await clock.pass(HELD);
  voice.seen({ ...algBack('disabled'), facts: { ...algBack('disabled').facts, policy: { state: 'failed', source: 'x', because: 'y' } } });
  await clock.pass(0);
  assert.is(state.applies.length, 2);
});

keep('waits longer after each failure, looks when the wait is over, and is not hurried by who looks meanwhile', async () => {
  const { clock, state, voice, lines } = keeping();
  state.fails = 'nft does not take them.';
  voice.seen(report(true));
  await clock.pass(0);
  assert.equal(lines.slice(1), ['nft does not take them. This is tried again in 10 s.']);
  let looks = 0;
  for (let pass = 0; pass < 24 * 720; pass++) {
    // The page looks every 5 seconds.
    await clock.pass(5000);
    if (pass % 100 === 0 || state.looks > looks) voice.seen(report(true));
    looks = state.looks;
    if (state.applies.length > 14) break;
  }
  const waits = state.applies.slice(1).map((at, place) => at - (state.applies[place] ?? 0));
  waits
    .slice(0, 8)
    .forEach((wait, place) => assert.ok(wait >= PAUSE * 2 ** place && wait <= PAUSE * 2 ** place + 5000, `${place}: ${wait}`));
  assert.ok(
    waits.slice(8).every((wait) => wait >= LONGEST_PAUSE && wait < LONGEST_PAUSE + 10_000),
    waits.join(),
  );
});

keep('does not fight with who takes the rules away again and again', async () => {
  const { clock, state, voice } = keeping();
  for (let second = 0; second < 3600; second += 5) {
    voice.seen(report(true));
    await clock.pass(2500);
    voice.seen(report(false));
    await clock.pass(2500);
  }
  assert.ok(state.applies.length >= 5 && state.applies.length <= 10, `${state.applies.length} times in an hour`);
});

keep('acts at once again when its rules have held for a while', async () => {
  const { clock, state, voice } = keeping();
  for (let times = 0; times < 5; times++) {
    voice.seen(report(true));
    await clock.pass(HELD);
    voice.seen(report(false));
    await clock.pass(0);
  }
  assert.equal(
    state.applies,
    [0, 1, 2, 3, 4].map((times) => times * HELD),
  );
});

keep('ends after taking back what is under way, and begins nothing any more', async () => {
  const { clock, state, voice, hold, lines } = keeping();
  const held = later<void>();
  hold.until = held.promise;
  state.fails = 'It was interrupted.';
  voice.seen(report(true));
  await clock.pass(0);
  const said = lines.length;
  let ended = false;
  void voice.stop().then(() => {
    ended = true;
  });
  await clock.pass(0);
  assert.not(ended);
  held.resolve();
  await clock.pass(0);
  assert.ok(ended);
  assert.not(state.going, 'the run was told to stop');
  voice.seen(report(true));
  await clock.pass(HOUR);
  assert.equal([state.applies.length, lines.length, clock.waiting()], [1, said, 0]);
});

keep.run();
