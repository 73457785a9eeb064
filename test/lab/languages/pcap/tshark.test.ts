import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { enhancedPacket, interfaceDescription, join, pcapHeader, pcapRecord, sectionHeader,
  simplePacket } from '../../../../src/languages/pcap/encode.ts';
import { DIRECTION } from '../../../../src/languages/pcap/packet.ts';
import { hold, type Member, type Process } from '../../member.ts';
import {
  FLAG, bytesOf, cooked, cooked2, ethernet, fragmentHeader, fragments4, fragments6, ipv4, ipv6, pppoe, tcp, udp,
} from '../../../pure/languages/pcap/frames.ts';
import { given, pcapOf, readAll, type Read } from '../../../pure/languages/pcap/reading.ts';

/** One line for each datagram, of tshark's making and of ours: number, time, addresses, ports, identification, payload in hex. */
const FIELDS = ['frame.number', 'frame.time_epoch', 'ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'udp.srcport', 'udp.dstport', 'ip.ttl',
  'ip.id', 'udp.payload'];

function tshark(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('tshark', ['-n', ...args], { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 60_000 });
  if (error !== undefined) throw error;
  // 2: the file breaks off, which tshark says and reads up to there all the same.
  assert.ok(status === 0 || status === 2, stderr);
  return stdout;
}

function datagramsOfTshark(file: string): string[] {
  const rows = tshark(['-r', file, '-Y', 'udp and not icmp and not icmpv6', '-T', 'fields', ...FIELDS.flatMap((field) => ['-e', field])]);
  return rows.split('\n').filter((row) => row !== '').map((row) => {
    const [number, time, from4, to4, from6, to6, source, destination, ttl, id, payload] = row.split('\t');
    return [number, time, from4 || from6, source, to4 || to6, destination, ttl, id === '' ? '' : Number(id), payload].join(' ');
  });
}

function datagramsOfOurs({ datagrams }: Read): string[] {
  return datagrams.map(({ who, text, packet }) => {
    const [from = '', to = ''] = who.split(' > ').map((each) => each.replace(/:(\d+)$/, ' $1'));
    const time = packet.timed ? `${packet.seconds}.${String(packet.nanoseconds).padStart(9, '0')}` : '';
    const hex = Array.from(text, (letter) => letter.charCodeAt(0).toString(16).padStart(2, '0')).join('');
    return [packet.number, time, from, to, packet.family === 4 ? packet.ttl : '', packet.family === 4 ? packet.id : '', hex].join(' ');
  });
}

/** Compares line by line; of what differs the beginning is enough. */
function alike(theirs: readonly string[], ours: readonly string[]): void {
  const differ = Array.from({ length: Math.max(theirs.length, ours.length) }, (_, index) =>
    [theirs[index], ours[index]]).filter(([a, b]) => a !== b);
  assert.equal(differ.slice(0, 5).map(([a, b]) => `tshark ${a?.slice(0, 120)}, ours ${b?.slice(0, 120)}`), []);
}

/** Both directions of the TCP connection that tshark numbers first, as texts. */
function streamOfTshark(file: string): [string, string] {
  const lines = tshark(['-r', file, '-q', '-z', 'follow,tcp,raw,0']).split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line));
  const text = (part: string[]): string => part.map((line) => Buffer.from(line.trim(), 'hex').toString('latin1')).join('');
  return [text(lines.filter((line) => !line.startsWith('\t'))), text(lines.filter((line) => line.startsWith('\t')))];
}

const FOUR = { from: '192.168.1.10', to: '203.0.113.10' };
const SIX = { from: '2001:db8::10', to: '2001:db8::1' };
const LONG = bytesOf('INVITE sip:alice@example.org SIP/2.0\r\n'.repeat(90));
const four = (text: string, id = 1): Uint8Array => ipv4({ ...FOUR, id }, udp(40_000, 40_001, bytesOf(text)));
const six = (text: string): Uint8Array => ipv6(SIX, udp(40_000, 40_001, bytesOf(text)));
const inFamily = (family: number, packet: Uint8Array): Uint8Array => join([Uint8Array.of(family, 0, 0, 0), packet]);

