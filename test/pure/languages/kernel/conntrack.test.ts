import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Flow } from '../../../../src/languages/kernel/conntrack.ts';
import { deleteArguments, kindOfFlow, parseConntrackFlow, parseProcFlow, shownFlows } from '../../../../src/languages/kernel/conntrack.ts';
import { fixture, hurt, lines, readsLongLines, refuses } from '../texts.ts';

const PROC = lines('kernel/proc-nf_conntrack.txt');
const EXTENDED = lines('kernel/conntrack-L-extended-id.txt');
const PLAIN = lines('kernel/conntrack-L.txt');

const reading = suite('kernel/conntrack: flows');

reading('reads a flow of /proc/net/nf_conntrack whole', () => {
  assert.equal(parseProcFlow(PROC[0] as string), {
    family: 'ipv4',
    protocol: 'udp',
    number: 17,
    timeout: 3597,
    tcpState: null,
    original: { src: '192.168.1.10', dst: '203.0.113.10', sport: 5060, dport: 5060, other: [], packets: 2, bytes: 728 },
    reply: { src: '203.0.113.10', dst: '203.0.113.2', sport: 5060, dport: 5060, other: [], packets: 1, bytes: 283 },
    flags: [],
    helper: null,
    mark: 0,
    zone: 0,
    use: 2,
    rest: [],
  });
});

reading('reads the helper where conntrack says it', () => {
  const flow = parseConntrackFlow(EXTENDED[2] as string);
  assert.is(flow.helper, 'sip');
  assert.equal(flow.flags, ['UNREPLIED']);
  assert.equal(flow.rest, ['id=2428100254']);
  assert.is(flow.zone, null);
});

/** An address, short, so that both voices can be compared. */
const short = (address: string): string =>
  address
    .split(':')
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
    .replace(/(^|:)0(:0)+(:|$)/, '::');

reading('hears the same from /proc, conntrack -L and conntrack -L -o extended', () => {
  assert.is(PROC.length, 14);
  const seen = (flow: Flow) => ({
    ...flow,
    helper: null,
    zone: flow.zone ?? 0,
    use: 0,
    rest: [],
    original: { ...flow.original, src: short(flow.original.src), dst: short(flow.original.dst) },
    reply: { ...flow.reply, src: short(flow.reply.src), dst: short(flow.reply.dst) },
  });
  PROC.forEach((line, index) => {
    const proc = seen(parseProcFlow(line));
    // A zone of one direction only: /proc prints no zone= then.
    assert.equal(seen(parseConntrackFlow(EXTENDED[index] as string)), proc, line);
    assert.equal(seen(parseConntrackFlow(PLAIN[index] as string)), proc, line);
  });
});

reading('keeps what tells ICMP, GRE and directional zones in their direction', () => {
  const flows = PROC.map(parseProcFlow);
  const icmp = flows.find((flow) => flow.protocol === 'icmpv6') as Flow;
  assert.equal(
    [icmp.original.other, icmp.reply.other],
    [
      ['type=128', 'code=0', 'id=654'],
      ['type=129', 'code=0', 'id=654'],
    ],
  );
  assert.is(icmp.original.sport, null);
  const gre = flows.find((flow) => flow.protocol === 'gre') as Flow;
  assert.equal(gre.original.other, ['srckey=0x0', 'dstkey=0x0']);
  assert.equal(gre.rest, ['timeout=30,', 'stream_timeout=180'], 'only /proc prints GRE timeouts');
  assert.equal(
    flows.flatMap((flow) => [...flow.original.other, ...flow.reply.other]).filter((word) => word.startsWith('zone')),
    ['zone-orig=6', 'zone-reply=7'],
  );
  assert.is(flows.find((flow) => flow.number === 99)?.protocol, 'unknown');
  const entry = EXTENDED.map(parseConntrackFlow).find((flow) => flow.protocol === 'icmp') as Flow;
  assert.equal(entry.rest, ['id=2703844958'], 'the id of the entry is not the id of the ICMP packet');
});

