import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createAttempts,
  FORGET,
  INTERVAL,
  LONGEST_PAUSE,
  MISTYPED,
  MOST_ADDRESSES,
  MOST_AT_ONCE,
  origin,
  PAUSE,
} from '../../../src/http/attempts.ts';
import { createSessions, IDLE, LINK, LONGEST, MOST_SESSIONS, sameText } from '../../../src/http/sessions.ts';
import { counting, handClock } from '../daemon/hand.ts';

const sessions = suite('sessions');

sessions('are found by their id until they have been idle too long', async () => {
  const clock = handClock();
  const all = createSessions(clock, counting());
  const { session } = all.open('token', null);
  assert.is(all.find(session.id), session);
  assert.is(all.find('random-32-2'), null);
  assert.is(all.find(''), null);
  await clock.pass(IDLE - 1);
  assert.is(all.find(session.id), session);
  await clock.pass(IDLE);
  assert.is(all.find(session.id), null);
  assert.is(all.count(), 0);
});

sessions('end after a while, however busy', async () => {
  const clock = handClock();
  const all = createSessions(clock, counting());
  const { session } = all.open('password', 'r');
  for (let ms = 0; ms < LONGEST - IDLE / 2; ms += IDLE / 2) {
    assert.is(all.find(session.id), session);
    await clock.pass(IDLE / 2);
  }
  await clock.pass(IDLE / 2);
  assert.is(all.find(session.id), null);
});

sessions('are bounded: the one idle longest goes', async () => {
  const clock = handClock();
  const all = createSessions(clock, counting());
  const first = all.open('token', null).session;
  const second = all.open('password', 'rpcd-2').session;
  for (let n = 2; n < MOST_SESSIONS; n++) all.open('token', null);
  await clock.pass(1);
  all.find(first.id);
  assert.equal(all.open('token', null).over, [second]);
  assert.is(all.count(), MOST_SESSIONS);
  assert.is(all.find(first.id), first);
  await clock.pass(IDLE);
  assert.is(all.open('token', null).over.length, MOST_SESSIONS, 'those that are over are cleared on the way');
});

sessions('are closed once', () => {
  const all = createSessions(handClock(), counting());
  const { session } = all.open('token', null);
  assert.is(all.close(session.id), session);
  assert.is(all.close(session.id), null);
  assert.is(all.find(session.id), null);
});

sessions('begin with a token that is good once, for an hour, and only the newest', async () => {
  const clock = handClock();
  const all = createSessions(clock, counting());
  assert.not(all.spend(''));
  const old = all.newToken();
  const token = all.newToken();
  assert.not(all.spend(old));
  assert.ok(all.tokenOpen());
  assert.ok(all.spend(token));
  assert.not(all.spend(token));
  assert.not(all.tokenOpen());
  const late = all.newToken();
  await clock.pass(LINK);
  assert.not(all.tokenOpen());
  assert.not(all.spend(late));
});

sessions('compare texts whole', () => {
  assert.ok(sameText('abc', 'abc'));
  assert.ok(sameText('', ''));
  for (const [one, other] of [
    ['abc', 'abd'],
    ['ab', 'abc'],
    ['abc', 'ab'],
    ['', 'a'],
    ['a', ''],
    ['abc\0', 'abc'],
  ] as const)
    assert.not(sameText(one, other), `${one} ${other}`);
});

const attempts = suite('attempts to log in');

attempts('wait longer with every failure of an address, up to a limit', async () => {
  const clock = handClock();
  const all = createAttempts(clock);
  const waits: number[] = [];
  for (let n = 0; n < 9; n++) {
    assert.is(all.begin('192.0.2.1'), 0);
    const wait = all.begin('192.0.2.1');
    waits.push(wait);
    await clock.pass(wait - 1);
    assert.is(all.begin('192.0.2.1'), 1);
    await clock.pass(1);
  }
  assert.equal(waits, [1, 2, 4, 8, 16, 32].map((times) => times * PAUSE).concat(Array.from({ length: 3 }, () => LONGEST_PAUSE)));
});

attempts('of others need not wait for it, and success forgets', async () => {
  const clock = handClock();
  const all = createAttempts(clock);
  assert.is(all.begin('192.0.2.1'), 0);
  assert.is(all.begin('192.0.2.2'), 0);
  all.succeeded('192.0.2.1');
  assert.is(all.begin('192.0.2.1'), 0);
  assert.is(all.begin('192.0.2.1'), PAUSE);
  await clock.pass(FORGET);
  all.begin('192.0.2.2');
  assert.is(all.begin('192.0.2.2'), PAUSE, 'the first failure was forgotten');
});

attempts('of those who have failed are slowed from everywhere at once, and of nobody else', async () => {
  const clock = handClock();
  const all = createAttempts(clock);
  const guessing = Array.from({ length: MOST_AT_ONCE + 20 }, (_, n) => `192.0.2.${n}`);
  for (let n = 0; n < MISTYPED; n++) {
    for (const address of guessing) assert.is(all.begin(address), 0, 'one may mistype');
    await clock.pass(PAUSE * 2 ** n);
  }
  const waits = guessing.map((address) => all.begin(address));
  assert.is(waits.filter((wait) => wait === 0).length, MOST_AT_ONCE);
  assert.ok(waits.slice(MOST_AT_ONCE).every((wait) => wait > 0 && wait <= INTERVAL));
  for (let round = 0; round < 12; round++) {
    assert.is(all.begin('198.51.100.1'), 0, 'the owner mistypes');
    await clock.pass(PAUSE);
    assert.is(all.begin('198.51.100.1'), 0, 'and gets in');
    all.succeeded('198.51.100.1');
    for (const address of guessing) all.begin(address);
    await clock.pass(INTERVAL);
  }
  assert.ok(guessing.map((address) => all.begin(address)).filter((wait) => wait === 0).length <= 1, 'success gives nobody else a try');
});

attempts('are remembered for a bounded number of addresses', async () => {
  const clock = handClock();
  const all = createAttempts(clock);
  for (let n = 0; n < MOST_ADDRESSES + 50; n++) {
    all.begin(`10.0.${n >> 8}.${n & 255}`);
    await clock.pass(INTERVAL);
  }
  assert.is(all.begin('10.0.0.0'), 0, 'one that was long ago');
});

attempts('count an IPv6 network as one address, and a mapped IPv4 address as itself', () => {
  assert.is(origin('::ffff:192.0.2.1'), '192.0.2.1');
  assert.is(origin('2001:db8:0:1::5'), origin('2001:db8:0:1:ffff:ffff:ffff:ffff'));
  assert.is(origin('2001:db8:0:1::5'), '2001:db8:0:1::/64');
  assert.is.not(origin('2001:db8:0:1::5'), origin('2001:db8:0:2::5'));
  assert.is(origin('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.is(origin('::1'), '0:0:0:0::/64');
});

sessions.run();
attempts.run();
