import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../src/ubus/client.ts';
import type { Client } from '../../../src/ubus/client.ts';
import { decodeMessage, encodeMessage } from '../../../src/ubus/message.ts';
import { UbusError } from '../../../src/ubus/status.ts';
import type { Methods, Publication } from '../../../src/ubus/connection.ts';
import { createUbusd } from './bus.ts';
import type { Attached } from './bus.ts';
import { bytesOf, conversation, conversations, hexOf } from './recorded.ts';
import type { Conversation } from './recorded.ts';
import { createWire, settle } from './wire.ts';

/** The ids that ubusd gave out in a conversation, in the order it gave them. */
function idsOf({ frames }: Conversation): () => number {
  const ids: number[] = [];
  for (const { direction, type, peer, hex } of frames) {
    if (direction === 'client->ubusd') continue;
    if (type === 'HELLO') ids.push(parseInt(peer, 16));
    const { object, type: signature, path } = decodeMessage(bytesOf(hex)).attributes;
    if (type === 'DATA' && peer === '00000000' && path === undefined && object !== undefined) {
      ids.push(object, ...(signature === undefined ? [] : [signature]));
    }
  }
  return () => {
    const id = ids.shift();
    if (id === undefined) throw new Error('the bus gave out more ids than ubusd did');
    return id;
  };
}

const bus = suite('the ubusd of the tests');

for (const one of conversations) {
  bus(`answers as ubusd did, byte for byte: ${one.title}`, () => {
    const ubusd = createUbusd({ ids: idsOf(one) });
    const peers = new Map<number, Attached>();
    const said = new Map<number, string[]>();
    for (const { connection, direction, hex, type } of one.frames) {
      if (type === 'HELLO') {
        const heard: string[] = [];
        said.set(connection, heard);
        peers.set(
          connection,
          ubusd.attach(
            (frame) => heard.push(hexOf(frame)),
            () => {},
          ),
        );
      }
      if (direction === 'client->ubusd') peers.get(connection)!.data(bytesOf(hex));
    }
    // The commands end, and hang up, before the publisher does.
    for (const [connection, peer] of peers) if (connection > 1) peer.close();
    for (const [connection, heard] of said) {
      const wanted = one.frames.filter((frame) => frame.connection === connection && frame.direction === 'ubusd->client');
      assert.equal(
        heard,
        wanted.map(({ hex }) => hex),
        `connection ${connection}`,
      );
    }
  });
}

bus.run();

const client = suite('the client in a recorded conversation');

const demo: Methods = {
  status: () => ({
    enabled: true,
    count: 42,
    name: 'sip',
    list: [1, 'two', { three: 3 }],
    nested: { a: null },
    neg: -5,
    big: 5000000000,
    dbl: 1.5,
    empty_table: {},
    empty_list: [],
    utf8: 'caf\u00e9',
  }),
  set: {
    args: { enabled: 'boolean', name: 'string', count: 'int32', list: 'array', table: 'table' },
    answer: (args) => ({ got: args }),
  },
  fail: () => {
    throw new UbusError(2);
  },
  silent: () => {},
};

/** What each connection's client says when it does what the recorded one did. */
async function replay(one: Conversation, parts: ((client: Client) => Promise<unknown>)[], piece?: number): Promise<string[]> {
  const wire = createWire(createUbusd({ ids: idsOf(one) }), piece);
  for (const part of parts) {
    const speaker = createClient(wire.door);
    await speaker.ready();
    await part(speaker);
    await settle();
  }
  return wire.sent.map(hexOf);
}

const publishDemo = (publisher: Client) => publisher.publish('demo', demo);
const wanted = ({ frames }: Conversation) => frames.filter(({ direction }) => direction === 'client->ubusd').map(({ hex }) => hex);

/** Waits for a rejection and gives its status. */
const statusOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 0,
    (error: UbusError) => error.status,
  );

