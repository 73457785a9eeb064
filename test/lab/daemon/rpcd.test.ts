/** The object `sipalg` by rpcd's plugin, on both engines; and its name between the plugin and the daemon. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { METHODS } from '../../../src/object/object.ts';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import { compareMessages } from '../compare.ts';
import { comparable } from '../listing.ts';
import { answersBeside } from './beside.ts';
import { openPlugin, PLUGIN } from './plugin.ts';
import type { Rpcd, WithPlugin } from './plugin.ts';
import { eventually } from './resident.ts';

const statusOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 0,
    (error: UbusError) => error.status,
  );

const signature = async ({ client }: WithPlugin): Promise<unknown> => (await client.lookup('sipalg'))[0]?.signature;
const SIGNATURE = Object.fromEntries(Object.entries(METHODS).map(([name, { args }]) => [name, args]));

for (const engine of ['quickjs', 'node'] as const) {
  const plugin = suite<{ all: WithPlugin; rpcd: Rpcd }>(`the object by rpcd's plugin, on ${engine}`);

  plugin.before(async (context) => {
    context.all = await openPlugin(engine);
    context.rpcd = await context.all.rpcd();
  });
  plugin.after(({ all }) => all.close());

  plugin('has the methods and arguments of the daemon', async ({ all }) => {
    assert.equal(await signature(all), SIGNATURE);
  });

  plugin('answers as the command line does, and refuses as the daemon does', async ({ all }) => {
    const { now, facts, ...reply } = await all.ask('status', { ubus_rpc_session: '0'.repeat(32) });
    const { facts: _, ...printed } = JSON.parse((await all.lab.router.run(['sipalg', 'status', '--json'])).stdout);
    assert.equal(JSON.parse(JSON.stringify(reply)), printed);
    assert.is(facts?.nft.state, 'present');
    assert.equal([now.running, now.pending, now.last], [null, [], null]);
    assert.is(await statusOf(all.client.call('sipalg', 'plan', { towards: 'off' })), Status.INVALID_ARGUMENT);
    assert.is(await statusOf(all.client.call('sipalg', 'disable', { force: true })), Status.INVALID_ARGUMENT);
    assert.is(await statusOf(all.client.call('sipalg', 'reboot')), Status.METHOD_NOT_FOUND);
    // More than rpcd hands on is half an object.
    assert.is(await statusOf(all.client.call('sipalg', 'plan', { towards: 'x'.repeat(70_000) })), Status.INVALID_ARGUMENT);
  });

  // What it starts is the same on either engine, and is tried there on both.
  if (engine === 'quickjs')
    plugin('answers a diagnosis, a probe, a document and a watch, by programs of their own', async ({ all }) => {
      await answersBeside(all.lab, (method, args) => all.ask(method, args));
    });

  plugin('switches the ALG off and on, whatever rpcd makes of its own files', async ({ all }) => {
    const { lab } = all;
    const before = comparable(await lab.ruleset());
    const config = lab.files.read('/etc/config/firewall');
    lab.files.remove('/etc/modules.conf');
    assert.ok(((await all.ask('disable', { dry_run: true })).plan?.steps.length ?? 0) > 0);
    assert.equal(comparable(await lab.ruleset()), before);

    const off = await all.ask('disable');
    assert.is(off.now.last?.outcome, 'reached', JSON.stringify(off.now));
    assert.is(off.now.running, null);
    assert.is(off.verdict?.alg, 'off');
    assert.equal(off.plan?.steps, []);
    assert.ok((off.now.last?.commands.length ?? 0) > 2);
    const quiet = await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: 5061 });
    assert.equal(compareMessages(quiet.sent, quiet.arrived!), []);

    const on = await all.ask('enable');
    assert.is(on.now.last?.outcome, 'reached', JSON.stringify(on.now));
    assert.is(on.verdict?.alg, 'rewriting');
    assert.equal(comparable(await lab.ruleset()), before);
    assert.is(lab.files.read('/etc/config/firewall'), config);
    assert.equal((await all.ask('status')).now.last, on.now.last, 'whoever asks later is told');
  });

  if (engine === 'quickjs')
    plugin('answers a run that lasts longer than LuCI waits as under way; it goes on without rpcd', async ({ all, rpcd }) => {
      all.lab.files.write('/tmp/slow', '16\n');
      const began = Date.now();
      const first = await all.ask('disable');
      assert.ok(Date.now() - began < 18_000, `${Date.now() - began} ms`);
      assert.is(first.now.running?.towards, 'disabled', JSON.stringify(first.now));
      assert.is(first.verdict?.alg, 'rewriting', 'what was known before');
      assert.is((await all.ask('enable')).now.last?.outcome, 'failed');
      rpcd.process.signal('SIGKILL');
      await rpcd.process.ended;
      await all.rpcd();
      all.lab.files.remove('/tmp/slow');
      const { now, verdict } = await eventually(
        'the end of the run',
        async () => {
          const reply = await all.ask('status');
          return reply.now.running === null ? reply : undefined;
        },
        20_000,
      );
      assert.equal([now.last?.towards, now.last?.outcome, verdict?.alg], ['disabled', 'reached', 'off']);
    });

  plugin.run();
}

const names = suite<{ all: WithPlugin; rpcd: Rpcd; gaps: number[]; loads: number }>('the name sipalg on ubus');

names.before(async (context) => {
  const all = await openPlugin('node');
  const rpcd = await all.rpcd();
  await all.procd(() => rpcd);
  Object.assign(context, { all, rpcd, gaps: [], loads: 1 });
  let gone = 0;
  await all.client.listen('ubus.object.*', (event, { path }) => {
    if (path !== 'sipalg') return;
    if (event === 'ubus.object.remove') gone = performance.now();
    else context.gaps.push(performance.now() - gone);
  });
});
names.after(({ all }) => all.close());

/** Milliseconds without an object; what is measured here is mostly how long Node takes to end a process. */
const LONGEST_GAP = 400;

