import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PHONE, WAN } from '../compare/captures.ts';
import { reply, request, session } from '../compare/dialogue.ts';
import { inOrder } from '../../../src/watch/messages.ts';
import type { Sighted } from '../../../src/watch/passage.ts';
import { BEGIN, NARROW, story } from './stories.ts';
import type { Story } from './stories.ts';

const dialogs = suite('the story of calls by their messages');
const CALL = { callId: 'a84b4c76e66710' };
const held = (direction: string): string => session().replace('a=sendrecv', `a=${direction}`);

/** A message at the tap of a phone. @param at milliseconds since the beginning */
const sightedAt = (at: number, fromPhone: boolean, text: string): Sighted => ({
  at: BEGIN + at,
  fromPhone,
  inside: true,
  transport: 'udp',
  phone: `${PHONE}:5060`,
  far: '203.0.113.10:5060',
  id: 1,
  text,
  whole: true,
  length: text.length,
});

/** With all of a message, and with as much of it as an older kernel records. */
const WAYS: readonly [string, number][] = [
  ['whole messages', Infinity],
  ['their first 256 bytes', NARROW],
];

function answered({ message }: Story): void {
  message(0, true, request('INVITE', { ...CALL, body: session() }));
  message(0.05, false, reply('100 Trying', 'INVITE', CALL));
  message(1, false, reply('180 Ringing', 'INVITE', CALL));
  message(4, false, reply('200 OK', 'INVITE', { ...CALL, body: session('203.0.113.10', 30_000) }));
  message(4.1, true, request('ACK', { ...CALL, branch: 'z9hG4bK-ack' }));
}

for (const [how, cut] of WAYS) {
  dialogs(`is told from ringing to the end, by ${how}`, () => {
    const one = story({ cut });
    answered(one);
    assert.equal(one.whats(), ['call', 'rings', 'answered']);
    one.message(34.1, false, request('BYE', { ...CALL, cseq: 2, me: '203.0.113.10:5060' }));
    one.message(34.2, true, reply('200 OK', 'BYE', { ...CALL, cseq: 2, me: '203.0.113.10:5060' }));
    assert.equal(one.whats(), ['ended']);
    assert.match(one.sentences().join('\n'), 'calls\nrings\nanswered by the other side after 4 s\nended by the other side after 30 s');
    const { calls, answered: count, live, messages, passed, changed, dropped } = one.watching.summary(0);
    assert.equal([calls, count, live, messages, passed, changed, dropped], [1, 1, 0, 7, 7, 0, 0]);
  });

  dialogs(`is told of a call that was given up and answered elsewhere, by ${how}`, () => {
    const one = story({ cut });
    const about = { ...CALL, me: '203.0.113.10:5060' };
    one.message(0, false, request('INVITE', { ...about, body: session() }));
    one.message(0.1, true, reply('180 Ringing', 'INVITE', about));
    const branch = `z9hG4bK-${CALL.callId}-1-INVITE`;
    const cancel = request('CANCEL', { ...about, branch }).replace('Max-Forwards: 70\r\n', 'Reason: SIP;cause=200;text="elsewhere"\r\n');
    one.message(3, false, cancel);
    one.message(3.1, true, reply('200 OK', 'CANCEL', { ...about, branch }));
    one.message(3.2, true, reply('487 Request Terminated', 'INVITE', about));
    assert.equal(one.whats(), ['call', 'rings', 'cancelled']);
    assert.is(one.sentences().at(-1), 'given up by the other side: answered elsewhere');
    assert.is(one.watching.dialogs.live, 0);
  });

  dialogs(`tells of a registration once and of its interval, by ${how}`, () => {
    const one = story({ cut });
    for (const round of [0, 1, 2, 3]) {
      const about = { callId: 'reg', cseq: 2 * round + 1, more: ['Expires: 600'] };
      const at = round * 570;
      one.message(at, true, request('REGISTER', about));
      one.message(at + 0.1, false, reply('401 Unauthorized', 'REGISTER', about));
      one.message(at + 0.2, true, request('REGISTER', { ...about, cseq: 2 * round + 2 }));
      one.message(at + 0.3, false, reply('200 OK', 'REGISTER', { ...about, cseq: 2 * round + 2 }));
    }
    // The first granted it, the second shows the interval, and later ones nothing new.
    assert.equal(one.whats(), ['registered', 'registered']);
    const [registration] = one.watching.summary(0).registrations;
    assert.is(registration?.every, 570);
    assert.is(registration?.expires, cut === Infinity ? 600 : null);
  });

  dialogs(`tells of a request that nobody answers, by ${how}`, () => {
    const one = story({ cut });
    for (const at of [0, 0.5, 1.5, 3.5]) one.message(at, true, request('REGISTER', { callId: 'reg' }));
    assert.equal(one.whats(), ['no-answer (unanswered-beyond)']);
    assert.match(one.sentences().join(), 'REGISTER was sent 3 times in 2 s');
  });
}

