import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../src/ubus/client.ts';
import type { ConnectionState } from '../../../src/ubus/client.ts';
import { decodeMessage, encodeMessage, MessageType } from '../../../src/ubus/message.ts';
import { Status } from '../../../src/ubus/status.ts';
import type { Table } from '../../../src/ubus/value.ts';
import { createUbusd } from './bus.ts';
import { lab, later, rejection } from './clients.ts';
import { createWire, settle } from './wire.ts';

const link = suite('the connection');

link('comes back after ubusd restarted, with objects, subscriptions, listeners and the monitor', async () => {
  const { client, wire, troubles } = lab();
  const states: ConnectionState[] = [];
  const publisher = client();
  const object = await publisher.publish('o', { m: () => ({ n: 1 }) });
  const user = client({ onState: (state) => states.push(state) });
  const heard: string[] = [];
  const subscription = await user.subscribe('o', (_data, { method }) => void heard.push(`notified ${method}`));
  await user.listen('e.*', (event) => heard.push(`event ${event}`));
  let monitored = 0;
  await user.monitor(() => (monitored += 1));
  assert.equal(await user.call('o', 'm'), { n: 1 });
  const oldId = object.id;

  const next = createUbusd({
    ids: (() => {
      let id = 0x50000;
      return () => (id += 7);
    })(),
  });
  wire.plug(next);
  assert.is(user.id, 0);
  assert.is(object.id, 0);
  assert.is(object.subscribed, false);
  assert.is(subscription.active, false);
  object.notify('into the void');
  await wire.advance(300);
  assert.is.not(object.id, 0);
  assert.is.not(object.id, oldId);
  assert.is(subscription.active, true);
  const before = monitored;
  assert.equal(await user.call('o', 'm'), { n: 1 });
  object.notify('back');
  await publisher.send('e.back');
  await settle();
  assert.equal(heard, ['notified back', 'event e.back']);
  assert.ok(monitored > before);
  assert.equal(
    states.map(({ state }) => state),
    ['connected', 'disconnected', 'connected'],
  );
  assert.equal(troubles, []);
});

link('is tried again with pauses that grow, and that begin small again once it held', async () => {
  const wire = createWire(undefined);
  const pauses: number[] = [];
  const user = createClient(wire.door, {
    pause: 100,
    longestPause: 1000,
    onState: (state) => state.state === 'disconnected' && pauses.push(state.again),
  });
  await wire.advance(5000);
  assert.equal(pauses, [100, 200, 400, 800, 1000, 1000, 1000, 1000]);
  wire.plug(createUbusd());
  await wire.advance(1001);
  assert.is.not(user.id, 0);
  wire.plug(createUbusd());
  await wire.advance(999);
  assert.is(user.id, 0, 'one that did not hold does not make the pause small');
  await wire.advance(10);
  await wire.advance(10001);
  wire.plug(createUbusd());
  await wire.advance(101);
  assert.is.not(user.id, 0);
});

link('that is not there yet is waited for, and not longer than the time given', async () => {
  const wire = createWire(undefined);
  const user = createClient(wire.door);
  const states = [user.lookup(), user.publish('o', {})];
  const impatient = rejection(user.call('o', 'm', {}, { timeout: 100 }));
  await wire.advance(101);
  const error = await impatient;
  assert.is(error.status, Status.CONNECTION_FAILED);
  assert.match(error.message, /call o m: no connection to ubusd: cut off/);
  wire.plug(createUbusd());
  await wire.advance(2000);
  await Promise.all(states);
});

link('that is lost ends what is under way, and nothing is sent twice', async () => {
  const { client, wire } = lab();
  let runs = 0;
  const slow = later<Table>();
  await client().publish('o', {
    slow: () => {
      runs += 1;
      return slow.promise;
    },
  });
  const caller = client();
  const waiting = rejection(caller.call('o', 'slow'));
  await settle();
  wire.plug(createUbusd());
  assert.is((await waiting).status, Status.CONNECTION_FAILED);
  await wire.advance(1000);
  const before = wire.sent.length;
  slow.resolve({});
  await settle();
  assert.is(runs, 1);
  assert.is(wire.sent.length, before, 'the answer does not go to another connection');
});

link('that is lost while an object is published publishes it on the next one', async () => {
  const { client, wire, bus } = lab();
  const user = client();
  await user.ready();
  const publishing = user.publish('o', { m: () => ({ ok: true }) });
  wire.plug(createUbusd());
  await wire.advance(1000);
  assert.is.not((await publishing).id, 0);
  assert.equal(await client().call('o', 'm'), { ok: true });
  assert.is(bus.counts().clients, 0);
});

link('that is lost right after an object was published publishes it on the next one', async () => {
  const inner = createUbusd();
  let cuts = 0;
  const wire = createWire({
    ...inner,
    attach(send, hangUp) {
      return inner.attach((frame) => {
        send(frame);
        // After the first answer, before anybody can act on it.
        if (frame[1] === MessageType.STATUS && cuts === 0)
          queueMicrotask(() => {
            cuts += 1;
            hangUp();
          });
      }, hangUp);
    },
  });
  const publishing = createClient(wire.door).publish('o', {});
  await wire.advance(1000);
  const object = await publishing;
  assert.is(cuts, 1);
  assert.is.not(object.id, 0);
  assert.equal(
    (await createClient(wire.door).lookup('o')).map(({ id }) => id),
    [object.id],
  );
});

link('may be lost at any moment while an object is waited for', async () => {
  for (let moment = 0; moment < 40; moment += 1) {
    const { client, wire } = lab();
    const coming = client().waitFor('o');
    for (let turn = 0; turn < moment; turn += 1) await Promise.resolve();
    wire.plug(createUbusd());
    await wire.advance(1000);
    const object = await client().publish('o', {});
    assert.is((await coming).id, object.id, `lost after ${moment} turns`);
  }
});

