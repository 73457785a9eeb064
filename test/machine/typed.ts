/** A router of the virtual machine at which the README's commands are typed. */
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceSkip } from '../layer.ts';
import { bundled } from '../bundled.ts';
import { must } from './qemu/debian.ts';
import { KERNELS, kernelOf } from './qemu/kernels.ts';
import { archive, openIpk, type Manager } from './qemu/packages.ts';
import { openRouter, type Router } from './qemu/router.ts';
import { install } from './qemu/steps.ts';
import { RUNNERS } from '../pure/package/readme.ts';

/**
 * One kernel is enough: of those to be had the newest for apk, whose releases have QuickJS, and the oldest for opkg. Boots a
 * router without sipalg; undefined, and said, where there is none.
 */
export async function readersRouter(manager: Manager): Promise<Router | undefined> {
  const lacking: string[] = [];
  for (const { line } of manager === 'apk' ? [...KERNELS].reverse() : KERNELS) {
    try {
      kernelOf(line);
    } catch (error) {
      lacking.push(`Linux ${line}: ${(error as Error).message}`);
      continue;
    }
    const router = await openRouter({ kernel: line, sipalg: false, release: manager === 'opkg' ? '24.10' : '25.12' });
    await furnished(router, manager);
    return router;
  }
  announceSkip(`No command of the README is typed on a router. ${lacking.join(' ')}`);
  return undefined;
}

/** Both packages as `npm run package` makes them, where the README has them copied to; and what OpenWrt has and Debian has not. */
async function furnished(router: Router, manager: Manager): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-readme-'));
  try {
    must(process.execPath, ['package/build.mjs', folder]);
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.ipk'))) {
      const bytes = readFileSync(join(folder, name));
      const { name: is, version } = openIpk(bytes);
      await (manager === 'opkg'
        ? router.put(`/tmp/${name}`, bytes)
        : router.put(`/tmp/${is}-${version}.apk`, archive('apk', openIpk(bytes))));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await install(router, manager, { name: 'luci-base', version: '24.10', files: { '/usr/share/luci/lab': '' } });
  await router.write('/sbin/uci', `#!/usr/bin/node\n${await bundled('test/machine/qemu/uci.ts')}`, 0o755);
}

/** Types a command; it ends as the README's reader may expect. What it said. */
export async function typed(router: Router, command: string): Promise<string> {
  const runner = RUNNERS[command];
  const { status, stdout, stderr } = await router.run(['sh', '-c', command], { timeout: 240_000 });
  assert.is(status, runner !== undefined && 'status' in runner ? runner.status : 0, `${command}:\n${stdout}${stderr}`);
  return stdout + stderr;
}
