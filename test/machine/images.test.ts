/** What the first boot of another image finds: after a sysupgrade, and where the wish was flashed with it. */
import * as assert from 'uvu/assert';
import { filesBuilt } from './qemu/building.ts';
import { onEveryKernel } from './qemu/each.ts';
import type { Layer } from './qemu/image.ts';
import { product } from './qemu/product.ts';
import { imageOf, type Router } from './qemu/router.ts';
import { assertBootedOff, assertOff, install, kept, memory, sipalg, written } from './qemu/steps.ts';

const CONFIG = '/etc/config/sipalg';
const { rememberIt, assertAsBefore } = memory();

// Which files a boot finds is the same on every kernel.
const images = onEveryKernel('images', { sipalg: false }, ['6.12']);
const added = new Map<Router, Layer>();

/** An image with our package in it. */
async function carrying(router: Router, wish = 'unmanaged'): Promise<Layer> {
  const files = new Map(added.get(router)!);
  const config = files.get(CONFIG);
  if (!config || !('bytes' in config)) throw new Error(`The image has no ${CONFIG}.`);
  files.set(CONFIG, { ...config, bytes: config.bytes.toString().replace("option alg 'unmanaged'", `option alg '${wish}'`) });
  return new Map([...(await imageOf({ kernel: router.kernel.line, sipalg: false })), ...files]);
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
