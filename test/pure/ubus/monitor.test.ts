import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../src/ubus/client.ts';
import { Status } from '../../../src/ubus/status.ts';
import { decodeTable } from '../../../src/ubus/value.ts';
import type { Table } from '../../../src/ubus/value.ts';
import { createUbusd } from './bus.ts';
import { lab, rejection } from './clients.ts';
import { createWire, settle } from './wire.ts';

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
    'to HELLO',
    'from LOOKUP',
    'to DATA',
    'to STATUS',
    'from INVOKE',
    'to INVOKE',
    'from DATA',
    'to DATA',
    'from STATUS',
    'to STATUS',
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
