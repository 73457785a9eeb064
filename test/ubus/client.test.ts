import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../src/ubus/client.ts';
import type { Client, ClientOptions, ConnectionState } from '../../src/ubus/client.ts';
import { decodeTable, Status, UbusError } from '../../src/ubus/connection.ts';
import type { Handler, Table } from '../../src/ubus/connection.ts';
import { MAX_BLOB } from '../../src/ubus/blob.ts';
import { decodeMessage, encodeMessage, MessageType } from '../../src/ubus/message.ts';
import { createUbusd } from '../lab/ubusd.ts';
import { createWire, settle } from './wire.ts';

function lab(piece?: number) {
  const bus = createUbusd();
  const wire = createWire(bus, piece);
  const troubles: UbusError[] = [];
  const clients: Client[] = [];
  const client = (options: ClientOptions = {}) => {
    const made = createClient(wire.door, { onTrouble: (error) => troubles.push(error), ...options });
    clients.push(made);
    return made;
  };
  return { bus, wire, troubles, client };
}

/** Waits for a rejection. */
async function rejection(promise: Promise<unknown>): Promise<UbusError> {
  const error: unknown = await promise.then(() => assert.unreachable('it was to be rejected'), (thrown) => thrown);
  assert.instance(error, UbusError);
  return error as UbusError;
}

const later = <T>() => {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

const call = suite('a call');

call('is answered later by a handler that takes its time, and others pass it', async () => {
  const { client } = lab();
  const slow = later<Table>();
  await client().publish('o', { slow: () => slow.promise, fast: () => ({ fast: true }) });
  const caller = client();
  const waiting = caller.call('o', 'slow');
  assert.equal(await caller.call('o', 'fast'), { fast: true });
  slow.resolve({ slow: true });
  assert.equal(await waiting, { slow: true });
});

call('gets the status a handler throws or rejects with, and UNKNOWN_ERROR for anything else, which is told', async () => {
  const { client, troubles } = lab();
  await client().publish('o', {
    thrown: () => {
      throw new UbusError(Status.PERMISSION_DENIED);
    },
    rejected: () => Promise.reject(new UbusError(77)),
    broken: () => Promise.reject(new TypeError('oops')),
    unsendable: () => ({ f: () => 1 }),
  });
  const caller = client();
  assert.is((await rejection(caller.call('o', 'thrown'))).status, Status.PERMISSION_DENIED);
  assert.is((await rejection(caller.call('o', 'rejected'))).status, 77);
  const broken = await rejection(caller.call('o', 'broken'));
  assert.is(broken.status, Status.UNKNOWN_ERROR);
  assert.match(broken.message, /^call o broken: unknown error \(status 9\)/);
  assert.is((await rejection(caller.call('o', 'unsendable'))).status, Status.UNKNOWN_ERROR);
  assert.is(troubles.length, 2);
  assert.match(troubles[0]!.message, /publish o broken failed: oops/);
  assert.match(troubles[1]!.message, /"f" is a function/);
});

call('learns who calls, and may bring arguments nobody declared', async () => {
  const { client } = lab();
  let seen: unknown;
  const publisher = client();
  const handler: Handler = (args, { method, user, group, peer }) => {
    seen = { args, method, user, group, peer };
  };
  await publisher.publish('o', { m: { args: { dry_run: 'boolean' }, answer: handler } });
  const caller = client();
  await caller.call('o', 'm', { dry_run: true, ubus_rpc_session: 'x' });
  assert.equal(seen, {
    args: { dry_run: true, ubus_rpc_session: 'x' }, method: 'm', user: 'root', group: 'root', peer: caller.id,
  });
});

call('with an argument of another type than declared is answered with INVALID_ARGUMENT, and its handler is not run', async () => {
  const { client } = lab();
  let runs = 0;
  const args = {
    flag: 'boolean', text: 'string', small: 'int16', whole: 'int32', large: 'int64', real: 'double', list: 'array',
    table: 'table', any: 'any',
  } as const;
  await client().publish('o', { m: { args, answer: () => void (runs += 1) } });
  const caller = client();
  const right = { flag: true, text: '', small: -32768, whole: 1, large: 2n ** 62n, real: 1, list: [], table: {}, any: 'x' };
  await caller.call('o', 'm', right);
  await caller.call('o', 'm', { flag: null });
  assert.is(runs, 2);
  for (const wrong of [{ flag: 1 }, { flag: 'true' }, { text: 1 }, { small: 40000 }, { whole: 2 ** 40 }, { large: 1.5 },
    { real: '1' }, { list: {} }, { table: [] }, { table: 'x' }]) {
    assert.is((await rejection(caller.call('o', 'm', wrong))).status, Status.INVALID_ARGUMENT, JSON.stringify(wrong));
  }
  assert.is(runs, 2);
});

call('that nobody answers ends after its time, and a late answer harms nobody', async () => {
  const { client, wire, troubles } = lab();
  const slow = later<Table>();
  await client().publish('o', { slow: () => slow.promise, echo: (args) => args });
  const caller = client({ timeout: 1000 });
  const waiting = rejection(caller.call('o', 'slow', {}, { timeout: 200 }));
  await wire.advance(199);
  let over = false;
  void waiting.then(() => {
    over = true;
  });
  await settle();
  assert.not.ok(over);
  await wire.advance(2);
  const error = await waiting;
  assert.is(error.status, Status.TIMEOUT);
  assert.match(error.message, /call o slow: no answer in time/);
  slow.resolve({ late: true });
  await settle();
  assert.equal(await caller.call('o', 'echo', { n: 1 }), { n: 1 });
  assert.equal(troubles, []);
});

call('among thousands at once gets its own answer', async () => {
  const { client } = lab();
  await client().publish('o', { echo: async (args) => args });
  const caller = client();
  const answers = await Promise.all(Array.from({ length: 3000 }, (_, n) => caller.call('o', 'echo', { n })));
  answers.forEach(({ n }, at) => assert.is(n, at));
});

call('finds a free seq when the numbers go round and some calls still wait', async () => {
  const { client } = lab();
  const slow = later<Table>();
  await client().publish('o', { slow: () => slow.promise, echo: (args) => args });
  const caller = client({ timeout: 0 });
  const waiting = caller.call('o', 'slow');
  for (let round = 0; round < 700; round += 1) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => caller.call('o', 'echo', { n })));
    assert.is(answers[99]!['n'], 99);
  }
  slow.resolve({ waited: true });
  assert.equal(await waiting, { waited: true });
});

