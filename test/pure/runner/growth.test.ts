import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { growsInStep } from '../../growth.ts';

const growth = suite('work that grows');
const list = (size: number): number[] => Array.from({ length: size }, (_, at) => at);
/** Numbers, so that no optimiser can leave the work out. */
let seen = 0;

growth('in step with what it is given passes', () => {
  growsInStep('each once', list, (all) => {
    for (let round = 0; round < 100; round++) for (const one of all) seen += one % 7;
  });
  assert.ok(seen > 0);
});

growth('with the square of what it is given fails, and is named', () => {
  assert.throws(
    () =>
      growsInStep(
        'each with each',
        list,
        (all) => {
          for (const one of all) for (const other of all) seen += (one ^ other) & 1;
        },
        1 << 14,
      ),
    /^each with each: 16 times the size costs \d+ times as much/,
  );
});

growth('too little to be told from noise passes', () => {
  growsInStep('a few', list, (all) => all.length, 1 << 10);
});

growth.run();
