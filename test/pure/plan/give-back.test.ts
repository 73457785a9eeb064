import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Journal } from '../../../src/journal/journal.ts';
import type { Taken } from '../../../src/journal/taken.ts';
import { parseModulesConf } from '../../../src/languages/kernel/autoload.ts';
import type { Facts } from '../../../src/observe/facts.ts';
import { FIREWALL_CONFIG, firewallFacts } from '../../../src/observe/firewall.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planConfiguration } from '../../../src/plan/configuration.ts';
import { planGiveBack } from '../../../src/plan/give-back.ts';
import { planAlg as plan } from '../../../src/plan/plan.ts';
import { recordedRouter, routerNames } from '../../routers.ts';

const CONF = '/etc/modules.conf';

function withJournal(facts: Facts, taken: readonly Taken[], state: Journal['state'] = 'taken'): Facts {
  const value: Journal = { format: 1, program: '0.1.0', since: 1, state, taken: [...taken], held: null };
  return { ...facts, journal: { state: 'present', source: '/etc/sipalg.journal', value } };
}

function withConf(facts: Facts, text: string | null): Facts {
  const lines = parseModulesConf(text ?? '').lines;
  const value = { text: text ?? '', modules: lines.flatMap((line) => (line.kind === 'blacklist' ? [line.module] : [])), dangerous: [] };
  return {
    ...facts,
    boot: { ...facts.boot, blacklist: text === null ? { state: 'absent', source: CONF } : { state: 'present', source: CONF, value } },
  };
}

function withConfig(facts: Facts, text: string): Facts {
  return {
    ...facts,
    firewall: { ...facts.firewall, uci: { state: 'present', source: FIREWALL_CONFIG, value: firewallFacts(text, 'fw4', []) } },
  };
}

/** What a path is written to be; 'removed', or undefined where it is left alone. */
function written(facts: Facts, path: string): string | undefined {
  const { steps, refused } = planGiveBack(facts);
  assert.equal(refused, []);
  for (const action of steps.flatMap(({ actions }) => actions)) {
    if (action.do === 'write' && action.path === path) return action.text;
    if (action.do === 'remove' && action.path === path) return 'removed';
  }
  return undefined;
}

const back = suite<{ facts: Facts }>('the way back');

back.before(async (context) => {
  context.facts = await observe(recordedRouter('disabled'));
});

/** What disable takes of this file, by its own plan. */
async function takenOf(name: string, path: string): Promise<Taken[]> {
  return plan(await observe(recordedRouter(name)), 'disabled', false).takes.filter((entry) => entry.kind === 'file' && entry.path === path);
}

back('gives a file back byte for byte, also one that was not there', async ({ facts }) => {
  for (const before of ['# a', '', null, 'blacklist x\r\n\t# y \udcff\n']) {
    const { takes } = plan(withConf(await observe(recordedRouter('stock-alg-on')), before), 'disabled', false);
    const [entry] = takes.filter((one) => one.kind === 'file');
    assert.ok(entry?.kind === 'file' && entry.path === CONF);
    if (entry?.kind !== 'file') continue;
    assert.is(
      written(
        withJournal(
          withConf(facts, entry.after),
          takes.filter((one) => one.kind === 'file'),
        ),
        CONF,
      ),
      before ?? 'removed',
    );
  }
});

back("gives the firewall's configuration back byte for byte", async ({ facts }) => {
  for (const name of ['set-helper-rule', 'lan-explicit-helpers', 'built-in', 'fw3-21.02']) {
    const [entry] = await takenOf(name, FIREWALL_CONFIG);
    assert.ok(entry?.kind === 'file', name);
    if (entry?.kind === 'file')
      assert.is(written(withJournal(withConfig(facts, entry.after), [entry]), FIREWALL_CONFIG), entry.before, name);
  }
});

