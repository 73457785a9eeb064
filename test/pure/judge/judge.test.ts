import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import { FINDINGS } from '../../../src/judge/findings.ts';
import { judge } from '../../../src/judge/judge.ts';
import { canBlock, canUnload, fingerprint, heldBy, isBlocked, otherHolders } from '../../../src/judge/questions.ts';
import type { Facts, Module } from '../../../src/observe/facts.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planAlg as plan } from '../../../src/plan/plan.ts';
import { reportOn } from '../../../src/survey/report.ts';
import { exitCode } from '../../../src/survey/survey.ts';
import { textOf } from '../../../src/words/say.ts';
import { recordedRouter, routerNames } from '../../routers.ts';

interface Routers {
  on: Facts;
  dormant: Facts;
  stock: Facts;
  disabled: Facts;
}

const judged = suite<Routers>('the verdict');

judged.before(async (context) => {
  const see = async (name: string): Promise<Facts> => observe(recordedRouter(name));
  Object.assign(context, {
    on: await see('stock-alg-on'),
    dormant: await see('dormant'),
    stock: await see('openwrt-stock'),
    disabled: await see('disabled'),
  });
});

const failed = (source: string): Reading<never> => ({ state: 'failed', source, because: 'input/output error (EIO)' });

function withModule(facts: Facts, which: 'tracker' | 'rewriter', state: Module['state']): Facts {
  const { [which]: reading } = facts.modules;
  if (reading.state !== 'present') throw new Error('no module');
  return { ...facts, modules: { ...facts.modules, [which]: { ...reading, value: { ...reading.value, state } } } };
}

judged('is one of four, by what is assigned and what is in the kernel', ({ on, dormant, stock }) => {
  assert.is(judge(on).alg, 'rewriting');
  for (const state of ['not there', 'on disk'] as const) assert.is(judge(withModule(on, 'rewriter', state)).alg, 'tracking');
  assert.is(judge(withModule(on, 'rewriter', 'built in')).alg, 'rewriting');
  assert.is(judge(dormant).alg, 'off');
  assert.is(judge(stock).alg, 'off');
  for (const state of ['not there', 'on disk'] as const)
    assert.is(judge(withModule(on, 'tracker', state)).alg, 'off', 'without the tracker nothing acts, whatever the rules say');
});

judged('is rewriting by each way of assigning, alone', ({ dormant, on }) => {
  const ways: Partial<Facts>[] = [
    { nft: on.nft },
    { flows: on.flows },
    { expectations: on.expectations },
    { automatic: { state: 'present', value: 1, source: 'x' } },
    {
      iptables: [
        {
          state: 'present',
          source: 'x',
          value: {
            save: 'x',
            restore: 'y',
            chains: [],
            assignments: [{ table: 'raw', chain: 'c', position: 1, rule: 'r', helper: 'sip' }],
          },
        },
      ],
    },
  ];
  for (const way of ways) assert.is(judge({ ...dormant, ...way }).alg, 'rewriting', Object.keys(way).join());
});

judged('is unknown where a reading that decides has failed, names it, and is exit code 2', ({ dormant }) => {
  const blind: Record<string, Facts> = {
    nft: { ...dormant, nft: failed('nft') },
    iptables: { ...dormant, iptables: [failed('iptables-save')] },
    automatic: { ...dormant, automatic: failed('sysctl') },
    flows: { ...dormant, flows: failed('conntrack') },
    expectations: { ...dormant, expectations: failed('expect') },
    tracker: { ...dormant, modules: { ...dormant.modules, tracker: failed('/proc/modules') } },
    uci: { ...dormant, firewall: { ...dormant.firewall, uci: failed('uci') } },
    includes: { ...dormant, firewall: { ...dormant.firewall, includes: failed('includes') } },
    autoload: { ...dormant, boot: { ...dormant.boot, autoload: failed('autoload') } },
    blacklist: { ...dormant, boot: { ...dormant.boot, blacklist: failed('blacklist') } },
  };
  for (const [what, facts] of Object.entries(blind)) {
    const verdict = judge(facts);
    assert.is(verdict.alg, 'unknown', what);
    assert.equal(
      verdict.unread.map(({ because }) => because),
      ['input/output error (EIO)'],
      what,
    );
    assert.match(verdict.text, `${verdict.unread[0]?.source} could not be read: input/output error (EIO)`);
    assert.is(exitCode(reportOn('0', { ...facts, policy: { state: 'absent', source: 'x' } }, null)), 2, what);
    assert.equal(plan(facts, 'disabled', true).steps, [], what);
  }
});

