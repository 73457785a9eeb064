import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Addresses } from '../../../../src/languages/pcap/addresses.ts';
import { join } from '../../../../src/languages/pcap/encode.ts';
import {
  address, bytesOf, carried, ethernet, fragmentHeader, fragments4, fragments6, ipv4, ipv6, udp, type Extension, type Ipv4Header,
} from './frames.ts';
import { seeded } from '../../../seeded.ts';
import { codes, pcapOf, readAll } from './reading.ts';

const FROM4 = { from: '192.168.1.10', to: '203.0.113.10' };
const FROM6 = { from: '2001:db8::10', to: '2001:db8:1::1' };
const text = (size: number): string => Array.from({ length: size }, (_, index) => String.fromCharCode(33 + index * 7 % 90)).join('');
const texts = (frames: readonly Uint8Array[], options: Parameters<typeof pcapOf>[1] = {}): string[] =>
  readAll(pcapOf(frames, options)).datagrams.map((each) => each.text);

const internet = suite('IP');

internet('of version 4 is read with options, and with a length of 0 as network cards are given it', () => {
  const read = readAll(pcapOf([
    ethernet(ipv4({ ...FROM4, ttl: 1, id: 65_535, options: Uint8Array.of(0x94, 4, 0, 0) }, udp(5060, 5061, bytesOf('option')))),
    ethernet(ipv4({ ...FROM4, total: 0 }, udp(5060, 5061, bytesOf('large')))),
  ]));
  assert.equal(read.datagrams.map(({ text: each, packet }) => [each, packet.ttl, packet.id]), [['option', 1, 65_535], ['large', 64, 0]]);
});

internet('of version 6 is read behind every extension header', () => {
  const eight = (first = 0): Uint8Array => Uint8Array.of(0, first, 1, 4, 0, 0, 0, 0);
  const chains: readonly Extension[][] = [
    [[0, eight()]], [[43, eight()], [60, eight()]], [[0, join([eight(1), eight()])], [43, eight()], [60, eight()]],
      [[51, join([eight(4), new Uint8Array(16)])]],
    [[135, eight()]], [[139, eight()]], [[140, eight()]], [fragmentHeader(7, 0, false)],
      [[0, eight()], fragmentHeader(8, 0, false), [60, eight()]],
  ];
  const read = readAll(pcapOf(chains.map((chain, index) => ethernet(ipv6(FROM6, udp(5060, 5060, bytesOf(`chain ${index}`)), chain)))));
  assert.equal(read.problems, []);
  assert.equal(read.datagrams.map((each) => each.text), chains.map((_, index) => `chain ${index}`));
  assert.equal(read.datagrams.map(({ packet }) => packet.id), [-1, -1, -1, -1, -1, -1, -1, 7, 8]);
  assert.is(read.datagrams[0]?.who, '2001:db8::10:5060 > 2001:db8:1::1:5060');
  assert.is(read.counts.fragments, 0); // an atomic fragment (RFC 6946) is none
});

internet('that holds neither UDP nor TCP is handed on as it is', () => {
  const read = readAll(pcapOf([ethernet(ipv4(FROM4, carried(1, new Uint8Array(36)))), ethernet(ipv6(FROM6, carried(58, new Uint8Array(8)))),
    ethernet(ipv6(FROM6, carried(50, new Uint8Array(40)))), ethernet(ipv6(FROM6, carried(59, new Uint8Array(0))))]));
  assert.equal(read.others, [{ protocol: 1, number: 1 }, { protocol: 58, number: 2 }, { protocol: 50, number: 3 },
    { protocol: 59, number: 4 }]);
  assert.is(read.counts.otherProtocols, 4);
});

