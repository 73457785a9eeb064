import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Facts } from '../../../src/observe/facts.ts';
import { FIREWALL_CONFIG, firewallFacts } from '../../../src/observe/firewall.ts';
import type { Firewall } from '../../../src/observe/firewall.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planBlock } from '../../../src/plan/block.ts';
import { planConfiguration } from '../../../src/plan/configuration.ts';
import { parseModulesConf } from '../../../src/languages/kernel/autoload.ts';
import { recordedRouter } from '../../routers.ts';

const configuration = suite<{ facts: Facts }>('what /etc/config/firewall must not say');

configuration.before(async (context) => {
  context.facts = await observe(recordedRouter('stock-alg-on'));
});

function withConfig(facts: Facts, text: string, firewall: Firewall = 'fw4'): Facts {
  const { definitions } = facts.firewall;
  const value = firewallFacts(text, firewall, definitions.state === 'present' ? definitions.value : []);
  return { ...facts, firewall: { ...facts.firewall, uci: { state: 'present', source: FIREWALL_CONFIG, value } } };
}

/** The text afterwards, and the commands; null where nothing is to be done. */
function edited(facts: Facts, text: string, stays = false, firewall: Firewall = 'fw4'): { text: string; commands: string[] } | null {
  const {
    steps: [step],
  } = planConfiguration(withConfig(facts, text, firewall), stays);
  if (step === undefined) return null;
  const [action] = step.actions;
  assert.equal(step.undo, [{ do: 'write', path: FIREWALL_CONFIG, text }]);
  return { text: action?.do === 'write' ? action.text : '', commands: step.commands };
}

const LAN = "config zone\n\toption name 'lan'\t# home\n";

configuration('is left alone where nothing in it sets the helper', ({ facts }) => {
  for (const text of ['', LAN, `${LAN}\tlist helper 'ftp'\n`, "config rule\n\toption helper 'sip'\n\toption target 'ACCEPT'\n"])
    assert.is(edited(facts, text), null, text);
});

configuration("loses a list's SIP, and nothing else", ({ facts }) => {
  assert.equal(edited(facts, `${LAN}\tlist helper 'ftp'\n\tlist helper 'sip'\n\n# end\n`), {
    text: `${LAN}\tlist helper 'ftp'\n\n# end\n`,
    commands: ['uci del_list firewall.@zone[0].helper=sip', 'uci commit firewall'],
  });
});

