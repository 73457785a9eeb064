/** What tells a cause from its neighbours, by facts made by hand: the cause itself is made with real flows elsewhere. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnosisCode } from '../../../src/diagnose/diagnose.ts';
import type { DropRule } from '../../../src/observe/calls/facts.ts';
import { audio, calls, codes, facts, flows, PHONE, PHONE2, present, rule, said, SERVER, signalling, WAN } from './made.ts';

const causes = suite('causes by hand');

const drop = (reason: string) => ({ time: 1, reason, source: PHONE, destination: SERVER, destinationPort: '5060' });

causes('the ALG that only watches is another cause than the one that edits', async () => {
  assert.equal(codes(await said({}, { alg: 'tracking', ask: 'no-audio' })), ['alg-watches']);
  assert.equal(codes(await said({}, { alg: 'rewriting', ask: 'no-audio' })), ['alg-rewrites']);
  const { unknown } = await said({}, { alg: 'unknown' });
  assert.ok(unknown.some(({ code }) => code === 'alg-rewrites') && unknown.some(({ code }) => code === 'alg-watches'));
});

causes('what the ALG has dropped stands in the log, by its reason', async () => {
  const more = { drops: present([drop('cannot parse SDP message')]) };
  const on = { alg: 'tracking', ask: 'cannot-call-out' } as const;
  assert.equal(codes(await said({}, { ...on, more })), ['alg-drops', 'alg-watches']);
  // As two phones with one port make it: two lines of one message (seen on 6.1 and 6.12).
  const two = [drop('all ports in use for SDP media'), drop('cannot add expectation for voice')];
  const clash = { drops: present(two) };
  assert.equal(codes(await said({}, { ...on, more: clash })), ['alg-port-clash', 'alg-watches']);
  // The same two where there are no holes left.
  const hole = { source: SERVER, destination: PHONE, destinationPort: 4000, protocol: 17, class: 'audio', permanent: false, timeout: 9 };
  const full = { ...clash, expectations: present([hole, hole]) };
  const table = present({ count: 9, most: 16_384, dropped: 0, early: 0, expectations: 2 });
  const { found, unknown } = await said({ table }, { ...on, more: full });
  assert.equal(codes({ found }), ['alg-watches', 'holes-full']);
  assert.ok(unknown.some(({ code }) => code === 'alg-port-clash'));
  // The log is kept while the ALG is gone.
  assert.equal(codes(await said({}, { more })), []);
});

causes('flow offload: what escapes its marks', async () => {
  const inOffload = audio({ left: null, flags: ['OFFLOAD'] });
  const on = { offload: present({ software: true, hardware: false }), flows: flows([signalling()], [inOffload]) };
  // As recorded on kernel 6.12: the flow has no number of seconds at all, and stays.
  assert.equal(codes(await said(on)), ['offload-skips-marks']);
  const { unknown } = await said({ ...on, flows: flows([signalling()], []) });
  assert.ok(unknown.some(({ code }) => code === 'offload-skips-marks'));
});

causes('a state that offload holds is not called short, whatever the timeouts say', async () => {
  const held = signalling({ left: null, flags: ['OFFLOAD'], out: { packets: 1, bytes: 500 }, in: { packets: 1, bytes: 400 } });
  const { found, ruledOut } = await said({ flows: flows([held]) });
  assert.not.ok(found.some(({ code }) => code === 'state-short'));
  assert.ok(ruledOut.some(({ code }) => code === 'state-short'));
});

causes('a silent state is judged by the timeout that it has', async () => {
  const age = async (left: number, flags: string[]): Promise<string[]> =>
    codes(await said({ flows: flows([signalling({ left, flags })]) }));
  assert.equal(await age(31, []), []); // 29 s of 60
  assert.equal(await age(29, []), ['state-short']);
  assert.equal(await age(100, ['ASSURED']), []); // 80 s of 180
  assert.equal(await age(80, ['ASSURED']), ['state-short']);
  assert.equal(await age(3000, ['ASSURED']), []); // an ALG keeps it
});

causes('the table of flows that is full, and processors that had no room', async () => {
  assert.equal(codes(await said({ table: present({ count: 16_380, most: 16_384, dropped: 0, early: 0, expectations: 1024 }) })), [
    'table-full',
  ]);
  assert.equal(codes(await said({ arrivals: present({ processed: 100_000, dropped: 50 }) })), ['router-overloaded']);
  assert.equal(codes(await said({ arrivals: present({ processed: 100_000_000, dropped: 50 }) })), []);
  assert.equal(codes(await said({ arrivals: present({ processed: 9000, dropped: 3 }) })), [], 'a moment at the start');
});

causes('session timers are ruled out by a time that is none of theirs', async () => {
  assert.ok((await said({}, { ask: 'drops after 32 seconds' })).ruledOut.some(({ code }) => code === 'session-refresh'));
  const { unknown, number } = await said({}, { ask: 'drops after 15 minutes' });
  assert.is(unknown[0]?.code, 'session-refresh');
  assert.match(number ?? '', /^900 s \(15 min\) is a session timer \(RFC 4028/);
  assert.match(
    (await said({}, { ask: 'drops after 100 seconds' })).number ?? '',
    /is no time that a timer of SIP or of this router is known by/,
  );
});

causes('a time that points somewhere puts those causes first', async () => {
  const { found } = await said(
    {
      flows: flows([signalling({ left: 5, flags: [] })]),
      table: present({ count: 16_384, most: 16_384, dropped: 1, early: 0, expectations: 1024 }),
    },
    {
      ask: 'drops after 60 seconds',
    },
  );
  assert.equal(
    found.map(({ code }) => code),
    ['state-short', 'table-full'],
  );
});

causes('counters that mislead are no proof', async () => {
  // Conntrack counts before the forward chain: in = out and ASSURED prove nothing, and nothing is claimed.
  const { unknown } = await said({ flows: flows([signalling()], [audio()]) }, { ask: 'one-way-audio' });
  assert.ok(unknown.some(({ code }) => code === 'audio-out-lost-upstream'));
  // Fragments that were cut are health as well, where large messages are answered.
  assert.equal(
    codes(await said({ counters: present({ reasmReqds: 20, reasmOks: 10, reasmFails: 0, fragCreates: 20, fragFails: 4 }) })),
    [],
  );
  // RTCP beside audio is unanswered where the far end sends none.
  const rtcp = audio({ sourcePort: 4001, destinationPort: 20001, out: { packets: 9, bytes: 900 }, in: { packets: 0, bytes: 0 } });
  assert.equal(codes(await said({ flows: flows([signalling()], [audio(), rtcp]) })), []);
  // What is turned away at once may be a scanner's.
  assert.equal(codes(await said({ rejected: { packets: 100_000, bytes: 20_000_000 } })), []);
});

causes('what is not counted cannot be told, and how to count is said', async () => {
  const uncounted = audio({ out: null, in: null });
  const { found, unknown } = await said(
    { counts: present(false), flows: flows([signalling({ out: null, in: null })], [uncounted]) },
    { ask: 'no-audio' },
  );
  assert.equal(found, []);
  assert.ok(unknown.some(({ tell }) => tell.includes('nf_conntrack_acct=1')));
});

causes('rules are held against the flows that they meet, by address, port and protocol', async () => {
  const running = flows([signalling()], [audio()]);
  const asks = (of: 'source' | 'destination' | 'source port' | 'destination port' | 'protocol', values: string[], not = false) => ({
    of,
    not,
    values,
  });
  const udp = asks('protocol', ['udp']);
  const { family, table, chain, handle } = rule();
  const moved = (packets: number) => ({
    ...{ seconds: 1, rejected: null, flows: [], traffic: [], paths: null },
    dropped: [
      { family, table, chain, handle, packets },
      { family: 'ip6', table, chain, handle, packets },
    ],
  });
  const meets = async (list: ReturnType<typeof asks>[], more: Partial<DropRule> = {}, packets = 50): Promise<boolean> =>
    codes(await said({ flows: running, drops: present([rule({ asks: list, ...more })]), moved: moved(packets) })).includes('rule-drops-audio-in');
  assert.ok(await meets([udp, asks('source port', ['10000-30000'])]));
  assert.ok(await meets([asks('source', [SERVER])]));
  assert.ok(await meets([asks('source', ['198.51.100.0/24'])]));
  assert.ok(await meets([asks('destination', [PHONE]), udp]));
  assert.not.ok(await meets([asks('protocol', ['tcp']), asks('source', [SERVER])]));
  assert.not.ok(await meets([asks('source', ['198.51.100.0/24'], true)]));
  assert.not.ok(await meets([asks('source port', ['5060']), udp]));
  assert.not.ok(await meets([asks('source', [SERVER])], { packets: 0 }));
  assert.not.ok(await meets([asks('source', [SERVER])], { packets: null }));
  assert.not.ok(await meets([asks('source', [SERVER])], { more: true }));
  assert.not.ok(await meets([asks('source', [SERVER])], { family: 'ip6' }));
  // What it counted before may have been anything: only what it counts while audio runs tells.
  assert.not.ok(await meets([asks('source', [SERVER])], {}, 1));
  for (const asked of [asks('source', [SERVER]), asks('source', [PHONE])]) {
    const { found, unknown } = await said({ flows: running, drops: present([rule({ asks: [asked] })]) });
    assert.equal(found, []);
    const code = asked.values.includes(SERVER) ? 'rule-drops-audio-in' : 'rule-drops-audio-out';
    assert.ok(unknown.some((one) => one.code === code && /has dropped 9 packets since it was loaded, and whether that was audio/.test(one.because)), code);
  }
});

causes('devices that only look like phones are no cause by themselves', async () => {
  const game = audio({ source: PHONE2, sourcePort: 50_000, destination: '192.0.2.9', destinationPort: 30_000 });
  const { found, unknown } = await said({ flows: flows([signalling()], [game]) });
  assert.equal(found, []);
  assert.ok(unknown.some(({ code, tell }) => code === 'state-gone-in-call' && tell.includes('while the call runs')));
  // Neither in a network for guests, while somebody asks why calls drop: it runs as steadily as audio, and has not its size.
  const guest = { ...game, source: '192.168.3.77', out: { packets: 900, bytes: 90_000 }, in: { packets: 900, bytes: 117_000 } };
  const { source, sourcePort, destination, destinationPort } = guest;
  const lan = [...calls().lan, { device: 'br-guest', address: '192.168.3.1', prefix: 24, zone: 'guest' }];
  const growth = { source, sourcePort, destination, destinationPort, out: 50, in: 50 };
  const moved = { seconds: 1, rejected: null, flows: [growth], traffic: [], paths: null };
  const dropping = { ask: 'calls drop after a while' };
  assert.equal(codes(await said({ lan, moved, flows: flows([signalling()], [guest]) }, dropping)), []);
  const talk = { ...guest, out: { packets: 900, bytes: 180_000 }, in: { packets: 900, bytes: 180_000 } };
  assert.equal(codes(await said({ lan, moved, flows: flows([signalling()], [talk]) }, dropping)), ['state-gone-in-call']);
});

causes('IPv6 and TLS are told of the phones that use them', async () => {
  const six = signalling({ source: '2001:db8:1::10', destination: '2001:db8:5::5', replyDestination: '2001:db8:1::10' });
  const tls = signalling({ protocol: 'tcp', sourcePort: 40_000, destinationPort: 5061, replyPort: 40_000 });
  const lan = [...calls().lan, { device: 'br-lan', address: '2001:db8:1::1', prefix: 64, zone: 'lan' }];
  const { phones, found } = await said({ flows: flows([six, tls]), lan });
  assert.equal(found, []);
  assert.ok(phones.some((line) => line.includes('IPv6')) && phones.some((line) => line.includes('TLS')));
});

causes('who is let in by address is no stranger, and what ends at the router is for a program on it', async () => {
  const stranger = signalling({ source: '192.0.2.66', destination: WAN, replySource: PHONE, replyDestination: '192.0.2.66' });
  const base = await facts();
  const uci = base.firewall.uci;
  const knows = (known: string[]) => ({
    more: { firewall: { ...base.firewall, uci: uci.state === 'present' ? present({ ...uci.value, known }) : uci } },
  });
  assert.equal(codes(await said({ flows: flows([signalling(), stranger]) })), ['scanned']);
  assert.equal(codes(await said({ flows: flows([signalling(), stranger]) }, knows(['192.0.2.0/24']))), []);
  assert.equal(codes(await said({ flows: flows([signalling(), stranger]) }, knows(['198.18.0.0/15']))), ['scanned']);
  const talk = audio({ source: '192.0.2.66', destination: WAN, replySource: PHONE });
  assert.equal(codes(await said({ flows: flows([signalling(), stranger], [talk]) })), []);
  // A phone of a PBX on the router: its state may end, for nothing comes to it from outside.
  const inside = signalling({ source: PHONE2, destination: '192.168.1.1', replyDestination: PHONE2, left: 5, flags: [] });
  assert.equal(codes(await said({ flows: flows([signalling(), inside]) })), []);
});

causes('a few stray fragments are nobody\'s, and phones of IPv6 need no route of IPv4', async () => {
  const came = (reasmReqds: number) => ({ counters: present({ reasmReqds, reasmOks: 0, reasmFails: 0, fragCreates: 0, fragFails: 0 }) });
  assert.equal(codes(await said(came(9))), []);
  assert.ok((await said(came(9))).unknown.some(({ code }) => code === 'fragments-lost-in'));
  assert.equal(codes(await said(came(10))), ['fragments-lost-in']);
  const six = signalling({ source: '2001:db8:1::10', destination: '2001:db8:5::5', replyDestination: '2001:db8:1::10' });
  const lan = [...calls().lan, { device: 'br-lan', address: '2001:db8:1::1', prefix: 64, zone: 'lan' }];
  assert.equal(codes(await said({ lan, routes: present([]), flows: flows([six]) })), []);
  assert.equal(codes(await said({ lan, routes: present([]), flows: flows([{ ...six, in: { packets: 0, bytes: 0 } }]) })), ['no-way-out']);
});

causes('an interval shows where the helper keeps a hole for a registration', async () => {
  const hole = {
    source: SERVER,
    destination: WAN,
    destinationPort: 5060,
    protocol: 17,
    class: 'signalling',
    permanent: true,
    timeout: 543,
  };
  const { phones } = await said({}, { more: { expectations: present([hole]) } });
  assert.match(phones[0] ?? '', /a registration there ends in 543 s/);
});

causes('exit codes say whether a cause was found, and whether that could be told', async () => {
  const whole = await facts();
  assert.is(diagnosisCode({ found: [] }, whole), 0);
  assert.is(diagnosisCode(await said({}, { alg: 'rewriting' }), whole), 1);
  const failed = { state: 'failed', source: 'conntrack -L', because: 'no' } as const;
  assert.is(diagnosisCode({ found: [] }, await facts({ calls: calls({ flows: failed }) })), 2);
});

causes.run();
