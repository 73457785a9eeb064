/** The program on routers whose modules really load and unload: off for good, and back as it was. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { assertNamed } from './qemu/diagnosed.ts';
import { onEveryKernel } from './qemu/each.ts';
import type { Picture, Router } from './qemu/router.ts';
import { assertOff, assertSame, commands, sipalg } from './qemu/steps.ts';

const config = (name: string): string => readFileSync(`test/fixtures/fw4/${name}.config`, 'utf8');
// A parameter of one's own, so that giving back can be told from loading anew.
const test = onEveryKernel('sipalg where the SIP modules are modules', {
  files: { '/etc/modules.conf': '# mine\noptions nf_conntrack_sip sip_timeout=1800\n' },
});
const before = new Map<Router, Picture>();

test('status finds the ALG rewriting', async (router) => {
  assert.match(await router.must(['cat', '/sys/module/nf_conntrack_sip/parameters/sip_timeout']), '1800');
  await router.must(['sh', '-c', 'echo 0 >/sys/module/nf_conntrack_sip/parameters/sip_direct_media']);
  assert.is(await router.treatment(), 'rewritten');
  before.set(router, await router.picture());
  const { stdout } = await sipalg(router, 'status --json', 1);
  assert.is((JSON.parse(stdout) as { verdict: { alg: string } }).verdict.alg, 'rewriting');
});

/** An INVITE that is dropped on its way. */
async function assertDropped(router: Router, ...about: Parameters<Router['caller']>): Promise<void> {
  const caller = await router.caller(...about);
  assert.is((await caller.invite()).arrived, undefined);
  await caller.close();
}

test('an ALG that only watches, messages that it drops and holes that it has no more of are told apart', async (router) => {
  // As kmod-nf-log is on every OpenWrt, which kmod-nft-core depends on: what the helper drops is then in the kernel's log.
  await router.must(['modprobe', 'nf_log_syslog']);
  await router.must(['rmmod', 'nf_nat_sip']);
  assert.is(await router.treatment(), 'untouched');
  await assertDropped(router, 15_070, { mediaPort: 9 });
  await assertNamed(router, 'the helper without nf_nat_sip, and an SDP with port 9', {
    made: ['alg-drops', 'alg-watches'],
    not: ['alg-rewrites', 'alg-port-clash', 'holes-full'],
  });

  await router.must(['modprobe', 'nf_nat_sip']);
  await router.must(['dmesg', '-c']);
  const first = await router.caller(15_071, { mediaPort: 41_000 });
  assert.is.not((await first.invite()).arrived, undefined);
  await assertDropped(router, 15_071, { from: 'phone2', mediaPort: 41_000 });
  await first.close();
  await assertNamed(router, 'two phones with one audio port', {
    made: ['alg-port-clash', 'alg-rewrites'],
    not: ['alg-watches', 'holes-full'],
  });

  await router.must(['dmesg', '-c']);
  const limit = '/proc/sys/net/netfilter/nf_conntrack_expect_max';
  const most = (await router.read(limit)).trim();
  await router.must(['conntrack', '-F', 'expect']);
  await router.must(['sh', '-c', `echo 8 >${limit}`]);
  for (let port = 15_080; port < 15_084; port++) {
    const caller = await router.caller(port);
    assert.is.not((await caller.invite()).arrived, undefined, `call ${port}`);
    await caller.close();
  }
  await assertDropped(router, 15_084);
  // The kernel logs the same lines of it as of two phones with one port.
  const full = await assertNamed(router, 'four calls with holes for four, and a fifth', {
    made: ['alg-rewrites', 'holes-full'],
    not: ['alg-watches', 'alg-drops'],
  });
  assert.match(full.said, '"alg-port-clash"', 'it stands under what cannot be known');
  await router.must(['sh', '-c', `echo ${most} >${limit}; dmesg -c; conntrack -F expect`]);
});

