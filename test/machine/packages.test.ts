/**
 * Packages, on routers with opkg and with apk: the life of our own, and the module packages' installs and upgrades
 * under both their names, while the ALG is off. The managers are stand-ins that follow the real ones' order.
 */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { onEveryKernel } from './qemu/each.ts';
import { ENGINES } from './qemu/image.ts';
import { extraPackage, splitPackages } from './qemu/modules.ts';
import type { Manager } from './qemu/packages.ts';
import { laterProduct, product, wholeProduct } from './qemu/product.ts';
import type { Picture, Router } from './qemu/router.ts';
import { assertOff, assertSame, daemons, install, installAll, meanwhile, sipalg, until, withoutEngine, written } from './qemu/steps.ts';

const CONFIG = '/etc/config/sipalg';
const BUNDLE = '/usr/lib/sipalg/sipalg.mjs';
const BY_NAME = /is a package of its own now: install sipalg-daemon too/;
const LINKS = ['S15sipalg-early', 'S21sipalg', 'S22sipalg-daemon'];

/** The package and its daemon's. */
const both = () => [product(), product('sipalg-daemon')] as const;
const bothLater = (version: string) => [laterProduct(version), laterProduct(version, 'sipalg-daemon')] as const;

const linksOf = async (router: Router): Promise<string[]> =>
  (await router.must(['ls', '/etc/rc.d'])).split('\n').filter((name) => name.includes('sipalg'));

/** What the owner has not asked for has not happened: all but our own files is as it was. */
async function assertOnlyOurFiles(router: Router, then: Readonly<Record<string, string>>): Promise<void> {
  const ours = new Set(both().flatMap(({ files }) => Object.keys(files)));
  const isOurs = (path: string): boolean => ours.has(path) || ours.has(path.replace(/^\/etc\/rc\.d\/S\d\d/, '/etc/init.d/'));
  const changed = Object.entries(await written(router)).filter(([path, sum]) => then[path] !== sum);
  assert.equal(
    changed.map(([path]) => path).filter((path) => !isOurs(path)),
    [],
  );
}

async function theDaemon(router: Router): Promise<number> {
  await until('one daemon', async () => (await daemons(router)).length === 1);
  return (await daemons(router))[0]!;
}

/** How a manager is called, and where it lies. */
const MANAGERS = { opkg: { path: '/bin/opkg', remove: 'remove' }, apk: { path: '/usr/bin/apk', remove: 'del' } } as const;

/**
 * The life of sipalg under the other manager than the one this router came with, on one engine: installed, off, upgraded while
 * off, booted, removed. In a machine that is up already; it ends with the ALG in force and nothing of sipalg's there.
 */
async function otherLife(router: Router, manager: Manager, engine: 'node' | 'qjs'): Promise<void> {
  const { path, remove } = MANAGERS[manager];
  const here = MANAGERS[manager === 'opkg' ? 'apk' : 'opkg'].path;
  await router.put(path, readFileSync(`test/machine/qemu/managers/${manager}`));
  await router.must(['chmod', '755', path]);
  const others = ENGINES.filter((one) => !one.endsWith(`/${engine}`));
  const hidden = [here, ...others];
  // The .ipk asks for Node, which OpenWrt packages where it has opkg; who brings an engine of their own says so.
  const options = manager === 'opkg' && engine === 'qjs' ? ['--force-depends'] : [];
  await router.must(['sh', '-ec', hidden.map((file) => `[ ! -e ${file} ] || mv ${file} ${file}.gone`).join('\n')]);
  // What the owner wished before goes with the file, and what is in force is what the firewall loads.
  await router.must(['sh', '-ec', `rm -f ${CONFIG} ${CONFIG}-opkg ${CONFIG}.apk-new; fw4 reload`]);
  try {
    assert.is(await router.treatment(), 'rewritten');
    const picture = await router.picture();
    await install(router, manager, product(), ...options);
    assertSame(await router.picture(), picture);
    await sipalg(router, 'disable', 0);
    await assertOff(router, 'after disable');
    const { treatments } = await meanwhile(router, install(router, manager, laterProduct('9.1.0-r1'), ...options));
    assert.equal(
      treatments.filter((each) => each !== 'untouched'),
      [],
    );
    assert.match(await router.must(['tail', '-n', '1', BUNDLE]), '// 9.1.0-r1');
    await sipalg(router, 'status', 0);
    await router.reboot();
    await assertOff(router, 'after the reboot');
    await router.must([manager, remove, 'sipalg']);
    assert.is(await router.treatment(), 'rewritten');
    assertSame(await router.picture(), picture);
    const left = Object.keys(await written(router)).filter((file) => file.includes('sipalg'));
    assert.equal(
      left.filter((file) => file !== `${CONFIG}-opkg`),
      [CONFIG],
    );
  } finally {
    await router.must(['sh', '-ec', hidden.map((file) => `[ ! -e ${file}.gone ] || mv ${file}.gone ${file}`).join('\n')]);
  }
}

