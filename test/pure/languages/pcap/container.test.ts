import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Capture } from '../../../../src/languages/pcap/capture.ts';
import { join, pcapHeader, pcapRecord } from '../../../../src/languages/pcap/encode.ts';
import { bytesOf, ethernet, ipv4, udp } from './frames.ts';
import { codes, pcapOf, readAll } from './reading.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.replace(/\s+/g, '').match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** 192.168.1.10:5060 to 203.0.113.10:5061, IP id 4660, hop 64, `hi`; written down by hand from RFC 791 and RFC 768. */
const PACKET = '4500001e 12340000 40110000 c0a8010a cb00710a  13c413c5 000a0000 6869';
const FRAME = `020000000002 020000000001 0800 ${PACKET}`;

const LITTLE = `d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000  80e52869 40e20100 2c000000 2c000000 ${FRAME}`;
const BIG = `a1b2c3d4 0002 0004 00000000 00000000 00040000 00000001  6928e580 0001e240 0000002c 0000002c ${FRAME}`;
const LITTLE_NANO = `4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000  80e52869 15cd5b07 2c000000 2c000000 ${FRAME}`;
const BIG_NANO = `a1b23c4d 0002 0004 00000000 00000000 00040000 00000001  6928e580 075bcd15 0000002c 0000002c ${FRAME}`;

const container = suite('a pcap file');

for (const [what, file, nanoseconds] of [['little endian, microseconds', LITTLE, 123_456_000],
  ['big endian, microseconds', BIG, 123_456_000],
  ['little endian, nanoseconds', LITTLE_NANO, 123_456_789], ['big endian, nanoseconds', BIG_NANO, 123_456_789]] as const) {
  container(`is read as the format's description has it: ${what}`, () => {
    const read = readAll(hex(file));
    assert.equal(read.problems, []);
    assert.equal(read.interfaces, [{ linkType: 1, name: '', description: '', snapLength: 262_144, section: 1, index: 0 }]);
    assert.is(read.datagrams.length, 1);
    const [{ who, text, packet }] = read.datagrams as [typeof read.datagrams[0]];
    assert.is(who, '192.168.1.10:5060 > 203.0.113.10:5061');
    assert.is(text, 'hi');
    const { number, offset, timed, seconds, nanoseconds: fraction, frameLength, network, frame, family, id, ttl, protocol, missing,
      fragments } = packet;
    assert.equal({ number, offset, timed, seconds, fraction, frameLength, network: network - frame, family, id, ttl, protocol, missing,
      fragments },
      { number: 1, offset: 24, timed: true, seconds: 1_764_287_872, fraction: nanoseconds, frameLength: 44, network: 14, family: 4,
        id: 0x1234, ttl: 64,
        protocol: 17, missing: 0, fragments: 1 });
  });
}

container('is what the encoder writes, byte for byte', () => {
  for (const [file, bigEndian, nanoseconds] of [[LITTLE, false, false], [BIG, true, false], [LITTLE_NANO, false, true],
    [BIG_NANO, true, true]] as const) {
    const written = join([pcapHeader({ bigEndian, nanoseconds }),
      pcapRecord({ seconds: 1_764_287_872, nanoseconds: 123_456_789, bytes: hex(FRAME) }, { bigEndian, nanoseconds })]);
    assert.equal([...written], [...hex(file)]);
  }
});

const two = (): Uint8Array => pcapOf(['one', 'another one', 'x'.repeat(300)].map((text, index) =>
  ethernet(ipv4({ from: '192.168.1.10', to: '203.0.113.10', id: index }, udp(5060, 5061, bytesOf(text))))));

container('is the same wherever it is cut in two, and byte by byte', () => {
  const file = two();
  const plain = (read: ReturnType<typeof readAll>): unknown => [read.datagrams.map(({ who, text, packet }) =>
    [who, text, packet.number, packet.offset, packet.seconds, packet.nanoseconds, packet.id]), read.problems, read.counts];
  const whole = plain(readAll(file));
  assert.is(readAll(file).datagrams.length, 3);
  for (let cut = 1; cut < file.length; cut++) assert.equal(plain(readAll(file, { sizes: [cut, file.length] })), whole, `cut at ${cut}`);
  for (const sizes of [[1], [2], [3], [7], [1, 30, 2]]) assert.equal(plain(readAll(file, { sizes })), whole, sizes.join());
});

