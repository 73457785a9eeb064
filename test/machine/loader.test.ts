/** A boot of a release whose loader knows no blacklist, and of a router that has lost Node. */
import * as assert from 'uvu/assert';
import { onEveryKernel } from './qemu/each.ts';
import { assertBootedOff, assertFirewall, commands, memory, sipalg, withoutEngine } from './qemu/steps.ts';

const CONF = '/etc/modules.conf';
const { rememberIt, assertAsBefore } = memory();

// The kernel of such a release is older than both.
const old = onEveryKernel('a loader without a blacklist (22.03)', { release: '22.03' }, ['6.1']);

old('disabled, it is off at once and after a reboot', async (router) => {
  await rememberIt(router);
  await sipalg(router, 'disable', 0);
  assert.is(await router.treatment(), 'untouched');
  assert.is((await router.run(['ls', CONF])).status, 1, 'no file is written that nobody reads');
  await router.reboot();
  await assertBootedOff(router, 'after the reboot');
  await sipalg(router, 'status', 0);
  assert.equal(commands(await sipalg(router, 'apply', 0)), []);
});

old('and when its engine has gone: the early script unloads the modules before the firewall starts', async (router) => {
  await withoutEngine(router, async () => {
    await router.reboot();
    assert.equal(await router.sipModules(), {});
    assert.is(await router.treatment(), 'untouched');
    await assertFirewall(router, 'without an engine');
    await router.must(['kmodloader']);
    await router.must(['fw4', 'reload']);
    assert.is(await router.treatment(), 'untouched', 'the modules are back, and nothing assigns them');
  });
});

old('enabled, it is as before, and stays so', async (router) => {
  await sipalg(router, 'enable', 0);
  await assertAsBefore(router);
  await router.reboot();
  assert.is(await router.treatment(), 'rewritten');
  await assertAsBefore(router);
});

old.run();
