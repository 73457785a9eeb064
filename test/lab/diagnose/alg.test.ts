/** The kernel's real ALG as the cause, on both engines: what it breaks, and that it is named. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import { callThroughProvider } from '../compare/peers.ts';
import { openLab } from '../lab.ts';
import type { Lab } from '../lab.ts';
import { placeCalls } from '../sipp.ts';
import { withoutLog } from './scene.ts';

const alg = suite<{ lab: Lab }>('the ALG is the cause');

alg.before(async (context) => {
  context.lab = await openLab({ ruleset: 'stock-alg-on', engine: 'quickjs' });
  await withoutLog(context.lab);
  await context.lab.router.must(['sh', '-c', 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct']);
});
alg.after(({ lab }) => lab.close());

async function diagnosed(lab: Lab, words: readonly string[]): Promise<{ diagnosis: DiagnosisDocument; status: number | null }> {
  const { stdout, stderr, status } = await lab.router.run(['sipalg', 'diagnose', ...words, '--json'], { timeout: 60_000 });
  assert.is(stderr, '');
  return { diagnosis: (JSON.parse(stdout) as { diagnosis: DiagnosisDocument }).diagnosis, status };
}

alg('a call of sipp that is edited, and the cause of ten symptoms', async ({ lab }) => {
  const { succeeded } = await placeCalls(lab, { calls: 1 });
  assert.is(succeeded, 1);
  for (const words of [[], ['calls', 'drop', 'after', '32', 'seconds'], ['cannot-call-out'], ['einseitiger', 'Ton']]) {
    const { diagnosis, status } = await diagnosed(lab, words);
    assert.is(status, 1);
    assert.equal(
      diagnosis.found.map(({ code }) => code),
      ['alg-rewrites'],
    );
    assert.equal(diagnosis.found[0]?.fix, { command: 'sipalg disable' });
    assert.match(diagnosis.found[0]?.evidence[0] ?? '', /under the helper: 192\.168\.1\.10:5060 -> 203\.0\.113\.10:5060, 3\d\d\d s left/);
    assert.ok(diagnosis.advisories.some(({ id }) => id === 'alg-on'));
  }
});

alg('a call of baresip to baresip through kamailio, in the words of a customer', async ({ lab }) => {
  await callThroughProvider(lab);
  const { diagnosis } = await diagnosed(lab, ['der', 'Kunde', 'hört', 'mich', 'nicht']);
  assert.equal(diagnosis.asked.symptoms, ['one-way-audio']);
  // The helper has written the WAN's address into the SDP of both, so that they send their audio to it, and nobody gets any.
  assert.equal(
    diagnosis.found.map(({ code }) => code),
    ['alg-rewrites', 'audio-to-own-address'],
  );
});

alg('only the first phone works: the second INVITE with the same audio port is dropped', async ({ lab }) => {
  await lab.sendInvite({ from: 'phone', to: 'provider', mediaPort: 4100, callId: 'first' });
  const { arrived } = await lab.sendInvite({ from: 'phone2', to: 'provider', mediaPort: 4100, callId: 'second' });
  assert.is(arrived, undefined);
  const { diagnosis } = await diagnosed(lab, ['only the first phone works']);
  assert.ok(diagnosis.found.some(({ code }) => code === 'alg-rewrites'));
});

alg('a registration shows how long it lasts by the hole that the helper keeps for it', async ({ lab }) => {
  const { arrived, arrivedFrom } = await lab.sendSip('register', { from: 'phone', to: 'provider', sourcePort: 5066 });
  assert.ok(arrived && arrivedFrom);
  const { diagnosis } = await diagnosed(lab, []);
  assert.ok(diagnosis.phones.some((line) => line.includes('192.168.1.10:5066 -> 203.0.113.10:5060')));
});

alg('the ALG switched off is ruled out, and both engines say the same of the same document', async ({ lab }) => {
  await lab.router.must(['sipalg', 'disable'], { timeout: 60_000 });
  const { diagnosis, status } = await diagnosed(lab, ['cannot-call-out']);
  assert.is(status, 0);
  assert.equal(diagnosis.found, []);
  assert.ok(diagnosis.ruledOut.some(({ code }) => code === 'alg-rewrites'));
});

alg.run();
