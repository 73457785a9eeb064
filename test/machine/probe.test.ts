/**
 * `sipalg probe` where the SIP modules load and unload, on kernels whose nft records the first 256 bytes of a message alone
 * (up to 6.12, as OpenWrt 24.10 and 25.12 have them): proof before and after `disable`, and nothing left of it.
 */
import * as assert from 'uvu/assert';
import type { ProbeDocument as ProbeReport } from '../../src/probe/report.ts';
import { onEveryKernel } from './qemu/each.ts';
import type { Router } from './qemu/router.ts';
import { sipalg } from './qemu/steps.ts';

const test = onEveryKernel('a probe by live packets');

async function probe(router: Router, expected: 0 | 1): Promise<ProbeReport> {
  const ran = await router.run(['sipalg', 'probe', '--json'], { timeout: 120_000 });
  assert.is(ran.status, expected, ran.stdout.slice(0, 4000) + ran.stderr);
  return JSON.parse(ran.stdout) as ProbeReport;
}

/** What a probe makes and takes away again; its lock's file stays, as any of ours does. */
const traces = (router: Router): Promise<string> =>
  router.must([
    'sh',
    '-ec',
    'nft list ruleset | sed "s/packets [0-9]* bytes [0-9]*//"; ip -o link | sed "s/^[0-9]*: //"; ip -o addr; ls /var/run | grep -vE "^sipalg.(daemon|link|probe.lock|probed.router)$"; cat /sys/class/net/br-lan/address',
  ]);

test('says which fields the ALG rewrites, and leaves nothing', async (router) => {
  const before = await traces(router);
  const report = await probe(router, 1);
  assert.is(report.verdict, 'rewritten here');
  const options = report.messages.find(({ name }) => name === 'OPTIONS');
  assert.is(options?.fate, 'rewritten');
  assert.ok((options?.differences ?? []).some(({ field, part }) => field === 'Via' && part === 'sent-by'));
  assert.is(await traces(router), before);
});

test('proves that nothing is changed any more, once the ALG is off', async (router) => {
  const ran = await sipalg(router, 'disable --probe', 0);
  assert.match(ran.stdout, 'This router passes SIP unchanged: ');
  const report = await probe(router, 0);
  assert.is(report.verdict, 'unchanged');
});

test.run();
