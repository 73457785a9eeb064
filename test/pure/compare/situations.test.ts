import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Comparison, Row } from '../../../src/compare/comparison.ts';
import { join, pcapHeader, pcapRecord } from '../../../src/languages/pcap/encode.ts';
import { FLAG, bytesOf, cooked2, ethernet, fragments4, ipv4, ipv6, tcp, udp } from '../languages/pcap/frames.ts';
import { BEGIN, PHONE, PROVIDER, WAN, anyOf, bothSides, compared, named, packetsOf, sideOf } from './captures.ts';
import type { Sent } from './captures.ts';
import { reply, request, session } from './dialogue.ts';
import { textOf } from '../../../src/words/say.ts';

const CALL = { callId: 'a84b4c76e66710' };
const alg = (text: string): string => text.split(PHONE).join(WAN);
const back = (text: string): string => text.split(WAN).join(PHONE);

/** A call from the INVITE to the reply to its BYE. */
function call(about = CALL, at = 0): Sent[] {
  return [
    { at, text: request('INVITE', { ...about, body: session() }) },
    { at: at + 0.01, text: reply('100 Trying', 'INVITE', about), toProvider: false },
    { at: at + 2, text: reply('200 OK', 'INVITE', { ...about, body: session(PROVIDER, 30_000) }), toProvider: false },
    { at: at + 2.01, text: request('ACK', about) },
    { at: at + 9, text: request('BYE', { ...about, cseq: 2 }) },
    { at: at + 9.01, text: reply('200 OK', 'BYE', { ...about, cseq: 2 }), toProvider: false },
  ];
}

const rows = ({ calls }: Comparison): Row[] => calls.flatMap((each) => each.rows);
const fates = (result: Comparison): string[] => rows(result).map(({ what, fate }) => `${what} ${fate}`);

const situations = suite('two sides of a router');

situations('are the same where nothing changes them, though address and port of the packets differ', () => {
  const result = bothSides(call().map((one) => ({ ...one, wanPort: 10_723 })));
  assert.equal([result.verdict, result.counts.pairs, result.counts.same, result.remarks], ['unchanged', 6, 6, []]);
  assert.match(textOf(result.paragraph), `Address translation turned ${PHONE}:5060 into ${WAN}:10723`);
  const [one] = result.calls;
  assert.equal([one?.inside, one?.outside, one?.far], [`${PHONE}:5060`, `${WAN}:10723`, `${PROVIDER}:5060`]);
});

situations('show what was dropped, each way', () => {
  const sent = call().map((one, index) => (index === 0 || index === 2 ? { ...one, out: null } : one));
  const result = bothSides(sent);
  assert.equal([result.verdict, result.counts.dropped, result.counts.same], ['changed', 2, 4]);
  assert.equal(fates(result).slice(0, 3), ['INVITE dropped', '100 Trying same', '200 OK dropped']);
  assert.match(textOf(result.paragraph), 'INVITE with SDP to the provider and 200 OK with SDP to the phone');
  assert.is(rows(result)[0]!.wan, null);
  assert.is(rows(result)[2]!.lan, null);
});

for (const id of [undefined, 0]) {
  situations(`tell a retransmission that passed from the one that did not${id === 0 ? ', without an identification' : ''}`, () => {
    const text = request('INVITE', { ...CALL, body: session() });
    const given = id === undefined ? {} : { id };
    const result = bothSides([
      { at: 0, text, out: null, ...given },
      { at: 0.5, text, out: alg(text), ...given },
      { at: 1.5, text, out: null, ...given },
      ...call().slice(1),
    ]);
    assert.equal(
      rows(result)
        .filter(({ what }) => what === 'INVITE')
        .map(({ fate, again }) => [fate, again]),
      [
        ['dropped', false],
        ['changed', true],
        ['dropped', true],
      ],
    );
    assert.ok(rows(result)[1]!.delay! < 0.001 || rows(result)[2]!.delay! < 0.001);
  });
}

situations('name what came twice on one wire, and what took long', () => {
  const packets = packetsOf(call().map((one, index) => (index === 4 ? { ...one, takes: 1.5 } : one)));
  const twice = packets.flatMap((one) =>
    one.outside && Math.abs(one.time - 0.0001) < 1e-6 ? [one, { ...one, time: one.time + 0.0002 }] : [one],
  );
  const result = compared([sideOf(twice, false), sideOf(twice, true)]);
  assert.equal([result.verdict, result.counts.doubled, result.counts.delayed, result.counts.pairs], ['unchanged', 1, 1, 6]);
  assert.is(rows(result)[0]!.wan!.doubled, 1);
  assert.ok(Math.abs(rows(result).find(({ what }) => what === 'BYE')!.delay! - 1.5) < 0.01);
});

