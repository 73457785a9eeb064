import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_BLOB } from '../../../src/ubus/blob.ts';
import { createFrames } from '../../../src/ubus/frames.ts';
import { encodeMessage, MessageType } from '../../../src/ubus/message.ts';
import { UbusError } from '../../../src/ubus/status.ts';
import { seeded } from '../../seeded.ts';
import { bytesOf, conversations, hexOf } from './recorded.ts';

const frames = suite('frames');

function cut(stream: Uint8Array, places: readonly number[]): string[] {
  const reader = createFrames();
  const out: string[] = [];
  let from = 0;
  for (const to of [...places, stream.length]) {
    reader.push(stream.slice(from, to), (frame) => out.push(hexOf(frame)));
    from = to;
  }
  return out;
}

frames('of every conversation come whole, wherever the stream is split', () => {
  for (const { frames: list } of conversations) {
    const wanted = list.map(({ hex }) => hex);
    const stream = bytesOf(wanted.join(''));
    for (let at = 0; at <= stream.length; at += 1) {
      const got = cut(stream, [at]);
      if (got.join() !== wanted.join()) assert.equal(got, wanted, `split at ${at}`);
    }
    assert.equal(
      cut(
        stream,
        Array.from(stream, (_byte, at) => at),
      ),
      wanted,
      'byte by byte',
    );
  }
});

frames('come whole from any pieces', () => {
  const random = seeded(5);
  const wanted = conversations.flatMap(({ frames: list }) => list.map(({ hex }) => hex));
  const stream = bytesOf(wanted.join(''));
  for (let round = 0; round < 50; round += 1) {
    const places = Array.from({ length: random.below(200) }, () => random.below(stream.length)).sort((a, b) => a - b);
    assert.equal(cut(stream, places), wanted);
  }
});

frames('of the largest size are taken; a header that claims more, less than itself, or another version is not', () => {
  const largest = encodeMessage({ type: MessageType.DATA, seq: 1, peer: 1, attributes: { data: new Uint8Array(MAX_BLOB - 8) } });
  assert.is(cut(largest, [100, 70000]).length, 1);
  for (const [hex, words] of [
    ['000200010000000000100001', /1048577 bytes/],
    ['0002000100000000ffffffff', /16777215 bytes/],
    ['000200010000000000000003', /3 bytes/],
    ['010200010000000000000004', /version 1/],
  ] as const) {
    assert.throws(
      () => cut(bytesOf(hex), []),
      (error: unknown) => error instanceof UbusError && words.test(error.message),
    );
  }
});

frames('that do not come take no more memory than their size', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 200 }, () => createFrames());
  for (const reader of readers) {
    assert.throws(() => reader.push(bytesOf('000200010000000000fffff0'), () => {}));
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024);
});

frames.run();