/** Files of our own making, whatever no program here captures. */
const MADE: readonly [what: string, file: Uint8Array][] = [
  ['Ethernet with VLAN, QinQ and PPPoE', pcapOf([ethernet(four('plain')), ethernet(six('six')), ethernet(four('vlan'), [[0x8100, 7]]),
    ethernet(six('qinq'), [[0x88a8, 100], [0x8100, 7]]), ethernet(pppoe(four('pppoe'), 3), [], 0x8864),
      ethernet(pppoe(six('pppoe6'), 3), [[0x8100, 7]], 0x8864)])],
  ['Linux cooked', pcapOf([cooked(four('v1'), 4), cooked(six('v1 six'))], { linkType: 113 })],
  ['Linux cooked v2', pcapOf([cooked2(four('v2'), 4, 3), cooked2(six('v2 six'))], { linkType: 276 })],
  ['raw IP', pcapOf([four('raw'), six('raw six')], { linkType: 101 })],
  ['null', pcapOf([inFamily(2, four('null')), inFamily(30, six('null six'))], { linkType: 0 })],
  ['extension headers', pcapOf([[[0, new Uint8Array(8)]], [[43, new Uint8Array(8)], [60, new Uint8Array(16).fill(1, 1, 2)]],
    [fragmentHeader(3, 0, false)]]
    .map((chain, index) => ethernet(ipv6(SIX, udp(40_000, 40_001, bytesOf(`chain ${index}`)), chain as never))))],
  ['fragments in disorder', pcapOf([...fragments4({ ...FOUR, id: 7 }, udp(40_000, 40_001, LONG), 1500).reverse(),
    ...fragments6(SIX, udp(40_000, 40_001, LONG), 1280, 8).sort((a, b) => a.length - b.length)].map((part) => ethernet(part)))],
  ['pcapng of two sections, big endian too, with times of every sort', join([sectionHeader(),
    interfaceDescription(1, [[9, Uint8Array.of(9)]]), interfaceDescription(101), interfaceDescription(1, [[9, Uint8Array.of(3)]]),
    enhancedPacket(0, 0x187c0000, 5, { bytes: ethernet(four('nano')) }), enhancedPacket(1, 0x000644a0, 5, { bytes: four('micro') }),
    enhancedPacket(2, 0x19a, 5, { bytes: ethernet(four('milli')) }), sectionHeader(true),
      interfaceDescription(113, [], { bigEndian: true }),
    enhancedPacket(0, 0x000644a0, 7, { bytes: cooked(four('big')) }, [], true)])],
  ['big endian, nanoseconds', join([pcapHeader({ bigEndian: true, nanoseconds: true }),
    pcapRecord({ seconds: 1_764_288_000, nanoseconds: 987_654_321, bytes: ethernet(four('big')) },
      { bigEndian: true, nanoseconds: true })])],
  ['a cut tail', pcapOf([ethernet(four('whole')), ethernet(four('cut'))]).slice(0, -3)],
];

const made = suite<{ folder: string }>('a capture of our making');

made.before((context) => { context.folder = mkdtempSync(path(tmpdir(), 'sipalg-pcap-')); });
made.after(({ folder }) => { rmSync(folder, { recursive: true, force: true }); });

for (const [what, bytes] of MADE) {
  made(`holds the same datagrams for tshark: ${what}`, ({ folder }) => {
    const file = path(folder, 'made');
    writeFileSync(file, bytes);
    const ours = datagramsOfOurs(readAll(bytes));
    assert.ok(ours.length > 0);
    alike(datagramsOfTshark(file), ours);
  });
}