link('that comes back finds the name taken: that is told, and tried until it is free', async () => {
  const { client, wire, troubles } = lab();
  const object = await client().publish('o', {});
  const next = createUbusd();
  const thief = next.attach(
    () => {},
    () => {},
  );
  const frames = wire.sent.filter((frame) => frame[1] === MessageType.ADD_OBJECT);
  thief.data(frames[0]!);
  wire.plug(next);
  await wire.advance(1000);
  assert.is(object.id, 0);
  assert.is(troubles.length, 1);
  assert.match(troubles[0]!.message, /publish o: .*the name is taken/);
  assert.is(wire.timers(), 2, 'one for the next attempt, one for the connection');
  thief.close();
  await wire.advance(5000);
  assert.is.not(object.id, 0);
});

link('comes back without the object subscribed to, which may come later', async () => {
  const { client, wire } = lab();
  const publisher = client({ pause: 5000 });
  const object = await publisher.publish('o', {});
  const heard: string[] = [];
  const subscription = await client().subscribe('o', (_data, { method }) => void heard.push(method));
  wire.plug(createUbusd());
  await wire.advance(4000);
  assert.is(subscription.active, false);
  await wire.advance(2000);
  assert.is(subscription.active, true);
  object.notify('x');
  await settle();
  assert.equal(heard, ['x']);
});

link('that is closed ends everything and leaves no timer', async () => {
  const { client, wire, bus } = lab();
  const states: string[] = [];
  const user = client({ onState: ({ state }) => states.push(state) });
  await client().publish('o', { never: () => new Promise(() => {}) });
  const waiting = [user.call('o', 'never'), user.waitFor('nobody', { timeout: 0 })].map(rejection);
  await settle();
  user.close();
  user.close();
  for (const error of await Promise.all(waiting)) {
    assert.is(error.status, Status.CONNECTION_FAILED);
    assert.match(error.message, /closed by this program/);
  }
  assert.is((await rejection(user.lookup())).status, Status.CONNECTION_FAILED);
  await wire.advance(60000);
  assert.equal(states, ['connected', 'closed']);
  assert.is(bus.counts().clients, 1);
  assert.is(wire.timers(), 0);
});

link('without reconnect is closed when it is lost', async () => {
  const { client, wire } = lab();
  const states: string[] = [];
  client({ reconnect: false, onState: ({ state }) => states.push(state) });
  await settle();
  wire.plug(createUbusd());
  await wire.advance(60000);
  assert.equal(states, ['connected', 'closed']);
  assert.is(wire.dials(), 1);
});

link('on which nobody greets, or somebody speaks something else, is given up', async () => {
  const silent = createWire({ attach: () => ({ data() {}, close() {} }), counts: () => createUbusd().counts() });
  const reasons: string[] = [];
  createClient(silent.door, { onState: (state) => state.state === 'disconnected' && reasons.push(state.reason) });
  await silent.advance(5001);
  assert.match(reasons[0]!, /no greeting within 5000 ms/);

  for (const [hello, words] of [
    ['SSH-2.0-OpenSSH_9.9\r\n', /not ubus: a message has version 83/],
    ['\0\x02\0\x01\0\0\0\0\0\0\0\x04' + '\0\0\0\0\0\0\x0f\0\0\0\0\x04', /does not begin with a greeting/],
  ] as const) {
    const wire = createWire({
      attach(send) {
        send(new Uint8Array(Buffer.from(hello, 'latin1')));
        return { data() {}, close() {} };
      },
      counts: () => createUbusd().counts(),
    });
    const why: string[] = [];
    const user = createClient(wire.door, { onState: (state) => state.state === 'disconnected' && why.push(state.reason) });
    await settle();
    assert.match(why[0]!, words);
    assert.is(user.id, 0, 'a greeting that comes after is none');
  }
});

link('keeps going past a message whose inside is damaged, and says so', async () => {
  const { client, wire, troubles } = lab();
  const user = client();
  await user.ready();
  const id = user.id;
  wire.inject(new Uint8Array([0, 5, 0, 9, 0, 0, 0, 7, 0, 0, 0, 12, 3, 0, 0, 99, 0, 0, 0, 0]));
  assert.is(troubles.length, 1);
  assert.match(troubles[0]!.message, /dropped a message \(type 5, seq 9, peer 7\): an attribute says it is 99 bytes/);
  await user.lookup();
  assert.is(user.id, id);
});

link('is dropped and made anew when a message claims more than ubus allows', async () => {
  const { client, wire } = lab();
  const user = client();
  await user.ready();
  const waiting = rejection(user.waitFor('o', { timeout: 100 }));
  wire.inject(new Uint8Array([0, 2, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]));
  assert.is(user.id, 0);
  await wire.advance(300);
  assert.is.not(user.id, 0);
  await waiting;
});

link('answers a call whose data is no table with PARSE_ERROR', async () => {
  const { client, wire, bus } = lab();
  const object = await client().publish('o', { m: () => ({}) });
  const heard: Uint8Array[] = [];
  const peer = bus.attach(
    (frame) => heard.push(frame),
    () => {},
  );
  peer.data(
    encodeMessage({
      type: MessageType.INVOKE,
      seq: 3,
      peer: object.id,
      attributes: { object: object.id, method: 'm', data: new Uint8Array([1, 2, 3, 4]) },
    }),
  );
  await settle();
  assert.is(wire.dials(), 1);
  assert.is(decodeMessage(heard[1]!).attributes.status, Status.PARSE_ERROR);
});

link.run();
