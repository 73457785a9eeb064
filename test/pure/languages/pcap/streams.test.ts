import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seeded } from '../../../seeded.ts';
import { FLAG, bytesOf, cooked, ethernet, ipv4, ipv6, tcp, type Segment } from './frames.ts';
import { codes, given, pcapOf, readAll } from './reading.ts';

const ISN = 0xfffffff0; // so that the numbers run over in most tests
const PHONE = { from: '192.168.1.10', to: '203.0.113.10' };
const PROVIDER = { from: PHONE.to, to: PHONE.from };

/** A segment from the phone: its payload begins `at` bytes after the SYN. */
const sent = (at: number, text: string, more: Partial<Segment> = {}): Uint8Array =>
  ethernet(ipv4(PHONE, tcp(5060, 5061, { sequence: ISN + 1 + at, ...more }, bytesOf(text))));
const syn = (isn = ISN, text = ''): Uint8Array => ethernet(ipv4(PHONE, tcp(5060, 5061, { sequence: isn, flags: FLAG.syn }, bytesOf(text))));
const fin = (at: number, text = ''): Uint8Array => sent(at, text, { flags: FLAG.fin | FLAG.ack });
const answer = (acknowledged: number, text = '', more: Partial<Segment> = {}): Uint8Array =>
  ethernet(ipv4(PROVIDER, tcp(5061, 5060, { sequence: 1000, acknowledgement: ISN + 1 + acknowledged, ...more }, bytesOf(text))));

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

const streams = suite('a TCP stream');

streams('is its bytes in order, both directions, from its SYN to its FIN', () => {
  const read = readAll(pcapOf([syn(), answer(0, '', { sequence: 999, flags: FLAG.syn | FLAG.ack }), sent(0, ''), sent(0, 'abc'), answer(3),
    sent(3, 'defg'),
    answer(7, 'xyz'), fin(7), answer(8, '', { sequence: 1003, flags: FLAG.fin | FLAG.ack })]));
  assert.equal(read.streams, ['1 abcdefg', '2 xyz', '1 end closed', '2 end closed']);
  assert.equal([...read.opened.values()].map(({ who, fromStart }) => [who, fromStart]),
    [['192.168.1.10:5060 > 203.0.113.10:5061', true], ['203.0.113.10:5061 > 192.168.1.10:5060', true]]);
  assert.equal(read.problems, []);
  assert.is(read.counts.segments, 9);
});

streams('is read over IPv6 and behind TCP options as well', () => {
  const options = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
  const read = readAll(pcapOf([ethernet(ipv6({ from: '2001:db8::10', to: '2001:db8::1' },
    tcp(5060, 5061, { sequence: 1, options }, bytesOf('six'))))]));
  assert.equal(read.streams, ['1 six', '1 end capture ended']);
});

streams('may begin in its middle, with any segment', () => {
  const read = readAll(pcapOf([answer(5), sent(100, 'abc'), sent(103, 'def')]));
  assert.equal(read.streams, ['1 abcdef', '1 end capture ended']);
  assert.is(read.opened.get(1)?.fromStart, false);
});

streams('gives doubled and overlapping bytes once', () => {
  const read = readAll(pcapOf([syn(), syn(), sent(0, 'abc'), sent(0, 'abc'), sent(1, 'bcdef'), sent(0, 'ab'), sent(5, 'f'),
    sent(4, 'efghi'), syn(), fin(9), fin(9),
    sent(3, 'def')]));
  assert.equal(read.streams, ['1 abcdefghi', '1 end closed']);
  assert.equal(read.problems, []);
});

streams('is put in order where segments came in disorder', () => {
  const read = readAll(pcapOf([syn(), sent(6, 'ghi'), sent(3, 'def'), sent(12, 'mn'), fin(14), sent(9, 'jklm'), sent(0, 'abc')]));
  assert.equal(read.streams, ['1 abcdefghijklmn', '1 end closed']);
});

