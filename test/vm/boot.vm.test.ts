/**
 * What a boot may find: another image after a sysupgrade, an image flashed with the wish in it, a release whose loader
 * knows no blacklist, a router without Node, files that their owners have written by hand.
 */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { filesBuilt } from '../lab/vm/building.ts';
import { onEveryKernel } from '../lab/vm/each.ts';
import { IPTABLES, type Layer } from '../lab/vm/image.ts';
import { product } from '../lab/vm/product.ts';
import { imageOf, type Picture, type Router } from '../lab/vm/router.ts';
import { assertFirewall, assertOff, assertSame, commands, install, kept, sipalg, written } from '../lab/vm/steps.ts';

const CONFIG = '/etc/config/sipalg';
const CONF = '/etc/modules.conf';
const before = new Map<Router, Picture>();

async function rememberIt(router: Router): Promise<void> {
  assert.is(await router.treatment(), 'rewritten');
  before.set(router, await router.picture());
}
const assertAsBefore = async (router: Router): Promise<void> => assertSame(await router.picture(), before.get(router)!);

async function assertBootedOff(router: Router, when: string): Promise<void> {
  // What the program did to reach the wish is no complaint.
  assert.equal(router.bootLog().split('\n').filter((line) => line !== '' && !line.startsWith('[#] ')), [], when);
  await assertOff(router, when);
  await assertFirewall(router, when);
}

// Which files a boot finds is the same on every kernel.
const images = onEveryKernel('images', { sipalg: false }, ['6.12']);
const added = new Map<Router, Layer>();

/** An image with our package in it. */
async function carrying(router: Router, wish = 'unmanaged'): Promise<Layer> {
  const files = new Map(added.get(router)!);
  const config = files.get(CONFIG);
  if (!config || !('bytes' in config)) throw new Error(`The image has no ${CONFIG}.`);
  files.set(CONFIG, { ...config, bytes: config.bytes.toString().replace("option alg 'unmanaged'", `option alg '${wish}'`) });
  return new Map([...await imageOf({ kernel: router.kernel.line, sipalg: false }), ...files]);
}

images('building one that carries sipalg touches nothing but the image', async (router) => {
  await rememberIt(router);
  const then = await written(router);
  const files = await filesBuilt(router, product());
  added.set(router, files);
  assert.equal(await written(router), then);
  await assertAsBefore(router);
  assert.equal(files.get('/etc/rc.d/S21sipalg'), { link: '../init.d/sipalg' });
  for (const path of Object.keys(product().files)) assert.ok(files.has(path), path);
});

images('a sysupgrade to one that carries sipalg: off from the first boot on, and all can be given back', async (router) => {
  await install(router, 'opkg', product());
  await sipalg(router, 'disable', 0);
  await router.flash(await carrying(router), await kept(router));
  await assertBootedOff(router, 'at the first boot');
  await sipalg(router, 'status', 0);
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  await assertAsBefore(router);
});

images('a sysupgrade to one that does not: off without it; installed again, all can be given back', async (router) => {
  await sipalg(router, 'disable', 0);
  await router.flash(await imageOf({ kernel: router.kernel.line, sipalg: false }), await kept(router));
  assert.is((await router.run(['ls', '/usr/sbin/sipalg'])).status, 1, 'sipalg is not there');
  await assertBootedOff(router, 'at the first boot');
  await router.must(['fw4', 'reload']);
  await assertOff(router, 'after a reload');
  await install(router, 'opkg', product());
  await sipalg(router, 'status', 0);
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  await assertAsBefore(router);
});

images('one flashed with the wish in it: off after its first boot and its second', async (router) => {
  await router.flash(await carrying(router, 'disabled'));
  await assertBootedOff(router, 'at the first boot');
  await sipalg(router, 'status', 0);
  await router.reboot();
  await assertBootedOff(router, 'at the second boot');
  // The modules were never in use under this image, so it is the next boot that loads them.
  await sipalg(router, 'enable', 0);
  await router.reboot();
  assert.is(await router.treatment(), 'rewritten');
});

images.run();

// The kernel of such a release is older than both.
const old = onEveryKernel('a loader without a blacklist (22.03)', { release: '22.03' }, ['6.1']);

old('disabled, it is off at once and after a reboot', async (router) => {
  await rememberIt(router);
  await sipalg(router, 'disable', 0);
  assert.is(await router.treatment(), 'untouched');
  assert.is((await router.run(['ls', CONF])).status, 1, 'no file is written that nobody reads');
  await router.reboot();
  await assertBootedOff(router, 'after the reboot');
  await sipalg(router, 'status', 0);
  assert.equal(commands(await sipalg(router, 'apply', 0)), []);
});

old('and when Node has gone: the early script unloads the modules before the firewall starts', async (router) => {
  await router.must(['mv', '/usr/bin/node', '/usr/bin/node.gone']);
  try {
    await router.reboot();
    assert.equal(await router.sipModules(), {});
    assert.is(await router.treatment(), 'untouched');
    await assertFirewall(router, 'without Node');
    await router.must(['kmodloader']);
    await router.must(['fw4', 'reload']);
    assert.is(await router.treatment(), 'untouched', 'the modules are back, and nothing assigns them');
  } finally {
    await router.must(['mv', '/usr/bin/node.gone', '/usr/bin/node']);
  }
});

old('enabled, it is as before, and stays so', async (router) => {
  await sipalg(router, 'enable', 0);
  await assertAsBefore(router);
  await router.reboot();
  assert.is(await router.treatment(), 'rewritten');
  await assertAsBefore(router);
});