made('holds the same simple packets for tshark, times apart: it has none for them', ({ folder }) => {
  const bytes = join([sectionHeader(), interfaceDescription(), simplePacket({ bytes: ethernet(four('simple')) }),
    simplePacket({ bytes: ethernet(six('x')) })]);
  const file = path(folder, 'simple');
  writeFileSync(file, bytes);
  const timeless = (line: string): string => line.split(' ').filter((_, index) => index !== 1).join(' ');
  const ours = datagramsOfOurs(readAll(bytes)).map(timeless);
  assert.is(ours.length, 2);
  alike(datagramsOfTshark(file).map(timeless), ours);
});

made('holds the same stream for tshark, out of order, doubled and overlapping', ({ folder }) => {
  const segment = (at: number, text: string, flags: number = FLAG.ack): Uint8Array =>
    ethernet(ipv4(FOUR, tcp(40_000, 40_001, { sequence: 0xfffffffa + at, flags }, bytesOf(text))));
  const bytes = pcapOf([segment(-1, '', FLAG.syn), segment(0, 'abcd'), segment(6, 'ghij'), segment(4, 'ef'), segment(4, 'ef'),
    segment(8, 'ijklmnop'), segment(14, 'opq')]);
  const file = path(folder, 'stream');
  writeFileSync(file, bytes);
  assert.is(given(readAll(bytes)), 'abcdefghijklmnopq');
  assert.is(streamOfTshark(file)[0], 'abcdefghijklmnopq');
});

made.run();

/**
 * Sends in the namespace: datagrams over loopback, fragments of both versions, and 300 kB by TCP, which loopback carries in
 * segments of up to 64 kB.
 */
const TRAFFIC = `
const dgram = require('dgram'), net = require('net'), { once } = require('events');
(async () => {
  const taker = dgram.createSocket('udp6'); taker.bind(40001, '::');
  await once(taker, 'listening');
  const send = async (type, from, to, text) => {
    const socket = dgram.createSocket(type);
    socket.bind(0, from); await once(socket, 'listening');
    await new Promise((done, failed) => socket.send(text, 40001, to, (error) => error ? failed(error) : done()));
    socket.close();
  };
  const long = 'OPTIONS sip:alice@example.org SIP/2.0\\r\\n'.repeat(120);
  for (let turn = 0; turn < 20; turn++) await send('udp4', '127.0.0.1', '127.0.0.1', 'loop ' + turn);
  await send('udp6', '::1', '::1', 'six');
  await send('udp6', '::1', '::1', long);
  for (const text of ['short', long]) await send('udp4', '10.1.0.1', '10.1.0.2', text);
  await send('udp6', 'fd00:1::1', 'fd00:1::2', long);
  const server = net.createServer((socket) => socket.on('data', (data) => socket.write(data)).on('end', () => socket.end()));
  server.listen(40002, '127.0.0.1'); await once(server, 'listening');
  const client = net.connect(40002, '127.0.0.1'); await once(client, 'connect');
  let back = 0; client.on('data', (data) => { back += data.length; if (back === ${300_000}) client.end(); });
  client.write('0123456789'.repeat(30000)); await once(client, 'close');
  server.close(); taker.close();
})();`;

const NETWORK = `set -e
ip link add near type veth peer name far
ip link set near up; ip link set far up
ip addr add 10.1.0.1/24 dev near; ip -6 addr add fd00:1::1/64 dev near nodad
ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:99 dev near
ip -6 neigh add fd00:1::2 lladdr 02:00:00:00:00:99 dev near
`;

/** Sends frames, one a line in hex, on the device `near` as they are: not every kernel has VLAN devices, nor PPPoE without a server. */
const SENDER = `use Socket; open my $f, '<', '/sys/class/net/near/ifindex' or die; chomp(my $index = <$f>);
socket(my $s, 17, SOCK_RAW, 0x0300) or die "socket: $!";
while (<STDIN>) { chomp; send($s, pack('H*', $_), 0, pack('SnlSCCa8', 17, 3, $index, 0, 0, 6, "\\2\\0\\0\\0\\0\\2")) or die "send: $!" }`;

