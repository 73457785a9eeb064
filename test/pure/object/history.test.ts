/** What a page draws of the last day: how counters become spans, what bounds them, and whose phones are seen. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { countsOf, EMPTY, MOST_SPANS, phonesOf, withLook } from '../../../src/object/history.ts';
import type { Counts, History } from '../../../src/object/history.ts';
import type { CallFlow } from '../../../src/observe/calls/facts.ts';
import { reportOf } from '../daemon/hand.ts';

const MINUTE = 60_000;
const NONE: Counts = { register: 0, invite: 0, options: 0, other: 0, tcp: 0, media: 0, signalling: 0 };
const counts = (some: Partial<Counts>): Counts => ({ ...NONE, ...some });

/** Looks in order: milliseconds, and what was counted by then. */
const after = (...looks: [at: number, some: Partial<Counts> | null][]): History =>
  looks.reduce((history, [at, some]) => withLook(history, at, some === null ? null : counts(some)), EMPTY);

const history = suite('the history');

history('counts what came between two looks, and nothing of what was before the first', () => {
  assert.equal(after([0, { invite: 500 }]).spans, []);
  assert.equal(after([0, { invite: 500 }], [MINUTE, { invite: 507, media: 3 }]).spans, [
    { from: 0, to: MINUTE, ...counts({ invite: 7, media: 3 }) },
  ]);
});

history('makes a span longer for a quarter of an hour, and then begins another', () => {
  const { spans } = after([0, {}], [5 * MINUTE, { invite: 1 }], [15 * MINUTE, { invite: 3 }], [16 * MINUTE, { invite: 4 }]);
  assert.equal(
    spans.map(({ from, to, invite }) => [from / MINUTE, to / MINUTE, invite]),
    [
      [0, 15, 3],
      [15, 16, 1],
    ],
  );
});

history('takes counters that are smaller than before as counted from 0: the rules were loaded anew', () => {
  const { spans } = after([0, { invite: 90, media: 10 }], [20 * MINUTE, { invite: 4, media: 12 }]);
  assert.equal(spans, [{ from: 0, to: 20 * MINUTE, ...counts({ invite: 4, media: 2 }) }]);
});

history('leaves out a look that could not read them, and counts over it', () => {
  const { spans } = after([0, { invite: 1 }], [20 * MINUTE, null], [40 * MINUTE, { invite: 6 }]);
  assert.equal(
    spans.map(({ from, to, invite }) => [from / MINUTE, to / MINUTE, invite]),
    [[0, 40, 5]],
  );
});

history('begins anew where the clock was set back, or nobody has looked for more than a day', () => {
  for (const at of [-1, 25 * 60 * MINUTE]) {
    const { spans, last } = after([0, {}], [MINUTE, { invite: 1 }], [at, { invite: 9 }]);
    assert.equal([spans, last?.at], [[], at]);
  }
});

history('is never longer than a day and never more than so many spans, however often one looks', () => {
  let all: History = EMPTY;
  for (let at = 0, invite = 0; at <= 30 * 60 * MINUTE; at += 5000) all = withLook(all, at, counts({ invite: invite++ }));
  const [first] = all.spans;
  assert.ok(all.spans.length <= MOST_SPANS, String(all.spans.length));
  assert.ok((first?.to ?? 0) > 6 * 60 * MINUTE);
  // Looked at every 20 minutes there are 72; with 4 minutes between two looks each span holds three.
  let rare: History = EMPTY;
  for (let at = 0; at <= 30 * 60 * MINUTE; at += 20 * MINUTE) rare = withLook(rare, at, NONE);
  assert.is(rare.spans.length, 72);
  assert.ok(JSON.stringify(all).length < 16_000);
});

history('reads counters of every family, and none where one of them could not be read', async () => {
  const { facts } = await reportOf('voice-in-force');
  assert.equal(countsOf(facts), { register: 30, invite: 0, options: 0, other: 0, tcp: 0, media: 0, signalling: 6 });
  const { facts: fw3 } = await reportOf('voice-fw3');
  assert.is.not(countsOf(fw3), null);
  if (fw3.policy.state !== 'present') return assert.unreachable();
  const failed = { state: 'failed', source: 'ip6tables-save', because: 'it was killed' } as const;
  const half = { ...fw3.policy, value: { ...fw3.policy.value, inForce: { ...fw3.policy.value.inForce, ipv6: failed } } };
  assert.is(countsOf({ policy: half }), null);
  assert.is(countsOf({ policy: { state: 'absent', source: 'x' } }), null);
});

const flow = (some: Partial<CallFlow>): CallFlow => ({
  protocol: 'udp',
  source: '192.168.1.20',
  sourcePort: 5060,
  destination: '203.0.113.10',
  destinationPort: 5060,
  replySource: '203.0.113.10',
  replyDestination: '198.51.100.7',
  replyPort: 5060,
  left: 95,
  out: null,
  in: null,
  flags: ['ASSURED'],
  ...some,
});

const phones = suite('the phones');

phones('have what is left of their state, what a packet gives it, and the registration that a watch has seen', async () => {
  const { facts } = await reportOf('stock-alg-on');
  const timeouts = {
    udp: { state: 'present', value: 60, source: 'x' },
    udpStream: { state: 'present', value: 180, source: 'x' },
  } as const;
  const seen = [{ phone: '192.168.1.20:5060', far: '203.0.113.10:5060', expires: 3600, every: 300 }];
  const flows = [
    flow({}),
    flow({ source: '192.168.1.21', left: 20, flags: ['UNREPLIED'] }),
    flow({ source: '192.168.1.22', protocol: 'tcp', left: 7000 }),
    // An ALG keeps it, so what the table gives is not what counts.
    flow({ source: '192.168.1.23', left: 1300 }),
    flow({ source: 'fd00::5', destination: '2001:db8::1', replyDestination: 'fd00::5', left: null, flags: ['OFFLOAD'] }),
    // A scanner, and the router itself.
    flow({ source: '192.0.2.66', replyDestination: '192.0.2.66' }),
  ];
  assert.equal(phonesOf({ policy: facts.policy, timeouts: { ...facts.timeouts, ...timeouts } }, flows, seen), [
    { phone: '192.168.1.20:5060', far: '203.0.113.10:5060', protocol: 'udp', left: 95, life: 180, every: 300 },
    { phone: '192.168.1.21:5060', far: '203.0.113.10:5060', protocol: 'udp', left: 20, life: 60, every: null },
    { phone: '192.168.1.22:5060', far: '203.0.113.10:5060', protocol: 'tcp', left: 7000, life: null, every: null },
    { phone: '192.168.1.23:5060', far: '203.0.113.10:5060', protocol: 'udp', left: 1300, life: null, every: null },
    { phone: '[fd00::5]:5060', far: '[2001:db8::1]:5060', protocol: 'udp', left: null, life: 60, every: null },
  ]);
});

phones('are measured by the timeouts of the voice rules where those are in force, and are not more than are drawn', async () => {
  const { facts } = await reportOf('voice-in-force');
  const [first] = phonesOf(facts, [flow({ left: 500 })], []);
  assert.equal([first?.left, first?.life], [500, 620]);
  assert.is(phonesOf(facts, Array.from({ length: 200 }, (_, at) => flow({ sourcePort: 5060 + at })), []).length, 32);
});

history.run();
phones.run();
