/** The commands of README.md for OpenWrt 25.12, typed on a router with apk. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Router } from './qemu/router.ts';
import { commandsOf } from '../pure/package/readme.ts';
import { readersRouter, typed } from './typed.ts';

const readme = suite('README.md on a router with apk');
let router: Router | undefined;

readme.before(async () => {
  router = await readersRouter('apk');
});
readme.after(async () => {
  await router?.close();
});

readme('what is typed installs and removes', async () => {
  if (router === undefined) return;
  const [add = '', del = '', ...more] = commandsOf('apk');
  assert.equal([add.split(' ')[1], del.split(' ')[1], more], ['add', 'del', []]);
  await typed(router, add);
  assert.is(await router.treatment(), 'rewritten', 'nothing is changed until the owner says so');
  await typed(router, 'sipalg disable');
  assert.is(await router.treatment(), 'untouched');
  await typed(router, del);
  assert.is(await router.treatment(), 'rewritten', 'given back');
});

readme.run();