// A kernel each: what managers and their scripts do is the same on both, and loading and unloading is kernel.test.ts's.
const opkg = onEveryKernel('opkg', { sipalg: false }, ['6.1']);
const before = new Map<Router, { picture: Picture; files: Record<string, string> }>();

opkg('installing sipalg and its daemon starts that and changes nothing else', async (router) => {
  assert.is(await router.treatment(), 'rewritten');
  before.set(router, { picture: await router.picture(), files: await written(router) });
  await install(router, 'opkg', product());
  assert.equal(await daemons(router), []);
  await install(router, 'opkg', product('sipalg-daemon'));
  await theDaemon(router);
  assert.equal(await linksOf(router), LINKS);
  await assertOnlyOurFiles(router, before.get(router)!.files);
  assertSame(await router.picture(), before.get(router)!.picture);
  assert.is(await router.treatment(), 'rewritten');
});

opkg('disabled, it stays off through reinstall and upgrade of kmod-nf-nathelper-extra', async (router) => {
  await sipalg(router, 'disable', 0);
  await assertOff(router, 'after disable');
  await install(router, 'opkg', extraPackage(router.kernel, '6.12.1-r1'), '--force-reinstall');
  await assertOff(router, 'after the reinstall');
  await install(router, 'opkg', extraPackage(router.kernel, '6.12.2-r1'));
  assert.match(await router.read('/etc/modules.d/nf-nathelper-extra'), /^nf_conntrack_sip$/m);
  await assertOff(router, 'after the upgrade');
});

opkg('and when its SIP modules move to kmod-nf-nathelper-sip', async (router) => {
  const { sip, extra } = splitPackages(router.kernel, '6.12.3-r1');
  // opkg installs what a package depends on first, and the files are still the old package's then.
  await router.must(['opkg', 'remove', 'kmod-nf-nathelper-extra']);
  await install(router, 'opkg', sip);
  await install(router, 'opkg', extra);
  assert.match(await router.read('/etc/modules.d/nf-nathelper-sip'), /^nf_nat_sip$/m);
  await assertOff(router, 'after the installs');
  await install(router, 'opkg', splitPackages(router.kernel, '6.12.4-r1').sip);
  await assertOff(router, 'after the upgrade');
  await sipalg(router, 'status', 0);
});

opkg(
  'an upgrade of sipalg leaves no moment in which the ALG is on; wish and configuration stay, and the daemon is the new one',
  async (router) => {
    const old = await theDaemon(router);
    const config = await router.read(CONFIG);
    assert.match(config, "option alg 'disabled'");
    const { treatments } = await meanwhile(router, installAll(router, 'opkg', ...bothLater('9.0.0-r1')));
    assert.ok(treatments.length > 3, `${treatments.length} calls were made meanwhile`);
    assert.equal(
      treatments.filter((each) => each !== 'untouched'),
      [],
    );
    assert.is(await router.read(CONFIG), config);
    assert.match(await router.must(['tail', '-n', '1', BUNDLE]), '// 9.0.0-r1');
    await until('the old daemon has ended', async () => !(await daemons(router)).includes(old));
    const now = await theDaemon(router);
    assert.is.not(now, old);
    await sipalg(router, 'status', 0);
  },
);

opkg('enabled, all is as before the first install', async (router) => {
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
  assertSame(await router.picture(), before.get(router)!.picture);
});

opkg('removing the daemon gives nothing back', async (router) => {
  await sipalg(router, 'disable', 0);
  await router.must(['opkg', 'remove', 'sipalg-daemon']);
  await until('the daemon has ended', async () => (await daemons(router)).length === 0);
  assert.equal(await linksOf(router), LINKS.slice(0, 2));
  await assertOff(router, 'without the daemon');
  await sipalg(router, 'status', 0);
});

opkg('removing sipalg gives back what it took, and leaves no file but a changed configuration', async (router) => {
  await router.must(['opkg', 'remove', 'sipalg']);
  assert.is(await router.treatment(), 'rewritten');
  assertSame(await router.picture(), before.get(router)!.picture);
  const left = Object.keys(await written(router)).filter((path) => path.includes('sipalg'));
  assert.equal(
    left.filter((path) => path !== `${CONFIG}-opkg`),
    [CONFIG],
  );
});

opkg('installed again, the wish that was kept holds', async (router) => {
  await install(router, 'opkg', product());
  assert.match(await router.read(CONFIG), "option alg 'disabled'");
  await assertOff(router, 'after the install');
  await sipalg(router, 'status', 0);
});

opkg('removing it when its engine is gone gives back files, modules and rules all the same', async (router) => {
  await withoutEngine(router, async () => {
    const ran = await router.run(['opkg', 'remove', 'sipalg'], { timeout: 120_000 });
    assert.is(ran.status, 0, ran.stdout + ran.stderr);
    assert.is(await router.treatment(), 'rewritten', ran.stdout + ran.stderr);
    const { picture } = before.get(router)!;
    const now = await router.picture();
    assert.equal([now.modules, now.files], [picture.modules, picture.files]);
    const left = Object.keys(await written(router)).filter((path) => path.includes('sipalg'));
    assert.equal(
      left.filter((path) => path !== `${CONFIG}-opkg`),
      [CONFIG],
    );
  });
});

