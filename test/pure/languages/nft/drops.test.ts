/** Rules in the JSON that nft 1.0.6 prints. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dropRule } from '../../../../src/languages/nft/drops.ts';

const drops = suite('rules that turn packets away');

const of = (expr: readonly unknown[], chain = 'forward_wan', base = {}) =>
  dropRule({ family: 'inet', table: 'fw4', chain, handle: 7, comment: null, expr }, () => ({
    family: 'inet',
    table: 'fw4',
    name: chain,
    type: null,
    hook: null,
    priority: null,
    ...base,
  }));
const payload = (protocol: string, field: string, right: unknown, op = '=='): unknown => ({
  match: { op, left: { payload: { protocol, field } }, right },
});
const meta = (key: string, right: unknown): unknown => ({ match: { op: '==', left: { meta: { key } }, right } });
const counter = { counter: { packets: 12, bytes: 900 } };

drops('are read with what they ask for and how often they did', () => {
  const rule = of([meta('iifname', 'wan'), payload('udp', 'dport', { range: [10000, 20000] }), counter, { drop: null }]);
  assert.equal(rule?.asks, [
    { of: 'in', not: false, values: ['wan'] },
    { of: 'destination port', not: false, values: ['10000-20000'] },
    { of: 'protocol', not: false, values: ['udp'] },
  ]);
  assert.equal([rule?.packets, rule?.more, rule?.limits, rule?.early], [12, false, false, false]);
  const networks = of([
    payload('ip', 'saddr', { set: ['192.0.2.1', { prefix: { addr: '198.51.100.0', len: 24 } }] }, '!='),
    { reject: null },
  ]);
  assert.equal(networks?.asks, [{ of: 'source', not: true, values: ['192.0.2.1', '198.51.100.0/24'] }]);
  assert.is(networks?.packets, null);
});

drops("are those that lead to fw4's ends too, and no others", () => {
  assert.ok(of([{ jump: { target: 'handle_reject' } }]));
  assert.ok(of([{ jump: { target: 'drop_to_wan' } }]));
  assert.is(of([{ jump: { target: 'accept_to_wan' } }]), null);
  assert.is(of([counter, { accept: null }]), null);
  assert.is(of([]), null);
});

drops('that ask for what is not told here say so, and are not taken for wider than they are', () => {
  for (const other of [
    { match: { op: '==', left: { ct: { key: 'state' } }, right: 'invalid' } },
    { match: { op: '==', left: { '&': [{ meta: { key: 'mark' } }, 1] }, right: 1 } },
    payload('ip', 'saddr', '@blocked'),
    payload('ip', 'ttl', 1),
    { 'ct count': { val: 3 } },
  ])
    assert.ok(of([other, { drop: null }])?.more, JSON.stringify(other));
  assert.not.ok(of([meta('nfproto', 'ipv4'), { log: null }, counter, { drop: null }])?.more);
});

drops('with a limit, and before flows are known, are told apart', () => {
  assert.ok(of([{ limit: { rate: 5, per: 'second', inv: true } }, { drop: null }])?.limits);
  assert.ok(of([{ drop: null }], 'raw', { hook: 'prerouting', priority: -300 })?.early);
  assert.not.ok(of([{ drop: null }], 'mangle', { hook: 'prerouting', priority: -150 })?.early);
});

drops.run();
