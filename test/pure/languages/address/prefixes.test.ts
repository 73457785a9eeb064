import { isIPv4, isIPv6 } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readPrefix, writePrefix } from '../../../../src/languages/address/prefixes.ts';
import { firstShared, mergePrefixes } from '../../../../src/languages/address/prefix-sets.ts';
import type { Prefix } from '../../../../src/languages/address/prefixes.ts';
import { damage, seeded } from '../../../seeded.ts';

const canonical = (text: string): string => {
  const read = readPrefix(text);
  return 'wrong' in read ? read.wrong : writePrefix(read);
};
const merged = (...texts: string[]) => mergePrefixes(texts.map((text) => readPrefix(text) as Prefix));

const reading = suite('reading networks');

reading('gives canonical text, host bits cleared', () => {
  for (const [given, expected] of [
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.77/24', '203.0.113.0/24'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.255/31', '203.0.113.254/31'],
    ['10.255.0.0/8', '10.0.0.0/8'],
    ['168.86.131.9/18', '168.86.128.0/18'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::ffff/49', '2001:db8::/49'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['2001:db8::203.0.113.1', '2001:db8::cb00:7101'],
    ['fd00::1/128', 'fd00::1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['2001:db8:1::/64', '2001:db8:1::/64'],
  ])
    assert.is(canonical(given as string), expected, given);
});

reading("refuses what is no network, and what is no provider's, with the text that was given", () => {
  for (const [given, why] of [
    ['', 'no address'],
    ['sip.example.com', 'no address'],
    ['203.0.113.0/24/8', 'no address'],
    ['203.0.113.0/', 'no address'],
    ['203.0.113/24', 'no address'],
    ['010.0.0.1', 'no address'],
    ['256.1.1.1', 'no address'],
    ['203.0.113.0/-1', 'no address'],
    ['1::2::3', 'no address'],
    ['1:2:3:4:5:6:7', 'no address'],
    ['1:2:3:4:5:6:7:8::', 'no address'],
    ['2001:db8::12345', 'no address'],
    ['fe80::1%eth0', 'no address'],
    ['203.0.113.0/24; flush ruleset', 'no address'],
    ['203.0.113.1\n', 'no address'],
    ['\u0661.1.1.1', 'no address'],
    ['203.0.113.0/33', '32 bits at most'],
    ['2001:db8::/129', '128 bits at most'],
    ['203.0.113.0/64', '32 bits at most'],
    ['0.0.0.0/0', 'covers too much'],
    ['96.0.0.0/7', 'covers too much'],
    ['::/0', 'covers too much'],
    ['2000::/3', 'covers too much'],
    ['127.0.0.1', 'loopback'],
    ['127.0.0.0/8', 'loopback'],
    ['224.0.0.5', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['0.0.0.0', 'this network'],
    ['169.254.1.1', 'link-local'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::/64', 'unspecified'],
    ['ff02::1', 'multicast'],
    ['fe80::1', 'link-local'],
    ['::ffff:203.0.113.1', 'IPv4 written as IPv6'],
  ] as const) {
    const read = readPrefix(given);
    assert.ok(
      'wrong' in read && read.wrong.includes(why) && read.wrong.startsWith(JSON.stringify(given)),
      `${given}: ${JSON.stringify(read)}`,
    );
  }
});

reading('agrees with the engine on what an address is, hurt ones too, and lets no other character out', () => {
  const random = seeded(20261121);
  for (let round = 0; round < 4000; round++) {
    const text = damage(random.pick(['203.0.113.7', '2001:db8::5:0:0:7', '::ffff:1.2.3.4', '10.0.0.1/24', '1:2:3:4:5:6:7:8']), random);
    const read = readPrefix(text);
    if ('wrong' in read) {
      const address = isIPv4(text) || (isIPv6(text) && !text.includes('%'));
      assert.ok(!address || !read.wrong.includes('no address'), text);
    } else {
      assert.ok(isIPv4(text.split('/')[0] as string) || isIPv6(text.split('/')[0] as string), text);
      assert.match(writePrefix(read), /^[0-9a-f:.]+(\/\d+)?$/);
      assert.is(canonical(writePrefix(read)), writePrefix(read));
    }
  }
});

reading.run();

const merging = suite('merging networks');

merging('sorts, drops doubles and what lies in another, and keeps the families apart', () => {
  assert.equal(
    merged(
      '203.0.113.5',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '203.0.113.5/32',
      '2001:db8:1::/48',
      '2001:db8::/32',
      '9.0.0.0/8',
      '203.0.113.128/25',
    ),
    { ipv4: ['9.0.0.0/8', '198.51.100.0/24', '203.0.113.0/24'], ipv6: ['2001:db8::/32'] },
  );
  assert.equal(merged(), { ipv4: [], ipv6: [] });
});

/** First and last address of an IPv4 network, as numbers. */
function range(text: string): [number, number] {
  const { bits, length } = readPrefix(text) as Prefix;
  return [parseInt(bits, 16), parseInt(bits, 16) + 2 ** (32 - length) - 1];
}

merging('leaves no network within another, and covers every one that was given', () => {
  const random = seeded(7);
  for (let round = 0; round < 60; round++) {
    const given = Array.from(
      { length: 40 },
      () => `10.${random.below(2)}.${random.below(4)}.${random.below(256)}/${8 + random.below(25)}`,
    ).map((text) => readPrefix(text) as Prefix);
    const { ipv4 } = mergePrefixes(given);
    const ranges = ipv4.map(range);
    for (const [at, [from]] of ranges.entries()) if (at > 0) assert.ok(from > (ranges[at - 1] as [number, number])[1], ipv4.join(' '));
    for (const each of given) {
      const [from, to] = range(writePrefix(each));
      assert.ok(
        ranges.some(([low, high]) => low <= from && to <= high),
        `${writePrefix(each)} in ${ipv4.join(' ')}`,
      );
    }
  }
});

merging('finds the first network that two lists share', () => {
  const random = seeded(8);
  let none = 0;
  for (let round = 0; round < 300; round++) {
    const some = (): string[] =>
      merged(...Array.from({ length: random.below(6) }, () => `10.0.${random.below(2)}.${random.below(256)}/${22 + random.below(11)}`))
        .ipv4;
    const [these, others] = [some(), some()];
    const shared =
      others.find((other) => these.some((one) => range(one)[0] <= range(other)[1] && range(one)[1] >= range(other)[0])) ?? null;
    assert.is(firstShared(these, others), shared, `${these.join(' ')} and ${others.join(' ')}`);
    if (shared === null) none++;
  }
  assert.ok(none > 30 && none < 270, `${none} of 300 share nothing`);
});

merging('10,000 networks are read and merged in a moment', () => {
  const texts = Array.from({ length: 10_000 }, (_, at) =>
    at % 2 === 0 ? `100.${(at >> 8) & 255}.${at & 255}.0/24` : `2001:db8:${at.toString(16)}::/48`,
  );
  const began = process.cpuUsage();
  const { ipv4, ipv6 } = merged(...texts);
  const took = process.cpuUsage(began).user / 1000; // of this process: the machine may be busy
  assert.is(ipv4.length + ipv6.length, 10_000);
  assert.ok(took < 400, `${took.toFixed(0)} ms`);
});

merging.run();
