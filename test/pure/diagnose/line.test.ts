/** Causes of the line that no lab makes, and what must not be taken for one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CallFacts, Moved, Path } from '../../../src/observe/calls/facts.ts';
import { audio, calls, codes, failed, flows, PHONE, present, said, SERVER, signalling } from './made.ts';

const line = suite('causes of the line');

const running = flows([signalling()], [audio()]);
const { source, sourcePort, destination, destinationPort } = audio();

/** A second look after three seconds. */
const moved = (out: number, back: number, more: Partial<Moved> = {}): Partial<CallFacts> => ({
  flows: running,
  moved: {
    seconds: 3,
    rejected: null,
    flows: [{ source, sourcePort, destination, destinationPort, out, in: back }],
    traffic: [],
    paths: null,
    ...more,
  },
});
const path = (to: Path['to'], times: number[], sent = 12): Path => ({
  address: to === 'phone' ? PHONE : SERVER,
  to,
  echoes: present({ sent, times }),
});
const steady = Array.from({ length: 12 }, () => 20);
const choppy = { ask: 'choppy' };

line('packets are missing where the other direction runs at the rate of audio, and not otherwise', async () => {
  const gaps = async (out: number, back: number): Promise<string[]> => codes(await said(moved(out, back), choppy));
  assert.equal(await gaps(150, 150), []);
  assert.equal(await gaps(150, 147), []); // 2 of 100: on their way
  assert.equal(await gaps(150, 140), ['audio-gaps-in']);
  assert.equal(await gaps(140, 150), ['audio-gaps-out']);
  assert.equal(await gaps(300, 270), ['audio-gaps-in']); // packets of 10 ms
  assert.equal(await gaps(150, 70), []); // silence suppression
  assert.equal(await gaps(130, 120), []); // neither runs at a rate of audio
  assert.equal(await gaps(50, 45), []); // too few
  // Where one end sends less and nobody knows why, nothing is ruled out.
  for (const [sent, came] of [
    [150, 70],
    [130, 120],
    [150, 100], // 20 ms a packet one way, and 30 ms the other
    [100, 75],
  ] as const) {
    assert.equal(await gaps(sent, came), []);
    const { unknown } = await said(moved(sent, came), choppy);
    assert.ok(unknown.some(({ code, because }) => code === 'audio-gaps-in' && /may be silence/.test(because)));
  }
  const { ruledOut } = await said(moved(130, 129), choppy);
  assert.ok(ruledOut.some(({ code }) => code === 'audio-gaps-in'));
});