back('keeps what the owner has written meanwhile, before, between and behind our lines', async ({ facts }) => {
  const [entry] = await takenOf('stock-alg-on', CONF);
  assert.ok(entry?.kind === 'file');
  if (entry?.kind !== 'file') return;
  const since = `# mine\n${entry.after}blacklist nf_nat_h323\n`;
  const text = written(withJournal(withConf(facts, since), [entry]), CONF) ?? '';
  assert.match(text, '# mine\n');
  assert.match(text, 'blacklist nf_nat_h323\n');
  assert.not.match(text, /sip/i);
  const [zone] = await takenOf('lan-explicit-helpers', FIREWALL_CONFIG);
  if (zone?.kind !== 'file') throw new Error('no entry');
  const changed = zone.after.replace("'ftp'", "'ftp'\n\tlist helper 'tftp'") + "\nconfig rule\n\toption name 'new'\n";
  const again = written(withJournal(withConfig(facts, changed), [zone]), FIREWALL_CONFIG) ?? '';
  assert.equal([...(firewallFacts(again, 'fw4', []).zones[0]?.helpers ?? [])].sort(), ['ftp', 'sip', 'tftp']);
  assert.match(again, "option name 'new'");
});

/** What disable leaves of the configuration of a router whose kernel holds the modules: nine helpers, and the switch beside them. */
async function builtIn(): Promise<{ before: string; after: string; entry: Taken }> {
  const text = "config zone\n\toption name 'lan'\n\nconfig zone\n\toption name 'wan'\n\toption masq '1'\n";
  const [entry] = planConfiguration(withConfig(await observe(recordedRouter('built-in')), text), true).takes;
  if (entry?.kind !== 'file' || entry.before === null) throw new Error('no entry');
  assert.match(entry.after, "list helper 'ftp'");
  assert.match(entry.after, "option auto_helper '0'");
  return { before: entry.before, after: entry.after, entry };
}

/** The sections in which something of ours is left. */
const ours = (text: string): string[] => text.split(/\n(?=config )/).filter((section) => /helper/.test(section));

back('finds a zone again that its owner has renamed', async ({ facts }) => {
  const { after, entry } = await builtIn();
  for (const renamed of [
    after.replace(/(option name\s+)'?lan'?/, "$1'home'"),
    after.replace(/(option name\s+)'?lan'?/, "$1'home'").replace("list helper 'ftp'", "list helper 'mine'"),
  ]) {
    const again = written(withJournal(withConfig(facts, renamed), [entry]), FIREWALL_CONFIG) ?? '';
    assert.match(again, 'home');
    assert.equal(ours(again).join(''), renamed.includes("'mine'") ? ours(again).join('') : '', 'nothing of ours is left');
    if (renamed.includes("'mine'")) assert.equal(firewallFacts(again, 'fw4', []).zones[0]?.helpers, ['mine']);
  }
});

back('says what is left where more than one section could be the one it was', async ({ facts }) => {
  const { after, entry } = await builtIn();
  const [, zone = ''] = /(?:^|\n)(config zone\n(?:(?!\nconfig )[^])*helper[^]*?)(?=\nconfig |$)/.exec(after) ?? [];
  assert.match(zone, 'list helper');
  const other = (name: string): string => `${zone.replace(/(option name\s+)'?lan'?/, `$1'${name}'`)}\n`;
  const twice = `config zone\n\toption name 'first'\n\n${after.replace(`${zone}\n`, `${other('one')}\n${other('two')}`)}`;
  const { steps, refused } = planGiveBack(withJournal(withConfig(facts, twice), [entry]));
  assert.equal(steps, []);
  assert.match(refused.map(({ text }) => text).join(' '), /the zone lan has another name now, and more than one could be it/);
});

