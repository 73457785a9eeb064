import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../src/ubus/client.ts';
import { Status } from '../../../src/ubus/status.ts';
import { createUbusd } from './bus.ts';
import { lab, rejection } from './clients.ts';
import { createWire, settle } from './wire.ts';

const events = suite('events');

events('reach those whose pattern fits, and nobody after they stopped', async () => {
  const { client, bus } = lab();
  const listener = client();
  const heard: string[] = [];
  const note = (who: string) => (event: string) => void heard.push(`${who} ${event}`);
  const stop = await listener.listen('net.*', note('net'));
  await listener.listen('*', note('all'));
  await listener.listen('net.up', note('up'));
  const sender = client();
  await sender.send('net.up', { a: 1 });
  await sender.send('other');
  await settle();
  assert.equal(heard, ['net net.up', 'all net.up', 'up net.up', 'all other']);
  await stop();
  await sender.send('net.down');
  await settle();
  assert.equal(heard.slice(4), ['all net.down']);
  assert.is(bus.counts().patterns, 2);
});

events("of ubusd's own names cannot be sent", async () => {
  const { client } = lab();
  assert.is((await rejection(client().send('ubus.object.add'))).status, Status.PERMISSION_DENIED);
});

events('that break their listener are told as trouble', async () => {
  const { client, troubles } = lab();
  await client().listen('x', () => {
    throw new RangeError('listener');
  });
  await client().send('x');
  await settle();
  assert.is(troubles.length, 1);
  assert.match(troubles[0]!.message, /listen to x x failed: listener/);
});

events('of objects are understood whatever the highest bit of the id', async () => {
  let id = 0xf0000000;
  const wire = createWire(createUbusd({ ids: () => (id += 1) }));
  const waiter = createClient(wire.door);
  const coming = waiter.waitFor('o');
  await settle();
  const object = await createClient(wire.door).publish('o', {});
  assert.is((await coming).id, object.id);
  assert.ok(object.id > 0xf0000000);
});

events.run();