situations('are put right where the clocks differ', () => {
  for (const ahead of [-3600, 75.25, 86_400]) {
    const packets = packetsOf(call().map((one) => ({ ...one, out: one.toProvider === false ? back(one.text) : alg(one.text) })));
    const result = compared([sideOf(packets, false), sideOf(packets, true, ahead)]);
    assert.is(result.counts.pairs, 6);
    assert.ok(Math.abs(result.clock! - ahead) < 0.001, String(result.clock));
    assert.equal(
      fates(result).map((one) => one.split(' ').at(-1)),
      new Array(6).fill('changed'),
    );
    assert.ok(rows(result).every(({ delay }) => Math.abs(delay! - 0.0001) < 0.0001));
    assert.equal(result.counts.delayed, 0);
    assert.match(result.remarks.map(textOf).join(' '), ahead > 0 ? 'ahead of' : 'behind');
  }
});

situations('are turned round where they were given the other way round', () => {
  const packets = packetsOf(call().map((one) => ({ ...one, out: one.toProvider === false ? back(one.text) : alg(one.text) })));
  const [right, turned] = [
    compared([sideOf(packets, false), sideOf(packets, true)]),
    compared([sideOf(packets, true), sideOf(packets, false)]),
  ];
  assert.match(turned.remarks.map(textOf).join(' '), "given the other way round: wan.pcap was taken on the phone's side");
  assert.equal(turned.calls, right.calls);
  assert.equal(turned.tallies, right.tallies);
  assert.is(turned.lan.name, 'wan.pcap');
});

situations('are turned round also for what came before anybody could tell: what was not translated', () => {
  // IPv6 goes through a router as it is: which side is the phone's shows only in a flow that is translated.
  const text = request('OPTIONS', { callId: 'six' });
  const both = [request('OPTIONS', { callId: 'six' }).replace('Max-Forwards', 'X-Forwards'), request('MESSAGE', { callId: 'lost' })];
  const six = (bytes: string, outside: boolean, at: number): Uint8Array => {
    const packet = ipv6({ from: '2001:db8:1::10', to: '2001:db8:113::10', hops: outside ? 63 : 64 }, udp(5060, 5060, bytesOf(bytes)));
    return pcapRecord({ seconds: BEGIN - 2, nanoseconds: at + (outside ? 100_000 : 0), bytes: ethernet(packet) });
  };
  const packets = packetsOf(call().map((one) => ({ ...one, out: one.toProvider === false ? back(one.text) : alg(one.text) })));
  const [lan, wan] = [false, true].map((outside) =>
    join([
      pcapHeader(),
      six(outside ? both[0]! : text, outside, 0),
      ...(outside ? [] : [six(both[1]!, false, 5_000_000)]),
      sideOf(packets, outside).subarray(24),
    ]),
  ) as [Uint8Array, Uint8Array];
  const [right, turned] = [compared([lan, wan]), compared([wan, lan])];
  assert.equal(right.counts.dropped, 1);
  assert.equal(turned.calls, right.calls);
  assert.equal(turned.tallies, right.tallies);
  assert.equal(turned.counts, right.counts);
});

situations('cannot be one file twice', () => {
  const side = sideOf(packetsOf(call()), false);
  const result = compared([side, side]);
  assert.is(result.verdict, 'trouble');
  assert.match(result.summary.text, 'very same packets');
});

situations('have something in common, or it is said', () => {
  const [one, other] = [packetsOf(call()), packetsOf(call({ callId: 'another' }, 5000))];
  const result = compared([sideOf(one, false), sideOf(other, true)]);
  assert.is(result.verdict, 'trouble');
  assert.match(result.summary.text, /no message in common.*They were not taken at the same time/);
  const same = compared([sideOf(one, false), sideOf(packetsOf(call({ callId: 'another' })), true)]);
  assert.match(same.summary.text, 'They may be of different phones');
});

situations('hold SIP, or it is said what they hold', () => {
  const rtp = join([
    pcapHeader(),
    pcapRecord({
      seconds: BEGIN,
      nanoseconds: 0,
      bytes: ethernet(ipv4({ from: PHONE, to: PROVIDER }, udp(16_384, 30_000, new Uint8Array(172).fill(0x80)))),
    }),
  ]);
  assert.match(compared([rtp, rtp]).summary.text, 'There is no SIP in lan.pcap (1 packet) and wan.pcap (1 packet)');
  assert.match(compared([sideOf(packetsOf(call()), false), rtp]).summary.text, /There is no SIP in wan.pcap.*The other capture has/);
  const zipped = Uint8Array.from([0x1f, 0x8b, 8, 0, ...new Array(60).fill(1)]);
  for (const [files, said] of [
    [[sideOf(packetsOf(call()), false), zipped], 'No packet could be read in wan.pcap: what is wrong with it stands below.'],
    [[zipped, zipped], 'No packet could be read in lan.pcap and wan.pcap: what is wrong with each stands below.'],
  ] as const)
    assert.is(compared(files).summary.text, said);
  const hello = Uint8Array.from([0x16, 3, 1, 0, 200, ...new Array(60).fill(1)]);
  const tls = join([
    pcapHeader(),
    ...[FLAG.syn, FLAG.ack].map((flags, index) =>
      pcapRecord({
        seconds: BEGIN,
        nanoseconds: index,
        bytes: ethernet(
          ipv4({ from: PHONE, to: PROVIDER }, tcp(40_000, 5061, { sequence: index, flags }, index === 0 ? undefined : hello)),
        ),
      }),
    ),
  ]);
  assert.match(compared([tls]).summary.text, /port 5061 is TLS/);
  assert.match(compared([new Uint8Array(0), new Uint8Array(0)]).lan.problems.join(), 'is empty');
});

