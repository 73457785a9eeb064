/** Every command of README.md that is for a router, typed on one with opkg. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Router } from './qemu/router.ts';
import { assertOff, daemons, until } from './qemu/steps.ts';
import { commandsOf } from '../pure/package/readme.ts';
import { readersRouter, typed } from './typed.ts';

/** What is so once a command has been typed. */
const AFTER: Readonly<Record<string, (router: Router, said: string) => Promise<void> | void>> = {
  'opkg install /tmp/sipalg_*.ipk /tmp/luci-app-sipalg_*.ipk': async (router) => {
    assert.is(await router.treatment(), 'rewritten', 'nothing is changed until the owner says so');
    assert.equal(await daemons(router), []);
  },
  'opkg install /tmp/sipalg-daemon_*.ipk': async (router) => {
    assert.is(await router.treatment(), 'rewritten', 'nothing is changed until the owner says so');
    await until('the daemon runs', async () => (await daemons(router)).length === 1);
  },
  'sipalg disable': (router) => assertOff(router, 'after disable'),
  'sipalg enable': async (router) => {
    assert.is(await router.treatment(), 'rewritten');
  },
  // The daemon may be the one that does it.
  '/etc/init.d/sipalg reload': (router, said) =>
    until('the ALG is off', async () => (await router.treatment()) === 'untouched', 120_000).catch(async (error: Error) => {
      throw new Error(
        `${error.message}\n${said}\n${(await router.run(['sipalg', 'status'])).stdout}\n${await router.read('/etc/config/sipalg')}`,
      );
    }),
  'nft list counters table inet sipalg': (_, said) => {
    for (const name of ['voice_signalling', 'plain_signalling', 'attempts_invite', 'limited_register'])
      assert.match(said, `counter ${name} {`);
  },
  'sysupgrade -l': (_, said) => {
    for (const path of ['/etc/config/sipalg', '/etc/modules.conf', '/etc/sipalg.journal']) assert.match(said, new RegExp(`^${path}$`, 'm'));
  },
  'opkg remove luci-app-sipalg sipalg-daemon sipalg': async (router) => {
    assert.is(await router.treatment(), 'rewritten', 'given back');
    assert.not.match(await router.must(['nft', 'list', 'tables']), 'inet sipalg');
  },
};

/** What the reader has done before some. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  'nft list counters table inet sipalg': ['uci set sipalg.main.policy=1', 'sipalg apply'],
};

/** Where another order than the README's is the only one that can be: the daemon is the init script's to start, and last is last. */
const STARTED = 'sipalg serve';
const LAST = ['nft list counters table inet sipalg', 'sysupgrade -l', 'opkg remove luci-app-sipalg sipalg-daemon sipalg'];

const readme = suite('README.md on a router with opkg');
let router: Router | undefined;

readme.before(async () => {
  router = await readersRouter('opkg');
});
readme.after(async () => {
  await router?.close();
});

readme('what is typed does what it says', async () => {
  if (router === undefined) return;
  const all = commandsOf('router');
  assert.equal(
    [STARTED, ...LAST].filter((command) => !all.includes(command)),
    [],
  );
  for (const command of [...all.filter((one) => one !== STARTED && !LAST.includes(one)), ...LAST]) {
    for (const other of BEFORE[command] ?? []) await typed(router, other);
    const said = await typed(router, command);
    await AFTER[command]?.(router, said);
    if (command === 'sipalg disable --dry-run') assert.is((await daemons(router)).length, 1, STARTED);
  }
});

readme.run();
