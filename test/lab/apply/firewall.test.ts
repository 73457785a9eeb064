import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Report } from '../../../src/survey/survey.ts';
import { complaints, JOURNAL, ON_DISK, onRouter, type Router } from './router.ts';

/** A rule of the owner's that nft does not take: no SIP in it. */
const BROKEN = 'chain mine {\n\ttype filter hook forward priority 0;\n\tmeta mark 1 jump nowhere\n}\n';

async function report(router: Router): Promise<Report> {
  return JSON.parse((await router.sipalg(['status', '--json'])).stdout) as Report;
}

const broken = suite("a firewall that does not load for its owner's own reasons");

broken('is named in status with what nft says of it, and not with a warning', () =>
  onRouter(ON_DISK, async (router) => {
    assert.not.ok((await report(router)).verdict.findings.some(({ code }) => code === 'firewall-does-not-load'));
    router.lab.files.write('/etc/nftables.d/10-mine.nft', BROKEN);
    const found = (await report(router)).verdict.findings.find(({ code }) => code === 'firewall-does-not-load');
    assert.match(found?.evidence[0] ?? '', /^fw4 check: .*Error: /);
    assert.is(found?.weight, 'trouble');
  }),
);

broken('does not keep the ALG on: it goes off, for good, and nothing is said to be held', () =>
  onRouter(ON_DISK, async (router) => {
    router.lab.files.write('/etc/nftables.d/10-mine.nft', BROKEN);
    await router.call();
    const disabled = await router.sipalg(['disable']);
    assert.match(disabled.stdout, 'No SIP ALG touches calls on this router.');
    assert.match(complaints(disabled).join(' '), 'fw4 would not load the firewall of this router');
    assert.match(router.lab.files.read('/etc/modules.conf'), 'blacklist nf_conntrack_sip');
    assert.is((JSON.parse(router.lab.files.read(JOURNAL)) as { held: unknown }).held, null);
    const after = await report(router);
    assert.equal([after.verdict.alg, after.verdict.returns, after.plan.steps, after.plan.held], ['off', [], [], null]);
    router.lab.files.remove('/etc/nftables.d/10-mine.nft');
    assert.is((await router.sipalg(['apply'])).status, 0);
    assert.is((await router.sipalg(['enable'])).status, 0);
  }),
);

broken.run();
