/** The object without a daemon: what a call answers, and what of a run outlives it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createObject, METHODS, WrongArgument } from '../../../src/object/object.ts';
import type { MethodName, Reply } from '../../../src/object/object.ts';
import { beginningOf } from '../../../src/languages/kernel/process.ts';
import { withoutNul } from '../../../src/daemon/reply-size.ts';
import { RECORD } from '../../../src/rpcd/record.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock, reportOf, settle } from '../daemon/hand.ts';
import { machine, through } from './machine.ts';

const KNOWN = `${RECORD}.known`;
const read = (text: string): Reply => JSON.parse(text) as Reply;

async function refused(method: string, input?: string): Promise<string> {
  const error: unknown = await machine()
    .call(method, input)
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  assert.instance(error, WrongArgument);
  return (error as Error).message;
}

const call = suite('a call of rpcd');

call('is answered as the daemon answers it, whatever the method and the arguments', async () => {
  const asked: [MethodName, object][] = [
    ['status', { ubus_rpc_session: '0'.repeat(32) }],
    ['policy', {}],
    ['plan', {}],
    ['plan', { towards: 'enabled' }],
    ['plan', { towards: null }],
    ['disable', { dry_run: true }],
    ['enable', { dry_run: true }],
  ];
  const reporting = Object.entries(METHODS).flatMap(([name, method]) => ('beside' in method ? [] : [name]));
  assert.equal([...new Set(asked.map(([method]) => method))].sort(), reporting.sort());
  for (const router of ['stock-alg-on', 'disabled', 'voice-in-force', 'hostile-nft'])
    for (const [method, args] of asked) {
      const resident = createObject({ host: recordedRouter(router), surveyor, clock: handClock() });
      const expected = JSON.parse(JSON.stringify(withoutNul(await resident.call(method, args as never)))) as Reply;
      assert.equal(read(await machine(router).call(method, JSON.stringify(args))), expected, `${router} ${method}`);
    }
});

call('is answered without a NUL, where ubus would end a text', async () => {
  const all = machine();
  all.files.set('/etc/config/sipalg', 'a\0b');
  const { facts } = read(await all.call('status'));
  assert.is(facts?.wish.text.state === 'present' && facts.wish.text.value, 'a\u2400b');
});

call('takes nothing on standard input for no arguments', async () => {
  assert.equal(read(await machine().call('status', '')).verdict?.alg, 'rewriting');
});

call('is refused in a sentence where an argument is wrong, as by the daemon', async () => {
  assert.is(await refused('plan', '{"towards":"off"}'), 'The argument towards of plan is "off"; it may be "disabled" or "enabled".');
  assert.is(await refused('disable', '{"dry_run":1}'), 'The argument dry_run of disable is 1; it must be a boolean.');
  assert.is(await refused('reboot'), 'The object has no method "reboot".');
  assert.is(await refused('toString'), 'The object has no method "toString".');
  // rpcd cuts what is longer than 64 kB.
  for (const input of ['{"towards":"disab', '[]', 'null', '"x"'])
    assert.is(await refused('plan', input), `The arguments of plan are ${JSON.stringify(input)}; they must be one object in JSON.`);
});

call('does not wait for a tool that hangs: the router is not known then, and the tool is named', async () => {
  const recorded = recordedRouter('stock-alg-on');
  const all = machine('stock-alg-on', {
    run: (argv, options) =>
      argv[0] === 'nft'
        ? new Promise((resolve) =>
            all.clock.after(options?.timeout ?? 30_000, () =>
              resolve({ state: 'failed', command: argv.join(' '), because: `it did not end within ${(options?.timeout ?? 30_000) / 1000} s and was killed` }),
            ),
          )
        : recorded.run(argv, options),
    elapsed: () => all.clock.now(),
  });
  const { verdict, now } = read(await through(all, all.call('status')));
  assert.ok(verdict !== null && verdict.alg !== 'off');
  assert.ok(verdict.unread.some(({ source, because }) => source.startsWith('nft ') && because.includes('within 12 s')));
  assert.is(now.running, null);
  assert.ok(all.clock.now() < 15_000, 'LuCI gives up after 20 s');
});

const run = suite('a run that rpcd has asked for');

run('is carried out by a program of its own, and answered with how it went', async () => {
  const all = machine();
  const { now, verdict } = read(await through(all, all.call('disable')));
  assert.equal(
    all.started.map(({ towards }) => towards),
    ['disabled'],
  );
  assert.is(now.running, null);
  assert.is(now.last?.towards, 'disabled');
  assert.is(now.last?.outcome, 'failed', 'nothing may be changed here');
  assert.match(now.last?.because.join(' ') ?? '', 'nothing may be changed here');
  assert.is(verdict?.alg, 'rewriting', 'the router is looked at again');
  assert.equal(all.said.slice(-(now.last?.because.length ?? 0)), now.last?.because);
  assert.ok(all.said.some((line) => line.startsWith('[#] ')));
  assert.not(all.files.has(KNOWN));
  // Whoever asks later is told how it went.
  assert.equal(read(await all.call('status')).now.last, now.last);
});

/** A run that has begun and goes on until its end is written down. */
function going() {
  return machine('stock-alg-on', {
    start(towards, id, all) {
      all.processes.set(7, '700');
      const running = { towards, since: all.as(7).now(), commands: ['nft one', 'nft two'] };
      all.files.set(RECORD, JSON.stringify({ id, pid: 7, began: '700', running, last: null, answers: [] }));
    },
  });
}

