/** 20,000 calls and more flows than a table holds: what is kept does not grow with them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Bounded } from '../../../src/watch/bounded.ts';
import { lineSplitter, LONGEST_LINE } from '../../../src/host/followed.ts';
import { reply, request, session } from '../compare/dialogue.ts';
import { line, story } from './stories.ts';

const bounded = suite('what a watch keeps');

/** How many things hang on one, as far as it can be walked: nothing may grow with what has passed. */
function things(root: unknown): number {
  const seen = new Set<unknown>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Map) for (const [key, one] of value) (walk(key), walk(one));
    else if (value instanceof Set) for (const one of value) walk(one);
    else for (const one of Object.values(value)) walk(one);
  };
  walk(root);
  return seen.size;
}

bounded('is the same after 20,000 calls as after 2,000', () => {
  const one = story();
  const sizes: number[] = [];
  let told = 0;
  for (let index = 0; index < 20_000; index++) {
    const about = { callId: `c${index}` };
    const at = index * 3;
    one.message(at, true, request('INVITE', { ...about, body: session() }));
    one.message(at + 1, false, reply('180 Ringing', 'INVITE', about));
    one.message(at + 2, false, reply('200 OK', 'INVITE', about));
    // Every other call is never heard of again, and some are never answered for.
    if (index % 2 === 0) one.message(at + 2.5, true, request('BYE', { ...about, cseq: 2 }), index % 10 === 0 ? null : undefined);
    if (index % 20 === 0) one.tick(at + 2.9);
    told += one.told.splice(0).length;
    if (index === 2000 || index === 19_999) {
      const { ladders, calls } = one.watching.summary(0);
      sizes.push(JSON.stringify(ladders).length);
      assert.is(calls, index + 1);
    }
  }
  assert.ok(told > 60_000, `${told} things were told`);
  assert.ok((sizes[1] as number) < (sizes[0] as number) * 1.5, `ladders: ${sizes.join(' and then ')} characters`);
  assert.ok(one.watching.summary(0).ladders.length <= 300);
  assert.ok(one.watching.passage.waiting < 100);
});

bounded('holds no more flows than there is room for, and says how many had none', () => {
  const one = story();
  const some = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) =>
      line({ phone: `10.0.${((from + index) >> 8) & 255}.${(from + index) & 255}`, sport: 1024 + ((from + index) % 60_000) }),
    );
  one.table(0, some(0, 10_000));
  one.told.length = 0;
  assert.ok(one.watching.flows.signalling.size <= 4096);
  assert.ok(one.watching.flows.phones <= 512);
  assert.ok(one.watching.summary(0).unwatched > 0);
  // Flows of one phone that are no audio go with the table.
  const busy = story();
  const many = Array.from({ length: 6000 }, (_, index) => line({ sport: 2000 + index, dport: 40_000, out: 1, in: 0 }));
  busy.table(0, [line(), ...many]);
  assert.ok(busy.watching.flows.audio.size <= 4096);
  busy.table(3, [line()]);
  assert.is(busy.watching.flows.audio.size, 0);
});

bounded('lets go what was put in or renewed longest ago', () => {
  const gone: string[] = [];
  const map = new Bounded<string, string>(2, (value) => gone.push(value));
  map.set('a', 'one');
  map.set('b', 'two');
  map.set('a', 'one again');
  map.set('c', 'three');
  assert.equal([gone, map.size, map.evicted, map.get('b'), map.get('a')], [['two'], 2, 1, undefined, 'one again']);
});

bounded('takes lines apart wherever they are cut, and passes over one that never ends', () => {
  const lines: string[] = [];
  const { push } = lineSplitter((each) => lines.push(each));
  for (const piece of ['a', 'b\nc\n', '\nd', '', '\n', 'x'.repeat(LONGEST_LINE), 'x', 'x\ne\nf']) push(piece);
  assert.equal(lines, ['ab', 'c', '', 'd', 'e']);
  assert.ok(things(lines) > 0);
});

bounded.run();
