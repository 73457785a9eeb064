import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readPrefix, writePrefix } from '../../../../src/languages/address/prefixes.ts';
import { mergePrefixes } from '../../../../src/languages/address/prefix-sets.ts';
import type { Prefix } from '../../../../src/languages/address/prefixes.ts';
import { stretchesOf } from '../../../../src/languages/address/stretches.ts';
import { seeded } from '../../../seeded.ts';

const stretches = suite('the addresses that networks cover');

stretches('are joined where networks touch or overlap, and only there', () => {
  assert.equal(stretchesOf([]), []);
  assert.equal(stretchesOf(['198.51.100.128/25', '198.51.100.0/25']), ['3325256704-3325256959']);
  assert.equal(stretchesOf(['198.51.100.0/24', '198.51.101.0/25', '198.51.101.129']), ['3325256704-3325257087', '3325257089-3325257089']);
  assert.equal(stretchesOf(['10.0.0.0/8', '10.1.0.0/16', '11.0.0.0']), ['167772160-184549376']);
  assert.equal(stretchesOf(['2001:db8::/32', '2001:db9::/32']), [`20010db8${'0'.repeat(24)}-20010db9${'f'.repeat(24)}`]);
  assert.equal(stretchesOf([['203.0.113.7', '203.0.113.9'], '203.0.113.10']), ['3405803783-3405803786']);
  // The last digit carries, through every digit before it.
  assert.equal(stretchesOf(['9.255.255.255', '10.0.0.0']), ['167772159-167772160']);
});

stretches('are none where one is no network, or one of the other family', () => {
  for (const wrong of [
    '2001:db8::1',
    '198.51.100.256',
    '198.51.100.0/33',
    '198.51.100',
    '198.51.100.1.1',
    '198.51.100.1/24/24',
    '198.51..1',
    '198.51.100.1/',
    '1/8',
    '198.51.100.0001',
    'x',
    '',
    '{"prefix":1}',
  ])
    assert.is(stretchesOf(['198.51.100.0/24', wrong]), null, wrong);
});

stretches('are the same however the networks are cut and ordered, and others where a single address is', () => {
  const random = seeded(8);
  for (let round = 0; round < 200; round++) {
    const six = random.below(2) === 1;
    const list = Array.from({ length: 1 + random.below(20) }, () =>
      readPrefix(
        six
          ? `2001:${random.below(4)}:${random.below(4)}::${random.below(9)}/${random.pick([48, 64, 126, 128])}`
          : `20.0.${random.below(4)}.${random.below(256)}/${random.pick([23, 24, 25, 31, 32])}`,
      ),
    ) as Prefix[];
    const merged = mergePrefixes(list)[six ? 'ipv6' : 'ipv4'];
    const expected = stretchesOf(merged);
    // Each cut into its two halves, and turned about.
    const halves = list.flatMap((prefix): string[] => {
      const width = prefix.bits.length * 4;
      if (prefix.length === width) return [writePrefix(prefix)];
      const half = { ...prefix, length: prefix.length + 1 };
      const digit = prefix.length >> 2;
      const bit = parseInt(prefix.bits[digit] as string, 16) | (8 >> (prefix.length & 3));
      const upper = `${prefix.bits.slice(0, digit)}${bit.toString(16)}${prefix.bits.slice(digit + 1)}`;
      return [writePrefix({ ...half, bits: upper }), writePrefix(half)];
    });
    assert.equal(stretchesOf(halves.reverse()), expected);
    assert.is.not(JSON.stringify(stretchesOf([...merged, six ? '2001:9::1' : '20.0.9.9'])), JSON.stringify(expected));
  }
});

stretches.run();
