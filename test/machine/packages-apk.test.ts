/** Packages, on a router with apk: what packages-opkg.test.ts does under opkg, and what apk does its own way. */
import * as assert from 'uvu/assert';
import { bothLater, BUNDLE, BY_NAME, CONFIG, LINKS, linksOf, otherLife, theDaemon, type Before } from './life.ts';
import { onEveryKernel } from './qemu/each.ts';
import { extraPackage, splitPackages } from './qemu/modules.ts';
import { product, wholeProduct } from './qemu/product.ts';
import type { Router } from './qemu/router.ts';
import { assertOff, assertSame, daemons, install, installAll, meanwhile, sipalg, until, written } from './qemu/steps.ts';

// apk protects /etc: whatever its owner has changed there is kept, and the new file lies beside it.
const LIST = '/etc/modules.d/nf-nathelper-extra';
const apk = onEveryKernel('apk', { release: '25.12', sipalg: false }, ['6.12']);
const before = new Map<Router, Before>();

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
