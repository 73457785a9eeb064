import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BLOCK, Writer, block, enhancedPacket, interfaceDescription, join, sectionHeader, simplePacket, type Option,
} from '../../../../src/languages/pcap/encode.ts';
import { DIRECTION } from '../../../../src/languages/pcap/packet.ts';
import { bytesOf, ethernet, ipv4, udp } from './frames.ts';
import { codes, readAll, type Read } from './reading.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.replace(/\s+/g, '').match(/../g) ?? [], (pair) => parseInt(pair, 16));
const frame = (text: string, id = 1): Uint8Array => ethernet(ipv4({ from: '192.168.1.10', to: '203.0.113.10', id },
  udp(5060, 5060, bytesOf(text))));
const texts = (read: Read): string[] => read.datagrams.map(({ text }) => text);
const times = (read: Read): [number, number][] => read.datagrams.map(({ packet }) => [packet.seconds, packet.nanoseconds]);

/** A section with one interface and one packet, written down from the draft: §4.1, §4.2, §4.3. */
const BY_HAND = `0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000
  01000000 20000000 0100 0000 00000400  0200 0300 77616e00  0000 0000 20000000
  06000000 4c000000 00000000 a0440600 40420f00 2c000000 2c000000
    020000000002 020000000001 0800 4500001e 12340000 40110000 c0a8010a cb00710a 13c413c5 000a0000 6869 4c000000`;

const blocks = suite('a pcapng file');

blocks('is read as the format\'s description has it', () => {
  const read = readAll(hex(BY_HAND));
  assert.equal(read.problems, []);
  assert.equal(read.interfaces, [{ linkType: 1, name: 'wan', description: '', snapLength: 262_144, section: 1, index: 0 }]);
  assert.equal(texts(read), ['hi']);
  // 0x000644a0 * 2^32 + 0x000f4240 microseconds.
  assert.equal(times(read), [[1_764_303_846, 720_064_000]]);
  assert.is(read.datagrams[0]?.packet.offset, 28 + 32);
});

blocks('is what the encoder writes, byte for byte', () => {
  const packet = hex(BY_HAND).slice(28 + 32 + 28, -4);
  assert.equal([...join([sectionHeader(), interfaceDescription(1, [[2, bytesOf('wan')]]),
    enhancedPacket(0, 0x000644a0, 0x000f4240, { bytes: packet })])],
    [...hex(BY_HAND)]);
});

const mixed = (): Uint8Array => join([
  sectionHeader(false, [[3, bytesOf('Linux 6.12')], [4, bytesOf('dumpcap')]]),
  interfaceDescription(1, [[2, bytesOf('br-lan')], [9, Uint8Array.of(9)], [11, bytesOf('\0udp')], [0x8bad, bytesOf('anything')]]),
  interfaceDescription(101, [[2, bytesOf('pppoe-wan')], [3, bytesOf('the way out')]]),
  block(0x0badcafe, bytesOf('a block that nobody knows'), false),
  block(BLOCK.names, hex('0000 0000')),
  enhancedPacket(0, 0x187c0000, 5, { bytes: frame('nano') }, [[1, bytesOf('a comment')], [0x8001, new Uint8Array(9)]]),
  block(0x40000bad, new Uint8Array(70_000)),
  enhancedPacket(1, 0x000644a0, 5, { bytes: frame('raw').slice(14) }),
  simplePacket({ bytes: frame('simple') }),
  sectionHeader(true),
  interfaceDescription(1, [[2, bytesOf('eth1')]], { bigEndian: true, snapLength: 60 }),
  enhancedPacket(0, 0x000644a0, 7, { bytes: frame('the other way round') }, [], true),
  simplePacket({ bytes: frame('cut by the snap length').slice(0, 60), length: 64 }, true),
  block(BLOCK.statistics, new Uint8Array(12), true),
]);

blocks('may hold blocks and options nobody knows, several interfaces, and sections of another byte order', () => {
  const read = readAll(mixed());
  assert.equal(read.problems, []);
  assert.equal(read.interfaces.map(({ name, description, linkType, section, index }) => [name, description, linkType, section, index]),
    [['br-lan', '', 1, 1, 0], ['pppoe-wan', 'the way out', 101, 1, 1], ['eth1', '', 1, 2, 0]]);
  assert.equal(read.datagrams.map(({ text, packet }) => [packet.number, text, packet.interface, packet.timed, packet.missing]), [
    [1, 'nano', 0, true, 0], [2, 'raw', 1, true, 0], [3, 'simple', 0, false, 0], [4, 'the other way round', 2, true, 0],
    [5, 'cut by the snap length'.slice(0, 18), 2, false, 4]]);
});

