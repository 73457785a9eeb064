/** Rules in the JSON that nft 1.0.6 prints. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { countedMarks, givesRandomPorts, sipRedirect } from '../../../../src/languages/nft/translations.ts';

const translations = suite('rules that translate, and rules that count marks');

const of = (...expr: readonly unknown[]) => ({ family: 'inet', table: 'fw4', chain: 'one', handle: 7, comment: null, expr });
const payload = (protocol: string, field: string, right: unknown, op = '=='): unknown => ({
  match: { op, left: { payload: { protocol, field } }, right },
});
const dnat = { dnat: { family: 'ip', addr: '192.168.1.10', port: 5060 } };
const counter = { counter: { packets: 12, bytes: 900 } };

translations("of SIP's ports are read with where they lead", () => {
  const found = sipRedirect(of(payload('udp', 'dport', 5060), dnat));
  assert.equal(found, { family: 'inet', table: 'fw4', chain: 'one', handle: 7, ports: [5060], to: '192.168.1.10' });
  assert.equal(sipRedirect(of(payload('th', 'dport', { range: [5000, 5100] }), dnat))?.ports, [5060, 5061]);
  assert.equal(sipRedirect(of(payload('udp', 'dport', { set: [80, 5061] }), dnat))?.ports, [5061]);
  assert.is(sipRedirect(of(payload('udp', 'dport', 80), dnat)), null);
  assert.is(sipRedirect(of(payload('udp', 'dport', 5060, '!='), dnat)), null);
  assert.is(sipRedirect(of(payload('udp', 'sport', 5060), dnat)), null);
  assert.is(sipRedirect(of(payload('udp', 'dport', 5060), { accept: null })), null);
  assert.is(sipRedirect(of(payload('udp', 'dport', 5060), { dnat: { addr: { map: {} } } })), null);
});

translations('give random ports where they say so', () => {
  assert.ok(givesRandomPorts(of({ masquerade: { flags: 'fully-random' } })));
  assert.ok(givesRandomPorts(of({ snat: { addr: '203.0.113.1', flags: ['random', 'persistent'] } })));
  for (const statement of [{ masquerade: null }, { masquerade: { flags: 'persistent' } }, { snat: { addr: '203.0.113.1' } }])
    assert.not.ok(givesRandomPorts(of(statement)));
});

translations('do not hide what counts marks', () => {
  assert.equal(countedMarks(of(payload('ip', 'dscp', 'ef'), counter)), { marks: [46], packets: 12 });
  assert.equal(countedMarks(of(payload('ip6', 'dscp', { set: ['af41', 'cs5', 10] }), counter))?.marks, [34, 40, 10]);
  assert.is(countedMarks(of(payload('ip', 'dscp', 'ef', '!='), counter)), null);
  assert.is(countedMarks(of(payload('ip', 'dscp', 'ef'))), null);
  assert.is(countedMarks(of(payload('ip', 'dscp', 'nonsense'), counter)), null);
  assert.is(countedMarks(of(payload('ip', 'saddr', '192.0.2.1'), counter)), null);
});

translations.run();
