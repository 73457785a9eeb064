import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectionSayer, serveBus } from '../../../src/daemon/bus.ts';
import { createObject, WrongArgument } from '../../../src/object/object.ts';
import type { Reply } from '../../../src/object/object.ts';
import type { ClientOptions } from '../../../src/ubus/client.ts';
import { Status } from '../../../src/ubus/status.ts';
import type { Table } from '../../../src/ubus/value.ts';
import { createUbusd } from '../ubus/bus.ts';
import { lab, rejection } from '../ubus/clients.ts';
import { settle } from '../ubus/wire.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock, reportOf } from './hand.ts';

/** The object on a bus in memory, and somebody who calls. */
function served(call?: (method: string, args: object) => Promise<Reply>) {
  const all = lab();
  const lines: string[] = [];
  const events = { heard: 0 };
  const clock = handClock();
  const object = createObject({ host: recordedRouter('stock-alg-on'), surveyor, clock });
  const mine = all.client({ onState: connectionSayer((line) => lines.push(line)) } satisfies ClientOptions);
  const bus = serveBus({
    client: mine,
    clock,
    call: call ?? object.call,
    onEvent: () => {
      events.heard += 1;
    },
    say: (line) => lines.push(line),
  });
  return { ...all, bus, lines, events, clock };
}

const bus = suite('the object on ubus');

bus('is published with its methods and their arguments', async () => {
  const { client, lines } = served();
  await settle();
  const { path, signature } = (await client().lookup('sipalg'))[0]!;
  assert.is(path, 'sipalg');
  assert.equal(signature, {
    status: {},
    plan: { towards: 'string' },
    policy: {},
    disable: { dry_run: 'boolean' },
    enable: { dry_run: 'boolean' },
    diagnose: { symptom: 'string', language: 'string' },
    probe: { language: 'string' },
    report: { language: 'string' },
    history: {},
    watch: { seconds: 'int32', language: 'string' },
    calls: { language: 'string' },
  });
  assert.equal(lines, ['ubus: connected', 'ubus: the object sipalg is published']);
});

bus('answers with the report, whatever rpcd adds to the arguments', async () => {
  const { client } = served();
  await settle();
  const { now, ...report } = await client().call('sipalg', 'status', { ubus_rpc_session: 'x' });
  assert.equal(JSON.parse(JSON.stringify(report)), JSON.parse(JSON.stringify(await reportOf('stock-alg-on'))));
  assert.equal(now, { running: null, pending: [], age: 0, last: null });
  const dry = await client().call('sipalg', 'disable', { dry_run: true });
  assert.is((dry['plan'] as Table)['towards'], 'disabled');
});

bus('answers wrong arguments with status 2 and trouble of its own with status 9', async () => {
  const { client, troubles } = served(async (method) => {
    throw method === 'plan' ? new WrongArgument('no') : new TypeError('oops');
  });
  await settle();
  assert.is((await rejection(client().call('sipalg', 'plan', { towards: 'off' }))).status, Status.INVALID_ARGUMENT);
  assert.is((await rejection(client().call('sipalg', 'disable', { dry_run: 'yes' }))).status, Status.INVALID_ARGUMENT);
  assert.is((await rejection(client().call('sipalg', 'status'))).status, Status.UNKNOWN_ERROR);
  assert.is((await rejection(client().call('sipalg', 'reboot'))).status, Status.METHOD_NOT_FOUND);
  assert.is(troubles.length, 1);
  assert.match(troubles[0]!.message, /oops/);
});

bus('sends text of a damaged file, NUL and all', async () => {
  const report = structuredClone(await reportOf('stock-alg-on'));
  report.facts.wish.text = { state: 'present', value: 'a\0b \\u0000', source: '/etc/config/sipalg' };
  const { client } = served(async () => ({ ...report, now: { running: null, pending: [], age: 0, last: null } }));
  await settle();
  for (let twice = 0; twice < 2; twice++) {
    const { facts } = (await client().call('sipalg', 'status')) as { facts: { wish: { text: { value: string } } } };
    assert.is(facts.wish.text.value, 'a\u2400b \\u0000');
  }
});