call('takes the parts of a reply as they come', async () => {
  const { client } = lab();
  await client().publish('o', {
    parts: (_args, { send }) => {
      send({ n: 1 });
      send({ n: 2 });
      return { n: 3 };
    },
  });
  const parts: Table[] = [];
  assert.equal(await client().call('o', 'parts', {}, { onData: (part) => parts.push(part) }), { n: 3 });
  assert.equal(parts, [{ n: 1 }, { n: 2 }, { n: 3 }]);
});

call('finds an object again that was published anew under its name', async () => {
  const { client } = lab();
  const publisher = client();
  const first = await publisher.publish('o', { m: () => ({ n: 1 }) });
  const caller = client();
  assert.equal(await caller.call('o', 'm'), { n: 1 });
  await first.remove();
  assert.is((await rejection(caller.call('o', 'm'))).status, Status.NOT_FOUND);
  await publisher.publish('o', {
    m: () => ({ n: 2 }),
    none: () => {
      throw new UbusError(Status.NOT_FOUND);
    },
  });
  assert.equal(await caller.call('o', 'm'), { n: 2 });
  assert.match((await rejection(caller.call('o', 'none'))).message, /call o none: not found \(status 4\)/);
});

call('looks an object up once', async () => {
  const { client, wire } = lab();
  await client().publish('o', { m: () => {} });
  const caller = client();
  for (let n = 0; n < 5; n += 1) await caller.call('o', 'm');
  assert.is(wire.sent.filter((frame) => frame[1] === MessageType.LOOKUP).length, 1);
});

call('of an own object works', async () => {
  const { client } = lab();
  const both = client();
  await both.publish('o', { m: (args) => args });
  assert.equal(await both.call('o', 'm', { a: 1 }), { a: 1 });
});

call('carries large data both ways, in small pieces too', async () => {
  for (const piece of [undefined, 4099]) {
    const { client } = lab(piece);
    await client().publish('o', { echo: (args) => args, huge: () => ({ text: 'x'.repeat(MAX_BLOB) }) });
    const caller = client();
    const text = '\u00e9'.repeat((MAX_BLOB - 200) / 2);
    assert.ok((await caller.call('o', 'echo', { text }))['text'] === text);
    assert.is((await rejection(caller.call('o', 'echo', { text: text + text }))).status, Status.INVALID_ARGUMENT);
    assert.is((await rejection(caller.call('o', 'huge'))).status, Status.UNKNOWN_ERROR);
    assert.equal(await caller.call('o', 'echo', { small: 1 }), { small: 1 });
  }
});

