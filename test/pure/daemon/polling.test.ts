import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIRM, createWatch, MOST_CONFIRM, MOST_SETTLE, SETTLE } from '../../../src/daemon/polling.ts';
import type { Changed } from '../../../src/daemon/polling.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { handClock, reportOf } from './hand.ts';

let on: Report;
let off: Report;
let tracking: Report;
const MINUTE = 60_000;

/** A watch over a router that shows what the test puts there. */
function watching(every = 5) {
  const clock = handClock();
  const told: Changed[] = [];
  const state = { shown: on, looks: 0, outdated: 0, busy: false, broken: '' };
  const troubles: string[] = [];
  const watch = createWatch({
    clock,
    async look() {
      state.looks += 1;
      if (state.broken !== '') throw new Error(state.broken);
      watch.seen(state.shown, false);
      return state.shown;
    },
    outdate: () => {
      state.outdated += 1;
    },
    busy: () => state.busy,
    announce: (changed) => told.push(changed),
    trouble: ({ message }) => troubles.push(message),
    every: () => every,
  });
  return { clock, told, state, watch, troubles };
}

const watch = suite('the watch');

watch.before(async () => {
  [on, off, tracking] = (await Promise.all(['stock-alg-on', 'stock-alg-absent', 'tracking-only'].map(reportOf))) as [
    Report,
    Report,
    Report,
  ];
});

watch('looks at its start and every few minutes, and says nothing while nothing changes', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  assert.is(state.looks, 1);
  await clock.pass(5 * MINUTE - 1);
  assert.is(state.looks, 1);
  await clock.pass(15 * MINUTE + 1);
  assert.is(state.looks, 5);
  assert.equal(told, []);
});

watch('says a changed verdict once it has been seen twice', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  state.shown = off;
  one.event();
  await clock.pass(SETTLE);
  assert.equal(told, [], 'seen once');
  await clock.pass(CONFIRM);
  assert.equal(told, [{ alg: 'off', text: off.verdict.text, returns: off.verdict.returns.map(({ at }) => at) }]);
  await clock.pass(10 * MINUTE);
  assert.is(told.length, 1);
});

watch('does not say what was there only while the firewall was being loaded', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  state.shown = off;
  one.seen(off, false);
  await clock.pass(CONFIRM - 1);
  state.shown = on;
  await clock.pass(10 * MINUTE);
  assert.equal(told, []);
});

watch('says a verdict that never rests after a while, all the same', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  for (let ms = 0; ms <= MOST_CONFIRM + 2000; ms += 1000) {
    state.shown = ms % 2000 === 0 ? off : tracking;
    one.seen(state.shown, false);
    await clock.pass(1000);
  }
  assert.is(told.length, 1);
});

watch('takes the word of a run, which has verified it, at once, and looks away while it goes on', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  state.busy = true;
  one.seen(tracking, false);
  one.event();
  await clock.pass(SETTLE + CONFIRM);
  assert.is(state.looks, 1);
  state.busy = false;
  one.seen(off, true);
  assert.equal(
    told.map(({ alg }) => alg),
    ['off'],
  );
  one.seen(off, false);
  await clock.pass(CONFIRM);
  assert.is(told.length, 1);
});

watch('lets many events be one look, and looks at last when they do not end', async () => {
  const { clock, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  for (let n = 0; n < 5; n++) {
    one.event();
    await clock.pass(SETTLE / 2);
  }
  assert.is(state.looks, 1);
  await clock.pass(SETTLE);
  assert.is(state.looks, 2);
  for (let ms = 0; ms < MOST_SETTLE + SETTLE; ms += SETTLE / 2) {
    one.event();
    await clock.pass(SETTLE / 2);
  }
  assert.ok(state.looks >= 3);
  assert.ok(state.outdated > state.looks, 'each event outdates the pass under way');
});

watch('tells of a look that was impossible, and looks again', async () => {
  const { clock, state, watch: one, troubles } = watching(1);
  state.broken = 'no memory';
  one.start();
  await clock.pass(MINUTE);
  assert.equal(troubles, ['no memory', 'no memory']);
});

watch('rests once it is stopped', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  one.seen(off, false);
  one.event();
  one.stop();
  one.event();
  one.seen(off, true);
  await clock.pass(60 * MINUTE);
  assert.is(state.looks, 1);
  assert.equal(told, []);
  assert.is(clock.waiting(), 0);
});

watch('holds counters, flows and places of one and the same verdict for no change', async () => {
  const { clock, told, state, watch: one } = watching();
  one.start();
  await clock.pass(0);
  state.shown = structuredClone(on);
  state.shown.facts.at += 5;
  for (const finding of state.shown.verdict.findings) finding.evidence.push('one more');
  one.event();
  await clock.pass(MINUTE);
  assert.equal(told, []);
});

watch.run();