bus('tells subscribers what has changed and what is being done', async () => {
  const { client, bus: one } = served();
  await settle();
  one.echo('nobody hears it');
  const heard: unknown[] = [];
  await client().subscribe('sipalg', (data, { method }) => {
    heard.push([method, data]);
  });
  await settle();
  one.echo('rmmod nf_nat_sip');
  one.changed({ alg: 'off', text: 'Off.', returns: ['boot'] });
  await settle();
  assert.equal(heard, [
    ['echo', { command: 'rmmod nf_nat_sip' }],
    ['changed', { alg: 'off', text: 'Off.', returns: ['boot'] }],
  ]);
});

bus('hears what may change the verdict, and nothing else', async () => {
  const { client, events } = served();
  await settle();
  const sender = client();
  const heard = async (event: string, data: Table): Promise<number> => {
    const before = events.heard;
    await sender.send(event, data);
    await settle();
    return events.heard - before;
  };
  assert.is(await heard('config.change', { config: 'firewall' }), 1);
  assert.is(await heard('config.change', { package: 'sipalg' }), 1);
  assert.is(await heard('config.change', { config: 'wireless' }), 0);
  assert.is(await heard('network.interface', { action: 'ifup', interface: 'wan' }), 1);
  assert.is(await heard('network.device', {}), 0);
});

bus('hears what procd tells its subscribers, also when procd comes later or anew', async () => {
  const { client, events, lines } = served();
  await settle();
  const procd = client();
  for (let times = 0; times < 2; times++) {
    const service = await procd.publish('service', {});
    await settle();
    const heard = async (type: string, data: Table): Promise<number> => {
      const before = events.heard;
      service.notify(type, data);
      await settle();
      return events.heard - before;
    };
    assert.is(await heard('service.stop', { service: 'firewall' }), 1, '`firewall stop` flushes every table');
    assert.is(await heard('service.start', { service: 'firewall' }), 1);
    assert.is(await heard('service.stop', { service: 'dnsmasq' }), 0);
    assert.is(await heard('instance.stop', { service: 'sipalg', instance: 'instance1' }), 0);
    assert.is(await heard('config.change', { config: 'sipalg' }), 1);
    assert.is(await heard('config.change', { config: 'wireless' }), 0);
    await service.remove();
    await settle();
  }
  assert.equal(
    lines.filter((line) => line.includes('service')),
    [],
  );
});

bus('comes back with ubusd, and its loss is said once', async () => {
  const { client, wire, lines, events } = served();
  await settle();
  wire.plug(undefined);
  await wire.advance(5000);
  wire.plug(createUbusd());
  await wire.advance(20_000);
  const again = client();
  assert.is((await again.call('sipalg', 'status'))['version'], '0.0.0-test');
  await again.send('config.change', { config: 'firewall' });
  await settle();
  assert.is(events.heard, 1);
  assert.is(lines.filter((line) => line.includes('not connected')).length, 1);
  assert.is(lines.filter((line) => line === 'ubus: connected').length, 2);
});

bus('says who has the name when it is taken, and takes it when it is free', async () => {
  const all = lab();
  const first = await all.client().publish('sipalg', {});
  const lines: string[] = [];
  const clock = handClock();
  serveBus({ client: all.client(), clock, call: async () => ({}) as Reply, onEvent: () => undefined, say: (line) => lines.push(line) });
  await settle();
  assert.equal(lines, [
    'ubus: the object sipalg could not be published: another program has published an object of that name; it is tried again every 5 s',
  ]);
  await clock.pass(10_000);
  await first.remove();
  await clock.pass(5000);
  assert.is(lines[1], 'ubus: the object sipalg is published');
});

bus('is taken away at the end', async () => {
  const { client, bus: one } = served();
  await settle();
  const other = client();
  await one.stop();
  await settle();
  assert.equal(await other.lookup('sipalg'), []);
});

bus.run();