dialogs('tells of hold by either side, in each form, and of its end', () => {
  for (const how of ['sendonly', 'inactive', '0.0.0.0']) {
    const one = story();
    answered(one);
    one.whats();
    const body = how === '0.0.0.0' ? session().replaceAll(`IN IP4 ${PHONE}`, 'IN IP4 0.0.0.0') : held(how);
    const within = (text: string): string =>
      text.replace('To: <sip:+4930123456@voip.example.net>\r', 'To: <sip:+4930123456@voip.example.net>;tag=b\r');
    one.message(10, true, within(request('INVITE', { ...CALL, cseq: 2, body })));
    one.message(10.1, false, reply('200 OK', 'INVITE', { ...CALL, cseq: 2, body: held('recvonly') }));
    assert.equal(one.whats(), ['held'], how);
    one.message(20, true, within(request('INVITE', { ...CALL, cseq: 3, body: session() })));
    assert.equal(one.whats(), [], 'nothing is agreed yet');
    one.message(20.1, false, reply('200 OK', 'INVITE', { ...CALL, cseq: 3, body: session() }));
    assert.equal(one.whats(), ['resumed'], how);
  }
});

dialogs('tells of a transfer and of what became of it', () => {
  const one = story();
  answered(one);
  one.whats();
  one.message(10, true, request('REFER', { ...CALL, cseq: 2, more: ['Refer-To: <sip:bob@192.168.1.11>'] }));
  one.message(10.1, false, reply('202 Accepted', 'REFER', { ...CALL, cseq: 2 }));
  assert.equal(one.whats(), ['transfer', 'transfer']);
});

dialogs('tells that an ACK does not arrive, and what the end after 32 s has to do with it', () => {
  const one = story();
  one.message(0, false, request('INVITE', { ...CALL, me: '203.0.113.10:5060', body: session() }));
  const about = { ...CALL, me: '203.0.113.10:5060' };
  for (const at of [1, 1.5, 2.5, 4.5, 8.5, 12.5]) one.message(at, true, reply('200 OK', 'INVITE', about));
  one.message(33, true, request('BYE', { ...CALL, cseq: 2 }));
  assert.equal(one.whats(), ['call', 'answered', 'answer-repeated (ack-lost)', 'ended (ack-lost)']);
});

dialogs('tells what went in and did not come out, where something else did', () => {
  const one = story();
  one.message(0, true, request('OPTIONS', { callId: 'o1' }));
  one.message(1, true, request('INVITE', { ...CALL, body: session() }), null);
  one.tick(3);
  assert.equal(one.whats(), ['call']);
  one.tick(9);
  assert.equal(one.whats(), ['dropped (dropped-here)']);
  const [ladder] = one.watching.summary(0).ladders;
  assert.equal(
    ladder?.rungs.map(({ what, fate }) => [what, fate]),
    [['INVITE', 'dropped']],
  );
  // Where nothing was ever seen to come out, the tap may see nothing.
  const blind = story();
  blind.message(0, true, request('INVITE', { ...CALL }), null);
  blind.tick(60);
  assert.equal(blind.whats(), ['call']);
});

dialogs('names growth over the MTU where messages are changed and one of that size is lost', () => {
  const one = story();
  const alg = (text: string): string => text.split(PHONE).join(WAN);
  const sized = (bytes: number): string => {
    const text = request('OPTIONS', { callId: 'o', cseq: bytes });
    return text.replace('User-Agent: Phone/1.0', `User-Agent: ${'x'.repeat(bytes - text.length + 9)}`);
  };
  one.message(0, true, sized(600), alg(sized(600)));
  one.message(1, true, sized(1470), null);
  one.message(2, true, sized(1200), null);
  one.tick(20);
  assert.equal(one.whats(), ['changed (alg-changed)', 'dropped (too-large)', 'dropped (dropped-here)']);
});

dialogs('tells a call that meets no state any more from what strangers send', () => {
  const one = story();
  const inbound = request('INVITE', { callId: 'in', me: '203.0.113.10:5060', body: session() });
  const outside = { phone: `${WAN}:5060` };
  one.message(0, true, request('REGISTER', { callId: 'r', more: ['Expires: 600'] }));
  one.message(0.1, false, reply('200 OK', 'REGISTER', { callId: 'r', more: ['Expires: 600'] }));
  one.message(200, false, inbound, null, outside);
  one.watching.sighted({
    at: BEGIN + 200_000,
    fromPhone: false,
    phone: outside.phone,
    far: '198.51.100.66:5060',
    id: 77,
    inside: false,
    transport: 'udp',
    text: inbound,
    whole: true,
    length: inbound.length,
  });
  one.tick(210);
  assert.equal(one.whats(), ['registered', 'dropped (state-expired)']);
  assert.is(one.told.at(-1)?.phone, PHONE);
  assert.is(one.watching.passage.dropped, 1);
});

dialogs('tells of changes once a kind, and counts them all', () => {
  const one = story();
  const alg = (text: string): string => text.split(PHONE).join(WAN);
  for (const cseq of [1, 2, 3]) {
    const text = request('OPTIONS', { callId: 'o', cseq });
    one.message(cseq, true, text, alg(text));
  }
  assert.equal(one.whats(), ['changed (alg-changed)']);
  assert.equal([one.watching.passage.changed, one.watching.passage.dropped], [3, 0]);
});