internet('that contradicts itself is said and left out', () => {
  const whole = ipv4(FROM4, udp(5060, 5060, bytesOf('x')));
  const changed = (at: number, value: number): Uint8Array => {
    const frame = whole.slice();
    frame[at] = value;
    return ethernet(frame);
  };
  const six = ipv6(FROM6, udp(5060, 5060, bytesOf('x')));
  const bad = [changed(0, 0x44), changed(0, 0x4f), changed(0, 0x65), changed(3, 19), changed(25, 7), changed(25, 99),
    ethernet(six.slice(0, 39)),
    ethernet(ipv6(FROM6, udp(1, 2, bytesOf('')), [[0, Uint8Array.of(0, 9, 0, 0, 0, 0, 0, 0)]])),
      ethernet(ipv4(FROM4, carried(17, new Uint8Array(7)))),
    ethernet(ipv4(FROM4, carried(6, new Uint8Array(19)))), ethernet(ipv4(FROM4, carried(6, new Uint8Array(20))))];
  for (const [index, frame] of bad.entries()) assert.equal(codes(readAll(pcapOf([frame]))), ['malformed'], `case ${index}`);
  assert.equal(texts([...bad, ethernet(whole)]), ['x']);
});

internet('of UDP ends where UDP says, whatever IP holds behind', () => {
  const datagram = ipv4(FROM4, udp(5060, 5060, bytesOf('said')));
  const longer = ipv4({ ...FROM4, total: datagram.length + 3 }, udp(5060, 5060, bytesOf('said')));
  assert.equal(texts([ethernet(join([longer, bytesOf('not')]))]), ['said']);
});

const fragments = suite('fragments');

const message = text(4000);
const parts4 = (header: Partial<Ipv4Header> = {}, body = message): Uint8Array[] =>
  fragments4({ ...FROM4, id: 77, ...header }, udp(5060, 5060, bytesOf(body)), 1500).map((part) => ethernet(part));
const parts6 = (id = 5, body = message): Uint8Array[] => fragments6(FROM6, udp(5060, 5060, bytesOf(body)), 1280, id).map((part) =>
  ethernet(part));
const orders = <T>(list: readonly T[]): T[][] => (list.length < 2 ? [[...list]]
  : list.flatMap((each, index) => orders([...list.slice(0, index), ...list.slice(index + 1)]).map((rest) => [each, ...rest])));

fragments('of both versions are put together in any order', () => {
  assert.is(parts4().length, 3);
  assert.is(parts6().length, 4);
  for (const order of [...orders(parts4()), ...orders(parts6())]) {
    const read = readAll(pcapOf(order));
    assert.equal(read.problems, []);
    assert.equal(read.datagrams.map((each) => each.text), [message]);
    assert.equal(read.datagrams.map(({ packet }) => [packet.fragments, packet.number, packet.missing, packet.sourcePort]),
      [[order.length, order.length, 0, 5060]]);
    assert.equal([read.counts.fragments, read.counts.reassembled], [order.length, 1]);
  }
});

fragments('keep the identification of their packet', () => {
  assert.is(readAll(pcapOf(parts4())).datagrams[0]?.packet.id, 77);
  assert.is(readAll(pcapOf(parts6(0xdeadbeef))).datagrams[0]?.packet.id, 0xdeadbeef);
});

fragments('that come twice do not matter, and those of other packets between them neither', () => {
  const [a, b, c] = parts4() as [Uint8Array, Uint8Array, Uint8Array];
  const [d, e, f] = parts4({ id: 78 }, text(3900)) as [Uint8Array, Uint8Array, Uint8Array];
  const [g, h, i] = parts4({ from: '192.168.1.11' }, text(4001)) as [Uint8Array, Uint8Array, Uint8Array];
  const read = readAll(pcapOf([a, d, g, c, c, a, i, f, h, e, b]));
  assert.equal(read.problems, []);
  assert.equal(read.datagrams.map((each) => each.text.length), [4001, 3900, 4000]);
});

