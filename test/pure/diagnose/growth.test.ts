/** Counters of different ages are not held against each other: what they grew by between two looks is, or their age is said. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CallFlow, Moved } from '../../../src/observe/calls/facts.ts';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import { audio, codes, flows, PHONE, present, rule, said, SERVER, signalling } from './made.ts';

const growth = suite('growth between two looks');

const moved = (more: Partial<Moved> = {}): Moved => ({ seconds: 1, rejected: null, flows: [], traffic: [], paths: null, ...more });
const tupleOf = ({ source, sourcePort, destination, destinationPort }: CallFlow) => ({ source, sourcePort, destination, destinationPort });
const openOf = ({ unknown }: DiagnosisDocument, code: string) => unknown.find((one) => one.code === code);
const evidenceOf = ({ found }: DiagnosisDocument, code: string): string[] => found.find((one) => one.code === code)?.evidence ?? [];
const DAY = 86_400;

growth('a drop rule is a cause where it drops now, whatever it has dropped since it was loaded', async () => {
  const drop = rule({ asks: [{ of: 'source', not: false, values: [SERVER] }], packets: 90_000 });
  const { family, table, chain, handle } = drop;
  const grew = (packets: number) => moved({ dropped: [{ family, table, chain, handle, packets }] });
  const running = { flows: flows([signalling()], [audio()]), drops: present([drop]) };
  const now = await said({ ...running, moved: grew(50) });
  assert.equal(codes(now), ['rule-drops-audio-in']);
  assert.is(
    evidenceOf(now, 'rule-drops-audio-in')[0],
    'nft inet fw4 forward_wan handle 7 has dropped 50 packets in the last 1 s, and 90000 before',
  );
  const before = await said({ ...running, moved: grew(0) });
  assert.equal(codes(before), []);
  assert.ok(before.ruledOut.some(({ code }) => code === 'rule-drops-audio-in'));
  // Of a file that was saved, or where the firewall was loaded anew between the looks.
  for (const once of [null, moved()]) {
    const open = openOf(await said({ ...running, moved: once }), 'rule-drops-audio-in');
    assert.match(open?.because ?? '', /has dropped 90000 packets since it was loaded, and whether that was audio is not known$/);
  }
});

growth('a limit for a port alone drops scanners as well as phones', async () => {
  const limit = (asks: { of: 'source' | 'destination port'; not: boolean; values: string[] }[]) =>
    rule({ asks, limits: true, packets: 700 });
  const port = limit([{ of: 'destination port', not: false, values: ['5060'] }]);
  const { family, table, chain, handle } = port;
  assert.match(openOf(await said({ drops: present([port]) }), 'rate-limited')?.because ?? '', /names nobody: whose packets they were/);
  const grew = moved({ dropped: [{ family, table, chain, handle, packets: 4 }] });
  assert.equal(codes(await said({ drops: present([port]), moved: grew })), ['rate-limited']);
  const named = await said({ drops: present([limit([{ of: 'source', not: false, values: [SERVER] }])]) });
  assert.match(evidenceOf(named, 'rate-limited')[0] ?? '', /has dropped 700 packets since it was loaded$/);
});

growth('a table that was full once, some time, is told from one that is full now or often', async () => {
  const table = (dropped: number) => ({
    table: present({ count: 9, most: 16_384, dropped, early: 0, expectations: 1024 }),
    uptime: present(40 * DAY),
  });
  const once = openOf(await said(table(3)), 'table-full');
  assert.is(
    once?.because,
    '9 of 16384 places are taken now; 3 packets found none, and 0 flows had to go for others, since the start 40 days ago: when is not counted',
  );
  assert.match(once?.tell ?? '', /^look again after the next call that fails/);
  const now = await said({ ...table(3), moved: moved({ table: { dropped: 2, early: 0 } }) });
  assert.equal(evidenceOf(now, 'table-full')[1], '2 and 0 of them in the last 1 s');
  assert.equal(codes(await said(table(40 * 24))), ['table-full']);
  // Of how old the counts are nothing is known in older documents.
  const { uptime: _, ...old } = table(3);
  assert.match(openOf(await said(old), 'table-full')?.because ?? '', /for others: when is not counted$/);
});

growth('what the processors and devices lost since the start is said with its age', async () => {
  const counts = { arrivals: present({ processed: 1_000_000_000, dropped: 900 }), uptime: present(3 * DAY) };
  const calm = await said(counts);
  assert.equal(codes(calm), []);
  const because = calm.ruledOut.find(({ code }) => code === 'router-overloaded')?.because;
  assert.is(because, 'of 1000000000 packets 900 found no room, since the start 3 days ago');
  const now = await said({ ...counts, moved: moved({ arrivals: { processed: 4000, dropped: 60 } }) });
  assert.equal(evidenceOf(now, 'router-overloaded'), [
    '/proc/net/softnet_stat: 900 of 1000000000 packets found no room, since the start 3 days ago',
    'in the last 1 s: 60 of 4000',
  ]);
  const device = { device: 'wan', packets: 100_000, errors: 30, half: false };
  const links = [{ device: 'wan', mtu: 1500, ppp: false, errors: present([device]) }];
  const bad = await said({ links, uptime: present(7200), moved: moved({ errors: [{ device: 'wan', packets: 90, errors: 0 }] }) });
  assert.equal(evidenceOf(bad, 'line-errors'), ['wan: 30 errors in 100000 packets, since the start 2 h ago, 0 of them in the last 1 s']);
  const fragments = { reasmReqds: 20, reasmOks: 0, reasmFails: 5, fragCreates: 0, fragFails: 0 };
  const lost = await said({ counters: present(fragments), uptime: present(600), moved: moved({ counters: { ...fragments, reasmReqds: 4 } }) });
  assert.equal(evidenceOf(lost, 'fragments-lost-in'), [
    '/proc/net/snmp, since the start 10 min ago: 20 fragments came, 0 packets were put together, 5 could not be',
    'in the last 1 s: 4 fragments, 0 packets, 5 failures',
  ]);
});

growth('an answer that is said again is seen while it is, for a state of days has sent more than it got for many reasons', async () => {
  const state = signalling({ out: { packets: 900, bytes: 500_000 }, in: { packets: 860, bytes: 400_000 } });
  const running = { flows: flows([state], [audio()]) };
  const asked = { ask: 'drops after 32 seconds' };
  const grew = (out: number, back: number, outBytes: number) =>
    moved({ seconds: 5, flows: [{ ...tupleOf(state), out, in: back, outBytes }] });
  const again = await said({ ...running, moved: grew(2, 0, 1800) }, asked);
  assert.equal(codes(again), ['answer-unacknowledged']);
  assert.match(evidenceOf(again, 'answer-unacknowledged')[0] ?? '', /in 5 s 2 more out and none in, while audio runs both ways$/);
  for (const [out, back, bytes] of [
    [0, 0, 0],
    [2, 1, 1800], // it is answered
    [2, 0, 64], // keep-alives
  ] as const) {
    const { found, ruledOut } = await said({ ...running, moved: grew(out, back, bytes) }, asked);
    assert.equal(found, []);
    assert.ok(ruledOut.some(({ code }) => code === 'answer-unacknowledged'));
  }
  assert.match(openOf(await said(running, asked), 'answer-unacknowledged')?.because ?? '', /but that is since its state began/);
});

growth('large messages are told from many that were answered', async () => {
  const counters = (fragFails: number, fragCreates: number) =>
    present({ reasmReqds: 0, reasmOks: 0, reasmFails: 0, fragCreates, fragFails });
  const asked = { ask: 'cannot call out' };
  const sent = (out: number, bytes: number, back: number) =>
    flows([signalling({ out: { packets: out, bytes }, in: { packets: back, bytes: 400 * back } })]);
  // 700 bytes each in the mean, and ten of a thousand unanswered.
  assert.equal(codes(await said({ flows: sent(1000, 700_000, 990), counters: counters(0, 400) }, asked)), []);
  assert.equal(codes(await said({ flows: sent(6, 600 + 5 * 1842, 1), counters: counters(0, 10) }, asked)), ['fragments-lost-out']);
  const links = [{ device: 'wan', mtu: 1400, ppp: false, errors: present([]) }];
  const tight = { flows: sent(6, 600 + 5 * 1450, 1), links };
  assert.equal(codes(await said({ ...tight, counters: counters(5, 0) }, asked)), ['message-too-large']);
  // A few that failed weeks ago are not these five.
  assert.equal(codes(await said({ ...tight, counters: counters(2, 10) }, asked)), ['fragments-lost-out']);
  // Where either may be, both are said, with what would tell.
  const both = await said({ ...tight, counters: counters(500, 900) }, asked);
  assert.equal(codes(both), ['fragments-lost-out', 'message-too-large']);
  assert.is(both.found[0]?.alike?.tell, 'a capture on the WAN: do the fragments leave?');
  const state = signalling({ out: { packets: 1000, bytes: 600_000 }, in: { packets: 990, bytes: 400_000 } });
  const grown = moved({ flows: [{ ...tupleOf(state), out: 3, in: 0, outBytes: 3 * 1842 }] });
  assert.equal(codes(await said({ flows: flows([state]), counters: counters(0, 10), moved: grown }, asked)), ['fragments-lost-out']);
});

growth('packets that are turned away are counted by the time between those two counts', async () => {
  const running = { flows: flows([signalling()], [audio({ in: { packets: 0, bytes: 0 } })]), rejected: { packets: 0, bytes: 0 } };
  const asked = { ask: 'no audio' };
  const rejected = (packets: number, seconds: number) => moved({ seconds: 1, rejected: { packets, bytes: packets * 200, seconds } });
  assert.ok(codes(await said({ ...running, moved: rejected(50, 1) }, asked)).includes('audio-from-elsewhere'));
  assert.not.ok(codes(await said({ ...running, moved: rejected(50, 9) }, asked)).includes('audio-from-elsewhere'));
});

const uplink = (up: number) => ({ network: 'wan', proto: 'pppoe', device: 'wan', up });
const wan = present({ device: 'wan', addresses: [{ device: 'wan', family: 'ipv4' as const, address: '203.0.113.7', prefix: 24 }] });

growth('a WAN that came up anew is a cause while phones have not registered since', async () => {
  const asked = (change: object, more: object = {}) => said(change, { ask: 'calls are not received', more: { wan, ...more } });
  const silent = signalling({ left: 50, flags: [], out: { packets: 4, bytes: 128 }, in: { packets: 0, bytes: 0 } });
  const found = await asked({ flows: flows([silent]), uplinks: [uplink(240)] });
  assert.equal(codes(found), ['wan-address-changed']);
  assert.equal(evidenceOf(found, 'wan-address-changed'), [
    'wan came up 4 min ago',
    `udp ${PHONE}:5060 -> ${SERVER}:5060, 50 s left, 4 packets out, 0 in: keep-alives alone since then`,
  ]);
  // It registered since, or long enough ago.
  const out = async (change: object): Promise<string> =>
    (await asked(change)).ruledOut.find(({ code }) => code === 'wan-address-changed')?.because ?? '';
  assert.match(await out({ uplinks: [uplink(240)] }), /^the phones that are seen have registered or called since the WAN came up, 4 min ago/);
  assert.match(await out({ flows: flows([silent]), uplinks: [uplink(5 * DAY)] }), /^the WAN has been up for 5 days/);
  // Nobody is seen, and nobody was noted: it cannot be known. A phone that was noted, and is not due yet, is known.
  const nobody = { flows: flows([]), uplinks: [uplink(240)] };
  assert.match(openOf(await asked(nobody), 'wan-address-changed')?.because ?? '', /^the WAN came up 4 min ago, and no phone is seen/);
  assert.match(openOf(await asked({ flows: flows([]) }), 'wan-address-changed')?.because ?? '', /^since when the WAN has its address is not known/);
  const at = Date.UTC(2026, 9, 1, 12);
  const noted = (minutes: number, how: 'granted' | 'renewed', seconds = 3600) => ({
    ...nobody,
    intervals: present([{ phone: `${PHONE}:5060`, far: `${SERVER}:5060`, how, seconds, times: 1, at: at - minutes * 60_000, by: 'watch' as const }]),
  });
  const known = await asked(noted(10, 'granted'));
  assert.equal(codes(known), ['wan-address-changed']);
  assert.match(evidenceOf(known, 'wan-address-changed')[1] ?? '', /^192\.168\.1\.10:5060: it is registered for 3600 s .*, and was not due since$/);
  assert.equal(codes(await asked(noted(3, 'granted'))), [], 'seen after the WAN came up');
  assert.equal(codes(await asked(noted(40, 'granted'))), [], 'it may have registered again by itself');
  assert.equal(codes(await asked(noted(40, 'renewed'))), ['wan-address-changed']);
  // A call that leaves with an address the router no longer has.
  const old = audio({ replyDestination: '203.0.113.99' });
  const call = await asked({ flows: flows([signalling()], [old]), uplinks: [uplink(240)] });
  assert.match(evidenceOf(call, 'wan-address-changed')[1] ?? '', /: answers go to 203\.0\.113\.99$/);
});

growth('SIP that leaves by two addresses is told of those that lead to the internet', async () => {
  const lan = [
    { device: 'br-lan', address: '192.168.1.1', prefix: 24, zone: 'lan' },
    { device: 'br-guest', address: '192.168.2.1', prefix: 24, zone: 'guest' },
    { device: 'wg0', address: '10.8.0.2', prefix: 24, zone: null },
  ];
  const own = ['192.168.1.1', '192.168.2.1', '10.8.0.2', '203.0.113.7', '198.51.100.20'];
  const leaves = (address: string, destination = SERVER) => signalling({ sourcePort: 5066, destination, replyDestination: address });
  const of = async (flow: CallFlow): Promise<string[]> => codes(await said({ lan, own, flows: flows([signalling(), flow]) }));
  assert.equal(await of(leaves('192.168.2.1', '192.168.2.20')), [], 'a PBX in another network inside');
  assert.equal(await of(leaves('10.8.0.2', '10.8.0.5')), [], 'a PBX behind a tunnel');
  assert.equal(await of(leaves('198.51.100.20')), ['several-ways-out']);
});

growth('an address that nobody on the internet has is no stranger, and a registration is the one of its phone', async () => {
  const six = signalling({ source: 'fd00:1::10', destination: '2001:db8::10', replyDestination: 'fd00:1::10' });
  const { found, phones } = await said({ flows: flows([signalling(), six]) });
  assert.equal(found, []);
  assert.ok(phones.some((line) => line.includes('fd00:1::10')));
  const hole = { source: SERVER, destination: PHONE, destinationPort: 5060, protocol: 17, class: 'signalling', permanent: true, timeout: 99 };
  const other = signalling({ source: '192.168.1.11', sourcePort: 5062 });
  const both = await said({ flows: flows([signalling(), other]) }, { more: { expectations: present([hole]) } });
  assert.equal(
    both.phones.map((line) => line.includes('a registration there ends in 99 s')),
    [true, false],
  );
  assert.match((await said({ flows: flows([signalling({ out: { packets: 1, bytes: 400 } })]) })).phones[0] ?? '', /, 1 packet out, 20 in/);
});

growth.run();