dialogs('keeps retransmissions apart from new requests, and draws them as one rung', () => {
  const one = story();
  for (const at of [0, 0.5, 1.5]) one.message(at, true, request('INVITE', { ...CALL, body: session() }));
  one.message(2, false, reply('180 Ringing', 'INVITE', CALL));
  assert.equal(one.whats(), ['call', 'no-answer (unanswered-beyond)', 'rings']);
  const [ladder] = one.watching.summary(0).ladders;
  assert.equal(
    ladder?.rungs.map(({ what, again }) => [what, again]),
    [
      ['INVITE', 2],
      ['180 Ringing', 0],
    ],
  );
});

dialogs('says nothing of a number that was called unless it is asked for', () => {
  const quiet = story();
  answered(quiet);
  assert.not.match(JSON.stringify([quiet.told, quiet.watching.summary(0)]), '4930123456');
  const open = story({ numbers: true });
  answered(open);
  assert.is(open.sentences()[0], 'calls +4930123456');
});

dialogs('puts an answer behind its request, where it was dated before', () => {
  const other = request('OPTIONS', { callId: 'o' });
  const all = [
    sightedAt(0, false, reply('180 Ringing', 'INVITE', CALL)),
    sightedAt(90, true, other),
    sightedAt(100, true, request('INVITE', CALL)),
    sightedAt(105, false, reply('200 OK', 'INVITE', CALL)),
    sightedAt(106, false, reply('100 Trying', 'INVITE', CALL)),
  ];
  const firsts = (list: readonly Sighted[]): string[] => list.map(({ text }) => text.slice(0, 11));
  assert.equal(
    firsts(inOrder(all)),
    ['OPTIONS sip', 'INVITE sip:', 'SIP/2.0 100', 'SIP/2.0 180', 'SIP/2.0 200'].map((text) => text.slice(0, 11)),
  );
});

dialogs('puts what came within one tick of the kernel in the order of its numbers, other calls between it or not', () => {
  const sighted = (fromPhone: boolean, text: string): Sighted => sightedAt(0, fromPhone, text);
  const about = (cseq: number) => ({ ...CALL, cseq, branch: `z9hG4bK-${cseq}` });
  const call = [
    sighted(true, request('INVITE', about(1))),
    sighted(false, reply('180 Ringing', 'INVITE', about(1))),
    sighted(false, reply('200 OK', 'INVITE', about(1))),
    sighted(true, request('ACK', { ...CALL, cseq: 1, branch: 'z9hG4bK-ack' })),
    sighted(true, request('INVITE', about(2))),
    sighted(false, reply('200 OK', 'INVITE', about(2))),
    sighted(true, request('ACK', { ...CALL, cseq: 2, branch: 'z9hG4bK-ack-2' })),
    sighted(true, request('BYE', about(10))),
    sighted(false, reply('200 OK', 'BYE', about(10))),
  ];
  const other = sighted(true, request('OPTIONS', { callId: 'other', cseq: 99 }));
  // Every step from one to the next that visits all of nine.
  for (const step of [1, 2, 4, 5, 7, 8]) {
    const listed = call.map((_, nth) => call[(nth * step) % call.length]!);
    listed.splice(step, 0, other);
    assert.equal(
      inOrder(listed).filter((one) => one !== other),
      call,
      `${step}`,
    );
  }
  // A second listing dates what the first one has not shown, and is not as quick.
  const late = call.map((one, nth) => ({ ...one, at: BEGIN + (nth === 4 ? 900 : 0) }));
  assert.equal(
    inOrder(late).map(({ text }) => text),
    call.map(({ text }) => text),
  );
  // A phone that was started anew counts anew.
  const anew = [{ ...call[7]!, at: BEGIN - 60_000 }, call[0]!];
  assert.equal(inOrder(anew), anew);
});

dialogs('takes what is no SIP, or too little of it, for nothing', () => {
  const one = story();
  for (const text of ['', '\r\n\r\n', 'INVITE', 'INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/U', '\0\0\0\0', 'x'.repeat(70_000)])
    one.message(0, true, text);
  assert.equal(one.whats(), []);
});

dialogs('hear an answer whose request a later reading shows, and one whose request none shows', () => {
  const one = story();
  const sighted = (at: number, fromPhone: boolean, text: string): Sighted => ({ ...sightedAt(at * 1000, fromPhone, text), id: at });
  // The tap of the phone was listed before it called, that of what goes to it behind the answer.
  one.watching.read([sighted(1, false, reply('180 Ringing', 'INVITE', CALL))]);
  assert.equal(one.whats(), []);
  const later = [sighted(4, false, reply('200 OK', 'INVITE', CALL)), sighted(0, true, request('INVITE', { ...CALL, body: session() }))];
  one.watching.read(later);
  assert.equal(one.whats(), ['call', 'rings', 'answered']);
  const lost = { ...CALL, callId: 'lost' };
  one.watching.read([sighted(9, false, reply('180 Ringing', 'INVITE', lost))]);
  one.watching.read([]);
  assert.is(one.watching.dialogs.counts.messages, 4);
});

dialogs.run();