fragments('seen on their way in and on their way out are two packets', () => {
  const file = join([pcapOf([]).slice(0, 20), Uint8Array.of(113, 0, 0, 0)]);
  const sides = parts4().map((part) => part.slice(14)).flatMap((part) => [0, 4].map((direction) =>
    join([Uint8Array.of(0, direction, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0), part])));
  const read = readAll(join([file, pcapOf(sides).slice(24)]));
  assert.equal(read.datagrams.map((each) => [each.text === message, each.packet.direction]), [[true, 0], [true, 4]]);
});

const piece = (from: number, to: number, body: Uint8Array, more = to < body.length): Uint8Array =>
  ethernet(ipv4({ ...FROM4, id: 9, offset: from, more }, carried(17, body.slice(from, to))));
const datagram = udp(5060, 5060, bytesOf(text(1000))).bytes(join([address(FROM4.from), address(FROM4.to)]));

fragments('may overlap as long as they agree', () => {
  for (const order of orders([piece(0, 600, datagram), piece(400, 808, datagram), piece(800, 1008, datagram), piece(480, 560, datagram)])) {
    assert.equal(texts(order), [text(1000)], 'in any order');
  }
  const random = seeded(20);
  for (let round = 0; round < 300; round++) {
    const some: Uint8Array[] = [];
    for (let at = 0; at < 126; at++) {
      const from = Math.max(0, at % 3 === 0 ? at : at - random.below(4)) * 8;
      if (random.next() < 0.4 || at % 3 === 0) some.push(piece(from, Math.min(1008, from + 8 * (4 + random.below(9))), datagram));
    }
    some.push(piece(1000, 1008, datagram));
    for (let at = some.length - 1; at > 0; at--) {
      const other = random.below(at + 1);
      [some[at], some[other]] = [some[other]!, some[at]!];
    }
    const read = readAll(pcapOf(some, { every: 0 }));
    assert.is(read.datagrams[0]?.text, text(1000), `round ${round}`);
  }
});

fragments('that overlap over and over are held once', () => {
  const body = udp(5060, 5060, bytesOf(text(3000))).bytes(join([address(FROM4.from), address(FROM4.to)]));
  const some = Array.from({ length: 190 }, (_, index) => piece(index * 8, Math.min(body.length, index * 8 + 1480), body, true));
  const last = piece(1480, body.length, body);
  // With each overlap kept anew this would be 280 kB.
  const read = readAll(pcapOf([...some, last]), { limits: { fragmentBytes: 40_000 } });
  assert.equal([read.datagrams.map((each) => each.text), read.problems], [[text(3000)], []]);
});

fragments('that contradict each other are left out and said', () => {
  const other = datagram.slice();
  other[700] = 0;
  const cases = [[piece(0, 800, datagram), piece(696, 1008, other)], [piece(696, 1008, other), piece(0, 800, datagram)],
    [piece(808, 1008, datagram), piece(400, 800, datagram, false)], [piece(800, 1000, datagram, false), piece(0, 1008, datagram, true)]];
  for (const [index, frames] of cases.entries()) {
    const read = readAll(pcapOf(frames));
    assert.equal([codes(read), read.datagrams.length], [['fragment-conflict'], 0], `case ${index}`);
    assert.match(read.problems[0]?.message ?? '',
      /^At byte \d+ packet 2 is a fragment that contradicts an earlier one \(the first is packet 1\)/);
  }
});

fragments('that cannot be are said', () => {
  const read = readAll(pcapOf([ethernet(ipv4({ ...FROM4, offset: 65_528, more: false }, carried(17, new Uint8Array(8)))),
    ethernet(ipv4({ ...FROM4, more: true }, carried(17, new Uint8Array(9)))), ethernet(ipv4({ ...FROM4, more: true },
      carried(17, new Uint8Array(0))))]));
  assert.equal(codes(read), ['malformed', 'malformed', 'malformed']);
  assert.match(read.problems[0]?.message ?? '', /packet 1 is a fragment of 8 bytes for place 65528, which cannot be/);
});

