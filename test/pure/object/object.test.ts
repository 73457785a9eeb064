import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createObject, isMethod, PATIENCE, WrongArgument } from '../../../src/object/object.ts';
import type { Arguments, MethodName } from '../../../src/object/object.ts';
import type { Host, Outcome } from '../../../src/host/host.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock, later, reportOf, settle } from '../daemon/hand.ts';

/** An object over a recorded router, with some of the machine made otherwise. */
function over(name: string, otherwise: Partial<Host> = {}) {
  const clock = handClock();
  const echoes: string[] = [];
  const object = createObject({
    host: { ...recordedRouter(name), ...otherwise },
    surveyor,
    clock,
    onEcho: (command) => echoes.push(command),
  });
  return { clock, object, echoes };
}

async function refused(method: MethodName, args: Arguments): Promise<string> {
  const error: unknown = await over('stock-alg-on')
    .object.call(method, args)
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  assert.instance(error, WrongArgument);
  return (error as Error).message;
}

const object = suite('the object');

object('answers status with the report that the command line prints, and how it stands with what is under way', async () => {
  const { now, ...report } = await over('stock-alg-on').object.call('status', { ubus_rpc_session: '0'.repeat(32) });
  assert.equal(report, await reportOf('stock-alg-on'));
  assert.equal(now, { running: null, pending: [], age: 0, last: null });
  assert.equal(await over('stock-alg-on').object.call('policy', {}), { now, ...report }, 'policy differs in its words, not in its report');
});

object('answers plan with the way it is asked for', async () => {
  for (const towards of ['disabled', 'enabled'] as const) {
    const { plan, verdict } = await over('stock-alg-on').object.call('plan', { towards });
    assert.is(plan?.towards, towards);
    assert.is(verdict?.alg, 'rewriting');
  }
  assert.equal((await over('stock-alg-on').object.call('plan', {})).plan, (await reportOf('stock-alg-on')).plan);
});

object('answers a dry run with the plan and changes nothing', async () => {
  const { plan, now } = await over('stock-alg-on').object.call('disable', { dry_run: true });
  assert.is(plan?.towards, 'disabled');
  assert.ok((plan?.steps.length ?? 0) > 1);
  assert.is(now.last, null);
  assert.is((await over('disabled').object.call('enable', { dry_run: true })).plan?.towards, 'enabled');
});

object('refuses arguments that a method does not take, in a sentence', async () => {
  assert.is(await refused('status', { towards: 'off' }), 'status takes no argument "towards"; it takes none.');
  assert.is(await refused('plan', { dry_run: true }), 'plan takes no argument "dry_run"; it takes towards: string.');
  assert.is(await refused('plan', { towards: 'off' }), 'The argument towards of plan is "off"; it may be "disabled" or "enabled".');
  assert.is(await refused('disable', { dry_run: 1 }), 'The argument dry_run of disable is 1; it must be a boolean.');
  assert.match(await refused('disable', { constructor: 'x' }), /takes no argument "constructor"/);
  assert.not(isMethod('toString'));
  assert.ok(isMethod('enable'));
});

object('names the tool that hangs, in time, and answers with what was known before', async () => {
  let hanging = later<Outcome>();
  let hangs = true;
  const router = recordedRouter('stock-alg-on');
  const { clock, object: one } = over('stock-alg-on', {
    run: (argv, options) => (hangs && argv[0] === 'nft' ? hanging.promise : router.run(argv, options)),
  });

  const first = one.call('status', {});
  await clock.pass(PATIENCE);
  const nothing = await first;
  assert.equal([nothing.facts, nothing.verdict, nothing.plan], [null, null, null]);
  assert.ok(
    nothing.now.pending.some((what) => what.startsWith('nft ')),
    nothing.now.pending.join(),
  );

  hangs = false;
  hanging.resolve({ state: 'failed', command: 'nft', because: 'it did not end within 30 s and was killed' });
  await clock.pass(0);
  assert.is((await one.call('status', {})).verdict?.alg, 'rewriting');

  hanging = later<Outcome>();
  hangs = true;
  const again = one.call('status', {});
  const plan = one.call('plan', { towards: 'enabled' });
  await clock.pass(PATIENCE - 1);
  assert.is(await Promise.race([again, settle().then(() => 'not yet')]), 'not yet');
  await clock.pass(1);
  assert.is((await again).verdict?.alg, 'rewriting');
  assert.is((await again).now.pending.length > 0, true);
  assert.is((await plan).plan?.towards, 'enabled');
});

