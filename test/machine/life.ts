/** What the life of a package is asked again and again, under opkg (packages-opkg.test.ts) and under apk (packages-apk.test.ts). */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { ENGINES } from './qemu/image.ts';
import type { Manager } from './qemu/packages.ts';
import { laterProduct, product } from './qemu/product.ts';
import type { Picture, Router } from './qemu/router.ts';
import { assertOff, assertSame, daemons, install, meanwhile, sipalg, until, written } from './qemu/steps.ts';

export const CONFIG = '/etc/config/sipalg';
export const BUNDLE = '/usr/lib/sipalg/sipalg.mjs';
export const BY_NAME = /is a package of its own now: install sipalg-daemon too/;
export const LINKS = ['S15sipalg-early', 'S21sipalg', 'S22sipalg-daemon'];

/** The package and its daemon's. */
export const both = () => [product(), product('sipalg-daemon')] as const;
export const bothLater = (version: string) => [laterProduct(version), laterProduct(version, 'sipalg-daemon')] as const;

export const linksOf = async (router: Router): Promise<string[]> =>
  (await router.must(['ls', '/etc/rc.d'])).split('\n').filter((name) => name.includes('sipalg'));

/** What the owner has not asked for has not happened: all but our own files is as it was. */
export async function assertOnlyOurFiles(router: Router, then: Readonly<Record<string, string>>): Promise<void> {
  const ours = new Set(both().flatMap(({ files }) => Object.keys(files)));
  const isOurs = (path: string): boolean => ours.has(path) || ours.has(path.replace(/^\/etc\/rc\.d\/S\d\d/, '/etc/init.d/'));
  const changed = Object.entries(await written(router)).filter(([path, sum]) => then[path] !== sum);
  assert.equal(
    changed.map(([path]) => path).filter((path) => !isOurs(path)),
    [],
  );
}

export async function theDaemon(router: Router): Promise<number> {
  await until('one daemon', async () => (await daemons(router)).length === 1);
  return (await daemons(router))[0]!;
}

/** How a manager is called, and where it lies. */
const MANAGERS = { opkg: { path: '/bin/opkg', remove: 'remove' }, apk: { path: '/usr/bin/apk', remove: 'del' } } as const;

/**
 * The life of sipalg under the other manager than the one this router came with, on one engine: installed, off, upgraded while
 * off, booted, removed. In a machine that is up already; it ends with the ALG in force and nothing of sipalg's there.
 */
export async function otherLife(router: Router, manager: Manager, engine: 'node' | 'qjs'): Promise<void> {
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

/** What a router was like before anything was installed. */
export type Before = { readonly picture: Picture; readonly files: Record<string, string> };
