/** Every command of README.md that is for a router, typed on one: with opkg, and with apk. */
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from '../lab/bundled.ts';
import { must } from '../lab/vm/debian.ts';
import { onEveryKernel } from '../lab/vm/each.ts';
import { archive, openIpk, type Manager } from '../lab/vm/packages.ts';
import type { Router } from '../lab/vm/router.ts';
import { assertOff, daemons, install, until } from '../lab/vm/steps.ts';
import { commandsOf, RUNNERS } from '../package/readme.ts';

/** Both packages as `npm run package` makes them, at the places the README has them copied to. */
async function copied(router: Router, manager: Manager): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-readme-'));
  try {
    must(process.execPath, ['package/build.mjs', folder]);
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.ipk'))) {
      const bytes = readFileSync(join(folder, name));
      const { name: is, version } = openIpk(bytes);
      await (manager === 'opkg' ? router.put(`/tmp/${name}`, bytes) : router.put(`/tmp/${is}-${version}.apk`, archive('apk', openIpk(bytes))));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // What the page depends on, and what OpenWrt has and Debian has not.
  await install(router, manager, { name: 'luci-base', version: '24.10', files: { '/usr/share/luci/lab': '' } });
  await router.write('/sbin/uci', `#!/usr/bin/node\n${await bundled('test/lab/vm/uci.ts')}`, 0o755);
}

/** Types a command; it ends as the README's reader may expect. */
async function typed(router: Router, command: string): Promise<string> {
  const runner = RUNNERS[command];
  const { status, stdout, stderr } = await router.run(['sh', '-c', command], { timeout: 120_000 });
  assert.is(status, runner !== undefined && 'status' in runner ? runner.status : 0, `${command}:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** What is so once a command has been typed. */
const AFTER: Readonly<Record<string, (router: Router, said: string) => Promise<void> | void>> = {
  'opkg install /tmp/sipalg_*.ipk /tmp/luci-app-sipalg_*.ipk': async (router) => {
    assert.is(await router.treatment(), 'rewritten', 'nothing is changed until the owner says so');
    await until('the daemon runs', async () => (await daemons(router)).length === 1);
  },
  'sipalg disable': (router) => assertOff(router, 'after disable'),
  'sipalg enable': async (router) => { assert.is(await router.treatment(), 'rewritten'); },
  // Not the wish alone: the section of the voice rules is read of the same file.
  '/etc/init.d/sipalg reload': (router) => until('the ALG is off', async () => await router.treatment() === 'untouched'),
  'sysupgrade -l': (_, said) => {
    for (const path of ['/etc/config/sipalg', '/etc/modules.conf', '/etc/sipalg.journal']) assert.match(said, new RegExp(`^${path}$`, 'm'));
  },
  'opkg remove luci-app-sipalg sipalg': async (router) => { assert.is(await router.treatment(), 'rewritten', 'given back'); },
  'apk del luci-app-sipalg sipalg': async (router) => { assert.is(await router.treatment(), 'rewritten', 'given back'); },
};

/** Commands of one part of the README are typed in its order, except: these last, and a daemon is the init script's to start. */
const LAST = ['sysupgrade -l', 'opkg remove luci-app-sipalg sipalg', 'apk del luci-app-sipalg sipalg'];
const STAYS = 'sipalg serve';

const opkg = onEveryKernel('README.md, with opkg', { sipalg: false });

opkg('what is typed on a router does what it says', async (router) => {
  await copied(router, 'opkg');
  const all = commandsOf('router');
  assert.ok(all.includes(STAYS));
  const once = all.filter((command) => command !== STAYS && !LAST.includes(command) && command !== 'nft list counters table inet sipalg');
  for (const command of once) {
    // The README's reader has switched the ALG on again by then, or off: so that exit codes are those of the table.
    if (command === 'sipalg status --json') await typed(router, 'sipalg disable');
    if (command === 'sipalg plan --json') await typed(router, 'sipalg disable');
    const said = await typed(router, command);
    await AFTER[command]?.(router, said);
  }
  assert.is((await daemons(router)).length, 1, STAYS);
});

opkg('counters have the names that are told', async (router) => {
  await typed(router, 'uci set sipalg.main.policy=1');
  await typed(router, 'sipalg apply');
  const said = await typed(router, 'nft list counters table inet sipalg');
  for (const name of ['voice_signalling', 'plain_signalling', 'attempts_invite', 'limited_register']) assert.match(said, `counter ${name} {`);
});

opkg('what is kept through a sysupgrade is told, and a removal gives back', async (router) => {
  await typed(router, 'sipalg disable');
  for (const command of commandsOf('router').filter((one) => LAST.includes(one)).sort((one, other) => LAST.indexOf(one) - LAST.indexOf(other))) {
    await AFTER[command]?.(router, await typed(router, command));
  }
  assert.not.match(await router.must(['nft', 'list', 'tables']), 'inet sipalg');
});

opkg.run();

const apk = onEveryKernel('README.md, with apk', { release: '25.12', sipalg: false });

apk('what is typed on a router with apk installs and removes', async (router) => {
  await copied(router, 'apk');
  const all = commandsOf('apk');
  assert.is(all.length, 2);
  for (const command of all) {
    const said = await typed(router, command);
    await AFTER[command]?.(router, said);
    if (command.startsWith('apk add')) await typed(router, 'sipalg disable');
  }
});

apk.run();