streams('is whole for every way to cut, double, overlap and shuffle it', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = seeded(seed);
    const text = Array.from({ length: 200 }, () => random.pick([...ALPHABET])).join('');
    const frames: Uint8Array[] = [];
    for (let at = 0; at < text.length;) {
      const from = Math.max(0, at - random.below(10));
      const to = Math.min(text.length, at + 1 + random.below(30));
      frames.push(sent(from, text.slice(from, to)));
      if (random.next() < 0.2) frames.push(sent(from, text.slice(from, to)));
      at = to;
    }
    for (let at = frames.length - 1; at > 0; at--) {
      const other = Math.max(0, at - random.below(6));
      [frames[at], frames[other]] = [frames[other]!, frames[at]!];
    }
    const read = readAll(pcapOf([syn(), ...frames, fin(200)]), { sizes: [1 + random.below(500)] });
    assert.is(given(read), text, `seed ${seed}`);
    assert.equal([read.streams.length, read.problems.length], [2, 0], `seed ${seed}`);
  }
});

streams('may have segments larger than any wire carries, as network cards make them', () => {
  const large = ALPHABET.repeat(1500);
  const frame = ethernet(ipv4({ ...PHONE, total: 0 }, tcp(5060, 5061, { sequence: ISN + 1 }, bytesOf(large))));
  const read = readAll(pcapOf([syn(), frame, sent(large.length, 'end')]), { sizes: [4096] });
  assert.is(given(read), large + 'end');
});

streams('runs over the end of its numbers', () => {
  const read = readAll(pcapOf(Array.from({ length: 36 }, (_, index) => sent(index, ALPHABET[index]!))));
  assert.is(given(read), ALPHABET);
  assert.equal(read.problems, []);
});

streams('with bytes that the capture lacks tells how many, and goes on', () => {
  const end = readAll(pcapOf([syn(), sent(0, 'abc'), sent(10, 'klm')]));
  assert.equal(end.streams, ['1 abc', '1 gap 7', '1 klm', '1 end capture ended']);
  assert.match(end.problems[0]?.message ?? '',
    /^At byte \d+, packet 3: 7 bytes of TCP stream 1 \(port 5060 to 5061\) are not in the capture; it has ended\.$/);
  const closed = readAll(pcapOf([syn(), sent(0, 'abc'), fin(10), sent(5, 'fg')]));
  assert.equal(closed.streams, ['1 abc', '1 gap 2', '1 fg', '1 end capture ended']);
});

streams('does not wait for what its receiver has, and waits for what may come again', () => {
  const acknowledged = readAll(pcapOf([syn(), sent(0, 'abc'), sent(10, 'klm'), answer(13), sent(13, 'nop'), sent(16, 'qrs')],
    { every: 0.7 }));
  assert.equal(acknowledged.streams, ['1 abc', '1 gap 7', '1 klmnopqrs', '1 end capture ended']);
  assert.match(acknowledged.problems[0]?.message ?? '', /packet 6: 7 bytes .* their receiver has them\.$/);
  const again = readAll(pcapOf([syn(), sent(0, 'abc'), sent(10, 'klm'), answer(3), sent(13, 'nop'), answer(3), sent(3, 'defghij'),
    sent(16, 'q')], { every: 5 }));
  assert.equal(again.streams, ['1 abcdefghijklmnopq', '1 end capture ended']);
  const misplaced = readAll(pcapOf([syn(), sent(0, 'abc'), answer(13), sent(10, 'klm'), answer(13), sent(3, 'defghij'), sent(13, 'n')]));
  assert.equal(misplaced.streams, ['1 abcdefghijklmn', '1 end capture ended']);
  const old = readAll(pcapOf([syn(), sent(0, 'abc'), sent(10, 'klm'), sent(13, 'n')], { every: 65 }));
  assert.equal(old.streams, ['1 abc', '1 gap 7', '1 klmn', '1 end capture ended']);
});

