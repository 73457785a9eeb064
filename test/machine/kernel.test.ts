/** What the kernel does with modules that really load and unload: the facts the program is built on, with plain commands. */
import * as assert from 'uvu/assert';
import { onEveryKernel } from './qemu/each.ts';
import { IPTABLES } from './qemu/image.ts';
import type { Router } from './qemu/router.ts';

const BOTH = { nf_conntrack_sip: 3, nf_nat_sip: 0 };
const BLOCK = 'blacklist nf_conntrack_sip\nblacklist nf_nat_sip\n';
const OBJECT = 'table inet mine { ct helper voip { type "sip" protocol udp; }; }\n';

// Without the program: whoever checks the rules of before, with the helper in them, has the kernel load its module anew.
const test = onEveryKernel('the kernel and its SIP modules', { sipalg: false });

/** Deletes fw4's SIP rule and object in one transaction. */
async function deassign(router: Router): Promise<void> {
  const listed = await router.must(['nft', '-a', 'list', 'chain', 'inet', 'fw4', 'helper_lan']);
  const handle = /ct helper set "sip".*# handle (\d+)/.exec(listed)?.[1];
  assert.ok(handle, listed);
  await router.must(['nft', '-f', '-'], { input: `delete rule inet fw4 helper_lan handle ${handle}\ndelete ct helper inet fw4 sip\n` });
}

test('the boot loads both modules and the firewall, and the ALG rewrites', async (router) => {
  assert.is(router.bootLog(), '');
  assert.match(await router.must(['nft', 'list', 'chain', 'inet', 'fw4', 'helper_lan']), 'ct helper set "sip"');
  assert.is(await router.treatment(), 'rewritten');
});

test("an object in an inet table and the NAT module hold the helper's module three times", async (router) => {
  assert.equal(await router.sipModules(), BOTH);
});

test('a module that is held is not unloaded: status 255 and not a word', async (router) => {
  const ran = await router.run(['rmmod', 'nf_conntrack_sip']);
  assert.equal([ran.status, ran.stdout, ran.stderr], [255, '', '']);
  assert.equal(await router.sipModules(), BOTH);
});

test('a flow is rewritten after its rule is gone, and untouched from the packet after the modules are gone', async (router) => {
  const caller = await router.caller(15_060);
  const rewritten = async (): Promise<boolean> => {
    const { sent, arrived } = await caller.invite();
    assert.type(arrived, 'string', 'it arrived');
    return sent !== arrived;
  };
  assert.ok(await rewritten());
  await deassign(router);
  assert.equal(await router.sipModules(), { nf_conntrack_sip: 1, nf_nat_sip: 0 });
  assert.ok(await rewritten(), 'rule and object gone, the same flow');
  assert.match(await router.must(['conntrack', '-L', '-o', 'extended']), 'helper=sip');
  assert.match(await router.read('/proc/net/nf_conntrack_expect'), 'sip/');
  await router.must(['rmmod', 'nf_nat_sip']);
  await router.must(['rmmod', 'nf_conntrack_sip']);
  assert.not.ok(await rewritten(), 'modules gone, the same flow');
  const flows = await router.must(['conntrack', '-L', '-o', 'extended']);
  assert.match(flows, 'sport=15060');
  assert.not.match(flows, 'helper=sip');
  assert.is((await router.read('/proc/net/nf_conntrack_expect')).trim(), '');
  await caller.close();
});

test('an nft object brings the helper back, and not its NAT part', async (router) => {
  await router.must(['nft', '-f', '-'], { input: OBJECT });
  assert.equal(await router.sipModules(), { nf_conntrack_sip: 2 });
  await router.must(['nft', 'delete', 'table', 'inet', 'mine']);
  await router.must(['rmmod', 'nf_conntrack_sip']);
});

test('so does a rule of iptables', async (router) => {
  const rule = ['-t', 'raw', 'PREROUTING', '-p', 'udp', '--dport', '5060', '-j', 'CT', '--helper', 'sip'];
  const iptables = (verb: string): string[] => [`${IPTABLES}/iptables-legacy`, rule[0]!, rule[1]!, verb, ...rule.slice(2)];
  await router.must(iptables('-A'));
  assert.equal(await router.sipModules(), { nf_conntrack_sip: 1 });
  await router.must(iptables('-D'));
  await router.must(['rmmod', 'nf_conntrack_sip']);
});

test('with both names blocked nothing loads them: not modprobe, not the loader, not a rule', async (router) => {
  await router.write('/etc/modules.conf', `# kept\n${BLOCK}`);
  for (const argv of [['modprobe', 'nf_nat_sip'], ['modprobe', 'nf_conntrack_sip'], ['kmodloader']]) {
    const ran = await router.run(argv);
    assert.equal([argv[0], ran.status, ran.stdout, ran.stderr], [argv[0], 0, '', '']);
  }
  const object = await router.run(['nft', '-f', '-'], { input: OBJECT });
  assert.is(object.status, 1);
  assert.match(object.stderr, 'No such file or directory');
  const rule = await router.run([
    `${IPTABLES}/iptables-legacy`,
    '-t',
    'raw',
    '-A',
    'PREROUTING',
    '-p',
    'udp',
    '-j',
    'CT',
    '--helper',
    'sip',
  ]);
  assert.is.not(rule.status, 0);
  assert.equal(await router.sipModules(), {});
});

test('with only the helper blocked, the NAT module brings it along', async (router) => {
  await router.write('/etc/modules.conf', 'blacklist nf_conntrack_sip\n');
  await router.must(['kmodloader']);
  assert.equal(await router.sipModules(), { nf_conntrack_sip: 1, nf_nat_sip: 0 });
  await router.must(['rmmod', 'nf_nat_sip']);
  await router.must(['rmmod', 'nf_conntrack_sip']);
});

test('blocked, the router boots without the modules, and with a firewall that needs none', async (router) => {
  await router.write('/etc/modules.conf', BLOCK);
  await router.reboot();
  assert.is(router.bootLog(), '');
  assert.equal(await router.sipModules(), {});
  const rules = await router.must(['nft', 'list', 'table', 'inet', 'fw4']);
  assert.match(rules, 'ct helper set "tftp"');
  assert.not.match(rules, '"sip"');
  assert.is(await router.treatment(), 'untouched');
});

test('blocked, a rule that sets the helper leaves the router without any firewall at boot', async (router) => {
  const config = await router.read('/etc/config/firewall');
  await router.write(
    '/etc/config/firewall',
    `${config}
config rule
	option src 'lan'
	option proto 'udp'
	option dest_port '5060'
	option target 'HELPER'
	option set_helper 'sip'
`,
  );
  assert.is((await router.run(['fw4', 'check'])).status, 1);
  await router.reboot();
  assert.match(router.bootLog(), 'No such file or directory');
  assert.is((await router.must(['nft', 'list', 'ruleset'])).trim(), '');
});

test.run();
