import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRulesetReader, helperUses, parseRuleset, RULE } from '../../../../src/languages/nft/ruleset.ts';
import type { HelperUse, Rule, Ruleset } from '../../../../src/languages/nft/ruleset.ts';
import { splitText } from '../../../../src/host/parts.ts';
import { fixture, hurt, refuses } from '../texts.ts';

const NAMES = [
  'stock-alg-on',
  'stock-alg-absent',
  'global-auto-helper-off',
  'lan-explicit-helpers',
  'set-helper-rule',
  'port-forward-5060',
  'user-include',
] as const;
const text = (name: (typeof NAMES)[number]): string => fixture(`fw4/${name}.ruleset.json`);

/** A ruleset of one rule with these statements. */
function uses(...expr: unknown[]): HelperUse[] {
  const [rule] = parseRuleset(JSON.stringify({ nftables: [{ rule: { family: 'inet', table: 't', chain: 'c', handle: 7, expr } }] })).rules;
  return helperUses(rule as NonNullable<typeof rule>);
}

const rulesets = suite('nft/ruleset');

rulesets('reads every ruleset fw4 rendered, objects, chains and rules', () => {
  const counts = NAMES.map((name) => parseRuleset(text(name))).map(({ helpers, chains, rules, tables }) => [
    tables.length,
    chains.length,
    rules.length,
    helpers.length,
  ]);
  for (const [index, name] of NAMES.entries()) {
    const items = (JSON.parse(text(name)) as { nftables: object[] }).nftables;
    const count = (kind: string): number => items.filter((item) => kind in item).length;
    assert.equal(counts[index], [count('table'), count('chain'), count('rule'), count('ct helper')], name);
  }
});

rulesets('finds the rules that set the helper, in each of them', () => {
  const found = NAMES.map((name) =>
    parseRuleset(text(name))
      .rules.filter((rule) => helperUses(rule).some((use) => use.form === 'object' && use.object === 'sip'))
      .map(({ chain, handle }) => `${chain} ${handle}`),
  );
  assert.equal(found, [
    ['helper_lan 72'],
    [],
    [],
    ['helper_lan 66'],
    ['helper_lan 72', 'helper_lan 75'],
    ['helper_lan 77'],
    ['user_voip 41', 'helper_lan 75'],
  ]);
});

rulesets('tells an object from a map of objects and from a named map', () => {
  assert.equal(uses({ 'ct helper': 'sip' }), [{ form: 'object', object: 'sip' }]);
  const key = { payload: { protocol: 'udp', field: 'dport' } };
  assert.equal(
    uses({
      'ct helper': {
        map: {
          key,
          data: {
            set: [
              [21, 'ftp'],
              [5060, 'sip'],
            ],
          },
        },
      },
    }),
    [{ form: 'map', objects: ['ftp', 'sip'] }],
  );
  assert.equal(uses({ 'ct helper': { map: { key, data: '@helpers' } } }), [{ form: 'named map', map: 'helpers' }]);
});

rulesets('does not take a match on the helper for an assignment', () => {
  assert.equal(uses({ match: { op: '==', left: { ct: { key: 'helper' } }, right: 'sip' } }, { accept: null }), []);
  assert.equal(uses({ match: { op: '!=', left: { ct: { key: 'helper' } }, right: 'sip' } }, { 'ct helper': 'ftp' }), [
    { form: 'object', object: 'ftp' },
  ]);
});

rulesets('refuses a form of setting the helper that it does not know', () => {
  refuses(() => uses({ 'ct helper': 5 }), /rule 7 of inet t c sets a helper in a form that is not known/);
  refuses(() => uses({ 'ct helper': { vmap: {} } }), /not known/);
});

rulesets('refuses what is no JSON, no list, or lacks what it must have', () => {
  for (const [broken, words] of [
    ['', /did not print JSON/],
    ['Segmentation fault', /did not print JSON: "Segmentation fault"/],
    ['[]', /without a list "nftables"/],
    ['null', /without a list/],
    ['{"nftables":{}}', /without a list/],
    ['{"nftables":[1]}', /lists "1"; an object is wanted/],
    ['{"nftables":[{"rule":{"family":"inet","table":"t","chain":"c","handle":1}}]}', /a rule without "expr"/],
    [
      '{"nftables":[{"rule":{"family":"inet","table":"t","chain":"c","handle":"1","expr":[]}}]}',
      /a rule whose "handle" is .*; a number is wanted/,
    ],
    [
      '{"nftables":[{"ct helper":{"family":"inet","table":"t","name":"sip","handle":1,"protocol":"udp"}}]}',
      /a ct helper whose "type" is "undefined"; a name is wanted/,
    ],
    ['{"nftables":[{"chain":{"family":"inet","table":5,"name":"c","handle":1}}]}', /a chain whose "table" is "5"/],
    ['{"nftables":[{"map":{"family":"inet","table":"t","handle":1}}]}', /a map whose "name"/],
  ] as const)
    refuses(() => parseRuleset(broken), words);
});