streams('that the capture cut gives what there is, and a gap after each cut', () => {
  const read = readAll(pcapOf([syn(), sent(0, 'abcdefgh'), sent(8, 'ij'), sent(18, 'stuvwxyz'), sent(10, 'klmnopqr')],
    { snap: 14 + 20 + 20 + 4 }));
  assert.equal(read.streams, ['1 abcd', '1 gap 4', '1 ijklmn', '1 gap 4', '1 stuv', '1 gap 4', '1 end capture ended']);
  assert.is(read.counts.cut, 3);
});

streams('holds no more than its bound behind a hole, and all together no more than theirs', () => {
  const one = readAll(pcapOf([syn(), ...Array.from({ length: 30 }, (_, index) => sent(1 + index * 10, '0123456789'))]),
    { limits: { streamBytes: 2000 } });
  assert.equal(one.streams, ['1 gap 1', `1 ${'0123456789'.repeat(30)}`, '1 end capture ended']);
  const ports = [1, 2, 3, 4].flatMap((port) => Array.from({ length: 10 }, (_, index) =>
    ethernet(ipv4(PHONE, tcp(port, 5061, index === 0 ? { sequence: 0, flags: FLAG.syn } : { sequence: 1 + index * 10 },
      bytesOf(index === 0 ? '' : '0123456789'))))));
  const all = readAll(pcapOf(ports), { limits: { streamBytesInAll: 2500 } });
  assert.equal(all.streams.filter((line) => line.includes('gap')), ['1 gap 10', '2 gap 10', '3 gap 10', '4 gap 10']);
  assert.equal(all.problems.map(({ message }) => /; (.*)\.$/.exec(message)?.[1]), [1, 2, 3].map(() =>
    'too much has come after them in this and other streams').concat('it has ended'));
  const read = [1, 2, 3, 4].map((number) => given(all, number));
  assert.equal(read, read.map(() => '0123456789'.repeat(9)));
});

streams('ends with a reset, its other direction with it', () => {
  const read = readAll(pcapOf([syn(), sent(0, 'abc'), answer(3, 'xyz'), answer(3, '', { sequence: 1003, flags: FLAG.rst }),
    sent(0, 'abc')]));
  assert.equal(read.streams, ['1 abc', '2 xyz', '2 end reset', '1 end reset']);
  const bare = readAll(pcapOf([syn(), sent(0, 'abc'), answer(3, '', { flags: FLAG.rst | FLAG.ack })]));
  assert.equal(bare.streams, ['1 abc', '1 end reset']);
});

streams('whose ports are used again is another one', () => {
  const isn = 0x1234567;
  const anew = (at: number, text: string): Uint8Array => ethernet(ipv4(PHONE, tcp(5060, 5061, { sequence: isn + 1 + at }, bytesOf(text))));
  const after = readAll(pcapOf([syn(), sent(0, 'abc'), fin(3), syn(isn), anew(0, 'def'), sent(0, 'abc')]));
  assert.equal(after.streams.slice(0, 4), ['1 abc', '1 end closed', '2 def', '2 end reused']);
  const amidst = readAll(pcapOf([syn(), sent(0, 'abc'), sent(5, 'f'), syn(isn), anew(0, 'def')]));
  assert.equal(amidst.streams, ['1 abc', '1 gap 2', '1 f', '1 end reused', '2 def', '2 end capture ended']);
  const unseen = readAll(pcapOf([syn(), sent(0, 'abc'), anew(0, 'def'), anew(3, 'g')]));
  assert.equal(unseen.streams, ['1 abc', '1 end reused', '2 defg', '2 end capture ended']);
});

streams('whose ports are used again with numbers near the old ones is known by its SYN', () => {
  const after = readAll(pcapOf([syn(), sent(0, 'abc'), fin(3), syn(ISN + 100), sent(100, 'def')]));
  assert.equal(after.streams, ['1 abc', '1 end closed', '2 def', '2 end capture ended']);
  assert.is(after.opened.get(2)?.fromStart, true);
  const amidst = readAll(pcapOf([syn(), sent(0, 'abc'), syn(ISN + 1000), sent(1000, 'def')]));
  assert.equal(amidst.streams, ['1 abc', '1 end reused', '2 def', '2 end capture ended']);
});