/** How long there was no object meanwhile, in milliseconds, each time that it changed hands. */
async function changes(context: { gaps: number[]; rpcd: Rpcd }, times: number): Promise<number[]> {
  await eventually('another owner of the name', () => context.gaps.length >= times || undefined).catch((error: Error) => {
    throw new Error(`${error.message}; rpcd said ${context.rpcd.said()}`);
  });
  return context.gaps.splice(0);
}

const daemonHas = async ({ client }: WithPlugin): Promise<boolean> => {
  // Of the two the daemon alone tells when somebody subscribes.
  const subscription = await client.subscribe('sipalg', () => undefined);
  await subscription.unsubscribe();
  return true;
};

names('goes from the plugin to the daemon when that starts', async (context) => {
  const { all } = context;
  assert.equal(await signature(all), SIGNATURE);
  const daemon = all.lab.router.spawn(['sipalg', 'serve', '--no-page']);
  let log = '';
  daemon.child.stderr.on('data', (data: Buffer) => {
    log += data;
  });
  const [gap = Infinity] = await changes(context, 1);
  console.log(`from the plugin to the daemon: ${gap.toFixed(1)} ms without an object`);
  assert.ok(gap < LONGEST_GAP, `${gap} ms`);
  await context.rpcd.loaded(2);
  assert.match(log, 'rpcd has the object sipalg, and was asked to let go of it');
  assert.match(log, 'the object sipalg is published');
  assert.equal(await signature(all), SIGNATURE);
  assert.is((await all.ask('status')).verdict?.alg, 'rewriting');
  assert.match(all.lab.files.read('/var/run/sipalg.daemon'), /^\d+ serving\n$/);

  // A reload of rpcd for whatever reason, as each package of LuCI's makes one, takes nothing away.
  context.rpcd.process.signal('SIGHUP');
  await context.rpcd.loaded(3);
  assert.equal(context.gaps, []);
  assert.ok(await daemonHas(all));

  daemon.signal('SIGTERM');
  const [back = Infinity] = await changes(context, 1);
  console.log(`from the daemon to the plugin: ${back.toFixed(1)} ms without an object`);
  assert.ok(back < LONGEST_GAP, `${back} ms`);
  assert.equal(await daemon.ended, { status: 0, signal: null });
  assert.not(all.lab.files.exists('/var/run/sipalg.daemon'));
  assert.equal(await signature(all), SIGNATURE);
  assert.is((await all.ask('status')).verdict?.alg, 'rewriting');
  assert.equal(context.gaps, [], 'once, and not twice');
  assert.not.match(context.rpcd.said(), /could not|no whole value/);
});

names('is nobody else\'s for good where the daemon dies: the next load of rpcd brings the plugin back', async (context) => {
  const { all, rpcd } = context;
  const daemon = all.lab.router.spawn(['sipalg', 'serve', '--no-page']);
  await changes(context, 1);
  daemon.signal('SIGKILL');
  await daemon.ended;
  assert.ok(all.lab.files.exists('/var/run/sipalg.daemon'));
  rpcd.process.signal('SIGHUP');
  await changes(context, 1);
  assert.is((await all.ask('status')).verdict?.alg, 'rewriting');
});

names('goes with the daemon where there is no rpcd, at once', async (context) => {
  const { all, rpcd } = context;
  rpcd.process.signal('SIGKILL');
  await rpcd.process.ended;
  const daemon = all.lab.router.spawn(['sipalg', 'serve', '--no-page']);
  await changes(context, 1);
  all.lab.files.remove(PLUGIN);
  const began = Date.now();
  daemon.signal('SIGTERM');
  assert.equal(await daemon.ended, { status: 0, signal: null });
  assert.ok(Date.now() - began < 3000, `${Date.now() - began} ms`);
  assert.equal(await all.client.lookup('sipalg'), []);
});

names.run();