back('takes away all that is ours of a list to which its owner has added, or from which taken', async ({ facts }) => {
  const { after, entry } = await builtIn();
  const added = after.replace("list helper 'ftp'", "list helper 'ftp'\n\tlist helper 'mine'");
  const again = written(withJournal(withConfig(facts, added), [entry]), FIREWALL_CONFIG) ?? '';
  assert.equal(firewallFacts(again, 'fw4', []).zones[0]?.helpers, ['mine']);
  assert.not.match(again, 'auto_helper');
  const less = after.replace(/\n\s+list helper 'ftp'/, '');
  assert.equal(ours(written(withJournal(withConfig(facts, less), [entry]), FIREWALL_CONFIG) ?? ''), []);
});

/** The rule of a zone, taken from its chain. */
const taken = (chain: string, unreached = false): Taken => ({
  kind: 'nft',
  rules: [
    {
      family: 'inet',
      table: chain === 'mine' ? 'own' : 'fw4',
      chain,
      rule: 'udp dport 5060 ct helper set "sip"',
      remains: null,
      previous: null,
      next: null,
      place: 0,
      ...(unreached ? { unreached: true } : {}),
    },
  ],
  elements: [],
  helpers: [],
});

back('puts no rule into a chain of fw4 that nothing leads to any more: another load of it brings the chain back', ({ facts }) => {
  if (facts.nft.state !== 'present') throw new Error('no rules');
  const withChain = (table: string, chain: string): Facts => ({
    ...facts,
    nft: {
      ...facts.nft,
      value: {
        ...(facts.nft.state === 'present' ? facts.nft.value : ({} as never)),
        tables: ['inet fw4', 'inet own'],
        present: [`inet ${table} ${chain}`],
        unreached: [`inet ${table} ${chain}`],
        chains: [{ family: 'inet', table, chain, rules: [] }],
      },
    } as Facts['nft'],
  });
  const commands = (given: Facts, entry: Taken): string[] =>
    planGiveBack(withJournal(given, [entry])).steps.flatMap((step) => step.commands);
  assert.equal(commands(withChain('fw4', 'helper_lan'), taken('helper_lan')), ['fw4 reload']);
  assert.match(commands(withChain('fw4', 'helper_lan'), taken('helper_lan', true)).join(), 'add rule inet fw4 helper_lan');
  assert.match(commands(withChain('own', 'mine'), taken('mine')).join(), 'add rule inet own mine');
});

back('lets fw3 bring back the chain of a zone that had no other helper, and starts no fw3 that its owner has stopped', async () => {
  const fw3 = await observe(recordedRouter('fw3-21.02'));
  const rule = '-i br-lan -p udp -m comment --comment "!fw3: SIP VoIP connection tracking" -m udp --dport 5060 -j CT --helper sip';
  const entry: Taken = {
    kind: 'iptables',
    save: 'iptables-save',
    restore: 'iptables-restore',
    rules: [{ table: 'raw', chain: 'zone_lan_helper', rule, previous: null, next: null, place: 0 }],
  };
  const iptables = (running: boolean, chains: { table: string; chain: string; rules: string[]; reached: boolean }[]): Facts['iptables'] => [
    {
      state: 'present',
      source: 'iptables-save',
      value: { save: 'iptables-save', restore: 'iptables-restore', flavour: 'legacy', assignments: [], chains, fw3: running },
    },
  ];
  const commands = (seen: Facts['iptables']): string[] =>
    planGiveBack(withJournal({ ...fw3, iptables: seen }, [entry])).steps.flatMap((step) => step.commands);
  assert.equal(commands(iptables(true, [])), ['fw3 reload']);
  assert.equal(commands(iptables(false, [])), []);
  const there = { table: 'raw', chain: 'zone_lan_helper', rules: [], reached: true };
  assert.not.match(commands(iptables(true, [there])).join(), 'fw3 reload');
});

back('leaves alone what the owner has given back or taken away', async ({ facts }) => {
  const [entry] = await takenOf('stock-alg-on', CONF);
  if (entry?.kind !== 'file') throw new Error('no entry');
  assert.is(written(withJournal(withConf(facts, entry.before ?? ''), [entry]), CONF), undefined);
  assert.is(written(withJournal(withConf(facts, null), [entry]), CONF), undefined);
});

