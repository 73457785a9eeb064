/** What has to hold where more passes than is kept. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Counted } from '../../../src/compare/counted.ts';
import { enhancedPacket, interfaceDescription, join, sectionHeader } from '../../../src/languages/pcap/encode.ts';
import { bytesOf, ethernet, ipv4, udp } from '../languages/pcap/frames.ts';
import { PHONE, WAN, anyOf, bothSides, compared, named, packetsOf } from './captures.ts';
import type { Sent } from './captures.ts';
import { reply, request, session } from './dialogue.ts';

const volume = suite('more than is kept');

const alg = (text: string): string => text.split(PHONE).join(WAN);

/** Megabytes of requests that pass unchanged: more than lies in memory at once. */
const crowd: readonly Sent[] = Array.from({ length: 3600 }, (_, index) => ({
  at: 1 + index / 200,
  text: request('OPTIONS', { callId: `crowd-${index}`, more: [`X: ${'x'.repeat(200)}`] }),
  id: 10 + index,
}));

volume('leaves what waits as it came, and finds its other half after it', () => {
  const invite = request('INVITE', { callId: 'late', body: session() });
  const answer = reply('200 OK', 'INVITE', { callId: 'late' });
  const sent: readonly Sent[] = [
    { at: 0, text: invite, out: alg(invite), takes: 20, id: 1 },
    { at: 0.5, text: answer, toProvider: false, id: 2 },
    { at: 5, text: request('BYE', { callId: 'lost', more: [`X-Own: ${PHONE}`] }), out: null, id: 3 },
    ...crowd,
  ];
  for (const result of [compared([anyOf(packetsOf(sent))]), bothSides(sent)]) {
    const rows = result.calls.filter(({ callId }) => callId === 'late').flatMap((call) => call.rows);
    assert.equal(rows.map(({ what, fate }) => [what, fate]), [['INVITE', 'changed']]);
    const found = rows[0]!.differences;
    assert.ok(found.map(named).includes('SDP a=candidate 1 address translated'), found.map(named).join());
    assert.equal([found[0]!.before?.text, found[0]!.after?.text], [`${PHONE}:5060`, `${WAN}:5060`]);
    assert.equal([result.counts.same, result.counts.dropped], [crowd.length + 1, 1]);
    assert.ok(result.calls.some(({ callId, rows: [row] }) => callId === 'lost' && row?.what === 'BYE'));
  }
});

volume('says a time that no calendar has as what it is', () => {
  const capture = (id: number, high: number): Uint8Array => {
    const packet = ipv4({ from: PHONE, to: '203.0.113.10', id, ttl: 64 }, udp(5060, 5060, bytesOf(request('BYE', { callId: `${id}` }))));
    return join([sectionHeader(), interfaceDescription(1), enhancedPacket(0, high, 0, { bytes: ethernet(packet) })]);
  };
  const { verdict, summary } = compared([capture(1, 0xffffffff), capture(2, 0x0005ffff)]);
  assert.is(verdict, 'trouble');
  assert.match(summary.text, 'second 18446744069414 since 1970');
});

volume('counts calls each once', () => {
  const counted = new Counted();
  const number = (index: number): number => (Math.imul(index, 0x9e3779b1) >>> 0) * 2 ** 21 + index;
  for (let index = 0; index < 60_000; index++) {
    counted.add(number(index));
    counted.add(number(index));
    counted.add(number(Math.max(0, index - 7000)));
  }
  assert.is(counted.size, 60_000);
});

volume.run();