const TAGGED = [ethernet(four('vlan'), [[0x8100, 7]]), ethernet(six('qinq'), [[0x88a8, 100], [0x8100, 9]]),
  ethernet(pppoe(four('pppoe'), 3), [], 0x8864),
  ethernet(pppoe(six('all'), 3), [[0x88a8, 101], [0x8100, 8]], 0x8864)];

/** How the traffic is captured: what it is called, and the program with the file it writes. */
const CAPTURES: readonly [what: string, argv: readonly string[], minimum: number][] = [
  ['tcpdump -i any (cooked v2)', ['tcpdump', '-i', 'any', '-B', '8192', '-U', '-Z', 'root', '-w', '/tmp/0'], 23],
  ['dumpcap -i any (cooked v1, pcapng, nanoseconds)', ['dumpcap', '-q', '-i', 'any', '-B', '8', '-w', '/tmp/1'], 23],
  ['tcpdump of nanoseconds', ['tcpdump', '-i', 'lo', '-B', '8192', '-U', '-Z', 'root', '--time-stamp-precision=nano', '-w', '/tmp/2'], 22],
  ['tcpdump of tags and fragments', ['tcpdump', '-i', 'far', '-B', '8192', '-U', '-Z', 'root', '-w', '/tmp/3'], 7],
  ['dumpcap of two interfaces', ['dumpcap', '-q', '-i', 'lo', '-i', 'far', '-B', '8', '-w', '/tmp/4'], 29],
  ['tcpdump with a snap length', ['tcpdump', '-i', 'lo', '-B', '8192', '-s', '70', '-U', '-Z', 'root', '-w', '/tmp/5'], 0],
];

const captured = suite('a capture of real traffic');

async function listening(process: Process): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    process.child.stderr.on('data', (data: Buffer) => {
      said += data;
      if (/listening on|^File: /m.test(said)) resolve();
    });
    process.ended.then(() => reject(new Error(`The capture ended: ${said.trim()}`)), reject);
  });
}

/** Captures the traffic in every way at once, in a namespace of its own. Not a hook: the error of a hook is shown to nobody. */
async function take(): Promise<{ files: Uint8Array[]; folder: string }> {
  const member: Member = await hold('pcap');
  let files: Uint8Array[];
  try {
    await member.must(['sh', '-c', NETWORK]);
    const running = CAPTURES.map(([, argv]) => member.spawn(argv));
    await Promise.all(running.map(listening));
    await member.must([process.execPath, '-e', TRAFFIC], { timeout: 30_000 });
    await member.must(['perl', '-e', SENDER], { input: TAGGED.map((frame) => Buffer.from(frame).toString('hex') + '\n').join('') });
    await new Promise((resolve) => setTimeout(resolve, 1000)); // what has arrived is still on its way to the files
    for (const each of running) each.signal('SIGINT');
    await Promise.all(running.map(({ ended }) => ended));
    files = CAPTURES.map((_, index) => readFileSync(`/proc/${member.pid}/root/tmp/${index}`));
  } finally {
    member.end();
    await member.gone;
  }
  const folder = mkdtempSync(path(tmpdir(), 'sipalg-pcap-'));
  files.forEach((bytes, index) => writeFileSync(path(folder, String(index)), bytes));
  return { files, folder };
}

let taken: ReturnType<typeof take> | undefined;
const captures = (): ReturnType<typeof take> => (taken ??= take());

captured.after(async () => { rmSync((await captures()).folder, { recursive: true, force: true }); });

/**
 * On -i any tshark takes fragments that it sees at two devices for one packet, and reads no packet that comes in with two tags:
 * af_packet names the innermost protocol then and leaves the inner tag before it. Those are looked at by themselves, below.
 */
const comparable = (what: string) => (line: string): boolean => !what.includes('-i any')
  || (line.length < 1000 && !/ (2001:db8::|192\.168\.)/.test(line));