back('undoes several edits of one file, the last one first', ({ facts }) => {
  const taken: Taken[] = [
    { kind: 'file', path: CONF, before: 'a b\n', after: 'c d\n' },
    { kind: 'file', path: CONF, before: 'c d\n', after: 'e f\n' },
  ];
  assert.is(written(withJournal(withConf(facts, 'e f\n'), taken), CONF), 'a b\n');
});

back('gives nothing back to a file it cannot read, and says so', ({ facts }) => {
  const blind: Facts = {
    ...facts,
    boot: { ...facts.boot, blacklist: { state: 'failed', source: CONF, because: 'input/output error (EIO)' } },
  };
  const { steps, refused } = planGiveBack(withJournal(blind, [{ kind: 'file', path: CONF, before: '', after: 'x' }]));
  assert.equal(steps, []);
  assert.is(refused.length, 1);
  assert.match(refused[0]?.text as string, '/etc/modules.conf could not be read');
});

back('loads the tracker before the rewriter, and each once', ({ facts }) => {
  const module = (name: string): Taken => ({ kind: 'module', name, parameters: {} });
  // The tracker is taken last where something else held it at first.
  for (const order of [
    ['nf_conntrack_sip', 'nf_nat_sip', 'nf_conntrack_sip', 'nf_nat_sip'],
    ['nf_nat_sip', 'nf_conntrack_sip'],
  ]) {
    const { steps } = planGiveBack(withJournal(facts, order.map(module)));
    assert.equal(
      steps.flatMap(({ commands }) => commands),
      ['modprobe nf_conntrack_sip', 'modprobe nf_nat_sip'],
    );
  }
});

back('gives the parameters back with which a module was loaded', ({ facts }) => {
  const module: Taken = {
    kind: 'module',
    name: 'nf_conntrack_sip',
    parameters: { ports: '5060,5080', sip_timeout: '3600', sip_direct_media: '0' },
  };
  const { steps } = planGiveBack(withJournal(facts, [module]));
  assert.equal(
    steps.flatMap(({ commands }) => commands),
    ['insmod /lib/modules/6.6.110/nf_conntrack_sip.ko ports=5060,5080 sip_direct_media=0'],
  );
});

back("says which package is missing where a module's file is gone", async () => {
  const { steps, refused } = planGiveBack(
    withJournal(await observe(recordedRouter('openwrt-stock')), [{ kind: 'module', name: 'nf_conntrack_sip', parameters: {} }]),
  );
  assert.equal(steps, []);
  assert.match(refused.map(({ text }) => text).join(), /kmod-nf-nathelper-extra, or kmod-nf-nathelper-sip from OpenWrt 25\.12\.5 on/);
});

back('is refused as a whole without a journal that can be read, and is nothing without one', async ({ facts }) => {
  assert.equal(planGiveBack({ ...facts, journal: { state: 'absent', source: 'x' } }), { steps: [], takes: [], refused: [] });
  const { refused } = plan(await observe(recordedRouter('journal-damaged')), 'enabled', true);
  assert.match(refused.join(), 'The journal /etc/sipalg.journal could not be read: it is no JSON');
});

back('comes in the order the way there was safe in: files, modules, rules', async () => {
  const { steps } = plan(await observe(recordedRouter('disabled')), 'enabled', true);
  assert.equal(
    steps.map(({ rank }) => rank),
    [...steps.map(({ rank }) => rank)].sort((one, other) => one - other),
  );
  assert.equal(
    steps.flatMap(({ actions }) => actions).map((action) => (action.do === 'run' ? action.argv[0] : action.do)),
    ['write', 'write', 'modprobe', 'modprobe', 'nft'],
  );
});

back('takes nothing: what it does needs no journal of its own', async () => {
  for (const name of routerNames()) assert.equal(plan(await observe(recordedRouter(name)), 'enabled', true).takes, [], name);
});

back.run();
