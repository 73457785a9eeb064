import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_BLOB } from '../../../src/ubus/blob.ts';
import { MessageType } from '../../../src/ubus/message.ts';
import type { Handler } from '../../../src/ubus/objects.ts';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import type { Table } from '../../../src/ubus/value.ts';
import { lab, later, rejection } from './clients.ts';
import { settle } from './wire.ts';

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
    args: { dry_run: true, ubus_rpc_session: 'x' },
    method: 'm',
    user: 'root',
    group: 'root',
    peer: caller.id,
  });
});

call('with an argument of another type than declared is answered with INVALID_ARGUMENT, and its handler is not run', async () => {
  const { client } = lab();
  let runs = 0;
  const args = {
    flag: 'boolean',
    text: 'string',
    small: 'int16',
    whole: 'int32',
    large: 'int64',
    real: 'double',
    list: 'array',
    table: 'table',
    any: 'any',
  } as const;
  await client().publish('o', { m: { args, answer: () => void (runs += 1) } });
  const caller = client();
  const right = { flag: true, text: '', small: -32768, whole: 1, large: 2n ** 62n, real: 1, list: [], table: {}, any: 'x' };
  await caller.call('o', 'm', right);
  await caller.call('o', 'm', { flag: null });
  assert.is(runs, 2);
  for (const wrong of [
    { flag: 1 },
    { flag: 'true' },
    { text: 1 },
    { small: 40000 },
    { whole: 2 ** 40 },
    { large: 1.5 },
    { real: '1' },
    { list: {} },
    { table: [] },
    { table: 'x' },
  ]) {
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
  for (let round = 0; round < 656; round += 1) {
    await Promise.all(Array.from({ length: 100 }, () => caller.ping()));
    assert.equal(await caller.call('o', 'echo', { round }), { round });
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
