import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../../src/ubus/client.ts';
import { createFrames } from '../../../src/ubus/frames.ts';
import { decodeMessage, encodeMessage, MessageType } from '../../../src/ubus/message.ts';
import { decodeMonitored } from '../../../src/ubus/monitor.ts';
import { decodeSignature } from '../../../src/ubus/signature.ts';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import { decodeTable, encodeTable, typed } from '../../../src/ubus/value.ts';
import type { TableLike } from '../../../src/ubus/value.ts';
import { createUbusd } from './bus.ts';
import { seeded } from '../../seeded.ts';
import type { Seeded } from '../../seeded.ts';
import { recorded } from './recorded.ts';
import { createWire, settle } from './wire.ts';

const fuzz = suite('damaged bytes');

/** `bytes`, hurt in one to four places; often where lengths and types stand. */
function hurt(bytes: Uint8Array, random: Seeded): Uint8Array {
  let out = bytes.slice();
  for (let wounds = 1 + random.below(4); wounds > 0 && out.length > 0; wounds -= 1) {
    const at = random.below(out.length);
    switch (random.below(5)) {
      case 0:
        out[at] = random.below(256);
        break;
      case 1:
        out[at] = out[at]! ^ (1 << random.below(8));
        break;
      case 2: {
        const word = at & ~3;
        out.set([random.pick([0, 0x80, 0x81, 0x83, 0xff]), 0, random.below(2), random.below(256)].slice(0, out.length - word), word);
        break;
      }
      case 3:
        out = Uint8Array.of(...out.subarray(0, at), ...out.subarray(at + 1 + random.below(8)));
        break;
      default:
        out = Uint8Array.of(...out.subarray(0, at), ...out.subarray(random.below(out.length)));
    }
  }
  return out;
}

/** Runs something that may refuse, but only in the one way; says whether it did. */
function refuses(task: () => void): boolean {
  try {
    task();
    return false;
  } catch (error) {
    assert.instance(error, UbusError);
    assert.ok((error as UbusError).message.length > 10);
    return true;
  }
}

fuzz('of every recorded frame are read or refused, and nothing else', () => {
  const random = seeded(20260301);
  let refused = 0;
  let read = 0;
  for (let round = 0; round < 60; round += 1) {
    for (const frame of recorded) {
      const bytes = hurt(frame, random);
      const reader = createFrames();
      const bad = refuses(() =>
        reader.push(bytes, (whole) => {
          refused += Number(refuses(() => void decodeMonitored(whole.subarray(12))));
          refused += Number(
            refuses(() => {
              const message = decodeMessage(whole);
              const { data, signature } = message.attributes;
              if (signature) decodeSignature(signature);
              if (data) encodeTable(decodeTable(data));
              encodeMessage(message);
              read += 1;
            }),
          );
        }),
      );
      refused += Number(bad);
    }
  }
  assert.ok(read > 500 && refused > 500, `${read} read, ${refused} refused`);
});

fuzz('leave the client alive: it drops a message, or the connection and makes a new one', async () => {
  const random = seeded(7);
  const bus = createUbusd();
  const wire = createWire(bus);
  const client = createClient(wire.door, { pause: 1, longestPause: 1, onTrouble: (error) => assert.instance(error, UbusError) });
  const other = createClient(wire.door, { pause: 1, longestPause: 1 });
  await client.publish('demo', { status: () => ({ ok: true }), set: { args: { n: 'int32' }, answer: (args) => args } });
  await client.listen('*', () => {});
  await client.monitor(() => {});
  let lost = 0;
  for (let round = 0; round < 10; round += 1) {
    for (const frame of recorded) {
      wire.inject(hurt(frame, random));
      if (client.id === 0) lost += 1;
      // A length that is too large swallows what follows: begin anew now and then.
      else if (random.below(3) === 0) wire.plug(bus);
      await wire.advance(2);
    }
  }
  await settle();
  // Half a frame may still wait for its end: a new connection begins a new one.
  wire.plug(bus);
  await wire.advance(50);
  await other.ready();
  assert.equal(await other.call('demo', 'status'), { ok: true });
  assert.ok(lost > 20, `${lost} connections were lost`);
});

fuzz('in the data of a call are answered with a status, each one', async () => {
  const random = seeded(99);
  const bus = createUbusd();
  const wire = createWire(bus);
  const client = createClient(wire.door);
  let runs = 0;
  const object = await client.publish('o', { m: { args: { a: 'string' }, answer: () => void (runs += 1) } });
  const statuses: number[] = [];
  const peer = bus.attach(
    (frame) => statuses.push(decodeMessage(frame).attributes.status ?? -1),
    () => {},
  );
  const good = encodeTable({ a: 'x', list: [1, 'two', { three: 3n }], table: { b: true, c: 1.5 } });
  for (let seq = 1; seq <= 2000; seq += 1) {
    const data = hurt(good, random);
    peer.data(encodeMessage({ type: MessageType.INVOKE, seq, peer: object.id, attributes: { object: object.id, method: 'm', data } }));
    await Promise.resolve();
    if (seq % 100 === 0) await settle();
  }
  assert.is(statuses.length, 2001);
  const seen = new Set(statuses.slice(1));
  assert.ok(seen.has(Status.OK) && seen.has(Status.PARSE_ERROR));
  for (const status of seen) assert.ok([Status.OK, Status.INVALID_ARGUMENT, Status.PARSE_ERROR].includes(status as 0), `${status}`);
  assert.ok(runs > 100);
});

fuzz.run();

const chance = suite('values made by chance');

function value(random: Seeded, depth: number): unknown {
  switch (random.below(depth > 4 ? 8 : 10)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 1;
    case 2:
      return random.below(2 ** 32) - 2 ** 31;
    case 3:
      return (random.below(2) ? 1 : -1) * random.below(2 ** 53);
    case 4:
      return BigInt.asIntN(64, (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)));
    case 5:
      return random.next() * 10 ** random.below(300);
    case 6:
      return typed(random.pick(['int16', 'int32', 'double'] as const), random.below(30000) - 15000);
    case 7:
      return String.fromCodePoint(...Array.from({ length: random.below(20) }, () => 1 + random.below(0xd7ff)));
    case 8:
      return Array.from({ length: random.below(5) }, () => value(random, depth + 1));
    default:
      return table(random, depth + 1);
  }
}

function table(random: Seeded, depth: number): TableLike {
  return Object.fromEntries(
    Array.from({ length: random.below(6) }, () => [
      `${random.pick(['a', 'name', '\u00e9', '__proto__', ''])}${random.below(9)}`,
      value(random, depth),
    ]),
  );
}

/** What reading gives for what was written. */
function plain(written: unknown): unknown {
  if (typeof written === 'bigint') return Number.isSafeInteger(Number(written)) ? Number(written) : written;
  if (Array.isArray(written)) return written.map(plain);
  if (typeof written !== 'object' || written === null) return written;
  if ('type' in written && 'value' in written) return written.value;
  return Object.fromEntries(Object.entries(written).map(([name, one]) => [name, plain(one)]));
}

chance('come back as they went', () => {
  const random = seeded(4242);
  for (let round = 0; round < 3000; round += 1) {
    const written = table(random, 0);
    const bytes = encodeTable(written);
    assert.is(bytes.length % 4, 0);
    assert.equal(decodeTable(bytes), plain(written));
  }
});

chance.run();
