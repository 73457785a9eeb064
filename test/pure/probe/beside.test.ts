/** What is tested beside the main part: streams of TCP put together, what stands, and what is not told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tcpUncovered } from '../../../src/probe/covers.ts';
import type { Recorded } from '../../../src/probe/record/recorded.ts';
import { resultOf, standsOrNot, verdictOf } from '../../../src/probe/results.ts';
import type { Result } from '../../../src/probe/results.ts';
import { answering, ending, gapOf, heard, lastId, opening, streamsOf, talk } from '../../../src/probe/stream.ts';
import type { Packet } from '../../../src/probe/packet.ts';
import { repliesTo, repliesTo6, replyOver } from '../../../src/probe/replies.ts';
import { vectors6, vectorsBy, vectorsOf } from '../../../src/probe/vectors.ts';
import { textOf } from '../../../src/words/say.ts';
import { notTold } from '../../../src/probe/wans.ts';
import { writingChains } from '../../../src/probe/write.ts';

const beside = suite('what a test tells beside UDP over IPv4');

const [control, call] = streamsOf({ phone: '192.168.1.9', provider: '192.0.2.33', media: 40_000 }) as [
  ReturnType<typeof streamsOf>[number],
  ReturnType<typeof streamsOf>[number],
];
const KNOWN = { inside: ['192.168.1.9'], mtu: 1500, reasons: new Map<number, string>() };

/** As it comes out: with other numbers, and other bytes. */
const recorded = (packet: Packet, payload = packet.payload, shift = 0): Recorded => ({
  tap: 'wan0t',
  id: packet.id,
  from: { address: '203.0.113.20', port: 40_001 },
  to: packet.to,
  check: packet.segment!.seq + shift,
  ack: packet.segment!.ack,
  times: 1,
  length: payload.length,
  bytes: Uint8Array.from(payload, (char) => char.charCodeAt(0)),
  expires: 0,
  ttl: null,
});

function spoken(): { syn: Recorded; data: Packet[] } {
  const syn = recorded(opening(call, 3));
  return { syn, data: talk(call, syn, 3).filter(({ payload }) => payload !== '') };
}

beside('takes segments for the messages they are of, and their numbers for what came out before', () => {
  const { syn, data } = spoken();
  assert.is(data.length, 4);
  assert.is(data.at(-1)!.id, lastId(call));
  const grown = data.map((one, index) =>
    recorded(one, index === 0 ? one.payload.replace('192.168.1.9', '203.0.113.20') : one.payload, index === 0 ? 0 : 1),
  );
  const all = heard(call, [syn, ...grown]);
  assert.equal(
    all.map(({ sent, seen, gap }) => [textOf(sent.name), seen?.length === sent.text.length, gap]),
    [
      ['OPTIONS over TCP', false, 0],
      ['INVITE over TCP', true, 0],
      ['OPTIONS over TCP, in two segments', true, 0],
    ],
  );
  assert.is(String.fromCharCode(...all[2]!.seen!.bytes), call.messages[2]!.text);
});

beside('tells a connection that is broken by what was not renumbered, though each byte came out', () => {
  const { syn, data } = spoken();
  // The first has grown by one, and nothing behind it moves: its last byte and the next one's first have the same number.
  const broken = data.map((one, index) => recorded(one, index === 0 ? `${one.payload} ` : one.payload));
  const [, second, third] = heard(call, [syn, ...broken]);
  assert.equal([second!.gap, third!.gap], [-1, 0]);
  const result = resultOf(second!.sent, second!.seen, 'wan', KNOWN, second!.gap);
  assert.equal([result.fate, result.gap, result.differences], ['rewritten', -1, []]);
});

beside('is dropped where a segment is missing, and claims no number behind it', () => {
  const { syn, data } = spoken();
  const all = heard(call, [syn, ...data.filter((_, index) => index !== 1).map((one) => recorded(one))]);
  assert.equal(
    all.map(({ seen, gap }) => [seen === null, gap]),
    [
      [false, 0],
      [true, null],
      [false, 0],
    ],
  );
});

beside('answers what came out, up to its last byte, and ends each connection', () => {
  const { syn, data } = spoken();
  const seen = [syn, ...data.map((one) => recorded(one))];
  const answer = answering(call, seen, { from: call.ends.to, to: syn.from }, 'SIP/2.0 200 OK\r\n\r\n', 3)!;
  const last = data.at(-1)!;
  assert.is(answer.segment!.ack, last.segment!.seq + last.payload.length);
  assert.is(gapOf(call, recorded(answer)), 0);
  assert.is(gapOf(call, { ...recorded(answer), ack: answer.segment!.ack - 3 }), -3);
  assert.equal([ending(call, 3).segment!.flags, ending(call, 3).segment!.seq], [20, answer.segment!.ack]);
  assert.is(answering(control, [], { from: call.ends.to, to: syn.from }, '', 3), null);
});