opkg('the one package of before becomes two: off all the while, the daemon the new one', async (router) => {
  await install(router, 'opkg', wholeProduct());
  const old = await theDaemon(router);
  await sipalg(router, 'disable', 0);
  const { result: said, treatments } = await meanwhile(router, installAll(router, 'opkg', ...both()));
  assert.match(said, BY_NAME);
  assert.equal(
    treatments.filter((each) => each !== 'untouched'),
    [],
  );
  await until('the old daemon has ended', async () => !(await daemons(router)).includes(old));
  await theDaemon(router);
  assert.equal(await linksOf(router), LINKS);
  await router.reboot();
  await assertOff(router, 'after the reboot');
  await theDaemon(router);
});

opkg('by apk, on Node: off through upgrade and reboot, and given back as it goes', async (router) => {
  await router.must(['opkg', 'remove', 'sipalg-daemon']);
  await router.must(['opkg', 'remove', 'sipalg']);
  await otherLife(router, 'apk', 'node');
});

opkg.run();

// apk protects /etc: whatever its owner has changed there is kept, and the new file lies beside it.
const LIST = '/etc/modules.d/nf-nathelper-extra';
const apk = onEveryKernel('apk', { release: '25.12', sipalg: false }, ['6.12']);

apk('a list of modules that was edited comes back as .apk-new, which the loader reads', async (router) => {
  const list = await router.read(LIST);
  await router.write(LIST, list.replace(/^nf_(conntrack|nat)_sip\n/gm, ''));
  await router.reboot();
  await assertOff(router, 'an owner has taken both lines out');
  await install(router, 'apk', extraPackage(router.kernel, '6.12.2-r1'));
  assert.match(await router.read(`${LIST}.apk-new`), /^nf_conntrack_sip$/m);
  assert.equal(Object.keys(await router.sipModules()).sort(), ['nf_conntrack_sip', 'nf_nat_sip']);
  await router.must(['fw4', 'reload']);
  assert.is(await router.treatment(), 'rewritten', 'the trap');
  before.set(router, { picture: await router.picture(), files: await written(router) });
});

apk('disabled by sipalg it stays off, through that trap and a reboot', async (router) => {
  await install(router, 'apk', wholeProduct());
  assertSame(await router.picture(), before.get(router)!.picture);
  await sipalg(router, 'disable', 0);
  await install(router, 'apk', extraPackage(router.kernel, '6.12.3-r1'));
  assert.match(await router.read(`${LIST}.apk-new`), /^nf_conntrack_sip$/m);
  await assertOff(router, 'after the upgrade');
  await router.reboot();
  await assertOff(router, 'after the reboot');
});

apk('and when the SIP modules move to kmod-nf-nathelper-sip, and that is upgraded', async (router) => {
  const { sip, extra } = splitPackages(router.kernel, '6.12.4-r1');
  await install(router, 'apk', extra);
  await install(router, 'apk', sip);
  await assertOff(router, 'after the installs');
  await install(router, 'apk', splitPackages(router.kernel, '6.12.5-r1').sip);
  await assertOff(router, 'after the upgrade');
  await sipalg(router, 'status', 0);
});

apk('the one package of before, upgraded alone, ends the daemon and names what to install', async (router) => {
  await theDaemon(router);
  const { stdout, stderr } = await install(router, 'apk', product());
  assert.match(stdout + stderr, BY_NAME);
  await until('the old daemon has ended', async () => (await daemons(router)).length === 0);
  await assertOff(router, 'after the upgrade');
  await install(router, 'apk', product('sipalg-daemon'));
  await theDaemon(router);
  assert.equal(await linksOf(router), LINKS);
});

apk('an upgrade of sipalg stops nothing, and yet the daemon is the new one', async (router) => {
  const old = await theDaemon(router);
  const { treatments } = await meanwhile(router, installAll(router, 'apk', ...bothLater('9.0.0-r1')));
  assert.equal(
    treatments.filter((each) => each !== 'untouched'),
    [],
  );
  assert.match(await router.read(CONFIG), "option alg 'disabled'");
  await until('the old daemon has ended', async () => !(await daemons(router)).includes(old));
  assert.is.not(await theDaemon(router), old);
  assert.match(await router.must(['tail', '-n', '1', BUNDLE]), '// 9.0.0-r1');
});

apk('deleting sipalg gives back what it took', async (router) => {
  await router.must(['apk', 'del', 'sipalg-daemon', 'sipalg']);
  assert.is(await router.treatment(), 'rewritten');
  assertSame(await router.picture(), before.get(router)!.picture);
  const left = Object.keys(await written(router)).filter((path) => path.includes('sipalg'));
  assert.equal(left, [CONFIG]);
});

apk('by opkg, on QuickJS without Node: off through upgrade and reboot, and given back as it goes', (router) =>
  otherLife(router, 'opkg', 'qjs'),
);

apk.run();