blocks('is the same wherever it is cut in two, and byte by byte', () => {
  const file = mixed();
  const plain = (read: Read): unknown => [read.datagrams.map(({ who, text, packet }) =>
    [who, text, packet.number, packet.offset, packet.seconds, packet.nanoseconds, packet.interface]), read.problems, read.counts,
      read.interfaces];
  const whole = plain(readAll(file));
  for (let cut = 1; cut < file.length; cut += cut < 1500 || cut > 70_400 ? 1 : 997) {
    assert.equal(plain(readAll(file, { sizes: [cut, file.length] })), whole, `cut at ${cut}`);
  }
  for (const sizes of [[1], [3], [11], [12], [13], [4096]]) assert.equal(plain(readAll(file, { sizes })), whole, sizes.join());
});

blocks('that breaks off is read up to there, and says so unless it is between two blocks', () => {
  const file = mixed().slice(0, 700);
  const whole = readAll(mixed());
  for (let cut = 28; cut < file.length; cut++) {
    const read = readAll(file.slice(0, cut), { sizes: [64] });
    assert.ok(codes(read).every((code) => code === 'cut-short'), `cut at ${cut}: ${codes(read).join()}`);
    assert.equal(texts(read), texts(whole).slice(0, texts(read).length));
    for (const { packet } of read.datagrams) assert.ok(packet.offset < cut);
  }
  const section = file[4]!;
  assert.equal(codes(readAll(file.slice(0, section + 5))), ['cut-short']);
  assert.equal(codes(readAll(file.slice(0, section))), []);
});

const timed = (more: readonly Option[], high: number, low: number, bigEndian = false): [number, number] | undefined => {
  const file = join([sectionHeader(bigEndian), interfaceDescription(1, more, { bigEndian }),
    enhancedPacket(0, high, low, { bytes: frame('x') }, [], bigEndian)]);
  return times(readAll(file))[0];
};
const halves = (units: bigint): [number, number] => [Number(units >> 32n), Number(units & 0xffffffffn)];

blocks('counts time in units of its interface, exactly', () => {
  const at = (power: bigint, fraction: bigint): [number, number] => halves(1_764_287_872n * 10n ** power + fraction);
  assert.equal(timed([], ...at(6n, 999_999n)), [1_764_287_872, 999_999_000]);
  assert.equal(timed([[9, Uint8Array.of(9)]], ...at(9n, 999_999_999n)), [1_764_287_872, 999_999_999]);
  assert.equal(timed([[9, Uint8Array.of(3)]], ...at(3n, 7n)), [1_764_287_872, 7_000_000]);
  assert.equal(timed([[9, Uint8Array.of(0)]], 0, 1_764_287_872), [1_764_287_872, 0]);
  assert.equal(timed([[9, Uint8Array.of(0)]], 1, 1), [2 ** 32 + 1, 0]);
  assert.equal(timed([[9, Uint8Array.of(10)]], ...at(10n, 9_999_999_999n)), [1_764_287_872, 999_999_999]);
  // Finer than 64 bits can count from 1970 on: what there is of it is counted.
  assert.equal(timed([[9, Uint8Array.of(12)]], ...halves(12_345_678_901_234_567n)), [12_345, 678_901_234]);
  assert.equal(timed([[9, Uint8Array.of(16)]], ...halves(12_345_678_901_234_567n)), [1, 234_567_890]);
  assert.equal(timed([[9, Uint8Array.of(127)]], 0xffffffff, 0xffffffff), [0, 0]);
  for (let low = 0; low < 2 ** 32; low += 429_496_729) {
    const units = BigInt(0x187c0001) * 2n ** 32n + BigInt(low);
    assert.equal(timed([[9, Uint8Array.of(9)]], 0x187c0001, low), [Number(units / 1_000_000_000n), Number(units % 1_000_000_000n)]);
  }
});

