/** The stand-in for fw3, held against what the real one (3a65fde) put into iptables for the same configurations. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSave } from '../../src/languages/iptables/save.ts';
import { FW3_RULESETS } from './fw3/furnish.ts';
import { openLab, type Lab } from './lab.ts';
import { hideModules } from './modules.ts';

// Those of the machine the rules were recorded on.
const PRESENT = ['amanda', 'ftp', 'h323', 'irc', 'netbios_ns', 'sane', 'sip', 'snmp', 'tftp'];

/** Table to chain to its policy and rules: what means something of a saved ruleset. Tables that hold nothing are left out. */
function meaning(text: string): Record<string, Record<string, string[]>> {
  const saved = text.replace(/^(:\S+ \S+)$/gm, '$1 [0:0]');
  return Object.fromEntries(
    parseSave(saved)
      .tables.map((table): [string, Record<string, string[]>] => [
        table.name,
        Object.fromEntries(
          table.chains.map(({ name, policy }) => [
            name,
            [policy ?? '-', ...table.rules.filter(({ chain }) => chain === name).map((rule) => rule.text)],
          ]),
        ),
      ])
      .filter(([, chains]) => Object.values(chains).some(([policy, ...rules]) => policy === '-' || policy === 'DROP' || rules.length > 0)),
  );
}

const seen = async (lab: Lab, save: string): Promise<unknown> => meaning(await lab.router.must([save]));

const equal = suite('fw3 stand-in against recorded rules');
let lab: Lab;
equal.before(async () => {
  lab = await openLab({ fw3: 'stock-21.02' });
  await hideModules(lab.router, (name) => name.startsWith('nf_conntrack_') && !PRESENT.includes(name.slice(13)));
});
equal.after(() => lab.close());

for (const ruleset of FW3_RULESETS) {
  equal(`makes of ${ruleset}.config the rules that fw3 made`, async () => {
    lab.files.write('/etc/config/firewall', readFileSync(`test/fixtures/fw3/${ruleset}.config`, 'utf8'));
    const { status, stderr } = await lab.router.run(['fw3', 'restart']);
    assert.is(status, 0, stderr);
    for (const save of ['iptables-save', 'ip6tables-save'])
      assert.equal(await seen(lab, save), meaning(readFileSync(`test/fixtures/fw3/${ruleset}.${save}.txt`, 'utf8')), save);
  });
}

equal('and over the rules of another configuration, on a reload', async () => {
  for (const ruleset of [...FW3_RULESETS, FW3_RULESETS[0]]) {
    lab.files.write('/etc/config/firewall', readFileSync(`test/fixtures/fw3/${ruleset}.config`, 'utf8'));
    const { status, stderr } = await lab.router.run(['fw3', 'reload']);
    assert.is(status, 0, stderr);
    for (const save of ['iptables-save', 'ip6tables-save']) {
      const [is, wished] = [await seen(lab, save), meaning(readFileSync(`test/fixtures/fw3/${ruleset}.${save}.txt`, 'utf8'))];
      assert.equal(is, wished, `${ruleset}, ${save}`);
    }
  }
});

equal.run();

const verbs = suite('fw3 stand-in, its verbs');
verbs.before(async () => {
  lab = await openLab({ fw3: 'stock-21.02' });
});
verbs.after(() => lab.close());
verbs.before.each(async () => {
  lab.files.write('/etc/config/firewall', readFileSync('test/fixtures/fw3/stock-21.02.config', 'utf8'));
  await lab.router.must(['fw3', 'restart']);
});

const configure = (text: string): void => lab.files.write('/etc/config/firewall', lab.files.read('/etc/config/firewall') + text);
const STATE = '/var/run/fw3.state';

verbs('start refuses a firewall that is there; reload starts one that is not', async () => {
  const started = await lab.router.run(['fw3', 'start']);
  assert.is(started.status, 1);
  assert.match(started.stderr, 'appears to be started already');
  await lab.router.must(['fw3', 'stop']);
  assert.is(lab.files.exists(STATE), false);
  const stopped = await lab.router.run(['fw3', 'stop']);
  assert.is(stopped.status, 1);
  assert.match(stopped.stderr, "Use the 'flush' command");
  assert.not.match(await lab.router.must(['iptables-save']), 'zone_lan');
  assert.match(await lab.router.must(['iptables-save']), ':FORWARD ACCEPT');
  await lab.router.must(['fw3', 'reload']);
  assert.is(lab.files.exists(STATE), true);
  assert.match(await lab.router.must(['iptables-save']), 'zone_lan');
});