reading('reads an offloaded flow, which has neither timeout nor state', () => {
  const texts = [
    ...lines('kernel/conntrack-L-offload.txt').map(parseConntrackFlow),
    parseProcFlow(fixture('kernel/proc-nf_conntrack-offload.txt')),
  ];
  assert.is(texts.length, 3);
  for (const flow of texts) {
    assert.equal([flow.timeout, flow.tcpState, flow.flags, flow.family], [null, null, ['OFFLOAD'], 'ipv4']);
  }
});

reading('reads events, with and without their time', () => {
  const events = [...lines('kernel/conntrack-E.txt'), ...lines('kernel/conntrack-E-timestamp.txt')].map(parseConntrackFlow);
  assert.is(events.length, 66);
  assert.ok(events.every((flow) => flow.family !== null && flow.original.src !== ''));
  const short = parseConntrackFlow(
    '[1795216830.43    ]\t[DESTROY] udp      17 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 '
      + 'src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [USERSPACE] portid=7',
  );
  assert.equal([short.timeout, short.flags, short.rest], [null, ['USERSPACE'], ['portid=7']]);
});

reading('leaves counters open where the kernel does not count, and keeps words it does not know', () => {
  const flow = parseProcFlow(
    'ipv4     2 udp      17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] '
      + 'src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=4294967295 secctx=a:b delta-time=3 use=2',
  );
  assert.equal([flow.original.packets, flow.reply.bytes, flow.mark, flow.zone], [null, null, 4294967295, null]);
  assert.equal(flow.rest, ['secctx=a:b', 'delta-time=3']);
});

const HEAD = 'ipv4 2 udp 17 29';
const THERE = 'src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2';
const BACK = 'src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1';

reading('refuses what is no flow', () => {
  const bad: readonly (readonly [string, RegExp])[] = [
    ['', /not a line/],
    ['udp 17 29 src=1.2.3.4', /starts with "ipv4 2"/],
    [HEAD, /0 directions/],
    [`${HEAD} ${THERE}`, /1 directions/],
    [`${HEAD} ${THERE} ${BACK} ${BACK}`, /3 directions/],
    [`${HEAD} ${THERE} ${BACK} sport=2`, /stands twice/],
    [`${HEAD} sport=1 ${THERE} ${BACK}`, /before "src="/],
    [`${HEAD} ${THERE.replace('=1 ', '=65536 ')} ${BACK}`, /no such value/],
    [`${HEAD} ${THERE.replace('10.0.0.1', '10.0.0.256')} ${BACK}`, /no such value/],
    [`${HEAD} ${THERE.replace('10.0.0.1', 'fe80::1')} ${BACK}`, /one family/],
    [`ipv6 10 udp 17 29 ${THERE} ${BACK}`, /one family/],
    [`${HEAD} ${THERE} ${BACK} mark=0x1`, /not a number/],
    [`${HEAD} ${THERE} ${BACK} use=1 use=1`, /stands twice/],
    [`${HEAD} src=-D dst=10.0.0.2 ${BACK}`, /no such value/],
    [`${HEAD} ${THERE}\n${BACK}`, /more than one line/],
    [`ipv4 2 udp 256 29 ${THERE} ${BACK}`, /no protocol/],
  ];
  for (const [line, words] of bad) refuses(() => parseProcFlow(line), words);
  refuses(() => parseConntrackFlow('conntrack v1.4.7 (conntrack-tools): 5 flow entries have been shown.'), /not a tracked flow/);
  refuses(() => parseConntrackFlow('[NEW'), /not a tracked flow/);
});

reading('reads or refuses any damage, in linear time', () => {
  const check = (flow: Flow): void => {
    for (const tuple of [flow.original, flow.reply]) {
      assert.match(tuple.src, /^[0-9A-Fa-f:.]{2,45}$/);
      assert.match(tuple.dst, /^[0-9A-Fa-f:.]{2,45}$/);
      for (const port of [tuple.sport, tuple.dport]) assert.ok(port === null || (port >= 0 && port <= 65535));
    }
    JSON.stringify(flow);
  };
  const events = lines('kernel/conntrack-E-timestamp.txt');
  for (const seen of [hurt(PROC, parseProcFlow, check), hurt([...EXTENDED, ...PLAIN, ...events], parseConntrackFlow, check)]) {
    assert.ok(seen.read > 50 && seen.refused > 50, JSON.stringify(seen));
  }
  readsLongLines(PROC[0] as string, parseProcFlow);
  readsLongLines(events[0] as string, parseConntrackFlow);
});
reading.run();