blocks('counts time in negative powers of two where it says so', () => {
  const second = (power: bigint): bigint => 1_764_287_872n << power;
  assert.equal(timed([[9, Uint8Array.of(0x80 | 10)]], ...halves(second(10n) + 512n)), [1_764_287_872, 500_000_000]);
  assert.equal(timed([[9, Uint8Array.of(0x80 | 32)]], ...halves(second(32n) + 0x40000001n)), [1_764_287_872, 250_000_000]);
  assert.equal(timed([[9, Uint8Array.of(0x80 | 32)]], ...halves(second(32n) + 0xffffffffn)), [1_764_287_872, 999_999_999]);
  assert.equal(timed([[9, Uint8Array.of(0x80)]], 0, 5), [5, 0]);
});

blocks('adds seconds to the times of an interface that asks for it', () => {
  const offset = (seconds: bigint, bigEndian: boolean): Option => {
    const [high, low] = halves(BigInt.asUintN(64, seconds));
    return [14, bigEndian ? new Writer(true).u32(high).u32(low).end() : new Writer().u32(low).u32(high).end()];
  };
  for (const bigEndian of [false, true]) {
    assert.equal(timed([offset(1_700_000_000n, bigEndian)], 0, 1_500_000, bigEndian), [1_700_000_001, 500_000_000]);
    assert.equal(timed([offset(-2n, bigEndian), [9, Uint8Array.of(9)]], 0, 3_000_000_004, bigEndian), [1, 4]);
    assert.equal(timed([offset(-2n, bigEndian), [9, Uint8Array.of(0x80 | 30)]], 0, 3 * 2 ** 30, bigEndian), [1, 0]);
  }
});

blocks('says which way a packet went, where its flags do', () => {
  const flagged = (flags: number): number | undefined => readAll(join([sectionHeader(), interfaceDescription(),
    enhancedPacket(0, 0, 0, { bytes: frame('x') }, [[2, new Writer().u32(flags).end()]])])).datagrams[0]?.packet.direction;
  assert.equal([0, 1, 2, 1 | 1 << 2, 1 | 2 << 2, 1 | 3 << 2, 1 | 4 << 2].map(flagged),
    [DIRECTION.unknown, DIRECTION.toUs, DIRECTION.outgoing, DIRECTION.toUs,
    DIRECTION.multicast, DIRECTION.broadcast, DIRECTION.toOthers]);
  const two = readAll(join([sectionHeader(), interfaceDescription(), enhancedPacket(0, 0, 0, { bytes: frame('x') },
    [[2, new Writer().u32(2).end()]]),
    enhancedPacket(0, 0, 0, { bytes: frame('y') })]));
  assert.is(two.datagrams[1]?.packet.direction, DIRECTION.unknown);
});

blocks('of an older kind is read: packet blocks before there were enhanced ones', () => {
  const bytes = frame('old');
  const body = new Writer().u16(1).u16(0xffff).u32(0x000644a0).u32(5).u32(bytes.length).u32(bytes.length).bytes(bytes).end();
  const read = readAll(join([sectionHeader(), interfaceDescription(101), interfaceDescription(), block(BLOCK.packet, body)]));
  assert.equal(texts(read), ['old']);
  assert.is(read.datagrams[0]?.packet.interface, 1);
});

blocks('tells names that are UTF-8, and those that are not', () => {
  const named = (bytes: Uint8Array): string | undefined => readAll(join([sectionHeader(),
    interfaceDescription(1, [[2, bytes]])])).interfaces[0]?.name;
  assert.is(named(hex('c3a96e6f')), 'éno');
  assert.is(named(hex('e96e6f')), 'éno');
  assert.is(named(new Uint8Array(3000).fill(65))?.length, 256);
});

const begin = (): Uint8Array => join([sectionHeader(), interfaceDescription(), enhancedPacket(0, 0, 1, { bytes: frame('before') })]);
const after = (): Uint8Array => enhancedPacket(0, 0, 2, { bytes: frame('after') });

