/**
 * Power cuts at every moment that can be told apart on the disk while `disable` and `enable` run, and while a boot puts
 * right what a cut has left. A run is recorded once; then a router is booted from what the disk held after each flush.
 * The files are the same on every kernel: the moments are shared out among routers of each, in turn.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { announceSkip } from '../layer.ts';
import type { Disk } from './qemu/disk.ts';
import { kernelOf, type Line } from './qemu/kernels.ts';
import { openRouter, type Picture, type Router } from './qemu/router.ts';

const LINES: readonly Line[] = ['6.12', '6.1'];
// A flush ends each moment that can be told apart; a run that has fewer does not sync what it says it syncs.
const FEWEST_MOMENTS = 5;
const FEWEST_OF_A_BOOT = 2;
const UNFINISHED = '.sipalg-new';
const MODULES_CONF = 'etc/modules.conf';

type Recording = { readonly disk: Disk; readonly flushes: readonly number[] };

const test = suite(`power cuts, on Linux ${LINES.join(' and ')}`);
let routers: Router[] = [];
const before = new Map<Router, Picture>();
let disabling: Recording;

test.before(async () => {
  const opened = await Promise.allSettled(LINES.map((kernel) => openRouter({ kernel, ruleset: 'set-helper-rule' })));
  routers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of opened) if (one.status === 'rejected') throw one.reason;
  for (const router of routers) before.set(router, await router.picture());
});
test.after(async () => {
  await Promise.all(routers.map((router) => router.close()));
});

/** Whether every line is one that the loader of modules documents, to its end: half of one is not. */
function isSound(conf: string): boolean {
  return conf.split('\n').every((line) => /^\s*(#.*|blacklist \S+|options \S+ \S.*)?$/.test(line));
}

/** /etc/modules.conf on a disk; '' where the router has written none yet. */
function confAfter(found: ReadonlyMap<string, string>): string {
  return [...found].find(([name]) => name.endsWith(`/${MODULES_CONF}`))?.[1] ?? '';
}

/** The flushes of a disk, from one on, between which its files differ. At none of them a line of /etc/modules.conf is half written. */
function momentsOf(disk: Disk, from: number, what: string, fewest: number): Recording {
  // The last flush of each: by then the next file lies beside, written and not yet renamed, as a cut may leave it.
  const flushes: number[] = [];
  let last: string | undefined;
  for (let flush = from; flush <= disk.flushes(); flush++) {
    const found = disk.filesAfter(flush, '/upper');
    assert.ok(isSound(confAfter(found)), `${what}, flush ${flush}: /etc/modules.conf holds ${JSON.stringify(confAfter(found))}`);
    const files = JSON.stringify([...found].filter(([name]) => !name.endsWith(UNFINISHED)));
    if (files === last) flushes.pop();
    flushes.push(flush);
    last = files;
  }
  assert.ok(flushes.length >= fewest, `${what}: the disk shows ${flushes.length} moments`);
  return { disk, flushes };
}

/** Runs a command of the program, and looks at the disk. */
async function record(router: Router, command: string): Promise<Recording> {
  await router.must(['sync']);
  const disk = router.disk();
  const from = disk.flushes();
  await router.must(['sipalg', command]);
  await router.must(['sync']);
  return momentsOf(disk, from, command, FEWEST_MOMENTS);
}

/** Boots from each moment, the routers sharing the work, and tries what is to be tried there. */
async function everyMoment({ disk, flushes }: Recording, trial: (router: Router, index: number) => Promise<void>): Promise<void> {
  const left = [...flushes.entries()];
  const ends = await Promise.allSettled(
    routers.map(async (router) => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [index, flush] = next;
        try {
          await router.bootAt(disk, flush);
          // Before anything else is run: never a boot without firewall, or with a loader that failed.
          assert.match(await router.must(['nft', 'list', 'ruleset']), 'masquerade', router.bootLog());
          assert.not.match(router.bootLog(), /boot: status|No such file or directory|Segmentation/);
          await trial(router, index);
        } catch (error) {
          (error as Error).message = `Linux ${router.kernel.line}, moment ${index + 1} of ${flushes.length}: ${(error as Error).message}`;
          throw error;
        }
      }
    }),
  );
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
  const [now, then] = [await router.picture(), before.get(router)!];
  assert.equal(now.files, then.files);
  assert.equal(now.modules, then.modules);
  assert.is(now.parameters, then.parameters);
  assert.equal(now.rules, then.rules);
  assert.is(await router.treatment(), 'rewritten');
}

