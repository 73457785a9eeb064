import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import type { Client, Table } from '../../../src/ubus/connection.ts';
import { compareMessages } from '../compare.ts';
import { comparable } from '../listing.ts';
import { answersBeside } from './beside.ts';
import { eventually, has, openResident } from './resident.ts';
import type { Daemon, Resident } from './resident.ts';

interface Context {
  all: Resident;
  daemon: Daemon;
  client: Client;
}

const ask = async (client: Client, method: string, args: object = {}): Promise<Reply> =>
  (await client.call('sipalg', method, { ...args })) as unknown as Reply;

const bus = suite<Context>('sipalg serve on ubus, in a router');

bus.before(async (context) => {
  context.all = await openResident();
  await context.all.bus();
  context.daemon = context.all.start();
  context.client = await context.all.client();
  await context.client.waitFor('sipalg', { timeout: 10_000 });
});

bus.after(async ({ all }) => {
  await all.close();
});

bus('answers as the command line does', async ({ all, client }) => {
  const { now, facts, ...reply } = await ask(client, 'status');
  const { facts: _, ...printed } = JSON.parse((await all.lab.router.run(['sipalg', 'status', '--json'])).stdout);
  assert.equal(JSON.parse(JSON.stringify(reply)), printed);
  assert.is(reply.verdict?.alg, 'rewriting');
  assert.is(facts?.nft.state, 'present');
  assert.equal(now.pending, []);
});

bus('switches the ALG of the router off and on, and tells what it does and what has changed', async ({ all: { lab }, client }) => {
  const before = comparable(await lab.ruleset());
  const config = lab.files.read('/etc/config/firewall');
  const heard: [string, Table][] = [];
  const subscription = await client.subscribe('sipalg', (data, { method }) => {
    heard.push([method, data]);
  });

  const dry = await ask(client, 'disable', { dry_run: true });
  assert.ok((dry.plan?.steps.length ?? 0) > 0);
  assert.equal(comparable(await lab.ruleset()), before);

  const off = await ask(client, 'disable');
  assert.is(off.now.last?.outcome, 'reached', JSON.stringify(off.now));
  assert.is(off.verdict?.alg, 'off');
  assert.equal(off.plan?.steps, []);
  const quiet = await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: 5061 });
  assert.equal(compareMessages(quiet.sent, quiet.arrived!), []);
  await eventually('changed', () => heard.find(([method]) => method === 'changed'));
  assert.equal(heard.find(([method]) => method === 'changed')?.[1]['alg'], 'off');
  assert.equal(
    heard.filter(([method]) => method === 'echo').map(([, data]) => data['command']),
    off.now.last?.commands,
  );

  const on = await ask(client, 'enable');
  assert.is(on.now.last?.outcome, 'reached', JSON.stringify(on.now));
  assert.is(on.verdict?.alg, 'rewriting');
  assert.equal(comparable(await lab.ruleset()), before);
  assert.is(lab.files.read('/etc/config/firewall'), config);
  await eventually('the second changed', () => heard.filter(([method]) => method === 'changed')[1]);
  await subscription.unsubscribe();
});

bus('sees what somebody else has changed when it is told of an event', async ({ all: { lab }, client }) => {
  const heard: Table[] = [];
  const subscription = await client.subscribe('sipalg', (data, { method }) => {
    if (method === 'changed') heard.push(data);
  });
  await lab.router.must(['sipalg', 'disable']);
  await client.send('config.change', { config: 'firewall' });
  assert.is((await eventually('changed', () => heard[0]))['alg'], 'off');
  await lab.router.run(['sipalg', 'enable']);
  await client.send('network.interface', { action: 'ifup', interface: 'wan' });
  await eventually('changed back', () => heard[1]);
  await subscription.unsubscribe();
});

bus('answers status in time while a tool hangs, and names it', async ({ all: { lab }, client }) => {
  lab.files.write('/tmp/hang', '');
  try {
    const began = Date.now();
    const { verdict, now } = await ask(client, 'status');
    assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
    assert.is(verdict?.alg, 'rewriting');
    assert.ok(
      now.pending.some((what) => what.startsWith('nft ')),
      now.pending.join(),
    );
    assert.ok(now.age >= 0);
  } finally {
    lab.files.remove('/tmp/hang');
  }
  await eventually('an answer with nothing pending', async () => (await ask(client, 'status')).now.pending.length === 0 || undefined);
});