test('disable unloads both modules, blocks both names, and the flow that was rewritten passes byte for byte', async (router) => {
  const caller = await router.caller(15_060);
  const first = await caller.invite();
  assert.is.not(first.arrived, first.sent);
  await sipalg(router, 'disable', 0);
  const second = await caller.invite();
  assert.is(second.arrived, second.sent);
  await caller.close();
  await assertOff(router, 'after disable');
  const conf = await router.read('/etc/modules.conf');
  assert.match(conf, /^# mine\noptions nf_conntrack_sip sip_timeout=1800\n/);
  for (const name of ['nf_conntrack_sip', 'nf_nat_sip']) assert.match(conf, new RegExp(`^blacklist ${name}$`, 'm'));
  assert.not.match(await router.must(['nft', 'list', 'ruleset']), '"sip"');
});

test('a second disable runs no command', async (router) => {
  assert.equal(commands(await sipalg(router, 'disable', 0)), []);
  await sipalg(router, 'status', 0);
});

test('it stays off when the loader runs, modules are asked for, and the firewall reloads and restarts', async (router) => {
  for (const argv of [
    ['kmodloader'],
    ['modprobe', 'nf_nat_sip'],
    ['modprobe', 'nf_conntrack_sip'],
    ['fw4', 'reload'],
    ['/etc/init.d/firewall', 'restart'],
  ]) {
    await router.must(argv);
    assert.equal(await router.sipModules(), {}, argv.join(' '));
  }
  await assertOff(router, 'after them all');
});

test('it stays off after a reboot, and status says that nothing would bring it back', async (router) => {
  await router.reboot();
  assert.is(router.bootLog(), '');
  await assertOff(router, 'after the reboot');
  await sipalg(router, 'status', 0);
  assert.equal(commands(await sipalg(router, 'apply', 0)), []);
});

test('enable gives back modules with their parameters, rules, objects and files as they were', async (router) => {
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  assertSame(await router.picture(), before.get(router)!);
});

test('a second enable runs no command', async (router) => {
  assert.equal(commands(await sipalg(router, 'enable', 0)), []);
});

test('a rule that sets the helper is made harmless, so that the firewall still loads at boot', async (router) => {
  await router.write('/etc/config/firewall', config('set-helper-rule'));
  await router.must(['fw4', 'restart']);
  const here = await router.picture();
  await sipalg(router, 'disable', 0);
  await assertOff(router, 'after disable');
  await router.must(['fw4', 'check']);
  await router.reboot();
  assert.is(router.bootLog(), '');
  assert.match(await router.must(['nft', 'list', 'ruleset']), 'masquerade');
  await assertOff(router, 'after the reboot');
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  assertSame(await router.picture(), here);
});

test('where a hand-written include needs the helper nothing is blocked or unloaded, and the lines are named', async (router) => {
  await router.write('/etc/config/firewall', config('stock-alg-on'));
  await router.write('/etc/nftables.d/20-user.nft', readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8'));
  await router.must(['fw4', 'restart']);
  const here = await router.picture();
  const ran = await sipalg(router, 'disable', 1);
  assert.match(ran.stdout + ran.stderr, '/etc/nftables.d/20-user.nft');
  assert.equal(Object.keys(await router.sipModules()), Object.keys(here.modules), 'still loaded');
  assert.is(await router.read('/etc/modules.conf'), here.files['/etc/modules.conf'], 'nothing blocked');
  assert.is(await router.treatment(), 'untouched', 'the assignment is gone for now');
  await router.must(['fw4', 'check']);
  await sipalg(router, 'status', 1);
  await router.must(['fw4', 'reload']);
  assert.is(await router.treatment(), 'rewritten', 'as was said');
  await sipalg(router, 'enable', 0);
  assertSame(await router.picture(), here);
});

test('where the firewall turns out to need the helper the modules come back, and only the assignment goes', async (router) => {
  await router.write('/etc/config/firewall', config('stock-alg-on'));
  // nft follows a pattern in a folder's name; looking through the files beforehand does not.
  await router.write('/etc/nftables.d/20-user.nft', 'include "/etc/hid*/*.nft"\n');
  await router.must(['mkdir', '-p', '/etc/hidden']);
  await router.write('/etc/hidden/voice.nft', readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8'));
  await router.must(['fw4', 'restart']);
  const here = await router.picture();
  const ran = await sipalg(router, 'disable', 1);
  assert.match(ran.stderr, '[#] rmmod nf_conntrack_sip');
  assert.match(ran.stderr.replace(/\s+/g, ' '), 'without the SIP modules the firewall would not load');
  assert.equal(Object.keys(await router.sipModules()), Object.keys(here.modules), 'both are loaded again');
  assert.is(await router.read('/etc/modules.conf'), here.files['/etc/modules.conf'], 'nothing blocked');
  assert.is(await router.treatment(), 'untouched', 'the assignment is gone for now');
  assert.equal(commands(await sipalg(router, 'disable', 1)), [], 'it is not tried again');
  await router.must(['fw4', 'check']);
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  assertSame(await router.picture(), here);
});

test.run();
