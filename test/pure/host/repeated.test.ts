import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRepeated, MOST_KINDS, QUIET } from '../../../src/host/repeated.ts';
import { handClock } from '../daemon/hand.ts';

const repeated = suite('lines of the log that others cause');

repeated('are said once and then counted, whatever numbers they hold', async () => {
  const clock = handClock();
  const lines: string[] = [];
  const say = createRepeated(clock, (line) => lines.push(line));
  for (let seq = 0; seq < 5000; seq++) say(`ubus: dropped a message (type 7, seq ${seq}, peer ${seq * 3}): no length`);
  assert.equal(lines, ['ubus: dropped a message (type 7, seq 0, peer 0): no length']);
  say('ubus: something else');
  assert.is(lines.length, 2);
  await clock.pass(QUIET);
  assert.equal(lines.slice(2), ['ubus: dropped a message (type 7, seq 4999, peer 14997): no length (4999 like it in 60 s)']);
  say('ubus: dropped a message (type 7, seq 1, peer 1): no length');
  assert.is(lines.length, 4, 'a new one is said again');
});

repeated('are bounded, however many kinds there are', async () => {
  const clock = handClock();
  const lines: string[] = [];
  const say = createRepeated(clock, (line) => lines.push(line));
  for (let n = 0; n < 1000; n++) say(`kind ${'x'.repeat(n)}`);
  assert.is(lines.length, MOST_KINDS + 1);
  await clock.pass(QUIET);
  assert.is(clock.waiting(), 0);
});

repeated.run();
