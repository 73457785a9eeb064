import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Reading } from '../../../src/host/host.ts';
import { inMemory, keepingCheck, whatCheckReads } from '../../../src/observe/kept-check.ts';
import type { FirewallCheck } from '../../../src/observe/facts.ts';
import { keptInFile } from '../../../src/rpcd/kept.ts';

const CONFIG = "config zone\n\toption name 'lan'\n";
const ANSWER: Extract<Reading<FirewallCheck>, { state: 'present' }> = {
  state: 'present',
  source: 'fw4 check',
  value: { loads: true, because: '' },
};

/** A machine of files alone, whose time a test sets. */
function machine(files: Record<string, string | null>) {
  const time = { now: 1_000_000 };
  const absent = (source: string) => ({ state: 'absent' as const, source });
  const host = {
    async read(path: string) {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      if (text === null) return { state: 'failed' as const, source: path, because: 'it may not be read' };
      return text === undefined ? absent(path) : { state: 'present' as const, source: path, value: text };
    },
    async list(path: string) {
      const names = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
      return names.length === 0
        ? absent(path)
        : { state: 'present' as const, source: path, value: names.map((name) => name.slice(path.length + 1)) };
    },
    kind: async (path: string) =>
      Object.hasOwn(files, path) ? { state: 'present' as const, source: path, value: 'directory' as const } : absent(path),
    async write(path: string, text: string) {
      files[path] = text;
    },
    now: () => time.now,
    process: () => ({ pid: 1, uid: 0 }),
  } as unknown as Host;
  return { host, time };
}

/** Looks whose answer of fw4's is counted. */
function counted(host: Host, store = inMemory(), during: () => void = () => undefined) {
  const asked: number[] = [];
  const look = keepingCheck(host, store, async (checked) => {
    if (checked === undefined) {
      asked.push(host.now());
      during();
    }
    return { firewall: { check: checked ?? ANSWER } } as never;
  });
  return { asked, look: look as () => Promise<{ firewall: { check: typeof ANSWER } }> };
}

const kept = suite("fw4's answer");

kept('is not asked for again while nothing it reads is another, and says from when it is', async () => {
  const { host, time } = machine({ '/etc/config/firewall': CONFIG });
  const { asked, look } = counted(host);
  assert.equal((await look()).firewall.check, ANSWER);
  time.now += 5000;
  assert.equal((await look()).firewall.check.value, { loads: true, because: '', asked: 1_000_000 });
  assert.is(asked.length, 1);
});

for (const [what, file, text] of [
  ['the configuration', '/etc/config/firewall', `${CONFIG}\n`],
  ['an include', '/etc/nftables.d/10-own.nft', 'chain x { }\n'],
  ['a shared include', '/usr/share/nftables.d/table-post/own.nft', 'chain y { }\n'],
  ['what uci has not committed', '/tmp/.uci/firewall', "firewall.lan.helper='sip'\n"],
  ['the firewall, loaded once more,', '/var/run/fw4.state', '{"zones":[]}\n'],
  ['the elements of a set', '/etc/block.txt', '192.0.2.2\n'],
  ['a module', '/sys/module/nf_nat_sip', ''],
] as const)
  kept(`is asked for again as soon as ${what} is another`, async () => {
    const files: Record<string, string | null> = {
      '/etc/config/firewall': `${CONFIG}config ipset\n\toption name 'block'\n\toption loadfile '/etc/block.txt'\n`,
      '/etc/block.txt': '192.0.2.1\n',
    };
    const { host } = machine(files);
    const { asked, look } = counted(host);
    await look();
    await look();
    assert.is(asked.length, 1);
    files[file] = text;
    await look();
    assert.is(asked.length, 2);
    await look();
    assert.is(asked.length, 2);
  });

kept('is believed for two minutes, and not where the time has been set back', async () => {
  const { host, time } = machine({ '/etc/config/firewall': CONFIG });
  const { asked, look } = counted(host);
  await look();
  time.now += 119_999;
  await look();
  assert.is(asked.length, 1);
  time.now += 1;
  await look();
  assert.is(asked.length, 2);
  time.now -= 1;
  await look();
  assert.is(asked.length, 3);
});

kept('is not kept where a file was written while it was asked for', async () => {
  const files: Record<string, string | null> = { '/etc/config/firewall': CONFIG };
  const { host } = machine(files);
  const { asked, look } = counted(host, inMemory(), () => {
    files['/etc/config/firewall'] += '\n';
  });
  await look();
  await look();
  assert.is(asked.length, 2);
});

for (const [what, files] of [
  ['a file that cannot be read', { '/etc/config/firewall': CONFIG, '/etc/nftables.d/own.nft': null }],
  ['an include of an include', { '/etc/config/firewall': CONFIG, '/etc/nftables.d/own.nft': 'include "/root/x.nft"\n' }],
  ['a configuration that is no UCI', { '/etc/config/firewall': 'zone\n' }],
  ['no configuration', {}],
  ['more than is gone through', { '/etc/config/firewall': CONFIG, '/etc/nftables.d/own.nft': '#'.repeat(300_000) }],
] as const)
  kept(`is asked for each time where there is ${what}`, async () => {
    const { host } = machine({ ...files });
    assert.is(await whatCheckReads(host), null);
    const { asked, look } = counted(host);
    await look();
    await look();
    assert.is(asked.length, 2);
  });

kept('lies in a file between two calls of the plugin, and one that is no answer is none', async () => {
  const files: Record<string, string | null> = { '/etc/config/firewall': CONFIG };
  const { host } = machine(files);
  const { asked, look } = counted(host, keptInFile(host));
  await look();
  const again = counted(host, keptInFile(host));
  assert.is((await again.look()).firewall.check.value.loads, true);
  assert.equal([asked.length, again.asked.length], [1, 0]);
  const text = files['/var/run/sipalg.run.check'] as string;
  for (const wrong of ['', '{', '[]', text.replace('"present"', '"absent"'), text.replace('true', '1')]) {
    files['/var/run/sipalg.run.check'] = wrong;
    const anew = counted(host, keptInFile(host));
    await anew.look();
    assert.is(anew.asked.length, 1, wrong);
  }
});

kept.run();
