/** What a test comes to, of what was sent and seen; and the bytes of its packets. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { probeText } from '../../../src/cli/probe-text.ts';
import type { Difference } from '../../../src/compare/difference.ts';
import { checksumOf, frame, solicitation } from '../../../src/probe/packet.ts';
import { readRecording } from '../../../src/probe/record/recorded.ts';
import { recordable, recordingScript } from '../../../src/probe/record/taps.ts';
import type { Tap } from '../../../src/probe/record/taps.ts';
import { nothing } from '../../../src/probe/report.ts';
import type { ProbeReport } from '../../../src/probe/report.ts';
import { alterationsOf, astray, verdictOf, withGrowth } from '../../../src/probe/results.ts';
import type { Fate, Result } from '../../../src/probe/results.ts';
import { vectorsOf } from '../../../src/probe/vectors.ts';
import { writingChains } from '../../../src/probe/write.ts';
import { english } from '../../../src/words/english.ts';
import type { Put } from '../../../src/words/english.ts';
import { published } from '../../../src/words/published.ts';
import type { Coded, Said } from '../../../src/words/say.ts';

const results = suite('what a test by live packets comes to');

const result = (fate: Fate, more: Partial<Result> = {}): Result => ({
  name: 'OPTIONS',
  tests: '',
  control: false,
  toProvider: true,
  part: 'main',
  fate,
  sent: '192.168.1.9:5060 -> 192.0.2.33:5060',
  seen: fate === 'dropped' || fate === 'not tried' ? null : '203.0.113.20:5060 -> 192.0.2.33:5060',
  device: 'wan',
  length: 300,
  seenLength: fate === 'dropped' ? null : 300,
  unseen: 0,
  differences: [],
  deliveredTo: null,
  reason: null,
  gap: null,
  ...more,
});
const control = (fate: Fate = 'unchanged'): Result => result(fate, { control: true });

results('is unchanged where all came out as sent, and changed or dropped where the controls did come out', () => {
  const of = (...some: Result[]): string => verdictOf([control(), ...some, control()]).verdict;
  assert.is(of(result('unchanged')), 'unchanged');
  assert.is(of(result('unchanged'), result('dropped')), 'dropped here');
  assert.is(of(result('half rewritten'), result('dropped')), 'rewritten here');
  assert.is(of(result('lost by growth')), 'dropped here');
  assert.is(of(result('unchanged', { toProvider: false, deliveredTo: 5060 })), 'rewritten here');
  assert.is(of(result('not tried', { toProvider: false })), 'unchanged');
});

results('is nothing where a control did not come out: then what is missing may not have been dropped', () => {
  assert.match(verdictOf([control(), result('dropped'), control('dropped')]).because?.text ?? '', /a control message/);
  assert.match(verdictOf([control('dropped'), result('dropped'), control('dropped')]).because?.text ?? '', /nothing of the test came out/);
  assert.is(verdictOf([]).verdict, 'inconclusive');
  // What was rewritten was, whatever happened to the control.
  assert.is(verdictOf([control(), result('rewritten'), control('dropped')]).verdict, 'rewritten here');
});

results('is nothing of a flow that may have gone by a way of which nothing is known, and a drop of one that others came out of', () => {
  const [one, other] = ['192.168.1.9:5060 -> 192.0.2.33:5060', '192.168.1.8:5060 -> 192.0.2.33:5060'];
  const sent = [result('unchanged', { sent: one, seen: 'x' }), result('dropped', { sent: one, seen: null })];
  const lost = (['dropped', 'lost by growth'] as const).map((fate) => result(fate, { sent: other, seen: null }));
  const fates = (all: readonly Result[]): string[] => astray(all).map(({ fate }) => fate);
  assert.equal(fates([...sent, ...lost]), ['unchanged', 'dropped', 'not tried', 'not tried']);
  // The kernel itself says that it dropped it.
  assert.equal(fates([result('dropped', { sent: other, seen: null, reason: 'wrong port 9' })]), ['dropped']);
  assert.is(verdictOf([control(), ...astray([...sent, ...lost]), control()]).verdict, 'dropped here');
  assert.match(verdictOf([control(), ...astray(lost), control()]).because?.text ?? '', /nothing to a port of SIP came out/);
});

results('is told by the names of its messages in the language of who reads, and by the English ones to programs', () => {
  const [before, , , , compact] = vectorsOf({ phone: '192.168.1.9', second: null, provider: '192.0.2.33', mtu: 1500, media: 40_000 });
  const messages = [result('unchanged', { ...before! }), result('rewritten', { ...compact! })];
  const difference = { field: 'Via', part: 'sent-by', at: 1, before: { text: 'a' }, after: { text: 'b' } } as Difference;
  const alterations = alterationsOf(messages.map((one) => ({ ...one, differences: [difference] })));
  const report: ProbeReport = { ...nothing(''), verdict: 'rewritten here', because: null, messages, alterations };
  const german: Put = (said: Coded | undefined, text?: string) =>
    said?.code === 'sent-control-before' ? 'Kontrolle vorher' : english(said as Said, text as string);
  assert.match(probeText(report), '  MESSAGE, compact and folded  REWRITTEN\n');
  assert.match(probeText(report), 'a -> b, control before and MESSAGE, compact and folded\n');
  assert.match(probeText(report, german), '  Kontrolle vorher             unchanged\n  MESSAGE, compact and folded  REWRITTEN\n');
  const document = published(report);
  assert.equal(
    document.messages.map(({ name, coded }) => [name, coded?.['name']]),
    [
      ['control before', { code: 'sent-control-before' }],
      ['MESSAGE, compact and folded', { code: 'sent-message-compact' }],
    ],
  );
  assert.equal(
    document.alterations.map((one) => [one.messages, one.coded?.['messages']]),
    [[['control before', 'MESSAGE, compact and folded'], { 0: { code: 'sent-control-before' }, 1: { code: 'sent-message-compact' } }]],
  );
});

results('is no whole proof where the end of a message could not be seen', () => {
  const { verdict, because } = verdictOf([control(), result('unchanged', { unseen: 40 }), control()]);
  assert.is(verdict, 'inconclusive');
  assert.match(because?.text ?? '', /last 40 bytes of "OPTIONS"/);
});

results('tells nothing by what could not fit through the way it took', () => {
  const [one] = withGrowth([result('dropped', { length: 1472 })], 1492);
  assert.is(one!.fate, 'not tried');
  assert.is(withGrowth([result('dropped', { length: 1464 })], 1492)[0]!.fate, 'dropped');
});

results('calls lost by growth what would no longer fit once it had grown as others did, and nothing else', () => {
  const fates = (...some: Result[]): Fate[] => withGrowth(some, 1500).map(({ fate }) => fate);
  const grown = result('rewritten', { seenLength: 304 });
  assert.equal(fates(grown, result('dropped', { length: 1472 })), ['rewritten', 'lost by growth']);
  assert.equal(fates(grown, result('dropped', { length: 1460 })), ['rewritten', 'dropped']);
  assert.equal(fates(result('rewritten'), result('dropped', { length: 1472 })), ['rewritten', 'dropped']);
  assert.equal(fates(grown, result('dropped', { length: 1472, reason: 'wrong port 9' })), ['rewritten', 'dropped']);
});

const ENDS = { from: { address: '192.168.1.9', port: 5060 }, to: { address: '192.0.2.33', port: 5060 } };
const MACS = { from: '02:51:be:00:00:11', to: '02:00:00:00:00:01' };

/** RFC 1071: all words of a header with its checksum add up to ones. */
const sum = (bytes: readonly number[]): number => {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += (bytes[at]! << 8) + (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
};

results('is sent in packets with right lengths and checksums, of any length', () => {
  for (const payload of ['', 'x', 'OPTIONS', 'y'.repeat(1472)]) {
    const bytes = frame({ ...ENDS, payload, id: 0x5160, ttl: 3 }, MACS);
    assert.is(bytes.length, 14 + 28 + payload.length);
    const ip = bytes.slice(14, 34);
    assert.is(sum(ip), 0xffff);
    assert.is((ip[2]! << 8) + ip[3]!, 28 + payload.length);
    const udp = bytes.slice(34);
    assert.is(sum([...ip.slice(12, 20), 0, 17, udp[4]!, udp[5]!, ...udp]), 0xffff);
    assert.is(checksumOf(ENDS, payload), (udp[6]! << 8) + udp[7]!);
  }
  const six = frame(
    { from: { address: '2001:db8::9', port: 1 }, to: { address: '2001:db8:1::', port: 2 }, payload: 'a', id: 7, ttl: 3 },
    MACS,
  );
  assert.is(six.length, 14 + 40 + 9);
  assert.equal(six.slice(14 + 8, 14 + 24), [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
  const segment = frame({ ...ENDS, payload: 'ab', id: 1, ttl: 3, segment: { seq: 2 ** 32 - 1, ack: 5, flags: 24 } }, MACS).slice(34);
  assert.equal([segment.length, ...segment.slice(4, 8)], [22, 255, 255, 255, 255]);
  assert.is(solicitation(MACS, '192.168.1.9', '192.168.1.1').length, 42);
});

results('is written no further than a kernel writes, but for what the ping itself fills in', () => {
  const writing = (length: number, last = 'y') => ({
    name: 'out',
    device: 'sipa1',
    trigger: '198.19.81.190',
    frames: [Array.from({ length }, () => last.charCodeAt(0))],
  });
  assert.throws(() => writingChains(writing(600), false), /is written up to 289 bytes here, and 600 are to be/);
  assert.ok(writingChains(writing(600), true).length > 30);
  assert.ok(writingChains(writing(600, 'x'), false).length < 20);
});

const TAP: Tap = { name: 'wan', device: 'wan', hook: 'egress', family: 'ip', transport: 'udp', matches: ['udp dport 5060'] };

results('is recorded as far as a kernel can, and by no key of more than four parts', () => {
  assert.equal(['5.15.1', '6.1.192', '6.6.93', '6.12.117', '6.18.44', '7.0', ''].map(recordable), [256, 256, 256, 256, 1500, 1500, 256]);
  const script = recordingScript('sipalg_test_1', [TAP], { bytes: 256, messages: 8, seconds: 60 });
  const keys = [...script.matchAll(/typeof ([^;]+);/g)].map(([, key = '']) => key.split(' . ').length);
  assert.ok(keys.length > 15);
  assert.ok(keys.every((parts) => parts <= 4));
  const offsets = [...script.matchAll(/@th,(\d+),(\d+)/g)].map(([, at]) => Number(at) / 8);
  assert.ok(
    offsets.every((at) => at <= 255),
    'a kernel up to 6.12 refuses more',
  );
  assert.throws(
    () => recordingScript('t', [{ ...TAP, device: 'a"b' }], { bytes: 16, messages: 1, seconds: 1 }),
    /cannot be the name of a device/,
  );
  assert.throws(() => recordingScript('t', [{ ...TAP, matches: ['x; drop'] }], { bytes: 16, messages: 1, seconds: 1 }), /is not one match/);
});

results('is read back from what nft lists, and what looks like two messages at once is none', () => {
  const listing = (more: string): string => `table netdev sipalg_test_1 {
\tset tap_wan_from {
\t\ttypeof ip id . udp checksum . ip saddr . udp sport
\t\telements = { 7 . 9 . 203.0.113.20 . 5060 expires 59s8ms }
\t}

\tset tap_wan_to {
\t\telements = { 7 . 9 . 192.0.2.33 . 5060 expires 59s8ms }
\t}

\tset tap_wan_size {
\t\telements = { 7 . 9 . 43 . 2 counter packets 2 bytes 126 expires 59s8ms }
\t}

\tset tap_wan_b0 {
\t\telements = { 7 . 9 . 0x163a000502 . 0x7a expires 59s8ms${more} }
\t}

\tset tap_wan_t2 {
\t\telements = { 7 . 9 . 0x4142 expires 59s8ms }
\t}

\tset tap_wan_t1 {
\t\telements = { 7 . 9 . 67 expires 59s8ms }
\t}

\tchain tap_wan_r {
\t\tcounter packets 1 bytes 47 add @x
\t}
}
`;
  const { messages, packets, unclear } = readRecording(listing(''), [TAP], 256);
  assert.is(unclear, 0);
  assert.is(packets.get('wan'), 1);
  const [one] = messages;
  assert.equal([one?.id, one?.check, one?.length, one?.ttl, one?.expires, one?.times], [7, 9, 35, 2, 59_008, 2]);
  assert.equal(
    [...(one?.bytes ?? [])],
    [...new Array<number>(11).fill(0), 0x16, 0x3a, 0, 5, 2, ...new Array<number>(15).fill(0), 0x7a, 0x41, 0x42, 67],
  );
  const two = readRecording(listing(',\n\t\t\t     7 . 9 . 0x1 . 0x2 expires 59s'), [TAP], 256);
  assert.equal([two.messages, two.unclear], [[], 1]);
});

results.run();
