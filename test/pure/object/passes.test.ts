import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPasses } from '../../../src/object/passes.ts';
import { watchPending } from '../../../src/object/pending.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { later, reportOf, settle } from '../daemon/hand.ts';

let off: Report;
let on: Report;

/** Passes whose reports a test hands out. */
function handed() {
  const made: ReturnType<typeof later<Report>>[] = [];
  const passes = createPasses(recordedRouter('stock-alg-on'), surveyor, undefined, () => {
    const one = later<Report>();
    made.push(one);
    return one.promise;
  });
  return { made, passes };
}

const pass = suite('passes');

pass.before(async () => {
  off = await reportOf('stock-alg-absent');
  on = await reportOf('stock-alg-on');
});

pass('are made one at a time, and who asks meanwhile shares the report', async () => {
  const { made, passes } = handed();
  const all = [passes.look(), passes.look()];
  await settle();
  all.push(passes.look());
  await settle();
  assert.is(made.length, 1);
  made[0]!.resolve(on);
  for (const one of await Promise.all(all)) assert.is(one, on);
  assert.is(passes.known(), on);
  const next = passes.look();
  await settle();
  assert.is(made.length, 2, 'a pass that has ended is not asked again');
  made[1]!.resolve(off);
  assert.is(await next, off);
});

pass('that something happened during are not what is asked for afterwards', async () => {
  const { made, passes } = handed();
  const before = passes.look();
  await settle();
  passes.outdate();
  const after = passes.look();
  const too = passes.look();
  await settle();
  assert.is(made.length, 1, 'still one at a time');
  made[0]!.resolve(on);
  assert.is(await before, on);
  assert.is(passes.known(), null, 'what is outdated is not kept');
  await settle();
  assert.is(made.length, 2);
  made[1]!.resolve(off);
  assert.is(await after, off);
  assert.is(await too, off);
  assert.is(passes.known(), off);
});

pass('do not put an older report over what a run has seen at its end', async () => {
  const { made, passes } = handed();
  const heard: Report[] = [];
  passes.onReport((report) => heard.push(report));
  const before = passes.look();
  await settle();
  passes.take(off);
  made[0]!.resolve(on);
  await before;
  assert.is(passes.known(), off);
  assert.equal(
    heard.map((report) => report === off),
    [true],
  );
});

pass('that break are told to all who asked, and the next one begins anew', async () => {
  const { made, passes } = handed();
  const asked = [passes.look(), passes.look()].map((one) => one.catch((error: Error) => error.message));
  await settle();
  passes.outdate();
  const after = passes.look();
  made[0]!.reject(new Error('broken'));
  assert.equal(await Promise.all(asked), ['broken', 'broken']);
  await settle();
  made[1]!.resolve(on);
  assert.is(await after, on);
});

const pending = suite('what is pending');

pending('names the commands and files that are waited for, and forgets them when they answer or fail', async () => {
  const router = recordedRouter('stock-alg-on');
  const run = later<never>();
  const read = later<never>();
  const { host, list } = watchPending({ ...router, run: () => run.promise, read: () => read.promise });
  const all = [
    host.run(['nft', '-j', '-t', 'list', 'ruleset']),
    host.run(['nft', '-j', '-t', 'list', 'ruleset']),
    host.read('/proc/modules'),
    host.run(['x'.repeat(500)]),
  ];
  assert.equal(list(), ['nft -j -t list ruleset', '/proc/modules', `${'x'.repeat(200)}...`]);
  const ended = Promise.allSettled(all);
  run.reject(new Error('gone'));
  await settle();
  assert.equal(list(), ['/proc/modules']);
  read.resolve({ state: 'absent' } as never);
  await settle();
  assert.equal(list(), []);
  await ended;
});

pending('changes nothing of what the machine says', async () => {
  const router = recordedRouter('stock-alg-on');
  const { host } = watchPending(router);
  assert.equal(await host.read('/etc/openwrt_release'), await router.read('/etc/openwrt_release'));
  assert.equal(await host.list('/etc/modules.d'), await router.list('/etc/modules.d'));
  assert.equal(host.addresses(), router.addresses());
  assert.is(host.now(), router.now());
  assert.equal(host.process(), router.process());
});

pass.run();
pending.run();
