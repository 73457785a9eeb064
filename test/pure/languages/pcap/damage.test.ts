import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { enhancedPacket, interfaceDescription, join, pcapHeader, sectionHeader } from '../../../../src/languages/pcap/encode.ts';
import { seeded, type Seeded } from '../../../seeded.ts';
import { FLAG, bytesOf, cooked2, ethernet, fragmentHeader, fragments4, fragments6, ipv4, ipv6, pppoe, tcp, udp } from './frames.ts';
import { pcapOf, readAll, type Read } from './reading.ts';

const FOUR = { from: '192.168.1.10', to: '203.0.113.10' };
const SIX = { from: '2001:db8::10', to: '2001:db8::1' };
const long = bytesOf('INVITE sip:alice@example.org SIP/2.0\r\n'.repeat(80));

const frames = (): Uint8Array[] => [
  ethernet(ipv4(FOUR, udp(5060, 5060, bytesOf('one')))),
  ethernet(ipv4(FOUR, udp(5060, 5060, bytesOf('two'))), [[0x88a8, 1], [0x8100, 2]]),
  ethernet(pppoe(ipv4(FOUR, udp(5060, 5060, bytesOf('three')))), [], 0x8864),
  ...fragments4({ ...FOUR, id: 3 }, udp(5060, 5060, long), 1500).map((part) => ethernet(part)),
  ...fragments6(SIX, udp(5060, 5060, long), 1280, 9).map((part) => ethernet(part)),
  ethernet(ipv6(SIX, udp(5060, 5060, bytesOf('four')), [[0, new Uint8Array(8)], fragmentHeader(1, 0, false)])),
  ethernet(ipv4(FOUR, tcp(5060, 5060, { sequence: 9, flags: FLAG.syn }))),
  ethernet(ipv4(FOUR, tcp(5060, 5060, { sequence: 15 }, bytesOf('late')))),
  ethernet(ipv4(FOUR, tcp(5060, 5060, { sequence: 10 }, bytesOf('first')))),
  ethernet(ipv4(FOUR, tcp(5060, 5060, { sequence: 19, flags: FLAG.fin }))),
];

const files: readonly [what: string, file: Uint8Array][] = [
  ['pcap', pcapOf(frames())],
  ['cooked', pcapOf(frames().map((frame) => cooked2(frame.slice(14), 0, 1, frame[12]! << 8 | frame[13]!)), { linkType: 276 })],
  ['pcapng', join([sectionHeader(), interfaceDescription(1, [[2, bytesOf('wan')], [9, Uint8Array.of(9)]]),
    ...frames().map((bytes, index) => enhancedPacket(0, 0x187c0000, index, { bytes }, [[2, Uint8Array.of(1, 0, 0, 0)]])),
    sectionHeader(true), interfaceDescription(1, [], { bigEndian: true }),
    ...frames().map((bytes, index) => enhancedPacket(0, 0x000644a0, index, { bytes }, [], true))])],
];

/** One to four wounds: a byte another, a bit flipped, a stretch cut out, doubled, moved or set to one value, the end torn off. */
function hurt(file: Uint8Array, random: Seeded): Uint8Array {
  let bytes: Uint8Array = file.slice();
  for (let wounds = 1 + random.below(4); wounds > 0; wounds--) {
    const at = random.below(bytes.length);
    const length = 1 + random.below(random.next() < 0.7 ? 8 : 400);
    switch (random.below(7)) {
      case 0: bytes[at] = random.below(256); break;
      case 1: bytes[at]! ^= 1 << random.below(8); break;
      case 2: bytes = join([bytes.slice(0, at), bytes.slice(at + length)]); break;
      case 3: bytes = join([bytes.slice(0, at + length), bytes.slice(at)]); break;
      case 4: bytes = bytes.slice(0, at); break;
      case 5: bytes.copyWithin(at, random.below(bytes.length), bytes.length); break;
      default: bytes.fill(random.pick([0, 0xff, 0x7f, 0x80]), at, at + length);
    }
  }
  return bytes;
}

const plain = ({ datagrams, streams, problems, counts, interfaces, others }: Read): string => JSON.stringify([
  datagrams.map(({ who, text, packet }) => [who, text, packet.number, packet.offset, packet.seconds, packet.nanoseconds, packet.missing,
    packet.fragments]),
  streams, problems, counts, interfaces, others]);

const damage = suite('a damaged capture');

for (const [what, file] of files) {
  damage(`(${what}) is whole before it is damaged`, () => {
    const read = readAll(file);
    assert.equal(read.problems, []);
    assert.ok(read.datagrams.length >= 5 && read.streams.includes('1 firstlate'), plain(read).slice(0, 300));
  });

  damage(`(${what}) is read without an error, says what lies where in it, and is the same in any pieces`, () => {
    for (let seed = 1; seed <= 500; seed++) {
      const random = seeded(seed);
      const bytes = hurt(file, random);
      const read = readAll(bytes);
      for (const { message, offset, code } of read.problems) {
        assert.ok(offset >= 0 && offset <= bytes.length, `seed ${seed}: ${code} at ${offset}`);
        assert.match(message, /^[A-Z][^\n]*\.$/, `seed ${seed}`);
        assert.not.match(message, /undefined|NaN|Infinity/, `seed ${seed}`);
      }
      for (const { packet } of read.datagrams) {
        assert.ok(packet.start <= packet.end && packet.missing >= 0 && packet.end - packet.start + packet.missing <= 65_535,
          `seed ${seed}`);
        assert.ok(Number.isInteger(packet.seconds) && packet.nanoseconds >= 0 && packet.nanoseconds < 1e9, `seed ${seed}`);
      }
      if (seed % 3 === 0) {
        assert.is(plain(readAll(bytes, { sizes: [1 + random.below(40)] })), plain(read), `seed ${seed}`);
        assert.is(plain(readAll(bytes, { sizes: [1 + random.below(2000), 1 + random.below(9)] })), plain(read), `seed ${seed}`);
      }
    }
  });
}

damage('that is chance from its first byte, or from behind its header, is read without an error', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    const noise = Uint8Array.from({ length: random.below(3000) }, () => (random.next() < 0.3 ? 0 : random.below(256)));
    for (const head of [new Uint8Array(0), pcapHeader(), pcapHeader({ linkType: 101 }), join([sectionHeader(), interfaceDescription()])]) {
      assert.ok(readAll(join([head, noise])).problems.length <= 100, `seed ${seed}`);
    }
    for (const linkType of [0, 1, 9, 12, 50, 51, 101, 108, 113, 228, 229, 276]) {
      const read = readAll(pcapOf([noise.slice(0, 100), noise.slice(100, 300)], { linkType }));
      assert.is(read.counts.packets, 2, `seed ${seed}`);
    }
  }
});

damage.run();
