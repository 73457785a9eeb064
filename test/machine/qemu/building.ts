/** Builds an image that carries a package, as OpenWrt's build does: unpacked offline, its scripts told by IPKG_INSTROOT. */
import { lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { must } from './debian.ts';
import type { Layer } from './image.ts';
import { archive, type Package } from './packages.ts';
import type { Router } from './router.ts';

/** What the package's scripts find in the image besides: OpenWrt's own shell functions. */
const BASE = ['lib/functions.sh', 'lib/functions', 'etc/rc.common', 'usr/lib/opkg/status'];

/**
 * @param router has opkg; the build runs there, below /tmp
 * @returns the files that the package adds to an image, links to its init scripts among them
 */
export async function filesBuilt(router: Router, one: Package): Promise<Layer> {
  await router.put(`/tmp/${one.name}.ipk`, archive('opkg', one));
  await router.must([
    'sh',
    '-ec',
    `
    rm -rf /tmp/image; mkdir -p /tmp/image; cd /
    tar -c ${BASE.join(' ')} | tar -x -C /tmp/image
    opkg --offline-root /tmp/image install /tmp/${one.name}.ipk
    IPKG_INSTROOT=/tmp/image sh /tmp/image/usr/lib/opkg/info/${one.name}.postinst configure
    cd /tmp/image; rm -r ${BASE.filter((path) => path !== 'usr/lib/opkg/status').join(' ')}
    tar -czf /tmp/image.tgz .`,
  ]);
  const bytes = Buffer.from(await router.must(['base64', '/tmp/image.tgz']), 'base64');
  const folder = mkdtempSync(`${tmpdir()}/sipalg-image-`);
  try {
    writeFileSync(`${folder}.tgz`, bytes);
    must('tar', ['-xzf', `${folder}.tgz`, '-C', folder]);
    return new Map(
      (readdirSync(folder, { recursive: true }) as string[]).flatMap((name) => {
        const about = lstatSync(`${folder}/${name}`);
        if (about.isDirectory()) return [];
        const content = about.isSymbolicLink()
          ? { link: readlinkSync(`${folder}/${name}`) }
          : { bytes: readFileSync(`${folder}/${name}`), mode: about.mode & 0o777 };
        return [[`/${name}`, content] as const];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.tgz`, { force: true });
  }
}
