import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readText, textLength, writeText } from '../../../src/ubus/text.ts';
import { seeded } from '../../seeded.ts';

const text = suite('UTF-8 without an engine');

function write(words: string): Uint8Array {
  const bytes = new Uint8Array(textLength(words));
  assert.is(writeText(words, bytes, 0), bytes.length);
  return bytes;
}

const read = (bytes: Uint8Array) => readText(bytes, 0, bytes.length);

text('writes what TextEncoder writes and reads it back, for every code point', () => {
  for (let point = 0; point < 0x110000; point += point < 0x3000 || (point > 0xd700 && point < 0xe010) ? 1 : 97) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const words = `a${String.fromCodePoint(point)}z`;
    const bytes = write(words);
    assert.equal([...bytes], [...new TextEncoder().encode(words)], `U+${point.toString(16)}`);
    assert.is(read(bytes), words);
  }
});

text('keeps every byte that is not UTF-8, and gives it back', () => {
  const random = seeded(11);
  for (let round = 0; round < 3000; round += 1) {
    const bytes = Uint8Array.from({ length: random.below(12) }, () =>
      random.below(2) ? random.below(256) : random.pick([0xc0, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0xbf, 0x9f]),
    );
    const words = read(bytes);
    assert.equal([...write(words)], [...bytes]);
    let strict: string | undefined;
    try {
      strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      assert.ok(/[\udc80-\udcff]/.test(words), 'what is not UTF-8 leaves a mark');
    }
    if (strict !== undefined) assert.is(words, strict);
  }
});

text('writes U+FFFD for a surrogate that stands for no byte', () => {
  assert.equal([...write('\ud800x\udbff')], [0xef, 0xbf, 0xbd, 0x78, 0xef, 0xbf, 0xbd]);
  assert.equal([...write('\udc7f')], [0xef, 0xbf, 0xbd]);
});

text('reads a text of a million characters', () => {
  const words = 'caf\u00e9 \u{1f4de} '.repeat(130000);
  assert.is(read(write(words)), words);
});

text.run();