situations('may begin in the middle of a call, and one later than the other', () => {
  const packets = packetsOf(call());
  const late = packets.filter(({ time }) => time > 1);
  const result = compared([sideOf(late, false), sideOf(late, true)]);
  assert.is(result.verdict, 'unchanged');
  assert.match(result.remarks.map(textOf).join(' '), '1 call had begun before the capture did');
  const other = compared([sideOf(packets, false), sideOf(late, true)]);
  assert.equal([other.verdict, other.counts.outside, other.counts.dropped], ['unchanged', 2, 0]);
  assert.match(other.remarks.map(textOf).join(' '), '2 messages of one capture are from a time when the other was not running');
});

situations('are found in one capture of all interfaces', () => {
  const sent = call().map((one, index) => ({
    ...one,
    out: index === 4 ? null : one.toProvider === false ? back(one.text) : alg(one.text),
  }));
  const result = compared([anyOf(packetsOf(sent))]);
  assert.equal([result.verdict, result.counts.changed, result.counts.dropped, result.counts.copies], ['changed', 5, 1, 6]);
  const two = bothSides(sent);
  assert.equal(
    rows(result).map(({ what, fate, toProvider, differences }) => [what, fate, toProvider, differences.map(named)]),
    rows(two).map(({ what, fate, toProvider, differences }) => [what, fate, toProvider, differences.map(named)]),
  );
  assert.match(compared([sideOf(packetsOf(sent), false)]).summary.text, 'none of them was seen on two sides');
});

situations('are compared over TCP, across segments, and over IPv6 without translation', () => {
  const text = request('INVITE', { ...CALL, body: session() }).replace('SIP/2.0/UDP', 'SIP/2.0/TCP');
  const side = (payload: string, from: string, cuts: readonly number[], at: number): Uint8Array => {
    const bytes = bytesOf(`\r\n\r\n${payload}${payload.replace(/INVITE/g, 'INFO')}`);
    const ends = [...cuts, bytes.length];
    const segments = ends.map((end, index) =>
      tcp(
        40_000,
        5060,
        { sequence: 1 + (index === 0 ? 0 : ends[index - 1]!), flags: FLAG.ack },
        bytes.slice(index === 0 ? 0 : ends[index - 1], end),
      ),
    );
    return join([
      pcapHeader(),
      ...[tcp(40_000, 5060, { sequence: 0, flags: FLAG.syn }), ...segments].map((segment, index) =>
        pcapRecord({
          seconds: BEGIN,
          nanoseconds: at + index * 1000,
          bytes: ethernet(ipv4({ from, to: PROVIDER, id: index + 1 }, segment)),
        }),
      ),
    ]);
  };
  const result = compared([side(text, PHONE, [60, 700], 0), side(alg(text), WAN, [200], 50_000)]);
  assert.equal(
    rows(result).map(({ what, transport, fate }) => [what, transport, fate]),
    [
      ['INVITE', 'tcp', 'changed'],
      ['INFO', 'tcp', 'changed'],
    ],
  );
  const six = (ttl: number, at: number): Uint8Array =>
    join([
      pcapHeader(),
      pcapRecord({
        seconds: BEGIN,
        nanoseconds: at,
        bytes: ethernet(ipv6({ from: '2001:db8:1::10', to: '2001:db8:113::10', hops: ttl }, udp(5060, 5060, bytesOf(text)))),
      }),
    ]);
  const routed = compared([six(64, 0), six(63, 100_000)]);
  assert.equal([routed.verdict, routed.counts.same, routed.calls[0]?.inside], ['unchanged', 1, '[2001:db8:1::10]:5060']);
  assert.ok(rows(routed)[0]!.toProvider);
});

