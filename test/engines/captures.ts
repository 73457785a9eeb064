/** Captures of every sort, whole and damaged, read on whatever engine runs this. */
import { enhancedPacket, interfaceDescription, join, sectionHeader } from '../../src/languages/pcap/encode.ts';
import { bytesOf, cooked2, ethernet, fragments4, fragments6, ipv4, ipv6, pppoe, tcp, udp } from '../pure/languages/pcap/frames.ts';
import { pcapOf, readAll } from '../pure/languages/pcap/reading.ts';
import { seeded } from '../seeded.ts';

const FOUR = { from: '192.168.1.10', to: '203.0.113.10' };
const SIX = { from: '2001:db8::10', to: '2001:db8::1' };

/** Everything that was read, as one text. */
export function outline(): string {
  const long = bytesOf('OPTIONS sip:alice@example.org SIP/2.0\r\n'.repeat(80));
  const packets = [
    ipv4(FOUR, udp(5060, 5060, bytesOf('four'))), ipv6(SIX, udp(5060, 5060, bytesOf('six'))),
    ...fragments4({ ...FOUR, id: 3 }, udp(5060, 5060, long), 1500).reverse(), ...fragments6(SIX, udp(5060, 5060, long), 1280, 9),
    ipv4(FOUR, tcp(5060, 5060, { sequence: 0xfffffffe }, bytesOf('abcd'))),
    ipv4(FOUR, tcp(5060, 5060, { sequence: 9 }, bytesOf('xyz'))),
  ];
  const files = [
    pcapOf(packets.map((packet) => ethernet(packet, [[0x88a8, 1], [0x8100, 2]]))),
    pcapOf(packets.map((packet) => cooked2(packet, 4, 7)), { linkType: 276 }),
    join([sectionHeader(true),
      interfaceDescription(1, [[2, bytesOf('wan')], [9, Uint8Array.of(9)],
        [14, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 5)]], { bigEndian: true }),
      ...packets.map((packet, index) =>
      enhancedPacket(0, 0x187c0000, index * 1e9, { bytes: ethernet(pppoe(packet), [], 0x8864) }, [], true))]),
  ];
  const random = seeded(7);
  const hurt = Array.from({ length: 60 }, (_, index) => {
    const bytes = files[index % files.length]!.slice(0, index % 2 === 0 ? undefined : 200 + random.below(4000));
    for (let wounds = index < 6 ? 0 : 3; wounds > 0; wounds--) bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  });
  return JSON.stringify([...files, ...hurt].map((file) => {
    const { datagrams, streams, problems, counts, interfaces } = readAll(file, { sizes: [1 + random.below(300)] });
    const plain = datagrams.map(({ who, text, packet }) =>
      [who, text.length, packet.number, packet.seconds, packet.nanoseconds, packet.vlan, packet.device]);
    return [plain, streams, problems, counts, interfaces];
  }));
}
