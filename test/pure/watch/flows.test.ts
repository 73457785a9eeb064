import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFlowEvent } from '../../../src/languages/kernel/conntrack-events.ts';
import { Refused } from '../../../src/languages/refused.ts';
import { PHONE, PROVIDER } from '../compare/captures.ts';
import { reply, request, session } from '../compare/dialogue.ts';
import { BEGIN, line, story } from './stories.ts';

const flows = suite('the story of flows');

/** As conntrack 1.4.7 has said it on Linux 6.18: without options, with a time and more, of a tool's doing. */
const RECORDED = [
  '    [NEW] udp      17 3600 src=192.168.1.10 dst=203.0.113.10 sport=5070 dport=5060 [UNREPLIED] src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5070 helper=sip',
  ' [UPDATE] udp      17 3600 src=192.168.1.10 dst=203.0.113.10 sport=5071 dport=5060 src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5071 [ASSURED] helper=sip',
  '[1795864955.335623]\t [UPDATE] ipv4     2 udp      17 3600 src=192.168.1.10 dst=203.0.113.10 sport=5071 dport=5060 src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5071 [ASSURED] helper=sip id=1463050708',
  '[DESTROY] udp      17 3598 src=192.168.1.10 dst=203.0.113.10 sport=5071 dport=5060 packets=2 bytes=58 src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5071 packets=1 bytes=29 [ASSURED] [USERSPACE] portid=3005309383 progname=conntrack',
  '[1795825759.96991 ]\t[DESTROY] udp      17 src=192.168.1.10 dst=203.0.113.10 sport=5070 dport=5060 packets=1 bytes=29 [UNREPLIED] src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5070 packets=0 bytes=0',
] as const;

flows('reads what conntrack -E says, and refuses what it does not', () => {
  const events = RECORDED.map(parseFlowEvent);
  assert.equal(
    events.map(({ kind, by, flow }) => [kind, by, flow.original.sport, flow.timeout, flow.original.packets]),
    [
      ['new', null, 5070, 3600, null],
      ['update', null, 5071, 3600, null],
      ['update', null, 5071, 3600, null],
      ['destroy', 'conntrack', 5071, 3598, 2],
      ['destroy', null, 5070, null, 1],
    ],
  );
  for (const text of [
    '',
    '[NEW]',
    'conntrack v1.4.7 (conntrack-tools): 5 flow events have been shown.',
    '[NEW] udp 17 src=1.2.3.4',
    line(),
  ])
    assert.throws(
      () => parseFlowEvent(text),
      (error: Error) => error instanceof Refused,
      text,
    );
});

flows('dates the end of a state by the time that was left at the last look, for a DESTROY comes late', () => {
  const one = story();
  const phone = '192.168.1.10';
  one.table(0, [line({ phone, left: 20 })]);
  one.table(3, [line({ phone, left: 17 })]);
  assert.equal(one.whats(), ['state']);
  // 11.8 s late were seen.
  one.event(31, RECORDED[4].replaceAll('5070', '5060').replace('packets=0', 'packets=1').replace('[UNREPLIED] ', ''));
  assert.equal(one.whats(), ['state-ended (state-expired)']);
  const [, end] = one.told;
  assert.ok(end?.what === 'state-ended' && end.ended === BEGIN + 20_000 && end.how === 'expired', JSON.stringify(end));
  // It speaks again: nothing could come in for so long.
  one.table(80, [line({ phone, left: 60 })]);
  assert.equal(one.whats(), ['state']);
  assert.match(one.sentences().at(-1)!, 'for 60 s nothing from there could come in');
});

flows('tells a state that was taken away from one that ran out', () => {
  for (const [destroy, how, by] of [
    [RECORDED[3], 'deleted', 'conntrack'],
    [RECORDED[3].replace(/ \[USERSPACE\].*/, ''), 'removed', null],
  ] as const) {
    const one = story();
    one.table(0, [line({ phone: '192.168.1.10', sport: 5071, left: 3599 })]);
    one.event(1, destroy);
    assert.equal(one.whats(), ['state', 'state-ended (state-taken)']);
    const end = one.told.at(-1);
    assert.ok(end?.what === 'state-ended' && end.how === how && end.by === by);
  }
});