blocks('goes on behind a packet that cannot be read, each with its sentence', () => {
  const cases: [what: string, bad: Uint8Array, code: string, sentence: RegExp][] = [
    ['of an interface nobody described', enhancedPacket(7, 0, 0, { bytes: frame('x') }), 'interface',
      /^At byte \d+ packet 2 was seen on interface 7, and the section describes 1; it is left out\.$/],
    ['longer than its block', block(BLOCK.enhanced, new Writer().u32(0).u32(0).u32(0).u32(400).u32(400).bytes(frame('x')).end()), 'block',
      /^At byte \d+ packet 2 says to hold 400 bytes, and its block has room for 44; it is left out\.$/],
    ['shorter than its head', block(BLOCK.enhanced, new Uint8Array(16)), 'block',
      /^At byte \d+ the block of packet 2 is 28 bytes long; it has 32 at least\.$/],
    ['simple and without a length', block(BLOCK.simple, new Uint8Array(0)), 'block',
      /^At byte \d+ the simple block of packet 2 is 12 bytes long; it has 16/],
    ['an interface without a body', block(BLOCK.interface, new Uint8Array(4)), 'block',
      /^At byte \d+ the description of an interface is 16 bytes long; it has 20/],
    ['an option that runs out of its block', block(BLOCK.interface, new Writer().u16(1).u16(0).u32(0).u16(2).u16(99).u32(0).end()),
      'option',
      /^At byte \d+ option 2 says to be 99 bytes long, and its block ends after 4; it is not read\.$/],
  ];
  for (const [what, bad, code, sentence] of cases) {
    const file = join([begin(), bad, after()]);
    for (const sizes of [[], [9]]) {
      const read = readAll(file, { sizes });
      assert.equal(texts(read), ['before', 'after'], what);
      assert.equal(codes(read), [code], what);
      assert.match(read.problems[0]?.message ?? '', sentence, what);
    }
  }
});

blocks('goes on where the two lengths of a block differ', () => {
  const bad = after();
  bad[bad.length - 4] = 0x10;
  const read = readAll(join([begin(), bad, after()]));
  assert.equal(texts(read), ['before', 'after', 'after']);
  assert.equal(codes(read), ['block-trailer']);
});

blocks('whose lengths are lost goes on at the next section', () => {
  for (const bad of [hex('06000000 0b000000 00000000'), hex('06000000 22000000 00000000'), hex('0a0d0d0a 1c000000 12345678')]) {
    for (const sizes of [[], [1], [10]]) {
      const read = readAll(join([begin(), bad, after(), hex('0a0a0d 0a0d0d0a 0d0d'), begin(), after()]), { sizes });
      assert.equal(texts(read), ['before', 'before', 'after']);
      assert.equal(codes(read), ['block-length', 'resumed']);
      assert.is(read.interfaces[1]?.section, 2);
    }
  }
  const never = readAll(join([begin(), hex('06000000 0b000000 00000000'), after()]));
  assert.equal(codes(never), ['block-length']);
});

blocks('passes over what says to be of gigabytes, and holds none of it', () => {
  const huge = (type: number): Uint8Array => new Writer().u32(type).u32(0xfffffff0).bytes(new Uint8Array(5000)).end();
  for (const sizes of [[], [1000]]) {
    assert.equal(codes(readAll(join([begin(), huge(BLOCK.enhanced)]), { sizes })), ['block-size', 'cut-short']);
    assert.equal(codes(readAll(join([begin(), huge(0x0badcafe)]), { sizes })), ['cut-short']);
    const large = block(BLOCK.enhanced, new Uint8Array(2_000_000));
    const read = readAll(join([begin(), large, after()]), { sizes });
    assert.equal(texts(read), ['before', 'after']);
    assert.is(read.datagrams[1]?.packet.number, 3);
    assert.equal(codes(read), ['block-size']);
  }
});

blocks('of a version to come is passed over, up to a section that is not', () => {
  const future = sectionHeader();
  future[12] = 2;
  const read = readAll(join([future, interfaceDescription(), after(), begin()]));
  assert.equal(texts(read), ['before']);
  assert.equal(codes(read), ['version', 'resumed']);
});

blocks('with interfaces without end reads the first of them', () => {
  const read = readAll(join([sectionHeader(), ...Array.from({ length: 5 }, () => interfaceDescription()),
    enhancedPacket(2, 0, 0, { bytes: frame('x') }),
    enhancedPacket(3, 0, 0, { bytes: frame('y') })]), { limits: { interfaces: 3 } });
  assert.equal(texts(read), ['x']);
  assert.match(read.problems[0]?.message ?? '', '(of a file the first 3 are read)');
});

blocks('with the same problem over and over tells the first, and how many there were', () => {
  const read = readAll(join([begin(), ...Array.from({ length: 30 }, () => enhancedPacket(9, 0, 0, { bytes: frame('x') }))]));
  assert.is(read.problems.length, 9);
  assert.match(read.problems[8]?.message ?? '', /has 30 problems of the kind "interface"; the first 8 of them are told\.$/);
});

blocks.run();