streams('goes on as a new one after a reset that nobody heeded', () => {
  const read = readAll(pcapOf([syn(), sent(0, 'abc'), answer(3, '', { flags: FLAG.rst }), sent(3, 'def')]));
  assert.equal(read.streams, ['1 abc', '1 end reset', '2 def', '2 end capture ended']);
});

streams('with data in its SYN has that first', () => {
  assert.is(given(readAll(pcapOf([syn(ISN, 'early'), sent(5, ' and late')]))), 'early and late');
});

streams('probed to keep it alive has no byte of that', () => {
  assert.equal(readAll(pcapOf([syn(), sent(0, 'abc'), sent(2, '\0'), sent(2, ''), sent(3, 'd')])).streams,
    ['1 abcd', '1 end capture ended']);
});

streams('seen at two places is two streams, each whole', () => {
  const frames = [sent(0, 'abc'), sent(3, 'def')].flatMap((frame) => [cooked(frame.slice(14), 0), cooked(frame.slice(14), 4)]);
  const reset = [cooked(sent(0, 'abc').slice(14), 0), cooked(answer(3, 'xyz').slice(14), 4),
    cooked(answer(3, '', { sequence: 1003, flags: FLAG.rst }).slice(14), 4)];
  assert.equal(readAll(pcapOf(reset, { linkType: 113 })).streams, ['1 abc', '2 xyz', '2 end reset', '1 end reset']);
  assert.equal(readAll(pcapOf(frames, { linkType: 113 })).streams, ['1 abc', '2 abc', '1 def', '2 def', '1 end capture ended',
    '2 end capture ended']);
});

streams('that nobody wants is not held', () => {
  const frames = [syn(), sent(0, 'abc'), sent(10, 'x'.repeat(1000)), sent(5000, 'y'.repeat(1000)), sent(3, 'd'), fin(6000)];
  const read = readAll(pcapOf(frames), { wants: () => false });
  assert.equal(read.streams.filter((line) => !line.includes('end')), ['1 abc']);
  let turns = 0;
  const later = readAll(pcapOf([syn(), sent(0, 'abc'), sent(10, 'x'), sent(50, 'y'), sent(3, 'defghij'), sent(60, 'z')]),
    { wants: () => ++turns < 2 });
  assert.equal([later.streams, later.problems], [['1 abcdefghij', '1 end capture ended'], []]);
  assert.equal(read.problems, []);
});

streams('without end makes room: the ended first, then the silent', () => {
  const open = (port: number): Uint8Array => ethernet(ipv4(PHONE, tcp(port, 5061, { sequence: 1 }, bytesOf(`p${port}`))));
  const read = readAll(pcapOf([open(1), open(2), open(3), open(4), ethernet(ipv4(PHONE, tcp(3, 5061, { sequence: 3, flags: FLAG.fin }))),
    open(5), open(6)]),
    { limits: { streams: 4 } });
  assert.equal(read.streams.filter((line) => line.includes('end')), ['3 end closed', '1 end forgotten', '2 end capture ended',
    '4 end capture ended',
    '5 end capture ended', '6 end capture ended']);
  assert.match(read.problems[0]?.message ?? '', /more than 4 TCP streams are open; the 1 that were silent longest are taken for ended\.$/);
});

streams('in the thousands costs each segment the same', () => {
  // Each has a hole: what waits for all of them must not be looked through for one.
  const many = Array.from({ length: 2000 }, (_, port) => [0, 1].map((turn) =>
    ethernet(ipv4(PHONE, tcp(port, 5061, { sequence: 1 + turn * 5 }, bytesOf('x'))))));
  const read = readAll(pcapOf([...many.flat(), ...many.flat()]));
  assert.is(read.streams.filter((line) => line.includes('gap')).length, 2000);
  assert.is(codes(read).filter((code) => code === 'stream-gap').length, 8);
});

streams.run();