beside('fits into what kernels up to 6.12 write, whatever the addresses', () => {
  const fits = (texts: readonly string[], most: number): void => {
    for (const text of texts) assert.ok(text.replace(/x+$/, '').length <= most, `${text.length}: ${text}`);
  };
  const scene = { phone: '192.168.100.254', provider: '192.0.2.33', media: 61_414 };
  const four = [...vectorsOf({ ...scene, second: '192.168.100.253', mtu: 1500 }), ...vectorsBy(scene, 61_418, 'wanb', 0)];
  const six = vectors6({ phone: '2a02:8108:96c0:1234::be', provider: '2001:db8::33' }, 61_414);
  const from = { address: '203.100.200.220', port: 50_600 };
  // As the ALG writes it into From: with the port.
  const rewritten = (text: string): string =>
    text.replaceAll(scene.phone, from.address).replace(`<sip:${from.address}>`, `<sip:${from.address}:${from.port}>`);
  const texts = (some: readonly { text: string }[]): string[] => some.map(({ text }) => text);
  fits(texts(four), 263);
  fits(texts(repliesTo(four.map((vector) => ({ vector, text: rewritten(vector.text), from })))), 263);
  fits(texts(six), 243);
  fits(texts(repliesTo6(six.map((vector) => ({ vector, text: vector.text, from: vector.ends.from })))), 243);
  const over = streamsOf(scene).flatMap(({ ends, messages }) => messages.map((one) => ({ ...one, ends })));
  fits(texts(over.filter(({ cuts }) => cuts.length === 0)), 251);
  fits(texts(over.map((vector) => replyOver({ vector, text: rewritten(vector.text), from }))), 251);
  assert.throws(
    () => writingChains({ name: 'out', device: 'a', trigger: '', frames: [new Array<number>(400).fill(1)] }, false),
    /written up to/,
  );
});

const result = (fate: Result['fate'], more: Partial<Result> = {}): Result => ({
  name: 'OPTIONS over IPv6',
  tests: '',
  control: false,
  toProvider: true,
  part: 'IPv6',
  fate,
  sent: '',
  seen: fate === 'dropped' ? null : '',
  device: 'wan',
  length: 300,
  seenLength: 300,
  unseen: 0,
  differences: [],
  deliveredTo: null,
  reason: null,
  gap: null,
  ...more,
});

beside('counts where its own controls came out, at the device they have to, and never against the main part', () => {
  const main = [result('unchanged', { part: 'main', control: true }), result('unchanged', { part: 'main' })];
  const kept = standsOrNot([result('unchanged', { control: true }), result('dropped')]);
  assert.is(verdictOf([...main, ...kept.results]).verdict, 'dropped here');
  const fallen = standsOrNot([result('dropped', { control: true }), result('dropped')]);
  assert.equal([fallen.stands, fallen.results.map(({ fate }) => fate)], [false, ['not tried', 'not tried']]);
  assert.is(verdictOf([...main, ...fallen.results]).verdict, 'unchanged');
  assert.is(standsOrNot([result('unchanged', { control: true })], 'wanb').stands, false);
  assert.is(standsOrNot([]).stands, false);
  // A control that was rewritten is a finding, not a failure.
  assert.is(verdictOf([...main, ...standsOrNot([result('rewritten', { control: true })]).results]).verdict, 'rewritten here');
});

beside('is of TCP where a rule may put the helper on it, and where that could not be read', () => {
  type Asked = Parameters<typeof tcpUncovered>[0];
  const absent = { state: 'absent', source: '' } as const;
  const failed = { state: 'failed', source: '', because: '' } as const;
  const nft = (protocol: string, reached = true): Asked['nft'] =>
    ({ state: 'present', source: '', value: { helpers: [{ protocol }], assignments: [{ reached }] } }) as unknown as Asked['nft'];
  const iptables = (rule: string): Asked['iptables'] =>
    [{ state: 'present', source: '', value: { assignments: [{ rule }] } }] as unknown as Asked['iptables'];
  const tested = (more: Partial<Asked>): boolean => tcpUncovered({ nft: absent, iptables: [], automatic: absent, ...more }) === null;
  assert.equal(
    [
      tested({}),
      tested({ nft: nft('udp') }),
      tested({ nft: nft('tcp') }),
      tested({ nft: nft('tcp', false) }),
      tested({ nft: failed }),
      tested({ automatic: { state: 'present', value: 1, source: '' } }),
      tested({ automatic: { state: 'present', value: 0, source: '' } }),
      tested({ iptables: iptables('-p udp -m udp --dport 5060 -j CT --helper sip') }),
      tested({ iptables: iptables('-p tcp -m tcp --dport 5060 -j CT --helper sip') }),
      tested({ iptables: [failed] }),
    ],
    [false, false, true, false, true, true, false, false, true, true],
  );
});

beside('says of the way what it does not tell', () => {
  const of = (kind: 'PPP' | 'tunnel', addresses: string[], translated: boolean): string =>
    notTold({ device: 'x', kind, mtu: 1492, addresses }, translated)
      .map(({ text }) => text)
      .join();
  assert.is(of('PPP', ['203.0.113.20'], true), '');
  assert.match(of('tunnel', ['192.0.0.2'], false), /DS-Lite or 464XLAT/);
  assert.match(of('PPP', ['100.64.3.4'], true), /private address towards the internet/);
  assert.is(of('PPP', ['100.63.3.4'], true), '');
  assert.match(of('tunnel', ['10.0.0.2'], false), /where they enter it/);
});

beside.run();