situations('hold a message of TCP without Content-Length, which ends with its stream, where and when it was seen', () => {
  const bytes = bytesOf(request('INVITE', { ...CALL, body: session() }).replace(/Content-Length.*\r\n/, ''));
  const seen = (device: number, from: string, ttl: number): Uint8Array =>
    cooked2(ipv4({ from, to: PROVIDER, id: 1, ttl }, tcp(40_000, 5060, { sequence: 1 }, bytes)), 0, device);
  const later = cooked2(ipv4({ from: PHONE, to: PROVIDER, id: 2 }, udp(16_384, 30_000, new Uint8Array(172).fill(0x80))), 0, 2);
  const frames = [seen(2, PHONE, 64), seen(3, PHONE, 64), seen(4, WAN, 63), later];
  const any = join([
    pcapHeader({ linkType: 276 }),
    ...frames.map((frame, index) => pcapRecord({ seconds: BEGIN + (index < 3 ? 0 : 9), nanoseconds: index * 1000, bytes: frame })),
  ]);
  const result = compared([any]);
  assert.equal([result.verdict, result.counts.same, result.counts.copies, result.counts.dropped], ['unchanged', 1, 1, 0]);
  assert.equal([rows(result)[0]!.lan?.packet, rows(result)[0]!.wan?.packet], [1, 3]);
});

situations('are compared through fragments, and where the capture kept only the beginning', () => {
  const text = request('INVITE', { ...CALL, body: session(), more: [`X-Long: ${'x'.repeat(2000)}`] });
  const side = (payload: string, from: string, at: number): Uint8Array =>
    join([
      pcapHeader(),
      ...fragments4({ from, to: PROVIDER, id: 9 }, udp(5060, 5060, bytesOf(payload)), 1500)
        .reverse()
        .map((packet) => pcapRecord({ seconds: BEGIN, nanoseconds: at, bytes: ethernet(packet) })),
    ]);
  const result = compared([side(text, PHONE, 0), side(alg(text), WAN, 50_000)]);
  assert.is(result.counts.changed, 1);
  const short = (payload: string, from: string, at: number): Uint8Array => {
    const frame = ethernet(ipv4({ from, to: PROVIDER, id: 9 }, udp(5060, 5060, bytesOf(payload))));
    return join([pcapHeader(), pcapRecord({ seconds: BEGIN, nanoseconds: at, bytes: frame.slice(0, 300), length: frame.length })]);
  };
  const cut = compared([short(text, PHONE, 0), short(text, WAN, 50_000)]);
  assert.equal([cut.verdict, cut.counts.same], ['unchanged', 1]);
  assert.match(cut.remarks.map(textOf).join(' '), 'kept only the beginning of 2 packets');
});

situations('name what the phone itself and what the server did', () => {
  const me = `${WAN}:5060`;
  const result = bothSides([
    { at: 0, text: request('REGISTER', { ...CALL, me }) },
    { at: 0.1, text: reply('200 OK', 'REGISTER', { ...CALL, me }), toProvider: false },
  ]);
  assert.is(result.verdict, 'unchanged');
  const notes = result.calls[0]!.notes.map(textOf).join(' ');
  assert.match(notes, `The phone itself wrote the public address ${WAN} into Via, Contact`);
  assert.match(notes, `saw the requests come from ${WAN}`);
});

situations('do not count as lost what stays on its side', () => {
  const internal = {
    seconds: BEGIN + 1,
    nanoseconds: 0,
    bytes: ethernet(
      ipv4({ from: PHONE, to: '192.168.1.5', id: 900 }, udp(5060, 5060, bytesOf(request('OPTIONS', { callId: 'internal' })))),
    ),
  };
  const packets = packetsOf(call());
  const lan = join([sideOf(packets, false), pcapRecord(internal)]);
  const result = compared([lan, sideOf(packets, true)]);
  assert.equal([result.verdict, result.counts.local, result.counts.dropped], ['unchanged', 1, 0]);
});

situations('cost no more memory the longer they are: what waits is let go, and calls are counted', () => {
  const sent = Array.from({ length: 300 }, (_, index) => call({ callId: `call-${index}` }, index * 0.001))
    .flat()
    .map((one) => ({ ...one, out: one.toProvider === false ? back(one.text) : alg(one.text) }));
  const result = bothSides(
    sent.map((one, index) => ({ ...one, id: (index % 65_535) + 1 })),
    { pending: 60_000, limits: { calls: 10, recent: 20_000 } },
  );
  assert.is(result.counts.pairs + result.counts.dropped + result.counts.appeared >= 1800, true);
  assert.is(result.calls.length, 10);
  assert.is(result.furtherCalls, 290);
});

situations("show a change that comes late in a call from the call's beginning", () => {
  const sent = call().map((one, index) => (index === 4 ? { ...one, out: alg(one.text) } : one));
  assert.equal(fates(bothSides(sent)), ['INVITE same', '100 Trying same', '200 OK same', 'ACK same', 'BYE changed', '200 OK same']);
});

situations.run();