line('late packets are the line, the network inside, or an upload of this router', async () => {
  const jumping = [20, 90, 25, 110, 30, 100, 22, 95, 21, 99, 20, 104];
  const asked = (paths: Path[], traffic: Moved['traffic'] = [], more: Partial<CallFacts> = {}, grew: Partial<Moved> = {}) =>
    said({ ...moved(150, 150, { paths, traffic, ...grew }), ...more }, choppy);
  const busy = [{ device: 'wan', in: 10_000, out: 900_000 }];
  const fine = [path('provider', steady), path('phone', steady)];
  assert.equal(codes(await asked(fine)), []);
  assert.equal(codes(await asked([path('provider', jumping), path('phone', steady)])), ['line-late']);
  assert.equal(codes(await asked([path('provider', steady), path('phone', jumping)])), ['inside-late']);
  assert.equal(codes(await asked([path('provider', steady.slice(0, 9))])), ['line-late']); // three of twelve are lost
  // Ordinary traffic, and a provider that is far away: which of the two it is, nobody can see.
  for (const times of [jumping, Array.from({ length: 12 }, () => 230)]) {
    const loaded = await asked([path('provider', times)], busy);
    assert.equal(codes(loaded), []);
    for (const code of ['no-queue', 'line-late']) {
      const one = loaded.unknown.find((open) => open.code === code);
      assert.match(one?.because ?? code, /^packets come late while the line carries other traffic, .* wan meanwhile: 300 kB a second out/);
      assert.match(one?.tell ?? '', /^stop uploads and downloads, and ask again/);
    }
  }
  // A delay that grows with the load is a queue's that is missing; one that does not is the line's.
  const part = (out: number) => ({ seconds: 1, traffic: [{ device: 'wan', in: 1000, out }] });
  const byLoad = (times: number[], loads: number[]) =>
    asked(
      [{ address: SERVER, to: 'provider', echoes: present({ sent: 12, times, numbers: times.map((_, at) => at) }) }],
      busy,
      {},
      { parts: loads.map(part) },
    );
  const late = [30, 32, 31, 29, 30, 280, 290, 300, 310, 305, 300, 290];
  const grew = await byLoad(late, [5000, 400_000, 450_000]);
  assert.equal(codes(grew), ['no-queue']);
  assert.ok(grew.found[0]?.evidence.includes('pings took 30 ms at 5 kB a second, and 300 ms at 450 kB a second'));
  assert.ok(grew.ruledOut.some(({ code }) => code === 'line-late'));
  const far = Array.from({ length: 12 }, () => 230);
  const same = await byLoad(far, [5000, 400_000, 450_000]);
  assert.equal(codes(same), ['line-late']);
  assert.ok(same.ruledOut.some(({ code, because }) => code === 'no-queue' && because.includes('whatever else the line carries')));
  assert.equal(codes(await byLoad(late, [300_000, 400_000, 450_000])), []);
  // What waits in the router's own queue, as long as the look takes.
  const queue = (backlog: number) => ({ device: 'wan', kind: 'tbf', packets: 300, drops: 50, backlog, order: null, tins: [] });
  const waits = (before: number, after: number) =>
    asked([path('provider', far)], busy, { queues: present([queue(before)]) }, { queues: [queue(after)] });
  assert.equal(codes(await waits(90_000, 95_000)), ['no-queue']);
  assert.equal(codes(await waits(0, 95_000)), []);
  assert.equal(codes(await waits(3000, 3000)), []);
  const shaper = { kind: 'sqm', device: 'wan', how: 'layer_cake.qos', section: 'sqm.wan', options: '' } as const;
  assert.equal(codes(await asked([path('provider', jumping)], busy, { shapers: [shaper] })), ['line-late']);
  // Far away, and always as far.
  assert.equal(codes(await asked([path('provider', steady.map((time) => time + 160))])), []);
  // Who answers no pings proves nothing.
  const { found, unknown } = await asked([path('provider', [])]);
  assert.equal(found, []);
  assert.ok(unknown.some(({ code, because }) => code === 'line-late' && because === `${SERVER} answers no pings`));
  // Nor who answers a few, and those in time: a limit of theirs. Late ones are late all the same.
  const limited = await asked([path('provider', steady.slice(0, 4))]);
  assert.equal(codes(limited), []);
  assert.ok(
    limited.unknown.some(
      ({ code, because }) => code === 'line-late' && /^too few pings are answered .*: 198\.51\.100\.5: 4 of 12 pings/.test(because),
    ),
  );
  assert.equal(codes(await asked([path('provider', jumping.slice(0, 4))])), ['line-late']);
  assert.equal(codes(await asked([path('provider', steady), path('phone', steady.slice(0, 4))])), ['inside-late']);
  const noTool = { address: SERVER, to: 'provider', echoes: { state: 'absent', source: 'ping' } } as const;
  assert.ok((await asked([noTool])).unknown.some(({ code, because }) => code === 'line-late' && because === 'ping is not there'));
});

line('errors of a device and half duplex are told by the device', async () => {
  const link = (errors: number, half = false) => ({
    links: [
      {
        device: 'wan',
        mtu: 1500,
        ppp: false,
        errors: present([{ device: 'eth1', packets: 100_000, errors, half }]),
      },
    ],
  });
  assert.equal(codes(await said(link(10))), []);
  assert.equal(codes(await said(link(30))), ['line-errors']);
  const { found } = await said(link(0, true));
  assert.equal(found[0]?.evidence, ['eth1: 0 errors in 100000 packets, and it runs at half duplex']);
  const unread = { links: [{ device: 'wan', mtu: 1500, ppp: false, errors: failed }] };
  assert.ok((await said(unread)).unknown.some(({ code }) => code === 'line-errors'));
});

