import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { growsInStep } from '../../growth.ts';
import { decode, encode } from '../../../src/host/text.ts';
import { seeded } from '../../seeded.ts';

const texts = suite('bytes as text');

texts('gives any bytes back as they were', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = seeded(seed);
    const bytes = Uint8Array.from({ length: random.below(300) }, () => (random.next() < 0.5 ? 0x20 + random.below(96) : random.below(256)));
    assert.equal([...encode(decode(bytes))], [...bytes], `seed ${seed}`);
  }
});

texts('gives every sequence of two bytes back as it was, and every start of a longer one', () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const bytes = Uint8Array.from([first, second]);
      assert.equal([...encode(decode(bytes))], [first, second]);
    }
  }
  for (const start of [
    [0xe0, 0x9f, 0x80],
    [0xe0, 0xa0, 0x80],
    [0xed, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
  ]) {
    for (let length = 1; length <= start.length; length++)
      assert.equal([...encode(decode(Uint8Array.from(start.slice(0, length))))], start.slice(0, length));
  }
});

texts('reads valid UTF-8 as every other reader does', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let seed = 1; seed <= 400; seed++) {
    const random = seeded(seed);
    let text = '';
    while (text.length < 200) {
      const point = random.below(random.pick([0x80, 0x800, 0x10000, 0x110000]));
      if (point < 0xd800 || point > 0xdfff) text += String.fromCodePoint(point);
    }
    const bytes = new TextEncoder().encode(text);
    assert.is(decode(bytes), strict.decode(bytes), `seed ${seed}`);
    assert.equal(encode(text), bytes, `seed ${seed}`);
  }
});

texts('keeps a byte order mark, a NUL and a carriage return', () => {
  for (const text of ['\ufeffx', 'a\0b', 'a\r\nb\r', '']) assert.is(decode(encode(text)), text);
});

texts('keeps each byte that is no text apart from all text', () => {
  assert.is(decode(Uint8Array.from([0x61, 0xff, 0x62])), 'a\udcffb');
  assert.is(decode(Uint8Array.from([0xc3])), '\udcc3');
  assert.equal([...encode('\udc80\udcff')], [0x80, 0xff]);
  // Any other half of a pair cannot come from bytes, and has none.
  assert.equal([...encode('\ud800')], [0xef, 0xbf, 0xbd]);
  assert.equal([...encode('\udc00')], [0xef, 0xbf, 0xbd]);
});

texts('reads a long text in linear time', () => {
  growsInStep(
    'bytes that are no text',
    (size) => new Uint8Array(size).fill(0xff),
    (bytes) => assert.is(encode(decode(bytes)).length, bytes.length),
    1 << 20,
  );
});

texts.run();