object('says unknown, and not off, when the tool is broken', async () => {
  const router = recordedRouter('stock-alg-on');
  const { object: one } = over('stock-alg-on', {
    run: async (argv, options) =>
      argv[0] === 'nft' ? { state: 'failed', command: argv.join(' '), because: 'it was ended by SIGSEGV' } : router.run(argv, options),
  });
  const { verdict } = await one.call('status', {});
  assert.ok(verdict !== null && verdict.alg !== 'off');
  assert.ok(verdict.unread.some(({ because }) => because.includes('SIGSEGV')));
});

const runs = suite('a run');

/** A router whose own lock is given out by the test. */
function locked() {
  const lock = later<{ busy: string }>();
  return { ...over('stock-alg-on', { lock: () => lock.promise }), lock };
}

runs('is shared by who asks for the same, and who asks otherwise is told what runs', async () => {
  const { clock, object: one, lock } = locked();
  await one.call('status', {});
  const both = [one.call('disable', {}), one.call('disable', {})];
  await settle();
  const during = await one.call('status', {});
  assert.is(during.now.running?.towards, 'disabled');
  assert.equal(during.now.pending, ['the lock /var/run/sipalg.lock']);
  assert.is(during.verdict?.alg, 'rewriting', 'what was known before');

  const other = await one.call('enable', {});
  assert.is(other.now.last?.outcome, 'failed');
  assert.is(other.now.last?.towards, 'enabled');
  assert.match(
    other.now.last?.because[0] ?? '',
    /^A run towards "disabled" has been under way for 0 s\. Nothing was done towards "enabled"; ask again/,
  );
  assert.is((await one.call('status', {})).now.last, null, 'a refusal was no run');

  lock.resolve({ busy: 'process 7 (sipalg)' });
  await clock.pass(0);
  const [first, second] = await Promise.all(both);
  assert.is(first?.now.last, second?.now.last, 'they shared one run');
  for (const { now, verdict } of [first!, second!]) {
    assert.is(now.running, null);
    assert.is(now.last?.outcome, 'failed');
    assert.match(
      now.last?.because[0] ?? '',
      /locked \(\/var\/run\/sipalg\.lock\) by an unknown process \(its file names process 7, which is gone\)/,
    );
    assert.is(verdict?.alg, 'rewriting', 'a failure comes with what is');
  }
  assert.is((await one.call('status', {})).now.last?.outcome, 'failed');
});

runs('does not begin any more once the program is to end, and its end is waited for', async () => {
  const { object: one, lock } = locked();
  const run = one.call('disable', {});
  await settle();
  let stopped = false;
  const stop = one.runs.stop().then(() => {
    stopped = true;
  });
  await settle();
  assert.not(stopped);
  lock.resolve({ busy: '' });
  await stop;
  assert.is((await run).now.last?.outcome, 'failed');
  const late = await one.call('enable', {});
  assert.match(late.now.last?.because[0] ?? '', /about to end/);
});

runs('by who is not root fails in a sentence and changes nothing', async () => {
  const { object: one, echoes } = over('stock-alg-on', { process: () => ({ pid: 1, uid: 1000 }) });
  const { now } = await one.call('disable', {});
  assert.match(now.last?.because[0] ?? '', /Only root/);
  assert.equal(echoes, []);
});

object.run();
runs.run();