/** The same ruleset, read part by part. */
function inParts(whole: string, keep: (rule: Rule) => boolean = () => true): Ruleset {
  const reader = createRulesetReader(keep);
  splitText(whole, { at: RULE, take: reader.take });
  return reader.end();
}

/** As nft writes it: with a blank behind each colon and comma. */
const asWritten = (value: unknown): string =>
  JSON.stringify(value)
    .replace(/("(?:[^"\\\\]|\\\\.)*")|([:,])/g, (_, text?: string, mark?: string) => text ?? `${mark} `)
    .concat('\n');

rulesets('is the same part by part as in one piece, and holds the rules that are wanted', () => {
  for (const name of NAMES) {
    const whole = asWritten(JSON.parse(text(name)));
    assert.ok(whole.split(RULE).length > 20, name);
    assert.equal(inParts(whole), parseRuleset(whole), name);
    const some = inParts(whole, ({ chain }) => chain === 'helper_lan');
    assert.equal(
      some.rules,
      parseRuleset(whole).rules.filter(({ chain }) => chain === 'helper_lan'),
      name,
    );
    assert.equal([some.chains, some.helpers], [parseRuleset(whole).chains, parseRuleset(whole).helpers], name);
  }
});

rulesets('refuses part by part whatever it refuses in one piece, in rules that nobody wants too', () => {
  const texts = NAMES.map((name) => asWritten(JSON.parse(text(name))));
  const { read, refused } = hurt(
    texts,
    (damaged) => inParts(damaged, () => false),
    (got, damaged) => {
      const { rules, ...rest } = parseRuleset(damaged); // throws where the whole is refused
      assert.equal({ ...got, rules: [] }, { ...rest, rules: [] });
      assert.ok(rules.length >= 0);
    },
  );
  assert.ok(read > 100 && refused > 500, `${read} read, ${refused} refused`);
  for (const cut of [
    '{"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": []}} {"rule": {"family": "ip"}}]}',
    '{"nftables": [{"metainfo": {}} {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": []}}]}',
    '{"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": []}}, ',
    '{"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1, "expr": [{"match": {"rule": {"a": 1}}}]}}, ]}',
    '{"nftables": [{"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 1}}, {"rule": {"family": "ip", "table": "t", "chain": "c", "handle": 2, "expr": []}}]}',
    '',
  ])
    refuses(() => inParts(cut, () => false), /nft('s JSON| did not print JSON| printed JSON)/);
});

rulesets('passes over objects of kinds it does not know', () => {
  const ruleset = parseRuleset(
    '{"nftables":[{"metainfo":{"version":"2.0"}},{"flowtable":{"family":"inet"}},{"quota":{}},{"a new kind":[1]}]}',
  );
  assert.equal([ruleset.version, ruleset.rules, ruleset.tables], ['2.0', [], []]);
});

rulesets('has no limit to how deep and how large a ruleset is', () => {
  const deep = '{"set":['.repeat(3000) + '1' + ']}'.repeat(3000);
  const rules = parseRuleset(`{"nftables":[{"rule":{"family":"ip","table":"t","chain":"c","handle":1,"expr":[{"match":${deep}}]}}]}`).rules;
  assert.equal(helperUses(rules[0] as NonNullable<(typeof rules)[0]>), []);
  const many = JSON.stringify({
    nftables: Array.from({ length: 50_000 }, (_, handle) => ({ rule: { family: 'ip', table: 't', chain: 'c', handle, expr: [] } })),
  });
  assert.is(parseRuleset(many).rules.length, 50_000);
});

rulesets('reads damaged rulesets or refuses them', () => {
  const seen = hurt(
    NAMES.map(text),
    parseRuleset,
    (ruleset) => {
      for (const rule of ruleset.rules) helperUses(rule);
    },
    300,
  );
  assert.ok(seen.read > 10 && seen.refused > 100, JSON.stringify(seen));
});

rulesets.run();