judged('is not made unknown by what does not decide', ({ stock, dormant }) => {
  const facts: Facts = {
    ...stock,
    nft: failed('nft'),
    flows: failed('conntrack'),
    expectations: failed('expect'),
    drops: failed('dmesg'),
    wan: failed('wan'),
  };
  assert.is(judge(facts).alg, 'off', 'without the module there is nothing to look for');
  assert.is(
    judge({ ...dormant, drops: failed('dmesg'), wan: failed('wan'), timeouts: { udp: failed('a'), udpStream: failed('b') } }).alg,
    'off',
  );
});

judged("is never off where the router's own nft or configuration is missing", ({ dormant }) => {
  assert.is(judge({ ...dormant, nft: { state: 'absent', source: 'nft' } }).alg, 'unknown');
  assert.is(judge({ ...dormant, firewall: { ...dormant.firewall, uci: { state: 'absent', source: 'uci' } } }).alg, 'unknown');
});

judged('takes fw4 at its word that a rule without the module does no harm', async () => {
  const facts = await observe(recordedRouter('firewall-would-fail'));
  const codes = (check?: Facts['firewall']['check']) =>
    judge({ ...facts, firewall: { ...facts.firewall, ...(check === undefined ? {} : { check }) } }).findings.map(({ code }) => code);
  const says = (loads: boolean): Facts['firewall']['check'] => ({ state: 'present', source: 'fw4 check', value: { loads, because: '' } });
  assert.ok(codes().includes('firewall-would-fail'));
  assert.ok(codes(says(false)).includes('firewall-would-fail'));
  // For example it names a set that there is not: fw4 leaves it out.
  assert.not.ok(codes(says(true)).includes('firewall-would-fail'));
});

judged('says what would bring it back', ({ on, dormant, disabled, stock }) => {
  const returns = (facts: Facts): string[] => judge(facts).returns.map(({ at }) => at);
  assert.equal(returns(on), ['firewall reload', 'boot', 'package upgrade']);
  assert.equal(returns(dormant), ['firewall reload', 'boot', 'package upgrade']);
  assert.equal(returns(disabled), []);
  assert.equal(returns(stock), []);
  assert.match(judge(dormant).text, 'It would come back at the next firewall reload, boot and package upgrade.');
  const image: Facts = { ...on, modules: { ...on.modules, inImage: { state: 'present', value: true, source: '/rom/lib/modules/x' } } };
  assert.equal(returns(image), ['firewall reload', 'boot', 'package upgrade', 'sysupgrade']);
  assert.equal(returns(withModule(on, 'tracker', 'on disk')), ['boot', 'package upgrade']);
  assert.equal(returns(withModule(on, 'tracker', 'built in')), ['firewall reload', 'boot', 'sysupgrade']);
});

judged('gives evidence with every finding and every return, each line something to look up', async () => {
  let seen = 0;
  for (const name of routerNames()) {
    const { findings, returns } = judge(await observe(recordedRouter(name)));
    for (const { evidence, ...one } of [...findings, ...returns]) {
      seen++;
      assert.ok(evidence.length > 0, `${name}: ${JSON.stringify(one)}`);
      for (const line of evidence) assert.match(line, /^\S[^\n]*$/, `${name}: ${JSON.stringify(one)}`);
    }
  }
  assert.ok(seen > 150, `${seen} findings and returns`);
});

judged('keeps a finding silent whose cause speaks', async () => {
  const rows = new Map(FINDINGS.map((row) => [row.code, row]));
  const causes = FINDINGS.flatMap((row) => row.dependsOn.map((cause) => ({ code: row.code, cause })));
  assert.ok(causes.length > 0);
  for (const { code, cause } of causes) assert.ok(rows.has(cause), `${code} depends on ${cause}, which is no code`);
  /** Rows that have something to say and keep silent on some router. */
  const silent = new Set<string>();
  for (const name of routerNames()) {
    const facts = await observe(recordedRouter(name));
    // Each problem of the configuration is a finding of its own.
    const found = judge(facts).findings.map(({ code }) => code);
    const codes = found.filter((code, at) => code !== 'wish-problem' || found.indexOf(code) === at);
    assert.equal(codes, [...new Set(codes)], name);
    for (const { code, cause } of causes.filter((one) => codes.includes(one.cause))) {
      assert.not.ok(codes.includes(code), `${name}: ${code} beside ${cause}`);
      if ((rows.get(code)?.evidence(facts) ?? null) !== null) silent.add(code);
    }
  }
  assert.ok(silent.size > 0, 'no router shows it');
});

