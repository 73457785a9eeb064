/** The way to a Homer server: how it is found, what becomes of messages while it cannot be reached, and what is counted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import type { Network, Peer } from '../../../src/host/network.ts';
import { HepSender } from '../../../src/hep/sender.ts';
import { CHUNK, chunksOf } from '../../../src/languages/hep/frame.ts';
import { bytesOf } from '../../../src/languages/sip/text.ts';
import type { PhoneMessage } from '../../../src/probe/phones/sightings.ts';
import type { HepWish } from '../../../src/wish/wish.ts';
import { handClock } from '../daemon/hand.ts';
import { saying } from '../../saying.ts';

const WISH: HepWish = { enabled: true, server: { name: 'homer.example.com', port: null }, node: 7, password: 'k', calls: false };

const text = (method: string, more = ''): string =>
  [`${method} sip:b@203.0.113.10 SIP/2.0`, 'From: <sip:a@x>;tag=1', 'To: <sip:b@x>', 'Call-ID: c1', `CSeq: 1 ${method}`, more, ''].join('\r\n');

const message = (said: string, more: Partial<PhoneMessage> = {}): PhoneMessage => ({
  at: 1_700_000_000_250,
  inside: true,
  fromPhone: true,
  transport: 'udp',
  text: said,
  whole: true,
  recorded: {
    tap: 'l0in',
    id: 1,
    from: { address: '192.168.1.10', port: 5060 },
    to: { address: '203.0.113.10', port: 5060 },
    check: 1,
    length: said.length,
    bytes: bytesOf(said),
    expires: 9000,
    ttl: 64,
  } as PhoneMessage['recorded'],
  ...more,
});

/** A network whose flows a test fails; what was sent is kept. */
function world() {
  const clock = handClock();
  const state = {
    clock,
    sent: [] as Uint8Array[],
    peers: [] as Peer[],
    remarks: [] as string[],
    answers: { A: ['203.0.113.9'] as string[], AAAA: [] as string[] },
    lacking: null as string | null,
    fails: null as string | null,
    fail: (_because: string): void => undefined,
  };
  const network = {
    lacks: async () => state.lacking,
    datagrams: async (to: Peer, _port: number, _heard: unknown, failed: (because: string) => void) => {
      if (state.fails !== null) throw new Error(state.fails);
      state.peers.push(to);
      state.fail = failed;
      return { local: to, send: (bytes: Uint8Array) => void state.sent.push(bytes), close: () => undefined };
    },
  } as unknown as Network;
  const names = async () => (async (type: 'A' | 'AAAA', name: string) =>
    state.answers[type].length > 0
      ? { state: 'found', records: state.answers[type].map((address) => ({ type, address })), ttl: 60 }
      : { state: 'failed', because: `${name}: no answer` }) as never;
  const sender = (wish: Partial<HepWish> = {}): HepSender =>
    new HepSender({ host: {} as Host, network, clock, names }, { ...WISH, ...wish }, (one) => state.remarks.push(one.text));
  return { state, sender };
}

const sender = suite('the way to a Homer server');

sender('is found by its name, and what goes there says who saw what, and when', async () => {
  const { state, sender: make } = world();
  const one = make();
  one.take([message(text('INVITE')), message('\r\n\r\n'), message('\0\0\0\0'), message('HEP3...')]);
  one.take([message('\0\x01\0\0\x21\x12\xa4\x42twelve bytes'), message('\x01\x01\0\0\x21\x12\xa4\x42twelve bytes')]);
  await one.flush();
  assert.equal(state.peers, [{ address: '203.0.113.9', port: 9060 }]);
  assert.is(state.sent.length, 1);
  const chunks = chunksOf(state.sent[0] as Uint8Array);
  assert.equal([...(chunks.get(CHUNK.source4) ?? [])], [192, 168, 1, 10]);
  assert.equal([...(chunks.get(CHUNK.microseconds) ?? [])], [0, 3, 208, 144]);
  assert.equal({ ...one.counts }, { sent: 1, overflowed: 0, oversized: 0, failed: 0, cut: 0, unread: 0, missed: 0, waiting: 0 });
});

sender('counts what was cut off, what cannot be told to be of a call, and passes by what is not wanted', async () => {
  const { state, sender: make } = world();
  const one = make({ calls: true, server: { address: '2001:db8::9', port: 1234 } });
  one.take([
    message(text('INVITE', 'Authorization: Digest username="x", respo'), { whole: false }),
    message('INVITE sip:b@203.0.113.10 SIP/2.0\r\nFrom: <sip:a@x>\r\n', { whole: false }),
    ...['REGISTER', 'OPTIONS', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH'].map((method) => message(text(method))),
    message(text('BYE')),
  ]);
  await one.flush();
  assert.equal(state.peers, [{ address: '2001:db8::9', port: 1234 }]);
  assert.equal({ ...one.counts }, { sent: 2, overflowed: 0, oversized: 0, failed: 0, cut: 1, unread: 1, missed: 0, waiting: 0 });
  assert.not.match(String.fromCharCode(...(state.sent[0] ?? [])), /Digest/);
});

sender('has messages wait while there is no way, and says once why; what comes back is no longer sent', async () => {
  const { state, sender: make } = world();
  state.answers.A = [];
  const one = make();
  one.take([message(text('INVITE'))]);
  for (let times = 0; times < 3; times++) {
    await one.flush();
    await state.clock.pass(10_000);
  }
  assert.equal(state.remarks, [
    'nothing can be sent to the Homer server homer.example.com:9060: homer.example.com: no answer. It is tried again.',
  ]);
  assert.equal([one.counts.sent, one.counts.waiting], [0, 1]);
  state.answers.AAAA = ['2001:db8::9'];
  await one.flush();
  assert.equal([one.counts.sent, one.counts.waiting, state.peers.length], [1, 0, 1]);
  state.fail('nobody listens there (connection refused)');
  assert.equal([one.counts.sent, one.counts.failed], [0, 1]);
  // Not at once again, and what comes meanwhile waits.
  one.take([message(text('BYE'))]);
  await one.flush();
  assert.equal([one.counts.waiting, state.peers.length], [1, 1]);
  state.answers.AAAA = [];
  await state.clock.pass(10_000);
  await one.flush();
  assert.equal([one.counts.sent, one.counts.waiting, state.peers.length], [1, 0, 2], 'by the address that was known');
  await one.close();
});

sender('names what to install where the engine has no sockets, and never holds more than it may', async () => {
  const { state, sender: make } = world();
  state.lacking = 'Not tried';
  const one = make();
  one.take(Array.from({ length: 1500 }, () => message(text('INVITE'))));
  await one.flush();
  assert.match(state.remarks.join(), 'QuickJS has no sockets of its own; install socat (`apk add socat`)');
  assert.equal([one.counts.waiting, one.counts.overflowed], [1000, 500]);
});

sender('is refused where nobody is named', () => {
  assert.throws(() => world().sender({ server: null }), saying('uci set sipalg.hep.server=homer.example.com:9060'));
});

sender.run();
