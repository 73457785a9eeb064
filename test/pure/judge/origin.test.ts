import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judge } from '../../../src/judge/judge.ts';
import { cameBack, isUnshown, unexplainedRules } from '../../../src/judge/origin.ts';
import { fingerprint } from '../../../src/judge/questions.ts';
import type { Facts, IncludeUse, IptablesFacts } from '../../../src/observe/facts.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planAlg as plan } from '../../../src/plan/plan.ts';
import { recordedRouter } from '../../routers.ts';

const origin = suite('where rules that set the helper come from');

const SCRIPT: IncludeUse = { file: '/etc/firewall.user', line: 3, text: 'iptables ... --helper sip', kind: 'runs', name: null };

const withUses = (facts: Facts, ...uses: IncludeUse[]): Facts => ({
  ...facts,
  firewall: { ...facts.firewall, includes: { state: 'present', source: 'x', value: uses } },
});

/** What a load of the firewall has shown of these facts. */
function withShown(facts: Facts, back: boolean): Facts {
  const value = {
    format: 1,
    program: '0.1.0',
    since: 1,
    state: 'taken',
    taken: [],
    held: null,
    shown: { back, of: fingerprint(facts) },
  } as const;
  return { ...facts, journal: { state: 'present', source: 'x', value: { ...value, taken: [] } } };
}

const loads = (facts: Facts): string[] =>
  plan(facts, 'disabled', false)
    .steps.flatMap(({ commands }) => commands)
    .filter((command) => /^fw[34] /.test(command));

/** The fw3 router, its own rule and one that a person has added. */
async function fw3(running: boolean, rule: string): Promise<Facts> {
  const facts = await observe(recordedRouter('fw3-21.02'));
  const value: IptablesFacts = {
    save: 'iptables-save',
    restore: 'iptables-restore',
    assignments: [{ table: 'raw', chain: 'PREROUTING', position: 1, rule, helper: 'sip', reached: true }],
    chains: [{ table: 'raw', chain: 'PREROUTING', rules: [rule], reached: true }],
    fw3: running,
  };
  return withUses({ ...facts, iptables: [{ state: 'present', source: 'iptables-save', value }] });
}

const MINE = '-p udp -m udp --dport 5060 -j CT --helper sip';
const OWN = '-p udp -m comment --comment "!fw3: SIP VoIP connection tracking" -m udp --dport 5060 -j CT --helper sip';

origin('is the firewall itself where its mark stands, and unknown where no file explains a rule', async () => {
  assert.equal(unexplainedRules(await observe(recordedRouter('stock-alg-on'))), []);
  assert.is(unexplainedRules(await observe(recordedRouter('foreign-table'))).length, 3);
  assert.equal(unexplainedRules(await fw3(true, OWN)), []);
  assert.equal(unexplainedRules(await fw3(true, MINE)), [`iptables raw PREROUTING: ${MINE}`]);
  assert.equal(unexplainedRules(withUses(await fw3(true, MINE), SCRIPT)), []);
});

origin('is shown by a load of the firewall, where that runs and the module may be there', async () => {
  assert.equal(loads(await fw3(true, MINE)), ['fw3 restart']);
  assert.equal(loads(withUses(await fw3(true, OWN), SCRIPT)), ['fw3 restart']);
  assert.equal(loads(await fw3(true, OWN)), [], 'its own rules need no showing');
  assert.equal(loads(await fw3(false, MINE)), [], 'what its owner has stopped stays so');
  const builtIn = withUses(await observe(recordedRouter('built-in')), SCRIPT);
  assert.equal(loads(builtIn), ['fw4 reload']);
  const refused: Facts = {
    ...builtIn,
    firewall: { ...builtIn.firewall, check: { state: 'present', source: 'x', value: { loads: false, because: 'y' } } },
  };
  assert.equal(loads(refused), []);
  if (builtIn.nft.state !== 'present') throw new Error('no rules');
  assert.equal(loads({ ...builtIn, nft: { ...builtIn.nft, value: { ...builtIn.nft.value, tables: [] } } }), []);
  assert.equal(loads(withUses(await observe(recordedRouter('stock-alg-on')), SCRIPT)), [], 'a blacklist keeps the module away');
});

origin('is said to bring it back until a load has shown that it does not, and as long as nothing has changed', async () => {
  const facts = withUses(await fw3(true, MINE), SCRIPT);
  const codes = (given: Facts): string[] => judge(given).findings.map(({ code }) => code);
  assert.ok(judge(facts).returns.length > 0 && codes(facts).includes('script-sets-helper'));
  assert.is(isUnshown(facts), true);
  const gone = withShown(facts, false);
  assert.is(cameBack(gone), false);
  assert.not.ok(codes(gone).includes('script-sets-helper'));
  assert.ok(judge(gone).returns.every(({ evidence }) => evidence.every((one) => !one.startsWith('script'))));
  const back = withShown(facts, true);
  assert.ok(codes(back).includes('assignment-comes-back'));
  assert.ok(judge(back).returns.length > 0);
  assert.is(cameBack(withUses(gone, SCRIPT, { ...SCRIPT, line: 9 })), null, 'another line');
});

origin.run();