flows('sees by the table alone that a state is gone, where there are no events', () => {
  const one = story();
  one.table(0, [line({ left: 5 })]);
  one.table(3, [line({ left: 2 })]);
  one.table(6, []);
  assert.equal(one.whats(), ['state', 'state-ended (state-expired)']);
});

flows('tells that state runs out within a call', () => {
  const one = story();
  const audio = (packets: number) => line({ sport: 16384, dport: 20000, out: packets, in: packets, left: 170 });
  one.table(0, [line({ left: 8 }), audio(0)]);
  one.table(3, [line({ left: 5 }), audio(150)]);
  one.table(6, [line({ left: 2 }), audio(300)]);
  one.table(9, [audio(450)]);
  assert.equal(one.whats(), ['state', 'audio', 'state-ended (state-expired-in-call)']);
});

/** Looks three seconds apart at a stream with so many more packets each way between two. */
function looks(
  one: ReturnType<typeof story>,
  rates: readonly [out: number, back: number][],
  about: Parameters<typeof line>[0] = {},
  from = 0,
): void {
  let [out, back] = [1, rates[0]![1] > 0 ? 1 : 0];
  rates.forEach(([more, less], index) => {
    out += more;
    back += less;
    one.table((from + index) * 3, [line(), line({ sport: 16384, dport: 20000, out, in: back, ...about })]);
  });
}

flows('tells whether audio goes both ways, one way, or has stopped', () => {
  const both = story();
  looks(both, [
    [0, 0],
    [150, 150],
    [150, 150],
    [0, 0],
    [0, 0],
    [150, 150],
  ]);
  both.table(18, [line()]);
  assert.equal(both.whats(), ['state', 'audio', 'audio', 'audio', 'audio-ended']);
  assert.equal(
    both.told.flatMap((told) => (told.what === 'audio' ? [told.ways] : [])),
    ['both', 'none', 'both'],
  );

  const out = story();
  looks(out, [
    [0, 0],
    [150, 0],
    [150, 0],
    [150, 0],
  ]);
  assert.equal(out.whats(), ['state', 'audio (blocked-or-private)']);

  const back = story();
  looks(back, [
    [1, 1],
    [0, 150],
    [0, 150],
  ]);
  assert.equal(
    back.told.flatMap((told) => (told.what === 'audio' ? [told.ways] : [])),
    ['in'],
  );
  // Comfort noise: few packets, and not none.
  const noise = story();
  looks(noise, [
    [0, 0],
    [150, 3],
    [150, 2],
    [150, 3],
  ]);
  assert.equal(
    noise.told.flatMap((told) => (told.what === 'audio' ? [told.ways] : [])),
    ['both'],
  );
});

flows('takes neither a download nor a question for audio', () => {
  const one = story();
  looks(
    one,
    [
      [0, 0],
      [150, 3000],
      [150, 3000],
    ],
    { size: 1200 },
  );
  const other = story();
  looks(other, [
    [0, 0],
    [3, 3],
    [3, 3],
  ]);
  const names = story();
  looks(
    names,
    [
      [0, 0],
      [150, 150],
      [150, 150],
    ],
    { dport: 53 },
  );
  assert.equal([one.whats(), other.whats(), names.whats()], [['state'], ['state'], ['state']]);
});

flows('names why nothing comes back by what the firewall rejects and by what the phone has named', () => {
  const rejected = story();
  const stream = (packets: number) => line({ sport: 16384, dport: 20000, out: packets, in: 0 });
  [0, 150, 300, 450].forEach((packets, index) => {
    rejected.watching.counters({ rejected: packets, fragFails: 0, reasmFails: 0 }, BEGIN + index * 3000);
    rejected.table(index * 3, [line(), stream(packets + 1)]);
  });
  assert.equal(rejected.whats(), ['state', 'audio (media-from-elsewhere)']);

  for (const [host, cause] of [
    [PHONE, 'private-sdp'],
    ['203.0.113.20', 'blocked-beyond'],
  ] as const) {
    const one = story();
    one.message(0, true, request('INVITE', { callId: 'c', body: session(host) }));
    one.message(1, false, reply('200 OK', 'INVITE', { callId: 'c', body: session(PROVIDER, 20_000) }));
    one.whats();
    [0, 150, 300].forEach((packets, index) => one.table(index * 3, [line(), stream(packets + 1)]));
    assert.equal(one.whats(), ['state', `audio (${cause})`], host);
    assert.is(one.told.at(-1)?.call, 1);
  }
});