for (const [index, [what, , minimum]] of CAPTURES.entries()) {
  if (minimum === 0) continue;
  captured(`holds the same datagrams for tshark: ${what}`, async () => {
    const { files, folder } = await captures();
    const read = readAll(files[index]!, { sizes: [65_536] });
    assert.equal(read.problems, []);
    const ours = datagramsOfOurs(read).filter(comparable(what));
    assert.ok(ours.length >= minimum, `${ours.length} datagrams`);
    alike(datagramsOfTshark(path(folder, String(index))).filter(comparable(what)), ours);
  });
}

captured('of -i any tells the directions, in version 2 the devices, and has each packet at each of them', async () => {
  const { files } = await captures();
  for (const [index, cooked] of [[0, true], [1, false]] as const) {
    const read = readAll(files[index]!).datagrams;
    const at = (text: string): [number, number][] => read.filter((each) => each.text.startsWith(text)).map(({ packet }) =>
      [packet.device, packet.direction]);
    const [lo, near, far] = cooked ? [1, 3, 2] : [0, 0, 0];
    assert.equal(at('loop 0'), [[lo, DIRECTION.toUs]]);
    for (const text of ['short', 'vlan', 'qinq', 'pppoe', 'all']) assert.equal(at(text),
      [[near, DIRECTION.outgoing], [far, DIRECTION.toOthers]], text);
    assert.equal(at('OPTIONS').slice(1), [[near, 4], [far, 3], [near, 4], [far, 3]], 'fragments of IPv4 and IPv6');
  }
});

captured('of tags tells the VLANs and sessions, and of fragments how many they were', async () => {
  const { files } = await captures();
  const seen = readAll(files[3]!).datagrams.map(({ text, packet }) => [text.slice(0, 7), packet.vlan, packet.innerVlan, packet.pppoe,
    packet.fragments]);
  assert.equal(seen, [['short', -1, -1, -1, 1], ['OPTIONS', -1, -1, -1, 4], ['OPTIONS', -1, -1, -1, 4], ['vlan', 7, -1, -1, 1],
    ['qinq', 100, 9, -1, 1],
    ['pppoe', -1, -1, 3, 1], ['all', 101, 8, 3, 1]]);
});

captured('holds the streams that were sent, and tshark has the same', async () => {
  const { files, folder } = await captures();
  const text = '0123456789'.repeat(30_000);
  const read = readAll(files[2]!, { sizes: [9999] });
  assert.is(read.streams.filter((line) => line.includes('gap')).length, 0);
  assert.ok(given(read, 1) === text && given(read, 2) === text, 'both directions, byte for byte');
  assert.equal(read.streams.filter((line) => line.includes(' end ')).sort(), ['1 end closed', '2 end closed']);
  const [there, back] = streamOfTshark(path(folder, '2'));
  assert.ok(there === text && back === text, 'tshark: both directions, byte for byte');
  assert.ok(readAll(files[2]!).counts.segments < 300_000 / 1400, 'segments larger than the wire\'s');
});

captured('with a snap length has its packets marked, and the rest of each missing', async () => {
  const { files } = await captures();
  const read = readAll(files[5]!);
  const six = read.datagrams.filter(({ packet }) => packet.missing > 0);
  assert.ok(six.length > 0 && six.every(({ text, packet }) => text.length + packet.missing === 120 * 39), 'the long one is cut');
  assert.ok(read.streams.some((line) => line.includes('gap')), 'and so are the segments');
  assert.ok(read.counts.cut > 5);
});

captured('that breaks off anywhere is read up to there, like tshark does', async () => {
  const { files, folder } = await captures();
  for (const [index, part] of [[3, 0.8], [3, 0.95], [4, 0.7], [2, 0.9]] as const) {
    const bytes = files[index]!.subarray(0, Math.floor(files[index]!.length * part));
    const file = path(folder, 'cut');
    writeFileSync(file, bytes);
    const lines = datagramsOfOurs(readAll(bytes, { sizes: [777] }));
    assert.ok(lines.length > 1);
    alike(datagramsOfTshark(file), lines);
  }
});

captured.run();