bus('comes back when ubusd is started anew', async ({ all, client }) => {
  await all.bus();
  await client.waitFor('sipalg', { timeout: 20_000 });
  assert.is((await ask(client, 'status')).verdict?.alg, 'rewriting');
});

bus('answers a diagnosis, a probe, a document and a watch, by programs of their own', async ({ all }) => {
  const client = await all.client();
  await answersBeside(all.lab, (method, args = {}) => client.call('sipalg', method, { ...args }));
});

bus('ends cleanly, takes its object away and leaves the router as it is', async ({ all: { lab }, daemon, client }) => {
  const before = comparable(await lab.ruleset());
  daemon.process.signal('SIGTERM');
  assert.equal(await daemon.process.ended, { status: 0, signal: null });
  assert.equal(await client.lookup('sipalg'), []);
  assert.equal(comparable(await lab.ruleset()), before);
});

const ends = suite<Context>('sipalg serve, ended in the middle of a run');

ends.before(async (context) => {
  context.all = await openResident();
  await context.all.bus();
  context.client = await context.all.client();
});

ends.before.each(async (context) => {
  // A flow that the helper holds: ending it is a step that comes after the slow one.
  await context.all.lab.sendInvite({ from: 'phone', to: 'provider' });
  context.all.lab.files.write('/tmp/slow', '');
  context.daemon = context.all.start(['--no-page']);
  await context.client.waitFor('sipalg', { timeout: 10_000 });
});

ends.after(async ({ all }) => {
  await all.close();
});

/** A run that has come to the slow transaction; how it ends is for the test. */
async function halfWay({ client, daemon }: Context): Promise<{ reply: Promise<Reply | Error> }> {
  // Of a daemon that is killed nobody says so: the call would wait for its whole time.
  const reply = client.call('sipalg', 'disable', {}, { timeout: 10_000 }).then(
    (table) => table as unknown as Reply,
    (error: Error) => error,
  );
  await daemon.said(/\[#\] .*nft.*/);
  assert.is((await ask(client, 'status')).now.running?.towards, 'disabled');
  return { reply };
}

ends('by SIGTERM: the run is finished or taken back, who asked is told, and it ends with 0', async (context) => {
  const {
    all: { lab },
    daemon,
  } = context;
  const before = comparable(await lab.ruleset());
  const config = lab.files.read('/etc/config/firewall');
  const { reply } = await halfWay(context);
  daemon.process.signal('SIGTERM');
  const { now } = (await reply) as Reply;
  assert.equal(await daemon.process.ended, { status: 0, signal: null });
  assert.is(now.last?.outcome, 'failed');
  assert.match(now.last?.because.join(' ') ?? '', /interrupted/);
  assert.equal(comparable(await lab.ruleset()), before);
  assert.is(lab.files.read('/etc/config/firewall'), config);
  assert.not(has(lab, '/etc/config/sipalg'), 'there was none');
  assert.not(has(lab, '/etc/sipalg.journal'));
});

ends('by SIGTERM twice: it does not hang, and `sipalg apply` completes', async (context) => {
  const {
    all: { lab },
    daemon,
  } = context;
  await halfWay(context);
  daemon.process.signal('SIGTERM');
  await daemon.said(/SIGTERM: ending/);
  const began = Date.now();
  daemon.process.signal('SIGTERM');
  assert.is((await daemon.process.ended).status, 2);
  assert.ok(Date.now() - began < 1000);
  lab.files.remove('/tmp/slow');
  assert.is((await lab.router.run(['sipalg', 'apply'])).status, 0);
  assert.is((await lab.router.run(['sipalg', 'enable'])).status, 0);
});

ends('by kill -9: the next `sipalg apply` completes what was begun', async (context) => {
  const {
    all: { lab },
    daemon,
  } = context;
  await halfWay(context);
  daemon.process.signal('SIGKILL');
  await daemon.process.ended;
  lab.files.remove('/tmp/slow');
  const applied = await lab.router.run(['sipalg', 'apply']);
  assert.is(applied.status, 0, applied.stderr);
  assert.is((JSON.parse((await lab.router.run(['sipalg', 'status', '--json'])).stdout) as Reply).verdict?.alg, 'off');
});

bus.run();
ends.run();