line('marks are seen by rules, by our own counters and by the tins of cake, by what these grow by', async () => {
  const rule = (packets: number, marks = [46]) => ({ by: 'nft inet mine one handle 2', marks, packets });
  /** @param before since the rule was loaded @param growth between the two looks */
  const counting = (before: number, growth: number, marks = [46]) => ({
    ...moved(150, 150, { marks: [rule(growth, marks)] }),
    marks: present([rule(before, marks)]),
  });
  assert.equal(codes(await said(counting(0, 0), choppy)), ['marks-missing']);
  assert.equal(codes(await said(counting(0, 150), choppy)), []);
  // The firewall was loaded anew in the middle of a call: the call has 500 packets behind it, the rule 3.
  assert.equal(codes(await said(counting(3, 150), choppy)), []);
  // A rule that is a month old has seen marks of other calls.
  assert.equal(codes(await said(counting(90_000, 0), choppy)), ['marks-missing']);
  // Looked at once, as of a file that was saved, it cannot be known.
  for (const once of [
    { flows: running, marks: present([rule(0)]) },
    { ...moved(150, 150), marks: present([rule(0)]) },
    { ...moved(20, 20, { marks: [rule(0)] }), marks: present([rule(0)]) },
  ]) {
    const { found, unknown } = await said(once, choppy);
    assert.equal(found, []);
    const because = unknown.find(({ code }) => code === 'marks-missing')?.because ?? '';
    assert.match(because, /^what counts marks was looked at once only, or anew meanwhile, and its count may be older or younger/);
  }
  // A rule for another mark tells nothing of this one.
  const { unknown } = await said(counting(0, 0, [34]), choppy);
  assert.ok(unknown.some(({ code, because }) => code === 'marks-missing' && /nothing on this router counts/.test(because)));
  const cake = (order: string, tins: number[]) => {
    const queue = { device: 'wan', kind: 'cake', packets: 9000, drops: 0, backlog: 0, order, tins };
    return { ...moved(150, 150, { queues: [queue] }), queues: present([{ ...queue, tins: tins.map((tin) => tin + 5000) }]) };
  };
  assert.equal(codes(await said(cake('diffserv3', [0, 9000, 2]), choppy)), ['marks-missing']);
  assert.equal(codes(await said(cake('diffserv4', [0, 8500, 0, 150]), choppy)), []);
  // EF has a tin below the last one there.
  assert.equal(codes(await said(cake('diffserv8', [0, 0, 8500, 0, 0, 0, 150, 2]), choppy)), []);
  assert.equal(codes(await said(cake('precedence', [8500, 0, 0, 0, 0, 150, 2, 0]), choppy)), []);
  assert.equal(codes(await said(cake('diffserv8', [0, 0, 9000, 0, 0, 0, 2, 150]), choppy)), ['marks-missing']);
  assert.ok((await said(cake('besteffort', [9000]), choppy)).unknown.some(({ code }) => code === 'marks-missing'));
  assert.ok((await said({ ...moved(150, 150), marks: failed }, choppy)).unknown.some(({ code }) => code === 'marks-missing'));
});

line('holes that helpers keep are held against how many there may be', async () => {
  const hole = { source: SERVER, destination: PHONE, destinationPort: 4000, protocol: 17, class: 'audio', permanent: false, timeout: 9 };
  const table = (expectations: number | null) => ({
    table: present({ count: 9, most: 16_384, dropped: 0, early: 0, expectations }),
  });
  const open = (many: number) => ({ more: { expectations: present(Array.from({ length: many }, () => hole)) } });
  assert.equal(codes(await said(table(100), open(94))), []);
  assert.equal(codes(await said(table(100), open(95))), ['holes-full']);
  assert.equal(codes(await said(table(null), open(95))), []);
  assert.equal(codes(await said(table(0), open(0))), [], 'its owner lets no helper open any');
  const absent = { more: { expectations: { state: 'absent', source: '/proc/net/nf_conntrack_expect' } as const } };
  assert.ok((await said(table(100), absent)).unknown.some(({ code }) => code === 'holes-full'), 'none were seen, so none are ruled out');
  const unread = { more: { expectations: failed } };
  assert.ok((await said(table(100), unread)).unknown.some(({ code }) => code === 'holes-full'));
});

