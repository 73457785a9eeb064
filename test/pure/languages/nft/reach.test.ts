import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { translation, unreachedChains } from '../../../../src/languages/nft/reach.ts';
import { parseRuleset } from '../../../../src/languages/nft/ruleset.ts';
import type { Ruleset } from '../../../../src/languages/nft/ruleset.ts';

type Item = Record<string, Record<string, unknown>>;

const STOCK = JSON.parse(readFileSync('test/fixtures/fw4/stock-alg-on.ruleset.json', 'utf8')) as { nftables: Item[] };

/** The stock ruleset with what is not in it, less what is not wanted. */
function stock(more: Item[] = [], without: (item: Item) => boolean = () => false): Ruleset {
  return parseRuleset(JSON.stringify({ nftables: [...STOCK.nftables.filter((item) => !without(item)), ...more] }));
}

const chain = (name: string, base: Record<string, unknown> = {}): Item => ({
  chain: { family: 'inet', table: 'fw4', name, handle: 1, ...base },
});
const rule = (name: string, ...expr: unknown[]): Item => ({ rule: { family: 'inet', table: 'fw4', chain: name, handle: 1, expr } });
const out = (right: unknown, op = '=='): unknown => ({ match: { op, left: { meta: { key: 'oifname' } }, right } });

const reach = suite('where packets come');

reach('is every chain that a rule leads to from a hook', () => {
  const unreached = unreachedChains(stock());
  assert.not.ok(unreached.has('inet fw4 helper_lan'));
  assert.not.ok(unreached.has('inet fw4 prerouting'));
});

reach('is not a chain that is left over, nor one before connection tracking', () => {
  const lost = stock(
    [],
    (item) => JSON.stringify(item).includes('"jump": {"target": "helper_lan"}') || JSON.stringify(item).includes('"target":"helper_lan"'),
  );
  assert.ok(unreachedChains(lost).has('inet fw4 helper_lan'));
  const early = [
    chain('early', { type: 'filter', hook: 'prerouting', prio: -300 }),
    rule('early', { jump: { target: 'late' } }),
    chain('late'),
  ];
  assert.ok(unreachedChains(stock(early)).has('inet fw4 late'));
  early[0] = chain('early', { type: 'filter', hook: 'prerouting', prio: -150 });
  assert.not.ok(unreachedChains(stock(early)).has('inet fw4 late'));
});

reach('follows goto and verdict maps, and takes what it cannot see for reached', () => {
  const base = chain('mine', { type: 'filter', hook: 'forward', prio: 0 });
  for (const leads of [
    { goto: { target: 'far' } },
    { vmap: { key: { meta: { key: 'iifname' } }, data: { set: [['lan', { jump: { target: 'far' } }]] } } },
    { vmap: { key: { meta: { key: 'iifname' } }, data: '@unseen' } },
  ]) {
    const seen = unreachedChains(stock([base, chain('far'), rule('mine', leads)]));
    assert.not.ok(seen.has('inet fw4 far'), JSON.stringify(leads));
  }
  const elsewhere = unreachedChains(stock([base, chain('far'), rule('mine', { jump: { target: 'input' } })]));
  assert.ok(elsewhere.has('inet fw4 far'));
});

reach('ends in a ring of jumps', () => {
  const ring = [chain('a'), chain('b'), rule('a', { jump: { target: 'b' } }), rule('b', { jump: { target: 'a' } })];
  assert.equal(
    [...unreachedChains(stock(ring))].sort().filter((key) => / [ab]$/.test(key)),
    ['inet fw4 a', 'inet fw4 b'],
  );
});

reach.run();

const nat = suite('what becomes of a source on its way out');

nat('is told by device: a stock router translates what leaves by wan', () => {
  assert.equal(translation(stock()), { '': false, wan: true });
});

nat("is nothing where a rule before accepts, as netifd's does for DS-Lite", () => {
  const accepts = rule('srcnat_wan', out('ds-wan4'), { counter: { packets: 0, bytes: 0 } }, { accept: null });
  const jumps = rule('srcnat', out({ set: ['wan', 'ds-wan4'] }), { jump: { target: 'srcnat_wan' } });
  const of = (item: Item): string => (item['rule']?.['chain'] as string | undefined) ?? '';
  const nat = [...STOCK.nftables.filter((item) => of(item) === 'srcnat_wan')];
  const ruleset = stock([jumps, accepts, ...nat], (item) => /^srcnat/.test(of(item)));
  assert.equal(translation(ruleset), { '': false, wan: true, 'ds-wan4': false });
});

nat('is not told where other things decide, and none where no chain translates', () => {
  const masq = (...before: unknown[]): Item => rule('srcnat', ...before, { masquerade: null });
  const saddr = { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '192.168.1.9' } };
  const none = (item: Item): boolean => /^srcnat/.test((item['rule']?.['chain'] as string | undefined) ?? '');
  assert.equal(translation(stock([masq(out('vpn0'), saddr)], none)), { '': false, vpn0: null });
  assert.equal(translation(stock([masq(out('wan*'))], none)), { '': null });
  assert.equal(translation(stock([masq(out('lan', '!='))], none)), { '': true, lan: false });
  assert.equal(translation(stock([rule('srcnat', out('vpn0'), { return: null }), masq()], none)), { '': true, vpn0: false });
  assert.equal(translation(stock([], none)), { '': false });
  assert.equal(translation(parseRuleset('{"nftables":[]}')), { '': false });
});

nat.run();
