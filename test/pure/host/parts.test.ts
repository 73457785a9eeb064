import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSplitter, splitText } from '../../../src/host/parts.ts';
import { decode, encode } from '../../../src/host/text.ts';
import { seeded } from '../../seeded.ts';

const last = (bytes: Uint8Array, needle: Uint8Array): number => Buffer.from(bytes).lastIndexOf(needle);

function split(pieces: readonly Uint8Array[], at: string): string[] {
  const parts: string[] = [];
  const splitter = createSplitter({ at, take: (part) => parts.push(part) }, decode, last);
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return parts;
}

function plainly(text: string, at: string): string[] {
  const parts: string[] = [];
  splitText(text, { at, take: (part) => parts.push(part) });
  return parts;
}

const parts = suite('a large output part by part');

parts('is the same wherever the pieces are cut, and nothing of it is lost', () => {
  for (let seed = 1; seed <= 800; seed++) {
    const random = seeded(seed);
    const at = random.pick(['\n', '{"rule": ', '#-']);
    const text = Array.from({ length: random.below(30) }, () =>
      random.pick([at, at.slice(0, 2), at.slice(1), 'x', '{', '\u00e9', '\udcff', '#', '']),
    ).join('');
    const bytes = encode(text);
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < bytes.length;) {
      const size = 1 + random.below(random.next() < 0.5 ? 3 : 30);
      pieces.push(bytes.slice(from, from + size));
      from += size;
    }
    const got = split(pieces, at);
    assert.equal(got, plainly(text, at), `seed ${seed}: ${JSON.stringify(text)}`);
    assert.is(got.join(''), text);
  }
});

parts('refuses a part without an end', () => {
  const piece = new Uint8Array(1 << 20);
  assert.throws(
    () =>
      split(
        Array.from({ length: 40 }, () => piece),
        '\n',
      ),
    /holds more than 33554432 bytes in one part/,
  );
});

parts.run();