container('that breaks off is read up to there, wherever that is, and says so', () => {
  const file = two();
  const ends = [24, 24 + 16 + 45, 24 + 2 * 16 + 45 + 53, file.length];
  for (let cut = 0; cut < file.length; cut++) {
    for (const sizes of [[], [5]]) {
      const read = readAll(file.slice(0, cut), { sizes });
      assert.is(read.datagrams.length, ends.filter((end) => end <= cut).length - (cut >= 24 ? 1 : 0), `cut at ${cut}`);
      assert.equal(codes(read), cut === 0 ? ['empty'] : cut < 24 ? ['format'] : ends.includes(cut) ? [] : ['cut-short'], `cut at ${cut}`);
    }
  }
  assert.match(readAll(file.slice(0, 100)).problems[0]?.message ?? '',
    'The capture breaks off at byte 100, in the middle of what comes after packet 1,');
});

container('that is none says what it is and what is read', () => {
  const sentence = (bytes: Uint8Array): string => readAll(bytes).problems.map(({ message }) => message).join('\n');
  assert.match(sentence(bytesOf('INVITE sip:alice@example.org SIP/2.0\r\n')),
    /begins with the bytes 494e5649; pcap begins with a1b2c3d4 or a1b23c4d/);
  assert.match(sentence(hex('1f8b0800 00000000 0003')), 'it is compressed with gzip: unpack it (gunzip)');
  assert.match(sentence(hex('28b52ffd 00000000')), 'zstd');
  assert.match(sentence(hex('34cdb2a1 02000400')), 'it is "modified" pcap: convert it with editcap');
  assert.match(sentence(hex('d4c3b2a1 0300 0400 00000000 00000000 00000400 01000000')), 'pcap of version 3; version 2 is the one there is');
  assert.match(sentence(new Uint8Array(0)), 'The capture is empty');
  assert.match(sentence(hex('d4c3')), 'it ends after 2 bytes');
});

container('stops at a record of an impossible size, without a byte more of memory', () => {
  const file = join([two(), hex('80e52869 40e20100 f0ffffff f0ffffff'), new Uint8Array(5000)]);
  for (const sizes of [[], [1], [4096]]) {
    const read = readAll(file, { sizes });
    assert.is(read.datagrams.length, 3);
    assert.equal(codes(read), ['frame-size']);
    assert.match(read.problems[0]?.message ?? '', `At byte ${two().length}, after packet 3, a record says to hold 4294967280 bytes;`);
  }
});

container('with a link type that is not read counts its packets and says so once', () => {
  const read = readAll(pcapOf([new Uint8Array(60), new Uint8Array(60)], { linkType: 127 }));
  assert.is(read.counts.packets, 2);
  assert.is(read.datagrams.length, 0);
  assert.equal(codes(read), ['link-type']);
  assert.match(read.problems[0]?.message ?? '',
    'At byte 20 interface 0 has the link type 127 (IEEE 802.11 with radiotap), whose packets are not read here');
});

container('has its link type below the bits for a frame check sequence, which follows the packet', () => {
  const file = join([two().slice(0, 20), hex('01000004'), two().slice(24)]);
  assert.is(readAll(file).datagrams.length, 3);
});

container('may have fractions of a second that are more than one', () => {
  const read = readAll(join([pcapHeader(), pcapRecord({ seconds: 10, nanoseconds: 2_500_000_000, bytes: hex(FRAME) })]));
  assert.equal([read.datagrams[0]?.packet.seconds, read.datagrams[0]?.packet.nanoseconds], [12, 500_000_000]);
});

container('tells what a snap length cut off each packet', () => {
  const frame = ethernet(ipv4({ from: '192.168.1.10', to: '203.0.113.10' }, udp(5060, 5061, bytesOf('x'.repeat(300)))));
  const read = readAll(pcapOf([frame, frame, frame.slice(0, 50)], { snap: 96 }));
  assert.equal(read.datagrams.map(({ text, packet }) => [text.length, packet.missing, packet.frameLength]),
    [[54, 246, 342], [54, 246, 342], [8, 292, 50]]);
  assert.is(read.counts.cut, 2);
  assert.equal(read.problems, []);
});


container('gives nothing more once its end was told', () => {
  const said: string[] = [];
  const capture = new Capture({
    datagram(packet) { said.push(`datagram ${packet.number}`); }, stream() { said.push('stream'); }, streamGap() { said.push('gap'); },
    streamEnd(_stream, _packet, how) { said.push(how); }, problem({ code }) { said.push(code); },
  });
  const file = two();
  capture.push(file.subarray(0, 100));
  capture.push(new Uint8Array(0));
  assert.is(capture.counts.packets, 1);
  capture.end();
  capture.push(file);
  capture.end();
  assert.equal(said, ['datagram 1', 'cut-short']);
});

container.run();