run('that lasts longer than rpcd and LuCI wait is answered as under way, and goes on', async () => {
  const all = going();
  const known = await reportOf('disabled');
  all.files.set(KNOWN, JSON.stringify(known));
  const asked = all.call('disable');
  await all.clock.pass(14_900);
  assert.is(await Promise.race([asked, settle().then(() => 'not yet')]), 'not yet');
  await all.clock.pass(400);
  const first = read(await asked);
  assert.is(first.now.running?.towards, 'disabled');
  assert.equal(first.now.running?.commands, ['nft one', 'nft two']);
  assert.is(first.now.last, null);

  // During it the report is that of before it: what is seen of a router that is being changed is neither.
  const during = read(await all.call('status'));
  assert.equal(during.verdict, JSON.parse(JSON.stringify(known.verdict)));
  assert.is(during.now.running?.towards, 'disabled');

  const last = { towards: 'disabled', at: 1, outcome: 'reached', because: [], commands: [] };
  all.files.set(RECORD, JSON.stringify({ ...all.record(), running: null, last }));
  const after = read(await all.call('status'));
  assert.equal([after.now.running, after.now.last], [null, last]);
  assert.is(after.verdict?.alg, 'rewriting', 'seen now');
});

run('that ends shortly before that is answered with a look of its own', async () => {
  const all = going();
  const asked = all.call('disable');
  await all.clock.pass(13_000);
  const last = { towards: 'disabled', at: 1, outcome: 'reached', because: [], commands: [] };
  all.files.set(RECORD, JSON.stringify({ ...all.record(), running: null, last }));
  await all.clock.pass(400);
  const { now, verdict } = read(await asked);
  assert.equal([now.running, now.last, verdict?.unread], [null, last, []]);
});

run('is shared by who asks for the same, and who asks otherwise is told what runs', async () => {
  const all = going();
  const first = all.call('disable');
  await settle();
  const second = all.call('disable');
  await all.clock.pass(3000);
  const other = read(await all.call('enable'));
  assert.is(other.now.last?.outcome, 'failed');
  assert.match(other.now.last?.because[0] ?? '', /^A run towards "disabled" has been under way for 3 s\. Nothing was done towards "enabled"; ask again/);
  assert.is(all.started.length, 1);
  const last = { towards: 'disabled', at: 2, outcome: 'reached', because: [], commands: [] };
  all.files.set(RECORD, JSON.stringify({ ...all.record(), running: null, last }));
  await all.clock.pass(400);
  for (const one of [first, second]) assert.equal(read(await one).now.last, last);
});

run('begins once where two ask in the same moment', async () => {
  const all = machine();
  const both = await through(all, Promise.all([all.call('disable'), all.call('disable')]));
  assert.is(all.started.length, 2, 'neither knew of the other');
  assert.equal(read(both[0]!).now.last, read(both[1]!).now.last);
  assert.is(all.said.filter((line) => line.startsWith('[#] uci set')).length, 1);
});

run('that another direction has come before is none, and who asked is told', async () => {
  const all = machine();
  const [one, other] = await through(all, Promise.all([all.call('disable'), all.call('enable')]));
  const [first, second] = [read(one!).now.last, read(other!).now.last];
  assert.equal([first?.towards, second?.towards, second?.outcome], ['disabled', 'enabled', 'failed']);
  assert.match(second?.because[0] ?? '', /A run towards "disabled" .*Nothing was done towards "enabled"; ask again/);
  assert.equal(all.said.filter((line) => line.includes('enabled')), []);
  assert.is(all.record().last?.towards, 'disabled');
});

run('whose program is gone without a word is told as failed, and the next one begins', async () => {
  const all = going();
  const asked = all.call('disable');
  await all.clock.pass(1000);
  all.processes.delete(7);
  await all.clock.pass(400);
  const { now } = read(await asked);
  assert.is(now.running, null);
  assert.match(now.last?.because[0] ?? '', 'has ended without saying how it went');
  // The number may be another process's by now.
  all.processes.set(7, '9999');
  assert.is(read(await all.call('status')).now.running, null);
  const again = all.call('enable');
  await settle();
  assert.is(all.started.length, 2);
  await all.clock.pass(16_000);
  assert.is(read(await again).now.running?.towards, 'enabled');
});

run('that does not begin at all is told as failed', async () => {
  const all = machine('stock-alg-on', { start: () => undefined });
  const { now } = read(await through(all, all.call('enable')));
  assert.is(now.last?.outcome, 'failed');
  assert.match(now.last?.because[0] ?? '', 'has not begun in time');
});

run('of which nothing can be told is no run that is not there', async () => {
  for (const [text, said] of [
    ['{', /is no JSON; remove it/],
    ['{"id":"x"}', /has no pid that sipalg understands; remove it/],
  ] as const) {
    const all = machine();
    all.files.set(RECORD, text);
    for (const method of ['status', 'disable'])
      assert.match(await all.call(method).then(String, (error: Error) => (error instanceof WrongArgument ? '' : error.message)), said);
    assert.equal(all.started, []);
  }
});

const birth = suite('the beginning of a process');

birth('is read behind a name that holds anything', () => {
  const line = (name: string, state: string, at: string): string => `7 (${name}) ${state} ${'0 '.repeat(18)}${at} 0 0\n`;
  assert.is(beginningOf(line('sh', 'S', '123')), '123');
  assert.is(beginningOf(line(') R 1 2 (x', 'D', '9')), '9');
  assert.is(beginningOf(line('sh', 'Z', '123')), null, 'it has ended');
  for (const text of ['', '7 (sh', '7 (sh) S 1', line('sh', 'S', 'x')]) assert.is(beginningOf(text), null);
});

call.run();
run.run();
birth.run();