verbs("stop and reload leave others' rules, flush leaves none, and a reload what its owner has put into his chains", async () => {
  await lab.router.must([
    'sh',
    '-ec',
    'iptables -t mangle -N mine; iptables -t mangle -A FORWARD -j mine; iptables -A forwarding_rule -j RETURN',
  ]);
  await lab.router.must(['fw3', 'reload']);
  const reloaded = await lab.router.must(['iptables-save']);
  assert.match(reloaded, '-A FORWARD -j mine');
  assert.match(reloaded, '-A forwarding_rule -j RETURN');
  await lab.router.must(['fw3', 'stop']);
  const stopped = await lab.router.must(['iptables-save']);
  assert.match(stopped, '-A FORWARD -j mine');
  assert.not.match(stopped, 'forwarding_rule');
  await lab.router.must(['/etc/init.d/firewall', 'stop']);
  assert.not.match(await lab.router.must(['iptables-save']), /^-A|mine/m);
});

verbs('a set that is there is not filled anew by a reload, and a redirect asks for it', async () => {
  lab.files.write('/etc/mine.nets', '198.51.100.0/24\n');
  configure(
    "\nconfig ipset\n\toption name 'mine'\n\toption storage 'hash'\n\toption match 'src_net'\n\toption loadfile '/etc/mine.nets'\n"
      + "\nconfig redirect\n\toption name 'PBX'\n\toption src 'wan'\n\toption dest 'lan'\n\toption proto 'udp'\n\toption src_dport '5070'\n"
      + "\toption dest_ip '192.168.1.11'\n\toption ipset 'mine src'\n\toption reflection '0'\n",
  );
  await lab.router.must(['fw3', 'reload']);
  assert.match(await lab.router.must(['ipset', 'list', 'mine']), '198.51.100.0/24');
  assert.match(
    await lab.router.must(['iptables-save', '-t', 'nat']),
    '-A zone_wan_prerouting -p udp -m udp --dport 5070 -m set --match-set mine src -m comment --comment "!fw3: PBX" '
      + '-j DNAT --to-destination 192.168.1.11:5070',
  );
  lab.files.write('/etc/mine.nets', '192.0.2.0/24\n');
  await lab.router.must(['fw3', 'reload']);
  assert.not.match(await lab.router.must(['ipset', 'list', 'mine']), '192.0.2.0/24');
  await lab.router.must(['fw3', 'restart']);
  assert.match(await lab.router.must(['ipset', 'list', 'mine']), '192.0.2.0/24');
});

verbs('scripts run under the lock, on a reload only those that ask for it', async () => {
  const script = (name: string): string => `flock -n /var/run/fw3.lock true && echo free >> /tmp/${name} || echo held >> /tmp/${name}\n`;
  for (const name of ['always', 'once']) lab.files.write(`/etc/mine.${name}`, script(name));
  configure("\nconfig include\n\toption path '/etc/mine.always'\n\toption reload '1'\n\nconfig include\n\toption path '/etc/mine.once'\n");
  await lab.router.must(['fw3', 'restart']);
  await lab.router.must(['fw3', 'reload']);
  assert.is(lab.files.read('/tmp/always'), 'held\nheld\n');
  assert.is(lab.files.read('/tmp/once'), 'held\n');
});

verbs('an option it does not render is an error, and nothing is loaded', async () => {
  configure("\nconfig rule\n\toption src 'lan'\n\toption start_time '10:00'\n");
  const before = await lab.router.must(['iptables-save', '-t', 'filter']);
  const { status, stderr } = await lab.router.run(['fw3', 'reload']);
  assert.is(status, 1);
  assert.match(stderr, 'does not render option start_time');
  const rules = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('-'));
  assert.equal(rules(await lab.router.must(['iptables-save', '-t', 'filter'])), rules(before));
});

verbs.run();
