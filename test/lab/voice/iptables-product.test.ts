/** The program itself on a router with fw3: applied, survived, brought back by the firewall's include, taken away. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lab } from '../lab.ts';
import { openFw3, STOCK, STOCK6 } from './fw3.ts';
import type { Flavour } from './fw3.ts';

const WISH = `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config provider 'example'
	list signalling '203.0.113.10'
	list signalling '2001:db8:113::10'
	list media '198.51.100.0/24'
`;

async function saved(lab: Lab): Promise<string> {
  const texts = await Promise.all(['iptables-save', 'ip6tables-save'].map((command) => lab.router.must([command])));
  return texts
    .join('')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, '[0:0]'))
    .join('\n');
}

/** Asking for a table of the legacy flavour makes it, so only what is ours is compared once that was done. */
const ours = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.includes('sipalg'))
    .join('\n');

/** As fw3 runs a script (includes.c): in a shell of its own, sourced. */
const INCLUDE = ['sh', '-c', 'config() { exit 1; }; . /etc/sipalg.include'];

for (const flavour of ['legacy', 'nft'] as Flavour[]) {
  const test = suite(`policy/iptables, the program, ${flavour}`);
  test('applies, comes back after firewall stop, and leaves no trace', async () => {
    const lab = await openFw3(flavour);
    try {
      const { router, files } = lab;
      const timeouts = ['nf_conntrack_udp_timeout', 'nf_conntrack_udp_timeout_stream'].map((name) => `/proc/sys/net/netfilter/${name}`);
      const before = { config: files.read('/etc/config/firewall'), timeouts: await router.must(['cat', ...timeouts]) };
      files.write('/etc/config/sipalg', WISH);
      const first = await router.run(['sipalg', 'apply'], { timeout: 60_000 });
      assert.is(first.status, 0, first.stdout + first.stderr);
      const applied = await saved(lab);
      assert.match(applied, /-A PREROUTING -i wan -p udp .*-j sipalg_internet/);
      assert.match(files.read('/etc/config/firewall'), /config include 'sipalg_include'\n(\t.*\n)*\toption reload\t1\n/);
      assert.is(await router.must(['cat', ...timeouts]), '620\n620\n');
      assert.match((await router.run(['sipalg', 'apply'], { timeout: 60_000 })).stdout, /nothing to do/);

      // A reload of fw3 leaves ours alone, and runs the include: nothing is doubled.
      await router.must(INCLUDE);
      assert.is(await saved(lab), applied);
      // `firewall stop` empties every table; the start that follows brings fw3's rules, then runs the include.
      for (const [command, stock] of [
        ['iptables-restore', STOCK],
        ['ip6tables-restore', STOCK6],
      ] as const) {
        await router.must([
          'sh',
          '-c',
          `for table in mangle filter nat; do ${command.replace('-restore', '')} -t $table -F; ${command.replace('-restore', '')} -t $table -X; done`,
        ]);
        await router.must([command], { input: stock });
      }
      assert.not.match(await saved(lab), /sipalg/);
      assert.is(await router.must(INCLUDE), '');
      assert.is(ours(await saved(lab)), ours(applied));
      const report = JSON.parse((await router.run(['sipalg', 'status', '--json'], { timeout: 60_000 })).stdout) as {
        verdict: { findings: { code: string }[] };
      };
      assert.equal(
        report.verdict.findings.map(({ code }) => code).filter((code) => /^policy-(missing|changed|unwanted)/.test(code)),
        [],
      );

      files.write('/etc/config/sipalg', WISH.replace("policy '1'", "policy '0'"));
      const last = await router.run(['sipalg', 'apply'], { timeout: 60_000 });
      assert.is(last.status, 0, last.stdout + last.stderr);
      assert.not.match(await saved(lab), /sipalg/);
      assert.is(files.read('/etc/config/firewall'), before.config);
      assert.is(await router.must(['cat', ...timeouts]), before.timeouts);
      assert.equal(
        files.list('/etc').filter((name) => name.startsWith('sipalg.')),
        [],
      );
      assert.is(await router.must(['ipset', 'list', '-n']), '');

      // What this iptables does not have is said, once each, and is not promised.
      const folder = ['x86_64', 'aarch64'].map((arch) => `/usr/lib/${arch}-linux-gnu/xtables`).find((path) => files.exists(path));
      for (const name of ['u32', 'recent', 'hashlimit', 'DSCP']) files.remove(`${folder}/libxt_${name}.so`);
      files.write('/etc/config/sipalg', WISH);
      for (const words of [['apply'], ['apply'], ['status'], ['policy']]) {
        const { status, stdout, stderr } = await router.run(['sipalg', ...words], { timeout: 60_000 });
        assert.is(status, 1, `${words.join()}: ${stdout}${stderr}`);
        for (const name of ['u32', 'recent', 'hashlimit', 'DSCP'])
          assert.is(`${stdout}${stderr}`.split(`iptables has no ${name}: `).length, 2, `${words.join()} ${name}: ${stdout}${stderr}`);
        assert.not.match(stdout, /`sipalg apply` (puts them there|does it)/);
      }
    } finally {
      await lab.close();
    }
  });
  test.run();
}