old.run();

const GOOD = '# mine\noptions nf_conntrack_sip sip_timeout=1800\nblacklist floppy\nalias a b';
const owners = onEveryKernel('what owners have written', { files: { [CONF]: GOOD } });

async function heldBy(router: Router): Promise<string> {
  const { stdout } = await sipalg(router, 'status --json', 0);
  const { findings } = (JSON.parse(stdout) as { verdict: { findings: { code: string; text: string }[] } }).verdict;
  return findings.find(({ code }) => code === 'module-held')?.text ?? '';
}

owners('a line of one word, at which the loader crashes, is named, and the file is left as it is', async (router) => {
  await router.write(CONF, `${GOOD}\nblacklist\n`);
  await rememberIt(router);
  const status = await sipalg(router, 'status', 1);
  assert.match(status.stdout, `${CONF}:5`);
  const ran = await sipalg(router, 'disable', 2);
  assert.match(ran.stdout + ran.stderr, `${CONF}, line 5`);
  await assertAsBefore(router);
});

owners('mended, with comments, options and no newline at its end, it gets two whole lines, and loses them again', async (router) => {
  await router.write(CONF, GOOD);
  before.set(router, await router.picture());
  await sipalg(router, 'disable', 0);
  assert.ok((await router.read(CONF)).startsWith(`${GOOD}\n`));
  await router.reboot();
  await assertBootedOff(router, 'after the reboot');
});

owners('the kernel asks for the modules in vain: for an nft object, and for a rule of iptables', async (router) => {
  const object = await router.run(['nft', '-f', '-'], { input: 'table inet mine { ct helper voip { type "sip" protocol udp; }; }\n' });
  assert.is(object.status, 1);
  const rule = await router.run([`${IPTABLES}/iptables-legacy`, '-t', 'raw', '-A', 'PREROUTING', '-p', 'udp', '-j', 'CT', '--helper', 'sip']);
  assert.is.not(rule.status, 0);
  await assertOff(router, 'after both');
  await sipalg(router, 'enable', 0);
  await router.must(['sh', '-c', 'iptables=/usr/lib/lab/iptables/iptables-legacy; $iptables -t raw -F; rmmod iptable_raw xt_CT; true']);
  assert.is(await router.read(CONF), GOOD);
  assert.is(await router.treatment(), 'rewritten');
});

owners('what another network namespace holds stays loaded and idle: off at once, through a reload, and gone at the next boot', async (router) => {
  await router.must(['ip', 'netns', 'exec', 'phone2', 'nft', '-f', '-'], { input: 'table inet theirs { ct helper voip { type "sip" protocol udp; }; }\n' });
  await sipalg(router, 'disable', 0);
  assert.match(await heldBy(router), '(another network namespace, or tc) needs nf_conntrack_sip');
  assert.equal(Object.keys(await router.sipModules()), ['nf_conntrack_sip']);
  assert.is(await router.treatment(), 'untouched');
  await router.must(['fw4', 'reload']);
  assert.is(await router.treatment(), 'untouched', 'after a reload');
  assert.equal(commands(await sipalg(router, 'apply', 0)), []);
  await router.reboot();
  await assertBootedOff(router, 'after the reboot');
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  assert.is(await router.read(CONF), GOOD);
});

owners('so does what another module holds', async (router) => {
  await router.must(['modprobe', 'ip_vs_pe_sip']);
  await sipalg(router, 'disable', 0);
  assert.match(await heldBy(router), 'ip_vs_pe_sip needs nf_conntrack_sip');
  assert.equal(Object.keys(await router.sipModules()), ['nf_conntrack_sip']);
  assert.is(await router.treatment(), 'untouched');
  await router.must(['rmmod', 'ip_vs_pe_sip']);
  await sipalg(router, 'apply', 0);
  await assertOff(router, 'once it has gone');
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
});

owners('an include that uses the helper, and one that declares it: the firewall comes up whole at every boot', async (router) => {
  const uses = readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8');
  for (const text of [uses, `ct helper mine { type "sip" protocol udp; }\n${uses.replaceAll('set "sip"', 'set "mine"')}`]) {
    await router.write('/etc/nftables.d/20-user.nft', text);
    await router.must(['fw4', 'reload']);
    const ran = await sipalg(router, 'disable', 1);
    assert.match(ran.stdout + ran.stderr, '/etc/nftables.d/20-user.nft');
    await router.reboot();
    assert.not.match(router.bootLog(), 'Error');
    await assertFirewall(router, 'after the reboot');
    await sipalg(router, 'enable', 0);
  }
});

owners('one that comes while the modules are blocked is named, and the next boot has a whole firewall', async (router) => {
  await router.must(['rm', '/etc/nftables.d/20-user.nft']);
  await router.must(['fw4', 'reload']);
  await sipalg(router, 'disable', 0);
  await router.write('/etc/nftables.d/20-user.nft', readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8'));
  assert.match((await sipalg(router, 'status', 2)).stdout, '/etc/nftables.d/20-user.nft:3');
  await router.reboot();
  await assertFirewall(router, 'after the reboot');
  assert.equal(Object.keys(await router.sipModules()).sort(), ['nf_conntrack_sip', 'nf_nat_sip']);
  assert.is(await router.read(CONF), `${GOOD}\n`, 'our lines have gone');
  await sipalg(router, 'enable', 0);
  assert.is(await router.read(CONF), GOOD);
  assert.is(await router.treatment(), 'rewritten');
});

owners.run();
