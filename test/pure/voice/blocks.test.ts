/** Whether somebody else's block list holds a provider: which rules and sets are such lists, what is asked, what is said. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blockSetOf, declaredSets } from '../../../src/languages/nft/blocks.ts';
import { parseRuleset } from '../../../src/languages/nft/ruleset.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import { compare } from '../../../src/voice/judge/compare.ts';
import { judge } from '../../../src/voice/judge/findings.ts';
import { observeBlocks } from '../../../src/voice/seen/blocks.ts';
import { policyFacts } from '../../voice.ts';
import { factsWith, made } from './made.ts';
import type { Made } from './made.ts';

const blocks = suite('block lists that may hold a provider');

/** As nft 1.0.6 lists it, of a table banIP with a rule for each kind. */
const lookup = (right: string, verdict: object, op = '=='): unknown => [
  { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'wan' } },
  { match: { op, left: { payload: { protocol: 'ip', field: 'saddr' } }, right } },
  { counter: { packets: 0, bytes: 0 } },
  verdict,
];
const RULES: readonly unknown[] = [
  lookup('@blocklistv4', { drop: null }),
  lookup('@cinsv4', { goto: { target: '_reject' } }),
  lookup('@seenv4', { drop: null }),
  lookup('@allowv4', { accept: null }),
  lookup('@home', { drop: null }, '!='),
  lookup('198.51.100.7', { drop: null }),
  lookup('@elsewhere', { jump: { target: 'count' } }),
];
const RULESET = JSON.stringify({
  nftables: [
    { metainfo: { version: '1.0.6', json_schema_version: 1 } },
    { table: { family: 'inet', name: 'banIP', handle: 1 } },
    { chain: { family: 'inet', table: 'banIP', name: 'in', handle: 1, type: 'filter', hook: 'prerouting', prio: -150, policy: 'accept' } },
    ...RULES.map((expr, at) => ({ rule: { family: 'inet', table: 'banIP', chain: 'in', handle: 8 + at, expr } })),
  ],
});
const SETS = `table inet fw4 {
}
table inet banIP {
	set blocklistv4 {
		type ipv4_addr
		flags interval
		auto-merge
	}
	set cinsv4 {
		type ipv4_addr
		flags timeout
	}
	set seenv4 {
		type ipv4_addr
		size 100
		flags dynamic,timeout
	}
	set pairs {
		type ipv4_addr . inet_service
	}
	set slow {
		type ipv6_addr
		limit rate 1/minute
	}
}
`;
const NOT_THERE = { code: 1, stderr: 'Error: Could not process rule: No such file or directory\n' };

blocks('are sets by whose addresses a rule drops or rejects, and no others', () => {
  assert.equal(parseRuleset(RULESET).rules.map(blockSetOf), ['blocklistv4', 'cinsv4', 'seenv4', null, null, null, null]);
  assert.equal(
    declaredSets(SETS).map(({ key, family, interval, limited }) => [key, family, interval, limited]),
    [
      ['inet banIP blocklistv4', 'ipv4', true, false],
      ['inet banIP cinsv4', 'ipv4', false, false],
      ['inet banIP seenv4', 'ipv4', false, true],
      ['inet banIP slow', 'ipv6', false, true],
    ],
  );
});

const WISH: PolicyFacts['wish'] = {
  ...policyFacts().wish,
  providers: [{ name: 'example', hosts: [], signalling: ['203.0.113.0/24', '192.0.2.1'], media: ['2001:db8::/48'], inbound: null }],
};

async function look(
  answers: NonNullable<Made['answers']>,
  kind: 'nft' | 'iptables' = 'nft',
): Promise<{ asked: string[]; codes: string[]; evidence: string[] }> {
  const facts = await factsWith('');
  const none = { state: 'absent', source: '' } as const;
  const seen = { restore: 'iptables-restore', tables: [], counted: {}, keeps: false, blocks: ['banip4'] };
  const policy = policyFacts({
    wish: WISH,
    ...(kind === 'nft'
      ? {}
      : { backend: 'iptables', iptables: { ipv4: { state: 'present', value: seen, source: '' }, ipv6: none, sets: [] } }),
  });
  const asked: string[] = [];
  const host = made({ answers });
  const listening: typeof host = {
    ...host,
    run(argv, options) {
      asked.push(argv.join(' '));
      return host.run(argv, options);
    },
  };
  const value = { ...policy, blocks: await observeBlocks(listening, policy) };
  const found = judge(facts, value, compare(facts, value), { steps: [], takes: [], refused: [] }).findings.filter(({ code }) =>
    code.startsWith('provider-block'),
  );
  return { asked, codes: found.map(({ code }) => code), evidence: found.flatMap(({ evidence }) => evidence) };
}

const GET = 'nft get element inet banIP';

blocks('are asked for what a provider has, by nobody whose look would spend a limit', async () => {
  const answers = {
    'nft -t list sets': SETS,
    'nft -j -t list ruleset': RULESET,
    [`${GET} blocklistv4 { 203.0.113.0/24 }`]: 'table inet banIP {\n}\n',
    [`${GET} blocklistv4 { 192.0.2.1 }`]: NOT_THERE,
    [`${GET} cinsv4 { 192.0.2.1 }`]: NOT_THERE,
  };
  const { asked, codes, evidence } = await look(answers);
  assert.equal(asked, Object.keys(answers));
  assert.equal(codes, ['provider-blocked', 'provider-blocks-unread']);
  assert.equal(evidence, ['inet banIP blocklistv4 holds 203.0.113.0/24 of example', 'inet banIP seenv4']);
});

blocks('that could not be asked are not taken for lists without the provider', async () => {
  const denied = { code: 1, stderr: 'Error: Operation not permitted (you must be root)\n' };
  for (const answers of [
    { 'nft -t list sets': denied },
    { 'nft -t list sets': SETS, 'nft -j -t list ruleset': denied },
    { 'nft -t list sets': SETS, 'nft -j -t list ruleset': RULESET, [`${GET} blocklistv4 { 203.0.113.0/24 }`]: denied },
  ])
    assert.equal((await look(answers)).codes, ['provider-blocks-unread']);
  const clean = Object.fromEntries(
    ['blocklistv4 { 192.0.2.1 }', 'blocklistv4 { 203.0.113.0/24 }', 'cinsv4 { 192.0.2.1 }'].map((what) => [`${GET} ${what}`, NOT_THERE]),
  );
  assert.equal((await look({ ...clean, 'nft -j -t list ruleset': RULESET, 'nft -t list sets': SETS.replace(/\tset seenv4[^}]*\}\n/, '') })).codes, []);
});

blocks('of ipset are asked in the same way', async () => {
  const held = await look({ 'ipset test banip4 192.0.2.1': { stderr: 'Warning: 192.0.2.1 is in set banip4.\n' } }, 'iptables');
  assert.equal([held.codes, held.evidence], [['provider-blocked'], ['banip4 holds 192.0.2.1 of example']]);
  const free = { code: 1, stderr: '192.0.2.1 is NOT in set banip4.\n' };
  assert.equal((await look({ 'ipset test banip4 192.0.2.1': free }, 'iptables')).codes, []);
  assert.equal((await look({}, 'iptables')).codes, ['provider-blocks-unread']);
});

blocks.run();
