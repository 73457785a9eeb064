import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canMatchInRaw, reachedChains, translation } from '../../../../src/languages/iptables/reach.ts';
import { helperOf, parseSave } from '../../../../src/languages/iptables/save.ts';
import type { SavedRule, SavedTable } from '../../../../src/languages/iptables/save.ts';

/** What a real firewall3 made of a configuration; its counters are taken out there. */
const fw3 = (name: string): string =>
  readFileSync(`test/fixtures/fw3/${name}.iptables-save.txt`, 'utf8').replace(/^(:\S+ \S+)$/gm, '$1 [0:0]');

const table = (text: string, name: string): SavedTable => parseSave(text).tables.find((one) => one.name === name) as SavedTable;

const ruleOf = (text: string): SavedRule => table(`*raw\n:PREROUTING ACCEPT [0:0]\n${text}\nCOMMIT\n`, 'raw').rules[0] as SavedRule;

const raw = suite('a rule of the raw table');

raw("never matches where it asks for a flow's state, which comes later", () => {
  for (const asks of [
    '-m conntrack --ctstate DNAT',
    '-m conntrack --ctstate NEW,ESTABLISHED',
    '-m state --state NEW',
    '-m conntrack --ctproto 17',
    '-m connmark --mark 0x1',
    '-m helper --helper sip',
  ])
    assert.is(canMatchInRaw(ruleOf(`-A PREROUTING -p udp ${asks} -j CT --helper sip`)), false, asks);
  for (const asks of ['', '-m conntrack ! --ctstate DNAT', '-m conntrack --ctstate INVALID', '-m comment --comment "--ctstate DNAT"'])
    assert.is(canMatchInRaw(ruleOf(`-A PREROUTING -p udp ${asks} -j CT --helper sip`)), true, asks);
});

raw('of a real firewall3 sets the helper for a zone, and never for a port forward', () => {
  const { rules, ...rest } = table(fw3('forward-5060-udp'), 'raw');
  const reached = reachedChains({ rules, ...rest }, canMatchInRaw);
  const sip = rules.filter((rule) => helperOf(rule) === 'sip');
  assert.equal(
    sip.map((rule) => [rule.chain, reached.has(rule.chain) && canMatchInRaw(rule)]),
    [
      ['zone_lan_helper', true],
      ['zone_lan_helper', true],
      ['zone_wan_helper', false],
    ],
  );
});

raw('in a chain that nothing jumps to is not reached', () => {
  const text = fw3('stock-21.02').replace(/^-A PREROUTING -i br-lan .*\n/m, '');
  assert.not.ok(reachedChains(table(text, 'raw'), canMatchInRaw).has('zone_lan_helper'));
  assert.ok(reachedChains(table(fw3('stock-21.02'), 'raw'), canMatchInRaw).has('zone_lan_helper'));
});

raw.run();

const nat = suite('what becomes of a source on its way out');

nat('is told by device: a stock router of firewall3 translates what leaves by wan', () => {
  const seen = translation(table(fw3('stock-21.02'), 'nat'));
  assert.equal([seen['wan'], seen['']], [true, false]);
});

nat('is nothing without a rule, and not told where other things decide', () => {
  const of = (...rules: string[]): Record<string, boolean | null> =>
    translation(table(['*nat', ':POSTROUTING ACCEPT [0:0]', ':mine - [0:0]', ...rules, 'COMMIT', ''].join('\n'), 'nat'));
  assert.equal(translation(undefined), { '': false });
  assert.equal(of(), { '': false });
  assert.equal(of('-A POSTROUTING -o wan -j MASQUERADE --random'), { '': false, wan: true });
  assert.equal(of('-A POSTROUTING -o tun+ -j mine', '-A mine -j SNAT --to-source 192.0.2.1'), { '': null });
  assert.equal(of('-A POSTROUTING -o wan -j mine', '-A mine -j RETURN', '-A POSTROUTING ! -o br-lan -j MASQUERADE'), {
    '': true,
    wan: true,
    'br-lan': false,
  });
  assert.equal(of('-A POSTROUTING -o wan -j ACCEPT', '-A POSTROUTING -j MASQUERADE'), { '': true, wan: false });
  assert.equal(of('-A POSTROUTING -s 192.168.1.0/24 -o wan -j MASQUERADE'), { '': false, wan: null });
});

nat.run();