const plays: [string, ((client: Client) => Promise<unknown>)[]][] = [
  ['list: no objects', [(c) => c.lookup().then((list) => assert.equal(list, []))]],
  [
    'publish an object',
    [
      publishDemo,
      (c) => c.lookup(),
      (c) =>
        c.lookup('demo').then(([info]) => {
          assert.is(info?.path, 'demo');
          assert.is(info?.id, 0xde693097);
          assert.equal(info?.signature['set'], { enabled: 'boolean', name: 'string', count: 'int32', list: 'array', table: 'table' });
        }),
    ],
  ],
  [
    'call: a reply with every kind',
    [
      publishDemo,
      (c) =>
        c.call('demo', 'status').then(({ big, dbl, utf8 }) => {
          assert.equal([big, dbl, utf8], [5000000000, 1.5, 'caf\u00e9']);
        }),
    ],
  ],
  [
    'call with arguments',
    [
      publishDemo,
      async (c) => {
        const args = { enabled: false, name: 'x', count: 7, list: [1, 2], table: { k: 'v' } };
        assert.equal(await c.call('demo', 'set', args), { got: args });
      },
    ],
  ],
  [
    'call: a method that answers with an error',
    [
      publishDemo,
      async (c) => assert.is(await statusOf(c.call('demo', 'fail')), 2),
      async (c) => assert.equal(await c.call('demo', 'silent'), {}),
    ],
  ],
  [
    'call: no such method',
    [
      publishDemo,
      async (c) => assert.is(await statusOf(c.call('demo', 'nope')), 3),
      async (c) => assert.is(await statusOf(c.call('nope', 'x')), 4),
    ],
  ],
  [
    'two objects',
    [
      async (c) => {
        await c.publish('demo.a', { x: () => ({ a: 1 }) });
        await c.publish('demo.b', { x: () => ({ b: 1 }) });
      },
      async (c) =>
        assert.equal(
          (await c.lookup('demo.*')).map(({ path }) => path),
          ['demo.a', 'demo.b'],
        ),
      async (c) => assert.equal(await c.call('demo.b', 'x'), { b: 1 }),
    ],
  ],
];

for (const [title, parts] of plays) {
  client(`says the same bytes: ${conversation(title).title}`, async () => {
    const one = conversation(title);
    assert.equal(await replay(one, parts), wanted(one));
    assert.equal(await replay(one, parts, 1), wanted(one), 'every byte arriving alone');
  });
}

client('listens and sends with the same bytes', async () => {
  const one = conversation('listen and send');
  const heard: unknown[] = [];
  const said = await replay(one, [
    (c) => c.listen('sipalg.*', (event, data) => heard.push(event, data)),
    (c) => c.send('sipalg.changed', { alg: 'off' }),
  ]);
  assert.equal(said, wanted(one));
  assert.equal(heard, ['sipalg.changed', { alg: 'off' }]);
});

/** A frame with its seq put to 0: the client looks for objects that come in between, and counts on. */
const unnumbered = (hex: string) => hexOf(encodeMessage({ ...decodeMessage(bytesOf(hex)), seq: 0 }));

client('subscribes, notifies and answers a notification with the same bytes', async () => {
  const one = conversation('subscribe and notify');
  const recordedIds = idsOf(one);
  const ids = [recordedIds(), recordedIds(), recordedIds(), recordedIds()];
  // The publisher, its object and type, the subscriber; then an object this client listens for comings with.
  const wire = createWire(createUbusd({ ids: () => ids.shift() ?? (ids.push(recordedIds()), 0x70000) }));
  const publisher = createClient(wire.door);
  const changes: boolean[] = [];
  const demoObject: Publication = await publisher.publish('demo', demo, { onSubscribed: (active) => changes.push(active) });
  const subscriber = createClient(wire.door);
  const heard: unknown[] = [];
  const subscription = await subscriber.subscribe('demo', (data, { method }) => {
    heard.push(method, data);
  });
  const replies = await demoObject.notifyAndWait('changed', { alg: 'off' });
  assert.equal(replies, [{ subscriber: 0x5c02a431, status: 0, data: undefined }]);
  assert.equal(heard, ['changed', { alg: 'off' }]);
  const said = new Set(wire.sent.map((frame) => unnumbered(hexOf(frame))));
  for (const hex of wanted(one)) assert.ok(said.has(unnumbered(hex)), hex);
  await subscription.unsubscribe();
  assert.equal(changes, [true, false]);
});

client.run();
