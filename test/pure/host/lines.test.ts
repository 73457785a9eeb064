import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { growsInStep } from '../../growth.ts';
import { filterLines, join } from '../../../src/host/lines.ts';
import { decode, encode } from '../../../src/host/text.ts';
import { seeded } from '../../seeded.ts';

/** The filter's answer for bytes that come in these pieces. */
function filtered(pieces: readonly Uint8Array[], needles: readonly string[]): string {
  const filter = filterLines(needles);
  for (const piece of pieces) filter.push(piece);
  return decode(filter.end());
}

/** What it must be. */
function plainly(text: string, needles: readonly string[]): string {
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).filter((line) => needles.some((needle) => line.includes(needle))).join('');
}

function cut(bytes: Uint8Array, random: ReturnType<typeof seeded>): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.below(random.next() < 0.5 ? 4 : 40);
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const filters = suite('lines of a large output');

filters('keeps the lines that hold a needle, wherever the pieces are cut', () => {
  for (let seed = 1; seed <= 600; seed++) {
    const random = seeded(seed);
    const text = Array.from({ length: random.below(30) }, () =>
      random.pick(['helper=sip', 'helper=si', 'p ', 'x', '\n', '\n\n', 'sip', 'hhelper=sip', '\u00e9', '\udcff']),
    ).join('');
    const needles = random.pick([['helper=sip'], ['sip', 'x'], ['p']]);
    assert.is(filtered(cut(encode(text), random), needles), plainly(text, needles), `seed ${seed}`);
  }
});

filters('finds a needle whose first letter comes again and again', () => {
  assert.is(filtered([encode('aaaab\naaab\naab\n')], ['aab']), 'aaaab\naaab\naab\n');
  assert.is(filtered([encode('ananas\nanana\n')], ['nanas']), 'ananas\n');
});

filters('gives the last line without a newline that was not there', () => {
  assert.is(filtered([encode('sip')], ['sip']), 'sip');
  assert.is(filtered([encode('a\nsip')], ['sip']), 'sip');
  assert.is(filtered([], ['sip']), '');
  assert.is(filtered([new Uint8Array(0)], ['sip']), '');
});

filters('does not hold on to the piece it was given', () => {
  const filter = filterLines(['sip']);
  const piece = encode('sip 1\nsi');
  filter.push(piece);
  piece.fill(0x78);
  filter.push(encode('p 2\n'));
  assert.is(decode(filter.end()), 'sip 1\nsip 2\n');
});

filters('refuses a line that is longer than a line can be, and holds no more than that', () => {
  const filter = filterLines(['sip']);
  const piece = new Uint8Array(65_536).fill(0x61);
  assert.throws(() => {
    for (let pieces = 0; pieces < 40; pieces++) filter.push(piece);
  }, /a line is longer than 1048576 bytes/);
});

filters('passes a million lines by in linear time', () => {
  const piece = encode('udp 17 29 src=192.168.1.10 dst=203.0.113.98 sport=6000 dport=7001 helper=ftp\n'.repeat(1000));
  growsInStep(
    'pieces',
    (size) => size,
    (pieces) => {
      const filter = filterLines(['helper=sip']);
      for (let at = 0; at < pieces; at++) filter.push(piece);
      assert.is(filter.end().length, 0);
    },
    1008,
  );
});

filters('joins nothing to nothing', () => {
  assert.equal([...join([])], []);
  assert.equal([...join([Uint8Array.from([1]), new Uint8Array(0), Uint8Array.from([2, 3])])], [1, 2, 3]);
});

filters.run();