judged('says nothing of a row whose readings failed', ({ on }) => {
  const codes = judge({ ...on, nft: failed('nft'), boot: { ...on.boot, autoload: failed('x'), blacklist: failed('y') } }).findings.map(
    ({ code }) => code,
  );
  for (const code of ['nft-assignment', 'nft-object', 'autoload', 'blocked', 'half-blocked', 'module-idle'])
    assert.not.ok(codes.includes(code), code);
});

judged('counts all, though it shows some', ({ on }) => {
  const finding = judge(on).findings.find(({ code }) => code === 'pinhole-open');
  assert.equal(
    [finding?.text, finding?.evidence.length, finding?.evidence.at(-1)],
    ['The helper holds 16 holes open in the firewall.', 9, 'and 8 more'],
  );
});

judged.run();

const reach = suite<Routers>('what can be reached');

reach.before(async (context) => {
  for (const [key, name] of [
    ['on', 'stock-alg-on'],
    ['dormant', 'held-by-ipvs'],
    ['stock', 'openwrt-22.03'],
    ['disabled', 'user-include'],
  ] as const)
    context[key] = await observe(recordedRouter(name));
});

reach('is unloading where nothing else needs the module', ({ on, dormant }) => {
  assert.is(canUnload(on), true);
  assert.is(canUnload(dormant), false);
  assert.is(canUnload(withModule(on, 'tracker', 'built in')), false);
});

reach('is not unloading what more refer to than is seen here: another network namespace does', ({ on }) => {
  const { tracker } = on.modules;
  if (tracker.state !== 'present' || tracker.value.refcount === null) throw new Error('no module');
  const more = (count: number): Facts => ({
    ...on,
    modules: { ...on.modules, tracker: { ...tracker, value: { ...tracker.value, refcount: tracker.value.refcount! + count } } },
  });
  assert.equal([otherHolders(more(0)), otherHolders(more(1)).map(textOf)], [[], ['something unseen (another network namespace, or tc)']]);
  assert.is(canUnload(more(1)), false);
  assert.ok(
    judge(more(1)).findings.some(({ text }) =>
      text.startsWith('something unseen (another network namespace, or tc) needs nf_conntrack_sip'),
    ),
  );
  const done = plan(more(1), 'disabled', true);
  assert.equal(done.refused, []);
  assert.not.ok(
    done.steps.some(({ commands }) => commands.includes('rmmod nf_conntrack_sip')),
    'the tracker stays',
  );
  assert.ok(
    done.steps.some(({ commands }) => commands.includes('rmmod nf_nat_sip')),
    'the rewriter goes',
  );
  assert.ok(
    done.steps.some(({ commands }) => commands.some((text) => text.includes('blacklist nf_conntrack_sip'))),
    'and neither comes back',
  );
  // What could not be read explains nothing.
  assert.is(canUnload({ ...more(1), nft: failed('nft') }), true);
});

reach('is blocking where a kmodloader reads the file', ({ on, stock }) => {
  assert.is(canBlock(on), true);
  assert.is(canBlock(stock), false);
  const unread: Facts = { ...on, boot: { ...on.boot, loader: failed('/sbin/kmodloader') } };
  assert.is(canBlock(unread), true, 'ubox ships the file as soon as it reads it');
  assert.is(canBlock({ ...unread, boot: { ...unread.boot, blacklist: { state: 'absent', source: 'x' } } }), false);
  assert.is(isBlocked(on), false);
});

reach('is held by a hand-written include, and by what was found out by trying while nothing changed since', ({ on, disabled }) => {
  assert.match(heldBy(disabled)?.because.text ?? '', /hand-written include/);
  assert.is(heldBy(on), null);
  const tried = (of: string): Facts => ({
    ...on,
    journal: {
      state: 'present',
      source: 'x',
      value: { format: 1, program: '0', since: 1, state: 'taken', taken: [], held: { because: 'found out', of } },
    },
  });
  assert.equal(heldBy(tried(fingerprint(on))), { because: { code: 'held', text: 'found out' }, lines: [] });
  assert.is(heldBy(tried('something else')), null);
  const { uci } = on.firewall;
  if (uci.state !== 'present') throw new Error('no configuration');
  const edited: Facts = { ...on, firewall: { ...on.firewall, uci: { ...uci, value: { ...uci.value, text: uci.value.text + '#' } } } };
  assert.is.not(fingerprint(edited), fingerprint(on));
});

reach('is nothing more where it is held: rules go, and neither file nor module is touched', ({ disabled }) => {
  const { steps, held } = plan(disabled, 'disabled', false);
  assert.ok(held);
  assert.equal(
    steps
      .flatMap(({ actions }) => actions)
      .filter((action) => action.do === 'write' || (action.do === 'run' && action.argv[0] === 'rmmod')),
    [],
  );
});

reach.run();
