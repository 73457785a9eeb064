/**
 * Storms: the firewall is loaded anew again and again while the program runs, several times at once; and what keeps the
 * ALG off when nothing of ours runs at all.
 *
 * What loads here is fw4's own rulesets, as it renders them with the modules and without them, under its lock and in its
 * way (one transaction; for a restart the table is deleted first), but without starting a renderer each time.
 */
import * as assert from 'uvu/assert';
import { parseJournal } from '../../src/journal/journal.ts';
import type { Ran } from '../lab/member.ts';
import { onEveryKernel } from './qemu/each.ts';
import type { Router } from './qemu/router.ts';
import { daemons, until } from './qemu/steps.ts';

const LOADS = 100;
const LOADS_ALONE = 25;

// storm.sh FEWEST PAUSE: loads until /tmp/calm is there, and no fewer times. /tmp/loading is odd while it loads.
const STORM = `#!/bin/dash
turn=0
while [ $turn -lt "$1" ] || [ ! -e /tmp/calm ]; do
	turn=$((turn + 1))
	flock -x /var/run/fw4.lock dash -c '
		echo $((2 * $0 + 1)) >/tmp/loading.new; mv /tmp/loading.new /tmp/loading
		[ $(($0 % 4)) != 0 ] || nft delete table inet fw4
		rm -f /var/run/fw4.state
		if [ -d /sys/module/nf_conntrack_sip ]; then nft -f /tmp/with.nft; else nft -f /tmp/without.nft; fi || echo "load $0 failed"
		echo "{}" >/var/run/fw4.state
		echo $((2 * $0 + 2)) >/tmp/loading.new; mv /tmp/loading.new /tmp/loading
	' $turn
	[ $turn -lt 1000 ] || break
	sleep "$2"
done
echo "$turn loads"
`;

// Looks for the masquerading all the time: it may be missing only while the firewall itself is being loaded.
const LOOKOUT = `#!/bin/dash
looks=0 own=0
while [ ! -e /tmp/calm ]; do
	before=$(cat /tmp/loading)
	if ! nft list chain inet fw4 srcnat_wan 2>/dev/null | grep -q masquerade; then
		after=$(cat /tmp/loading)
		if [ "$before" = "$after" ] && [ $((before % 2)) = 0 ]; then echo "no masquerading after load $((before / 2 - 1))"; else own=$((own + 1)); fi
	fi
	looks=$((looks + 1))
	sleep 0.05
done
[ $looks -gt 20 ] || echo "it looked $looks times"
`;

const config = (router: Router): Promise<string> => router.read('/etc/modules.conf');

/** Runs the program in the middle of the storm: it may fail, in a sentence, and may not crash. */
async function race(router: Router, command: string): Promise<Ran> {
  const ran = await router.run(['sipalg', command], { timeout: 120_000 });
  assert.ok(ran.status !== null && ran.status <= 2, `sipalg ${command}: ${ran.status ?? ran.signal}\n${ran.stderr}`);
  assert.not.match(ran.stderr, /\n {4}at |within sipalg itself|could not be taken back/, `sipalg ${command}:\n${ran.stdout}${ran.stderr}`);
  return ran;
}

async function sipalg(router: Router, command: string, expected = 0): Promise<void> {
  const ran = await router.run(['sipalg', command], { timeout: 120_000 });
  assert.is(ran.status, expected, `sipalg ${command}:\n${ran.stdout}${ran.stderr}`);
}

async function assertOff(router: Router, when: string): Promise<void> {
  assert.equal(await router.sipModules(), {}, when);
  assert.is(await router.treatment(), 'untouched', when);
  const rules = await router.must(['nft', 'list', 'table', 'inet', 'fw4']);
  assert.match(rules, 'masquerade', when);
  assert.not.match(rules, 'helper set "sip"', when);
}

const storm = onEveryKernel('storms');
const conf = new Map<Router, string>();

storm(
  'disable, apply and enable race with a firewall that is loaded a hundred times: at the end the ALG is off, verified, and the journal whole',
  async (router) => {
    conf.set(router, await config(router));
    const caller = await router.caller(15_060);
    const first = await caller.invite();
    assert.is.not(first.arrived, first.sent, 'rewritten');

    // As fw4 renders them: for a moment the modules are gone. The daemon must not look just then: `fw4 check` of the rules of
    // before asks for the helper, and the kernel loads its module for that (nf_conntrack_helper_try_module_get).
    await router.must(['/etc/init.d/sipalg-daemon', 'stop']);
    await until('the daemon ends', async () => (await daemons(router)).length === 0, 90_000);
    await router.must([
      'sh',
      '-ec',
      'fw4 print >/tmp/with.nft; nft delete table inet fw4; rmmod nf_nat_sip; rmmod nf_conntrack_sip; fw4 print >/tmp/without.nft; modprobe nf_nat_sip; nft -f /tmp/with.nft; echo 0 >/tmp/loading',
    ]);
    assert.not.equal(await router.read('/tmp/with.nft'), await router.read('/tmp/without.nft'));
    await router.must(['/etc/init.d/sipalg-daemon', 'start']);
    await router.write('/tmp/storm.sh', STORM, 0o755);
    await router.write('/tmp/lookout.sh', LOOKOUT, 0o755);

    const loading = router.run(['/tmp/storm.sh', String(LOADS), '0.1'], { timeout: 300_000 });
    const looking = router.run(['/tmp/lookout.sh'], { timeout: 300_000 });
    try {
      await race(router, 'disable');
      await Promise.all([race(router, 'apply'), race(router, 'enable')]);
      await Promise.all([race(router, 'disable'), race(router, 'enable')]);
      await router.must(['fw4', 'reload']); // the real renderer once, in the middle of it
      await race(router, 'apply');
    } finally {
      await router.must(['touch', '/tmp/calm']);
    }
    const loaded = await loading;
    assert.match(loaded.stdout, /^\d+ loads\n$/, loaded.stdout + loaded.stderr);
    assert.ok(parseInt(loaded.stdout, 10) >= LOADS, loaded.stdout);
    assert.is((await looking).stdout, '');

    await sipalg(router, 'disable');
    await sipalg(router, 'status');
    await assertOff(router, 'after the storm');
    const journal = parseJournal(await router.read('/etc/sipalg.journal'));
    assert.equal([journal.state, journal.held], ['taken', null]);
    const last = await caller.invite();
    assert.is(last.arrived, last.sent, 'the same call, byte for byte');
    await caller.close();
  },
);

storm('with no process of ours it stays off through more loads, and through a reboot', async (router) => {
  for (const name of ['sipalg', 'sipalg-early', 'sipalg-daemon']) await router.must([`/etc/init.d/${name}`, 'disable']);
  await router.must(['/tmp/storm.sh', String(LOADS_ALONE), '0'], { timeout: 200_000 });
  await assertOff(router, 'after the loads');
  await router.reboot();
  assert.is(router.bootLog(), '');
  assert.is(
    (await router.run(['sh', '-c', "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep 'sipal[g]'"])).stdout,
    '',
    'nothing of ours runs',
  );
  await assertOff(router, 'after the reboot');
  await router.must(['kmodloader']);
  for (const verb of ['reload', 'restart']) await router.must(['/etc/init.d/firewall', verb]);
  await assertOff(router, 'after loader, reload and restart');
});

storm('and after all of that enable gives back what was there first', async (router) => {
  await sipalg(router, 'enable');
  assert.is(await router.treatment(), 'rewritten');
  assert.is(await config(router), conf.get(router));
  assert.is((await router.run(['test', '-e', '/etc/sipalg.journal'])).status, 1);
});

storm.run();