flows('names two phones with one port, of signalling and of audio', () => {
  const one = story();
  const other = '192.168.1.11';
  one.table(0, [line(), line({ phone: other, moved: 40_123 })]);
  assert.equal(one.whats(), ['state', 'state', 'port-moved (same-sip-port)']);
  assert.match(one.sentences().at(-1)!, `leaves the router from port 40123 instead of 5060, for ${PHONE} has that one`);
  const streams = (packets: number): string[] => [
    line({ sport: 16384, dport: 20000, out: packets, in: packets * 2 }),
    line({ phone: other, sport: 16384, dport: 20000, out: packets, in: 0, moved: 40_237 }),
  ];
  [1, 151, 301].forEach((packets, index) => one.table(3 + index * 3, [line(), line({ phone: other, moved: 40_123 }), ...streams(packets)]));
  assert.equal(one.whats(), ['audio', 'port-moved (same-rtp-port)', 'audio (same-rtp-port)']);
});

flows('tells of a state that leaves untranslated, of a forward, and of a service on the router', () => {
  const stale = story();
  stale.table(0, [line({ wan: PHONE, far: '198.51.100.5', in: 0 })]);
  assert.equal(stale.whats(), ['state', 'untranslated (stale-state)']);
  const forwarded = story();
  forwarded.table(0, [
    'ipv4     2 udp      17 50 src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5060 packets=1 bytes=400 src=192.168.1.11 dst=203.0.113.10 sport=5060 dport=5060 packets=1 bytes=400 mark=0 zone=0 use=2',
    'ipv4     2 udp      17 50 src=203.0.113.20 dst=203.0.113.10 sport=5062 dport=5060 packets=1 bytes=400 src=203.0.113.10 dst=203.0.113.20 sport=5060 dport=5062 packets=1 bytes=400 mark=0 zone=0 use=2',
  ]);
  assert.equal(forwarded.whats(), ['from-outside (forwarded)', 'router-speaks']);
});

flows('knows an offloaded flow, which has no time, and both spellings of IPv6', () => {
  const one = story();
  const offloaded = line().replace('17 60 ', '17 ').replace('mark=0', '[OFFLOAD] mark=0');
  one.table(0, [offloaded]);
  one.table(3, [offloaded]);
  assert.equal(one.whats(), ['state']);
  const six = (address: (text: string) => string): string =>
    `udp      17 50 src=${address('2001:db8:1::10')} dst=${address('2001:db8:113::10')} sport=5060 dport=5060 `
    + `src=${address('2001:db8:113::10')} dst=${address('2001:db8:1::10')} sport=5060 dport=5060 `;
  const long = (text: string): string =>
    text
      .replace('db8', '0db8')
      .replace(
        /(\w+)::(\w+)/,
        (_, left: string, right: string) => `${left.padStart(4, '0')}:0000:0000:0000:0000:${right.padStart(4, '0')}`,
      );
  const v6 = story();
  v6.event(0, `    [NEW] ${six((text) => text)}`);
  v6.table(3, [`ipv6     10 ${six(long)}mark=0 zone=0 use=2`]);
  assert.equal(v6.whats(), ['state']);
});

flows('passes over what is cut, and what is none of ours', () => {
  const one = story();
  one.table(0, [
    '',
    'ipv4',
    'ipv4     2 udp      17 60 src=192.168.1.10 dst=',
    line().slice(0, 90),
    'x'.repeat(5000),
    line({ sport: 40_000, dport: 53 }),
    line({ phone: '198.51.100.1', wan: '198.51.100.1' }),
  ]);
  assert.equal(one.whats(), []);
});

flows.run();