/** The boot itself has run `apply`: what is found is one of the two clean states, with nothing left to do. */
async function assertClean(router: Router): Promise<void> {
  const journal = await router.run(['cat', '/etc/sipalg.journal']);
  if (/blacklist nf_conntrack_sip/.test(await router.read(`/${MODULES_CONF}`))) {
    assert.match(journal.stdout, '\n "state": "taken"');
    await assertOff(router);
  } else {
    assert.is(journal.status, 1, 'there is no journal');
    await assertAsBefore(router);
  }
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

test('a cut at any moment of disable: the boot ends in a clean state, and enable gives everything back', async () => {
  disabling = await record(routers[0]!, 'disable');
  await everyMoment(disabling, async (router, index) => {
    await assertClean(router);
    if (index % 2 === 0) return; // the way back is tried from every other moment: boots take their time
    assert.is(await sipalg(router, 'enable'), 0);
    await assertAsBefore(router);
  });
});

test('a second cut while a boot puts right what the first has left: the next boot ends in a clean state', async () => {
  const { disk, flushes } = disabling;
  const router = routers[1]!;
  // The wish and the journal are there, the block is not.
  const blocked = flushes.findIndex((flush) => /blacklist nf_conntrack_sip/.test(confAfter(disk.filesAfter(flush, '/upper'))));
  assert.ok(blocked > 0);
  await router.bootAt(disk, flushes[blocked - 1]!);
  await router.must(['sync']);
  await everyMoment(momentsOf(router.disk(), 1, 'the boot', FEWEST_OF_A_BOOT), assertClean);
});

test('another program that was cut off while it wrote /etc/modules.conf: the boot blocks again what is left unblocked', async () => {
  await Promise.all(
    routers.map(async (router) => {
      assert.is(await sipalg(router, 'disable'), 0);
      const whole = await router.read(`/${MODULES_CONF}`);
      await router.write(`/${MODULES_CONF}`, whole.slice(0, whole.lastIndexOf('_nat') + 2));
      await router.must(['sync']);
      await router.powerCut();
      assert.match(await router.must(['nft', 'list', 'ruleset']), 'masquerade', router.bootLog());
      await assertOff(router);
      for (const name of ['nf_conntrack_sip', 'nf_nat_sip'])
        assert.match(await router.read(`/${MODULES_CONF}`), new RegExp(`^blacklist ${name}$`, 'm'));
      assert.is(await sipalg(router, 'enable'), 0);
      // What the other program wrote is its own to take back.
      await router.write(`/${MODULES_CONF}`, before.get(router)!.files[`/${MODULES_CONF}`]!);
      await assertAsBefore(router);
    }),
  );
});

test('a cut at any moment of enable: the boot ends in a clean state, and disable still works', async () => {
  const router = routers[0]!;
  assert.is(await sipalg(router, 'disable'), 0);
  await router.reboot();
  await everyMoment(await record(router, 'enable'), async (cut, index) => {
    await assertClean(cut);
    if (index % 2 === 0) return;
    assert.is(await sipalg(cut, 'disable'), 0);
    await assertOff(cut);
  });
});

try {
  for (const line of LINES) kernelOf(line);
  test.run();
} catch (error) {
  announceSkip(`Power cuts are not tested: ${(error as Error).message}`);
}