configuration('gets no automatic helpers by losing the only one that was named', ({ facts }) => {
  const after = edited(facts, `${LAN}\tlist helper 'sip'\n`)?.text ?? '';
  assert.is(firewallFacts(after, 'fw4', []).zones[0]?.sip, 'not');
  assert.match(after, /auto_helper '?0/);
  const off = edited(facts, `${LAN}\toption auto_helper '0'\n\tlist helper 'sip'\n`)?.commands ?? [];
  assert.is(off.filter((command) => command.includes('auto_helper')).length, 0, 'it has none already');
});

configuration('loses the SIP of an option, and of a name with a "!" that fw4 does not honour', ({ facts }) => {
  assert.is(edited(facts, `${LAN}\toption helper 'ftp sip tftp'\n`)?.text, `${LAN}\toption helper 'ftp tftp'\n`);
  const alone = edited(facts, `${LAN}\toption helper 'sip'\n`)?.text ?? '';
  assert.is(firewallFacts(alone, 'fw4', []).zones[0]?.sip, 'not');
  assert.not.match(alone, /helper 'sip'/);
  assert.is(edited(facts, `${LAN}\tlist helper 'ftp'\n\tlist helper '!sip'\n`)?.text, `${LAN}\tlist helper 'ftp'\n`);
});

configuration('lists the other helpers with the switch beside them, without which LuCI deletes the list', ({ facts }) => {
  const after = edited(facts, LAN, true);
  assert.match(after?.text ?? '', /list helper 'ftp'/);
  assert.match(after?.text ?? '', /option auto_helper '0'/);
  assert.equal(
    after?.commands.filter((command) => command.includes('auto_helper')),
    ['uci set firewall.@zone[0].auto_helper=0'],
  );
});

configuration('has the rule that sets the helper switched off, not taken away', ({ facts }) => {
  const rule =
    "config zone\n\toption name 'lan'\n\tlist helper 'ftp'\n\nconfig rule 'voice'\n\toption src 'lan'\n\toption target 'HELPER'\n\toption set_helper 'sip'\n";
  const after = edited(facts, rule);
  assert.equal(after?.commands, ['uci set firewall.voice.enabled=0', 'uci commit firewall']);
  assert.equal(
    firewallFacts(after?.text ?? '', 'fw4', []).setHelper.map(({ enabled }) => enabled),
    [false],
  );
  assert.is(edited(facts, `${rule}\toption enabled '0'\n`), null);
});

configuration('names every other helper where the module stays, and only then', ({ facts }) => {
  assert.is(edited(facts, LAN), null);
  const after = edited(facts, LAN, true);
  const [zone] = firewallFacts(
    after?.text ?? '',
    'fw4',
    facts.firewall.definitions.state === 'present' ? facts.firewall.definitions.value : [],
  ).zones;
  assert.equal(zone?.helpers, ['amanda', 'ftp', 'RAS', 'Q.931', 'irc', 'netbios-ns', 'sane', 'snmp', 'tftp']);
  assert.is(zone?.sip, 'not');
  assert.is(edited(facts, "config defaults\n\toption auto_helper '0'\n" + LAN, true), null);
  assert.is(edited(facts, `${LAN}\toption masq '1'\n`, true), null);
});

configuration('switches automatic helpers off where there is no other', ({ facts }) => {
  const alone: Facts = {
    ...facts,
    firewall: {
      ...facts.firewall,
      definitions: {
        state: 'present',
        source: 'x',
        value: [
          { name: 'sip', module: 'nf_conntrack_sip', available: true },
          { name: 'ftp', module: 'nf_conntrack_ftp', available: false },
        ],
      },
    },
  };
  const after = edited(alone, LAN, true)?.text ?? '';
  assert.is(firewallFacts(after, 'fw4', []).zones[0]?.sip, 'not');
  assert.not.match(after, /ftp/);
});

configuration('is planned once: with the edits made nothing is left to do', ({ facts }) => {
  const text = `${LAN}\tlist helper 'ftp'\n\tlist helper 'sip'\n\nconfig zone\n\toption name 'guest'\n\nconfig rule\n\toption src 'lan'\n\toption target 'h'\n\toption set_helper 'sip'\n`;
  for (const stays of [false, true]) {
    for (const firewall of ['fw4', 'fw3'] as const) {
      const after = edited(facts, text, stays, firewall);
      assert.ok(after);
      assert.is(edited(facts, after?.text ?? '', stays, firewall), null);
    }
  }
});

configuration.run();

const block = suite<{ facts: Facts }>('what keeps the modules from being loaded');

block.before(async (context) => {
  context.facts = await observe(recordedRouter('stock-alg-on'));
});

function withConf(facts: Facts, text: string | null): Facts {
  const lines = parseModulesConf(text ?? '').lines;
  const value = {
    text: text ?? '',
    modules: lines.flatMap((line) => (line.kind === 'blacklist' ? [line.module] : [])),
    dangerous: lines.flatMap((line) =>
      line.kind === 'dangerous' ? [{ line: line.line, text: line.text.trim(), because: line.because }] : [],
    ),
  };
  return {
    ...facts,
    boot: { ...facts.boot, blacklist: text === null ? { state: 'absent', source: 'x' } : { state: 'present', source: 'x', value } },
  };
}

const BOTH = '# sipalg: keeps the SIP ALG out; `sipalg enable` takes this away\nblacklist nf_conntrack_sip\nblacklist nf_nat_sip\n';

function blocked(facts: Facts, text: string | null): string | null {
  const {
    steps: [step],
    refused,
  } = planBlock(withConf(facts, text));
  assert.equal(refused, []);
  const [action] = step?.actions ?? [];
  return action?.do === 'write' ? action.text : null;
}

block('is both names, behind what is there', ({ facts }) => {
  assert.is(blocked(facts, '# a\n'), `# a\n${BOTH}`);
  assert.is(blocked(facts, ''), BOTH);
  assert.is(blocked(facts, null), BOTH);
  assert.is(blocked(facts, BOTH), null, 'once is enough');
  assert.is(blocked(facts, 'blacklist nf_conntrack_sip\r\nblacklist\tnf_nat_sip # x\n'), null, 'however it is written');
});

block('mends a last line without a newline, and says so as a command', ({ facts }) => {
  const {
    steps: [step],
  } = planBlock(withConf(facts, 'blacklist a'));
  assert.is(blocked(facts, 'blacklist a'), `blacklist a\n${BOTH}`);
  assert.is(step?.commands[0], 'echo >> /etc/modules.conf');
});

block('adds the one name that is missing', ({ facts }) => {
  assert.is(
    blocked(facts, 'blacklist nf_nat_sip\n'),
    'blacklist nf_nat_sip\n# sipalg: keeps the SIP ALG out; `sipalg enable` takes this away\nblacklist nf_conntrack_sip\n',
  );
});

block('touches no file with a line that is neither a blacklist nor options, and names the line', ({ facts }) => {
  const { steps, refused } = planBlock(withConf(facts, '# a\nalias a b\noptions x y=1\nsoftdep x pre: y\n'));
  assert.equal(steps, []);
  assert.equal(
    refused.map(({ text }) => /^\/etc\/modules\.conf, line (\d+), .*: "(.*)" \(/.exec(text)?.slice(1)),
    [
      ['2', 'alias a b'],
      ['4', 'softdep x pre: y'],
    ],
  );
});

block('is nothing where no kmodloader reads it', async () => {
  for (const name of ['openwrt-22.03', 'fw3-21.02', 'built-in'])
    assert.equal(planBlock(await observe(recordedRouter(name))).steps, [], name);
});

block.run();
