import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import type { Client, Publication } from '../../../src/ubus/connection.ts';
import { eventually, openResident } from './resident.ts';
import type { Daemon, Resident } from './resident.ts';

interface Context {
  all: Resident;
  daemon: Daemon;
  client: Client;
  procd: Publication;
}

const CONFIG = `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config provider 'lab'
	list signalling '203.0.113.10'
`;

const ask = async (client: Client, method: string): Promise<Reply> => (await client.call('sipalg', method, {})) as unknown as Reply;
const tables = async ({ lab }: Resident): Promise<string> => lab.router.must(['nft', 'list', 'tables']);
const present = ({ all }: Context) => eventually('our table', async () => (await tables(all)).includes('inet sipalg') || undefined, 20_000);

const keep = suite<Context>('sipalg serve, with voice rules wished');

keep.before(async (context) => {
  context.all = await openResident();
  await context.all.bus();
  context.all.lab.files.write('/etc/config/sipalg', CONFIG);
  context.client = await context.all.client();
  // What procd's object tells its subscribers, without procd.
  context.procd = await context.client.publish('service', {});
  context.daemon = context.all.start();
  await context.client.waitFor('sipalg', { timeout: 10_000 });
});

keep.after(async ({ all }) => {
  await all.close();
});

keep('puts them in force, and says every command', async (context) => {
  await present(context);
  await context.daemon.said(/sipalg: warning: not as wished any more: .*in force/);
  await context.daemon.said(/\[#\] .*nft.*/);
  // The table is there before the last of the steps is done.
  const { verdict, plan } = await eventually(
    'the last step',
    async () => {
      const reply = await ask(context.client, 'status');
      return reply.plan?.steps.some(({ of }) => of === 'policy') ? undefined : reply;
    },
    20_000,
  );
  assert.equal(
    [verdict?.alg, plan?.steps.filter(({ of }) => of === 'policy'), plan?.lacking],
    ['rewriting', [], []],
    'the ALG is left as it is',
  );
});

keep('answers policy as the command line does', async ({ all, client }) => {
  const { now: _now, facts, ...reply } = await ask(client, 'policy');
  const { facts: printed, ...rest } = JSON.parse((await all.lab.router.run(['sipalg', 'policy', '--json'])).stdout) as Reply;
  assert.equal(JSON.parse(JSON.stringify(reply)), rest);
  assert.is(facts?.policy.state, 'present');
  assert.equal(Object.keys(facts ?? {}), Object.keys(printed ?? {}));
  const said = await all.lab.router.run(['sipalg', 'policy']);
  assert.match(said.stdout, /^The voice firewall rules are in force\.\n/);
  assert.match(said.stdout, '\nProviders:\n  lab\n    signalling: 203.0.113.10');
});

keep('puts them back after `firewall stop`, which flushes every table of the router and tells procd', async (context) => {
  const { all, procd } = context;
  // The pause since the last try must be over.
  await new Promise((resolve) => setTimeout(resolve, 10_500));
  await all.lab.router.must(['nft', 'flush', 'ruleset']);
  assert.not.match(await tables(all), 'sipalg');
  procd.notify('service.stop', { service: 'firewall' });
  await present(context);
  const reply = await eventually('nothing left to do', async () => {
    const one = await ask(context.client, 'policy');
    return one.plan?.steps.some(({ of }) => of === 'policy') === false ? one : undefined;
  });
  assert.is(reply.facts?.policy.state, 'present');
});

keep('and takes its time when that happens again and again', async (context) => {
  const { all, procd, daemon } = context;
  const begun = (): number => daemon.log().split('not as wished any more: ').length - 1;
  const before = begun();
  assert.ok(before >= 2, daemon.log());
  for (let times = 0; times < 4; times++) {
    await all.lab.router.run(['nft', 'delete', 'table', 'inet', 'sipalg']);
    procd.notify('service.stop', { service: 'firewall' });
    await new Promise((resolve) => setTimeout(resolve, 2500));
  }
  assert.ok(begun() - before <= 1, daemon.log());
  await present(context);
});

keep('leaves them where they are when it ends', async (context) => {
  const { all, daemon } = context;
  await present(context);
  daemon.process.signal('SIGTERM');
  assert.equal(await daemon.process.ended, { status: 0, signal: null });
  assert.match(await tables(all), 'table inet sipalg');
});

keep.run();