fragments('whose others are missing are said: after their time, or at the end', () => {
  const [a, b] = parts4() as [Uint8Array, Uint8Array];
  const late = readAll(pcapOf([a, ...parts4({ id: 79 })], { every: 31 }));
  assert.match(late.problems[0]?.message ?? '',
    /packet 1 is the first seen fragment of a packet whose other fragments did not come within 30 s: 1480 bytes of it are/);
  const end = readAll(pcapOf([b, ...parts4({ id: 79 })]));
  assert.equal(end.datagrams.length, 1);
  assert.match(end.problems[0]?.message ?? '', /whose other fragments are not in the capture: 1480 bytes/);
});

fragments('without their others never hold more than their bound', () => {
  const halves = Array.from({ length: 3000 }, (_, id) => parts4({ id })[0]!);
  const read = readAll(pcapOf([...halves, ...parts4({ id: 5000 })], { every: 0 }), { limits: { fragmentBytes: 100_000, problems: 1e6 } });
  assert.is(read.datagrams.length, 1);
  assert.is(read.problems.filter(({ message: each }) => each.includes('before too many others')).length > 2900, true);
  assert.is(read.problems.length, 3000);
  const alone = readAll(pcapOf([...parts4(), ...parts4({ id: 1 })]), { limits: { fragmentBytes: 1000 } });
  assert.is(alone.datagrams.length, 0);
  assert.equal([...new Set(codes(alone))], ['fragments-lost']);
});

fragments('that the capture cut give what there is of the beginning', () => {
  const read = readAll(pcapOf(parts4(), { snap: 200 }));
  assert.equal(read.datagrams.map((each) => [each.text, each.packet.missing]), [[message.slice(0, 200 - 14 - 20 - 8), 4000 - 158]]);
});

const addresses = suite('addresses');

addresses('have one number each, and give their text and bytes back', () => {
  const table = new Addresses(5000);
  const texts6: readonly [string, string][] = [['2001:db8::10', '2001:db8::10'], ['::', '::'], ['::1', '::1'],
    ['fe80::1:0:0:1', 'fe80::1:0:0:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'], ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'], ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'], ['0:0:1::', '0:0:1::'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']];
  const numbers = texts6.map(([from]) => table.number(address(from), 0));
  assert.is(new Set(numbers).size, texts6.length);
  assert.equal(texts6.map(([from]) => table.number(address(from), 0)), numbers);
  assert.equal(numbers.map((each) => table.text(each)), texts6.map(([, text6]) => text6));
  assert.equal([...table.bytes(numbers[0]!)], [...address('2001:db8::10')]);
  assert.is(table.text(0xc0a8010a), '192.168.1.10');
  assert.equal([...table.bytes(0xffffffff)], [255, 255, 255, 255]);
});

addresses('stay what they are while there come more, up to their bound', () => {
  const table = new Addresses(5000);
  const numbered = Array.from({ length: 5000 }, (_, index) =>
    table.number(address(`2001:db8::${(index * 7919 % 65_536).toString(16)}:${index.toString(16)}`), 0));
  assert.is(new Set(numbered).size, 5000);
  assert.is(table.text(numbered[4999]!), `2001:db8::${(4999 * 7919 % 65_536).toString(16)}:${(4999).toString(16)}`);
  assert.is(table.number(address('2001:db9::'), 0), -1);
  assert.is(table.number(address(`2001:db8::${(7919).toString(16)}:1`), 0), numbered[1]);
});

addresses('too many for the bound leave their packets out, and that is said', () => {
  const frames = Array.from({ length: 10 }, (_, index) => ethernet(ipv6({ from: `2001:db8::${index + 1}`, to: '2001:db8::1' },
    udp(1, 2, bytesOf('x')))));
  const read = readAll(pcapOf(frames), { limits: { addresses: 4 } });
  assert.is(read.datagrams.length, 4);
  assert.is(read.counts.unreadable, 6);
  assert.match(read.problems[0]?.message ?? '', /packet 5 has an IPv6 address too many: 4 different ones are read/);
});

internet.run();
fragments.run();
addresses.run();
