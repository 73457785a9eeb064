import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { comparable } from './listing.ts';
import { hideModules } from './modules.ts';
import { openLab, RULESETS, type Lab, type Ruleset } from './lab.ts';

const recorded = (ruleset: Ruleset): unknown[] =>
  comparable((JSON.parse(readFileSync(`test/fixtures/fw4/${ruleset}.ruleset.json`, 'utf8')) as { nftables: unknown[] }).nftables);

// The modules of the machines the rulesets were recorded on.
const PRESENT = ['amanda', 'ftp', 'h323', 'irc', 'netbios_ns', 'sane', 'sip', 'snmp', 'tftp'];
const FEW = ['ftp', 'irc', 'tftp'];

const equal = suite('fw4 stand-in against recorded rulesets');

for (const ruleset of RULESETS) {
  equal(`renders from ${ruleset}.config what fw4 rendered`, async () => {
    const lab = await openLab({ ruleset });
    try {
      const keep = ruleset === 'stock-alg-absent' ? FEW : PRESENT;
      await hideModules(lab.router, (name) => name.startsWith('nf_conntrack_') && !keep.includes(name.slice(13)));
      assert.equal(comparable(await lab.ruleset()), recorded(ruleset), 'the recorded print, loaded here');
      const restarted = await lab.router.run(['fw4', 'restart']);
      assert.is(restarted.stderr, '');
      assert.is(restarted.status, 0);
      assert.equal(comparable(await lab.ruleset()), recorded(ruleset), 'the stand-in, from the configuration');
    } finally {
      await lab.close();
    }
  });
}

equal.run();

