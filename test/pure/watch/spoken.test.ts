import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Spoken } from '../../../src/watch/spoken.ts';
import type { SpokeEvery } from '../../../src/watch/spoken.ts';

const spoken = suite('how often phones speak');

/** A flow that is looked at every three seconds; packets of either end at the given seconds. */
function watched(
  life: number,
  phone: readonly number[],
  far: readonly number[],
  until: number,
  counts = true,
): { told: SpokeEvery[]; spoken: Spoken } {
  const all = new Spoken();
  const told: SpokeEvery[] = [];
  for (let second = 3; second <= until; second += 3) {
    const before = (list: readonly number[]): number[] => list.filter((one) => one <= second);
    const last = Math.max(0, ...before(phone), ...before(far));
    const left = Math.max(0, Math.floor(life - (second - last)));
    const out = counts ? 1 + before(phone).length : null;
    const one = all.look('k', { phone: '192.168.1.10:5060', far: '203.0.113.10:5060', left, out }, second * 1000);
    if (one !== null) told.push(one);
  }
  return { told, spoken: all };
}

const every = (seconds: number, count: number, jitter: readonly number[] = [0]): number[] =>
  Array.from({ length: count }, (_, nth) => (nth + 1) * seconds + (jitter[nth % jitter.length] ?? 0));

spoken('are told once three intervals agree, and counted on', () => {
  const { told, spoken: all } = watched(180, every(60, 6), [], 375);
  assert.equal(
    told.map(({ phone, far, every: seconds, times }) => [phone, far, seconds, times]),
    [['192.168.1.10:5060', '203.0.113.10:5060', 60, 3]],
  );
  assert.equal(
    all.all().map(({ every: seconds, times, at }) => [seconds, times, at]),
    [[60, 5, 360_000]],
  );
});

spoken('are not told of two intervals, nor of what the far end says, nor where nobody counts', () => {
  assert.equal(watched(180, every(60, 3), [], 200).told, []);
  assert.equal(watched(180, [], every(60, 8), 500).told, []);
  assert.equal(watched(180, every(60, 8), [], 500, false).told, []);
});

spoken('take the messages of one registration for one occasion', () => {
  const rounds = every(120, 5).flatMap((second) => [second, second + 1, second + 2, second + 5]);
  assert.equal(
    watched(300, rounds, rounds, 640).told.map(({ every: seconds, times }) => [seconds, times]),
    [[120, 3]],
  );
});

spoken('bear the chance that phones add, and no calls in between', () => {
  assert.equal(
    watched(180, every(60, 5, [0, 4, -3]), [], 320).told.map(({ times }) => times),
    [3],
  );
  assert.equal(watched(180, [60, 120, 135, 180, 196, 240], [], 260).told, []);
  // What comes at an interval again behind it is told then.
  assert.equal(
    watched(180, [60, 120, 135, 195, 255, 315], [], 330).told.map(({ every: seconds }) => seconds),
    [60],
  );
});

spoken('are told anew where they change', () => {
  const first = every(60, 5);
  const then = [1, 2, 3, 4].map((nth) => 300 + nth * 120);
  assert.equal(
    watched(300, [...first, ...then], [], 800).told.map(({ every: seconds }) => seconds),
    [60, 120],
  );
});

spoken.run();