const deletion = suite('kernel/conntrack: deletion');

deletion('names one flow by both directions and its zone', () => {
  assert.is(
    deleteArguments(parseProcFlow(PROC[0] as string)).join(' '),
    '-D -f ipv4 -p udp --orig-src 192.168.1.10 --orig-dst 203.0.113.10 --orig-port-src 5060 --orig-port-dst 5060 '
      + '--reply-src 203.0.113.10 --reply-dst 203.0.113.2 --reply-port-src 5060 --reply-port-dst 5060 --zone 0',
  );
  const six = deleteArguments(parseConntrackFlow(EXTENDED[7] as string));
  assert.equal(six.slice(0, 7), ['-D', '-f', 'ipv6', '-p', 'tcp', '--orig-src', 'fd00:1::10']);
});

deletion('tells zones apart', () => {
  const tails = PROC.map(parseProcFlow)
    .filter((flow) => flow.protocol === 'udp' && flow.original.sport === 6000)
    .map((flow) => deleteArguments(flow).slice(21).join(' '));
  assert.equal(tails, ['--zone 5', '--orig-zone 6', '--reply-zone 7']);
  // conntrack prints no zone for the default one; without --zone its neighbours in other zones would go too.
  assert.equal(deleteArguments(parseConntrackFlow(EXTENDED[0] as string)).slice(-2), ['--zone', '0']);
});

deletion('gives the same arguments to the same flow of both voices, but for how IPv6 is written', () => {
  PROC.forEach((line, index) => {
    const flow = parseProcFlow(line);
    if (flow.original.sport === null) return;
    const arguments_ = deleteArguments(parseConntrackFlow(EXTENDED[index] as string));
    assert.equal(
      deleteArguments(flow).map((word) => (word.includes(':') ? short(word) : word)),
      arguments_,
    );
  });
});

deletion('refuses a flow that addresses and ports do not tell from others', () => {
  for (const flow of PROC.map(parseProcFlow).filter((one) => one.original.sport === null)) {
    refuses(() => deleteArguments(flow), /cannot be named exactly/);
  }
  const flow = parseProcFlow(PROC[0] as string);
  refuses(() => deleteArguments({ ...flow, original: { ...flow.original, other: ['zone-orig=-F'] } }), /cannot be named exactly/);
});
deletion.run();

const bulk = suite('kernel/conntrack: many flows');

bulk('tells the kind of a flow as the reader of the whole line does, or not at all', () => {
  const offload = lines('kernel/conntrack-L-offload.txt');
  const told = [...EXTENDED, ...PLAIN, ...offload].flatMap((line) => {
    const kind = kindOfFlow(line);
    if (kind === null) return [];
    const { protocol, original, helper } = parseConntrackFlow(line);
    assert.equal(kind, { protocol, source: original.src, destination: original.dst, destinationPort: original.dport, helper }, line);
    return [kind];
  });
  assert.ok(told.length > 5);
  assert.ok(told.some(({ helper }) => helper === 'sip'));
  for (const line of [
    '',
    'udp 17 helper=sip',
    'icmp 1 29 src=1.1.1.1 dst=2.2.2.2 type=8 code=0 id=1 src=2.2.2.2 dst=1.1.1.1 type=0 code=0 id=1',
  ])
    assert.is(kindOfFlow(line), null, line);
  readsLongLines(PLAIN[0] as string, (text) => kindOfFlow(text));
});

bulk('knows how many flows conntrack says it has shown', () => {
  assert.is(shownFlows('conntrack v1.4.7 (conntrack-tools): 65536 flow entries have been shown.\n'), 65_536);
  for (const said of ['', 'conntrack v1.4.7 (conntrack-tools): 5 flow entries have been deleted.\n']) assert.is(shownFlows(said), null);
});

bulk.run();
