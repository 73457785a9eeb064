/**
 * Power cuts at every moment that can be told apart on the disk while `disable` and `enable` run. A run is recorded
 * once; then the router is booted from what the disk held after each flush. The files are the same on every
 * kernel, so one will do.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { announceSkip } from '../layer.ts';
import type { Disk } from '../lab/vm/disk.ts';
import { kernelOf, type Line } from '../lab/vm/kernels.ts';
import { openRouter, type Picture, type Router } from '../lab/vm/router.ts';

const KERNEL: Line = '6.12';
// A flush ends each moment that can be told apart; a run that has fewer does not sync what it says it syncs.
const FEWEST_MOMENTS = 5;
const UNFINISHED = '.sipalg-new';

type Recording = { readonly disk: Disk; readonly flushes: readonly number[] };

const test = suite(`power cuts, on Linux ${KERNEL}`);
let routers: Router[] = [];
let before: Picture;

test.before(async () => {
  const opened = await Promise.allSettled([1, 2].map(() => openRouter({ kernel: KERNEL, ruleset: 'set-helper-rule' })));
  routers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of opened) if (one.status === 'rejected') throw one.reason;
  before = await routers[0]!.picture();
});
test.after(async () => { await Promise.all(routers.map((router) => router.close())); });

/** Runs a command of the program; the flushes of the disk between which its files differ. */
async function record(router: Router, command: string): Promise<Recording> {
  await router.must(['sync']);
  const disk = router.disk();
  const from = disk.flushes();
  await router.must(['sipalg', command]);
  await router.must(['sync']);
  // The last flush of each: by then the next file lies beside, written and not yet renamed, as a cut may leave it.
  const flushes: number[] = [];
  let last: string | undefined;
  for (let flush = from; flush <= disk.flushes(); flush++) {
    const files = JSON.stringify([...disk.filesAfter(flush, '/upper')].filter(([name]) => !name.endsWith(UNFINISHED)));
    if (files === last) flushes.pop();
    flushes.push(flush);
    last = files;
  }
  assert.ok(flushes.length >= FEWEST_MOMENTS, `${command}: the disk shows ${flushes.length} moments`);
  return { disk, flushes };
}

/** Boots from each moment, the routers sharing the work, and tries what is to be tried there. */
async function everyMoment({ disk, flushes }: Recording, trial: (router: Router) => Promise<void>): Promise<void> {
  const left = [...flushes.entries()];
  const ends = await Promise.allSettled(routers.map(async (router) => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [index, flush] = next;
      try {
        await router.bootAt(disk, flush);
        await trial(router);
      } catch (error) {
        (error as Error).message = `moment ${index + 1} of ${flushes.length}: ${(error as Error).message}`;
        throw error;
      }
    }
  }));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function sipalg(router: Router, command: string): Promise<number | null> {
  const ran = await router.run(['sipalg', command]);
  assert.ok(ran.status === 0 || ran.status === 1, `sipalg ${command}: ${ran.status}\n${ran.stdout}${ran.stderr}`);
  return ran.status;
}

async function assertOff(router: Router): Promise<void> {
  assert.equal(await router.sipModules(), {});
  assert.is(await router.treatment(), 'untouched');
  await router.must(['fw4', 'check']);
  assert.is(await sipalg(router, 'status'), 0);
}

async function assertAsBefore(router: Router): Promise<void> {
  const now = await router.picture();
  assert.equal(now.files, before.files);
  assert.equal(now.modules, before.modules);
  assert.is(now.parameters, before.parameters);
  assert.equal(now.rules, before.rules);
  assert.is(await router.treatment(), 'rewritten');
}

test('what was written and not synced is lost, what was synced is there', async () => {
  const router = routers[1]!;
  await router.write('/etc/synced', 'kept');
  await router.must(['sync']);
  await router.write('/etc/unsynced', 'lost');
  await router.powerCut();
  assert.is(await router.read('/etc/synced'), 'kept');
  assert.is((await router.run(['cat', '/etc/unsynced'])).status, 1);
});

test('after a cut at any moment of disable the firewall is up, apply ends in a clean state, and enable gives everything back', async () => {
  const recording = await record(routers[0]!, 'disable');
  await everyMoment(recording, async (router) => {
    assert.match(await router.must(['nft', 'list', 'ruleset']), 'masquerade', router.bootLog());
    assert.is(await sipalg(router, 'apply'), 0);
    if (/blacklist nf_conntrack_sip/.test(await router.read('/etc/modules.conf'))) await assertOff(router);
    else await assertAsBefore(router);
    assert.is(await sipalg(router, 'enable'), 0);
    await assertAsBefore(router);
  });
});

test('after a cut at any moment of enable the firewall is up, apply ends in a clean state, and disable still works', async () => {
  const router = routers[0]!;
  assert.is(await sipalg(router, 'disable'), 0);
  await router.reboot();
  const recording = await record(router, 'enable');
  await everyMoment(recording, async (cut) => {
    assert.match(await cut.must(['nft', 'list', 'ruleset']), 'masquerade', cut.bootLog());
    assert.is(await sipalg(cut, 'apply'), 0);
    if (/blacklist nf_conntrack_sip/.test(await cut.read('/etc/modules.conf'))) await assertOff(cut);
    else await assertAsBefore(cut);
    assert.is(await sipalg(cut, 'disable'), 0);
    await assertOff(cut);
  });
});

try {
  kernelOf(KERNEL);
  test.run();
} catch (error) {
  announceSkip(`Power cuts are not tested: ${(error as Error).message}`);
}