call.run();

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
  assert.equal(replies.map(({ status, data }) => [status, data]), [[Status.NOT_SUPPORTED, undefined], [0, { from: 'a' }]]);
});

objects('asking subscribers does not wait for one that is silent', async () => {
  const { client, wire } = lab();
  const object = await client().publish('o', {});
  assert.equal(await object.notifyAndWait('asked'), []);
  await client().subscribe('o', () => ({ quick: true }));
  await client().subscribe('o', () => new Promise(() => {}));
  const asked = object.notifyAndWait('asked', {}, { timeout: 50 });
  await wire.advance(60);
  assert.equal((await asked).map(({ status, data }) => [status, data]), [[Status.TIMEOUT, undefined], [0, { quick: true }]]);
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

objects('that is not there, or is one\'s own, cannot be subscribed to, and nothing is left behind', async () => {
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

events('of ubusd\'s own names cannot be sent', async () => {
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

events('of objects come with the id ubusd gave, whatever its highest bit', async () => {
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

const monitor = suite('the monitor');

monitor('shows every message, in both directions, until it is stopped', async () => {
  const { client } = lab();
  await client().publish('o', { m: (args) => args });
  const watcher = client();
  const seen: string[] = [];
  let data: Table | undefined;
  const stop = await watcher.monitor(({ client: who, sent, type, attributes }) => {
    if (who === watcher.id) return;
    seen.push(`${sent ? 'to' : 'from'} ${type}`);
    if (type === 'INVOKE' && sent) data = decodeTable(attributes.data!);
  });
  const caller = client();
  await caller.call('o', 'm', { a: 1 });
  await settle();
  assert.equal(seen, [
    'to HELLO', 'from LOOKUP', 'to DATA', 'to STATUS', 'from INVOKE', 'to INVOKE',
    'from DATA', 'to DATA', 'from STATUS', 'to STATUS',
  ]);
  assert.equal(data, { a: 1 });
  await stop();
  await caller.call('o', 'm');
  await settle();
  assert.is(seen.length, 10);
});

monitor('is for root only', async () => {
  const wire = createWire(createUbusd({ user: 'nobody', group: 'nogroup' }));
  assert.is((await rejection(createClient(wire.door).monitor(() => {}))).status, Status.PERMISSION_DENIED);
});

monitor.run();

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

  const next = createUbusd({ ids: (() => {
    let id = 0x50000;
    return () => (id += 7);
  })() });
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
  assert.equal(states.map(({ state }) => state), ['connected', 'disconnected', 'connected']);
  assert.equal(troubles, []);
});

link('is tried again with pauses that grow, and that begin small again once it held', async () => {
  const wire = createWire(undefined);
  const pauses: number[] = [];
  const user = createClient(wire.door, {
    pause: 100, longestPause: 1000, onState: (state) => state.state === 'disconnected' && pauses.push(state.again),
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
  await client().publish('o', { slow: () => {
    runs += 1;
    return slow.promise;
  } });
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

link('that comes back finds the name taken: that is told, and tried until it is free', async () => {
  const { client, wire, troubles } = lab();
  const object = await client().publish('o', {});
  const next = createUbusd();
  const thief = next.attach(() => {}, () => {});
  const frames = wire.sent.filter((frame) => frame[1] === MessageType.ADD_OBJECT);
  thief.data(frames[0]!);
  wire.plug(next);
  await wire.advance(1000);
  assert.is(object.id, 0);
  assert.is(troubles.length, 1);
  assert.match(troubles[0]!.message, /publish o: .*the name is taken/);
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

  for (const [hello, words] of [['SSH-2.0-OpenSSH_9.9\r\n', /not ubus: a message has version 83/],
    ['\0\x02\0\x01\0\0\0\0\0\0\0\x04', /does not begin with a greeting/]] as const) {
    const wire = createWire({
      attach(send) {
        send(new Uint8Array(Buffer.from(hello, 'latin1')));
        return { data() {}, close() {} };
      },
      counts: () => createUbusd().counts(),
    });
    const why: string[] = [];
    createClient(wire.door, { onState: (state) => state.state === 'disconnected' && why.push(state.reason) });
    await settle();
    assert.match(why[0]!, words);
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
  const peer = bus.attach((frame) => heard.push(frame), () => {});
  peer.data(encodeMessage({
    type: MessageType.INVOKE, seq: 3, peer: object.id,
    attributes: { object: object.id, method: 'm', data: new Uint8Array([1, 2, 3, 4]) },
  }));
  await settle();
  assert.is(wire.dials(), 1);
  assert.is(decodeMessage(heard[1]!).attributes.status, Status.PARSE_ERROR);
});

link.run();