line('a port that no phone can keep is met by what can help on that line', async () => {
  const away = { flows: flows([signalling({ replyPort: 1240 })]) };
  const fixOf = async (change: Partial<CallFacts>, more = {}): Promise<string> => {
    const { found } = await said({ ...away, ...change }, { more });
    assert.equal(codes({ found }), ['port-not-kept']);
    return JSON.stringify(found[0]);
  };
  const rule = { family: 'inet', table: 'fw4', chain: 'srcnat_wan', handle: 9, ports: ['1232-1247', '2256-2271'] };
  const kept = await fixOf({ portSets: present([rule]) });
  assert.match(kept, /nft inet fw4 srcnat_wan handle 9 gives no ports but 1232-1247, 2256-2271/);
  assert.match(kept, /give the phone a local SIP port out of these: 1232-1247, 2256-2271; or SIP over IPv6/);
  const uplinks = [{ network: 'wan_4', proto: 'map', device: 'map-wan_4', up: 99 }];
  const map = await fixOf({ uplinks });
  assert.match(map, /wan_4 is a line with a shared IPv4 address \(MAP-E, MAP-T, lw4o6\)/);
  assert.match(map, /Can we have a public IPv4 address of our own\? Until then: SIP over IPv6/);
  assert.match(await fixOf({}), /give the phone a local SIP port of its own/);
  const wan = present({ device: 'wan', addresses: [{ device: 'wan', family: 'ipv4' as const, address: '100.64.3.4', prefix: 24 }] });
  const { found } = await said(away, { more: { wan } });
  assert.equal(codes({ found }), ['carrier-nat', 'port-not-kept']);
  assert.match(JSON.stringify(found.find(({ code }) => code === 'port-not-kept')?.fix), /a public IPv4 address of our own/);
});

line('a port that is not kept is a cause where nobody else has it', async () => {
  const away = signalling({ replyPort: 41_007 });
  assert.equal(codes(await said({ flows: flows([away]) })), ['port-not-kept']);
  const random = await said({ flows: flows([away]), randomPorts: present(['inet fw4 srcnat handle 9']) });
  assert.equal(random.found[0]?.evidence[1], 'nft inet fw4 srcnat handle 9 gives random ports on purpose');
  assert.match(
    JSON.stringify(random.found[0]?.fix),
    /^\{"setting":"`random` or `fully-random` off, at least for SIP","of":"the router's firewall"/,
  );
  assert.equal(codes(await said({ flows: flows([away, signalling({ source: '192.168.1.11' })]) })), ['phones-share-sip-port']);
  const { own } = calls();
  const router = signalling({ source: own[1] as string });
  assert.equal(codes(await said({ flows: flows([away, router]) })), []);
});

line('rules of UPnP that lead SIP to a device are an opening, and take the calls of the others', async () => {
  const redirect = { family: 'inet', table: 'fw4', chain: 'upnp_prerouting', handle: 4, ports: [5060], to: '192.168.1.11' };
  const { found } = await said({ redirects: present([redirect]) });
  assert.equal(
    found.map(({ code, evidence }) => [code, evidence]),
    [
      ['forward-takes-calls', ['nft inet fw4 upnp_prerouting handle 4 (UPnP) leads 5060 to 192.168.1.11']],
      ['sip-open', ['nft inet fw4 upnp_prerouting handle 4 (UPnP) leads 5060 to 192.168.1.11']],
    ],
  );
  assert.equal(codes(await said({ redirects: present([{ ...redirect, to: PHONE }]) })), ['sip-open']);
  assert.ok((await said({ redirects: failed })).unknown.some(({ code }) => code === 'sip-open'));
});

line('whether audio is encrypted is told by the size of its packets, where that tells it', async () => {
  const told = async (bytes: number | null, more = {}): Promise<string> => {
    const { phones } = await said({
      flows: flows([signalling()], [audio({ out: bytes === null ? null : { packets: 500, bytes }, ...more })]),
    });
    return phones[1] ?? '';
  };
  assert.match(await told(100_000), /: audio, not encrypted, by the size of its packets \(RTP\)$/); // 200 bytes: G.711 of 20 ms
  assert.match(await told(140_020), /not encrypted/); // 280 bytes, and a few of another size
  for (const size of [204, 210, 216]) assert.match(await told(500 * size), /: audio, encrypted, by the size of its packets \(SRTP\)$/);
  for (const bytes of [30_000, 86_000, null]) assert.match(await told(bytes), /encrypted or not: the size of its packets does not tell$/);
  assert.match(await told(null, { left: null, flags: ['OFFLOAD'] }), /OFFLOAD: audio, encrypted or not/);
});

line.run();