const verbs = suite('fw4 stand-in, its verbs');
let lab: Lab;
verbs.before(async () => {
  lab = await openLab();
});
verbs.after(() => lab.close());
verbs.before.each(async () => {
  lab.files.write('/etc/config/firewall', readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8'));
  lab.files.remove('/etc/nftables.d/99-test.nft');
  await lab.router.must(['fw4', '-q', 'restart']);
});

const configure = (text: string): void => lab.files.write('/etc/config/firewall', lab.files.read('/etc/config/firewall') + text);
const table = (): Promise<string> => lab.router.must(['nft', '-s', 'list', 'table', 'inet', 'fw4']);

verbs('check says that the ruleset passes and loads nothing', async () => {
  await lab.router.must(['nft', 'delete', 'table', 'inet', 'fw4']);
  const checked = await lab.router.run(['fw4', 'check']);
  assert.is(checked.stdout, 'Ruleset passes nftables check.\n');
  assert.is(checked.status, 0);
  assert.is((await lab.router.run(['nft', 'list', 'table', 'inet', 'fw4'])).status, 1);
});

verbs('check fails where nft would refuse the ruleset', async () => {
  lab.files.write('/etc/nftables.d/99-test.nft', 'chain broken {\n\tct helper set "nobody"\n\tnonsense\n}\n');
  const checked = await lab.router.run(['fw4', 'check']);
  assert.is(checked.status, 1);
  assert.is(checked.stdout, '');
  assert.match(checked.stderr, 'nonsense');
});

verbs('reload ends with 0 and leaves the old rules where nft refuses the new ones', async () => {
  const before = await table();
  lab.files.write('/etc/nftables.d/99-test.nft', 'nonsense\n');
  const reloaded = await lab.router.run(['fw4', 'reload']);
  assert.is(reloaded.status, 0);
  assert.match(reloaded.stderr, 'nonsense');
  assert.is(await table(), before);
});

verbs('reload puts back rules that were deleted, and renews the state file', async () => {
  lab.files.write('/var/run/fw4.state', '{"old":true}\n');
  await lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
  assert.not.match(await table(), 'ct helper set "sip"');
  await lab.router.must(['fw4', 'reload']);
  assert.match(await table(), 'ct helper set "sip"');
  assert.match(lab.files.read('/var/run/fw4.state'), /^\{"zones":\[\{"name":"lan","devices":\["br-lan"\]\},/);
});

verbs('start refuses a firewall that is there, reload one that is not', async () => {
  const started = await lab.router.run(['fw4', 'start']);
  assert.is(started.status, 1);
  assert.match(started.stderr, 'already loaded');
  await lab.router.must(['fw4', 'stop']);
  assert.is((await lab.router.run(['nft', 'list', 'table', 'inet', 'fw4'])).status, 1);
  const reloaded = await lab.router.run(['fw4', 'reload']);
  assert.is(reloaded.status, 1);
  assert.match(reloaded.stderr, 'does not appear to be loaded');
  await lab.router.must(['fw4', 'start']);
  assert.match(await table(), 'helper_lan');
});

verbs('reload waits for the lock, check does not', async () => {
  const holder = lab.router.spawn(['flock', '-x', '/var/run/fw4.lock', 'sh', '-c', 'echo held; read line']);
  await new Promise((resolve) => holder.child.stdout.once('data', resolve));
  const reload = lab.router.run(['fw4', 'reload'], { timeout: 5000 });
  assert.is((await lab.router.run(['fw4', 'check'])).status, 0);
  const first = await Promise.race([reload.then(() => 'reloaded'), new Promise((resolve) => setTimeout(resolve, 300, 'waiting'))]);
  assert.is(first, 'waiting');
  holder.child.stdin.end('\n');
  assert.is((await reload).status, 0);
});

verbs('a zone that lists a helper nobody defines is skipped as a whole', async () => {
  lab.files.write(
    '/etc/config/firewall',
    lab.files.read('/etc/config/firewall').replace('\toption name\t\tlan\n', "\toption name\t\tlan\n\tlist helper 'voip'\n"),
  );
  const restarted = await lab.router.run(['fw4', 'restart']);
  assert.match(restarted.stderr, "option 'helper' specifies invalid value 'voip'");
  assert.not.match(await table(), 'input_lan');
  assert.match(await table(), 'input_wan');
});

verbs('a set_helper rule without the module makes nft refuse everything', async () => {
  const own = await openLab({ modules: { sip: 'absent' }, ruleset: 'stock-alg-absent' });
  try {
    const config = readFileSync('test/fixtures/fw4/set-helper-rule.config', 'utf8');
    own.files.write('/etc/config/firewall', config);
    const checked = await own.router.run(['fw4', 'check']);
    assert.is(checked.status, 1);
    assert.match(checked.stderr, 'No such file or directory');
    own.files.write('/etc/config/firewall', config.replace("option target 'HELPER'", "option target 'HELPER'\n\toption enabled '0'"));
    assert.is((await own.router.run(['fw4', 'check'])).status, 0);
  } finally {
    await own.close();
  }
});

verbs('nftables includes go where their section says, and package drop-ins are found by themselves', async () => {
  lab.files.write('/etc/mine.nft', 'udp dport 4444 accept\n');
  lab.files.write('/usr/share/nftables.d/table-post/9.nft', 'chain dropped_in {\n}\n');
  configure(
    "\nconfig include\n\toption type 'nftables'\n\toption path '/etc/mine.nft'\n"
      + "\toption position 'chain-pre'\n\toption chain 'input_wan'\n",
  );
  await lab.router.must(['fw4', 'restart']);
  assert.match(await lab.router.must(['nft', 'list', 'chain', 'inet', 'fw4', 'input_wan']), /\{\n\t\tudp dport 4444 accept\n/);
  assert.match(await table(), 'chain dropped_in');
  lab.files.remove('/usr/share/nftables.d/table-post');
});

verbs('script includes run after the rules are loaded, with the lock still held', async () => {
  lab.files.write('/etc/mine.sh', 'flock -n /var/run/fw4.lock true && echo free > /tmp/ran || echo held > /tmp/ran\n');
  configure("\nconfig include\n\toption path '/etc/mine.sh'\n");
  await lab.router.must(['fw4', 'restart']);
  assert.is(lab.files.read('/tmp/ran'), 'held\n');
});

verbs.run();
