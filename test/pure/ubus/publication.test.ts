import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import { lab, rejection } from './clients.ts';
import { settle } from './wire.ts';

const objects = suite('an object');

objects('whose name is taken or impossible is not published', async () => {
  const { client, bus } = lab();
  await client().publish('o', {});
  const other = client();
  const error = await rejection(other.publish('o', {}));
  assert.is(error.status, Status.INVALID_ARGUMENT);
  assert.match(error.message, /publish o: .*the name is taken/);
  for (const path of ['', 'o*']) assert.is((await rejection(other.publish(path, {}))).status, Status.INVALID_ARGUMENT);
  const bad = { m: { args: { x: 'integer' as 'int32' }, answer: () => {} } };
  assert.match((await rejection(other.publish('p', bad))).message, /"integer" of m\(x\) is none of any, array/);
  assert.is(bus.counts().objects, 1);
});

objects('tells its subscribers, and asks them', async () => {
  const { client } = lab();
  const object = await client().publish('o', {});
  const heard: unknown[] = [];
  await client().subscribe('o', (data, { method }) => {
    heard.push(['a', method, data]);
    return { from: 'a' };
  });
  await client().subscribe('o', async () => {
    throw new UbusError(Status.NOT_SUPPORTED);
  });
  await settle();
  assert.is(object.subscribed, true);
  object.notify('changed', { alg: 'off' });
  await settle();
  assert.equal(heard, [['a', 'changed', { alg: 'off' }]]);
  const replies = await object.notifyAndWait('asked');
  assert.equal(
    replies.map(({ status, data }) => [status, data]),
    [
      [Status.NOT_SUPPORTED, undefined],
      [0, { from: 'a' }],
    ],
  );
});

objects('asking subscribers does not wait for one that is silent', async () => {
  const { client, wire } = lab();
  const object = await client().publish('o', {});
  assert.equal(await object.notifyAndWait('asked'), []);
  await client().subscribe('o', () => ({ quick: true }));
  await client().subscribe('o', () => new Promise(() => {}));
  const asked = object.notifyAndWait('asked', {}, { timeout: 50 });
  await wire.advance(60);
  assert.equal(
    (await asked).map(({ status, data }) => [status, data]),
    [
      [Status.TIMEOUT, undefined],
      [0, { quick: true }],
    ],
  );
});

objects('that was subscribed to comes back, and the subscription with it', async () => {
  const { client, bus } = lab();
  const publisher = client();
  const first = await publisher.publish('o', {});
  const activity: boolean[] = [];
  const heard: string[] = [];
  const subscriber = client();
  const subscription = await subscriber.subscribe('o', (_data, { method }) => void heard.push(method), {
    onActive: (active) => activity.push(active),
  });
  await first.remove();
  await settle();
  assert.is(subscription.active, false);
  const second = await publisher.publish('o', {});
  await settle();
  assert.is(subscription.active, true);
  second.notify('again');
  await settle();
  assert.equal(heard, ['again']);
  assert.equal(activity, [false, true]);
  await subscription.unsubscribe();
  await settle();
  assert.is(bus.counts().subscriptions, 0);
  assert.is(second.subscribed, false);
  assert.is(subscription.active, false);
});

objects("that is not there, or is one's own, cannot be subscribed to, and nothing is left behind", async () => {
  const { client, bus } = lab();
  const both = client();
  await both.publish('o', {});
  assert.is((await rejection(both.subscribe('o', () => {}))).status, Status.INVALID_ARGUMENT);
  assert.is((await rejection(both.subscribe('none', () => {}))).status, Status.NOT_FOUND);
  await both.ping();
  // The object itself, and the listener for objects that come.
  assert.is(bus.counts().objects, 2);
});

objects('is waited for until it comes', async () => {
  const { client, wire } = lab();
  const waiter = client();
  const coming = waiter.waitFor('o');
  await settle();
  const publisher = client();
  await publisher.publish('other', {});
  const object = await publisher.publish('o', { m: { args: { a: 'string' }, answer: () => {} } });
  const info = await coming;
  assert.is(info.id, object.id);
  assert.equal(info.signature, { m: { a: 'string' } });
  assert.is((await waiter.waitFor('o')).id, object.id, 'one that is there is found at once');
  const never = rejection(waiter.waitFor('never', { timeout: 100 }));
  await wire.advance(101);
  const error = await never;
  assert.is(error.status, Status.TIMEOUT);
  assert.match(error.message, /wait for never/);
});

objects.run();
