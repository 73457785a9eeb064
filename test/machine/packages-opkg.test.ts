/**
 * Packages, on a router with opkg: the life of our own, and the module packages' installs and upgrades under both their names,
 * while the ALG is off. The managers are stand-ins that follow the real ones' order.
 */
import * as assert from 'uvu/assert';
import {
  assertOnlyOurFiles,
  both,
  bothLater,
  BUNDLE,
  BY_NAME,
  CONFIG,
  LINKS,
  linksOf,
  otherLife,
  theDaemon,
  type Before,
} from './life.ts';
import { onEveryKernel } from './qemu/each.ts';
import { extraPackage, splitPackages } from './qemu/modules.ts';
import { product, wholeProduct } from './qemu/product.ts';
import type { Router } from './qemu/router.ts';
import { assertOff, assertSame, daemons, install, installAll, meanwhile, sipalg, until, withoutEngine, written } from './qemu/steps.ts';

// A kernel each (apk has the other): what managers and their scripts do is the same on both, and loading and unloading is kernel.test.ts's.
const opkg = onEveryKernel('opkg', { sipalg: false }, ['6.1']);
const before = new Map<Router, Before>();

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
