/** Replies that nobody takes: how long each may wait, and how much all of them together. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createWaiting, MOST_WAITING, REPLY_WITHIN, TAKEN_WITHIN } from '../../../src/http/waiting.ts';
import { handClock } from '../daemon/hand.ts';

const waiting = suite('replies that wait to be taken');

function scene() {
  const clock = handClock();
  const ended: string[] = [];
  const all = createWaiting(clock);
  return { clock, ended, reply: (name: string, size: number) => all.add(size, () => void ended.push(name)) };
}

waiting('one of which nothing is taken ends when its time is over, and not before', async () => {
  const { clock, ended, reply } = scene();
  reply('unread', 100);
  await clock.pass(TAKEN_WITHIN - 1);
  assert.equal(ended, []);
  await clock.pass(1);
  assert.equal(ended, ['unread']);
  assert.is(clock.waiting(), 0, 'no timer is left behind');
});

waiting('one that is taken bit by bit lives on, and ends all the same when the whole of it takes too long', async () => {
  const { clock, ended, reply } = scene();
  const { moved } = reply('slow', 100);
  for (let passed = 0; passed < REPLY_WITHIN - TAKEN_WITHIN; passed += TAKEN_WITHIN - 1) {
    await clock.pass(TAKEN_WITHIN - 1);
    assert.equal(ended, []);
    moved();
  }
  for (let n = 0; n < 2; n++) {
    moved();
    await clock.pass(TAKEN_WITHIN - 1);
  }
  assert.equal(ended, ['slow']);
  assert.is(clock.waiting(), 0);
});

waiting('one that was taken leaves no timer, and says so once', async () => {
  const { clock, ended, reply } = scene();
  const { moved, gone } = reply('taken', MOST_WAITING);
  gone();
  gone();
  moved();
  assert.is(clock.waiting(), 0);
  reply('another', MOST_WAITING);
  assert.equal(ended, [], 'its bytes count no more');
  await clock.pass(TAKEN_WITHIN);
  assert.equal(ended, ['another']);
});

waiting('4 MiB wait of all together: beyond that the oldest ends, as many as it takes', () => {
  const { ended, reply } = scene();
  const [part, many] = [MOST_WAITING / 4, 4];
  for (let n = 0; n < many; n++) reply(`${n}`, part);
  assert.equal(ended, [], 'so much is allowed');
  reply('one more', 1);
  assert.equal(ended, ['0']);
  reply('large', MOST_WAITING - part);
  assert.equal(ended, ['0', '1', '2', '3'], 'one byte more than fits ends another one');
  // The largest alone is larger than all may be: it is waited for, for somebody asked for it now.
  reply('huge', 2 * MOST_WAITING);
  assert.equal(ended, ['0', '1', '2', '3', 'one more', 'large']);
});

waiting.run();
