import { readFileSync } from 'node:fs';
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

const left = suite('a chain of the firewall that is left over');

/** The stock configuration, where one zone lists SIP and nothing else, as a vendor's file does. */
function alone(): string {
  const text = readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8');
  return text.replace(/(config zone\n\s+option name\s+'?lan'?\n)/, "$1\toption auto_helper '0'\n\tlist helper 'sip'\n");
}

left('assigns nothing, in the verdict and in the way back', () =>
  onRouter({}, async (router) => {
    assert.match(alone(), "list helper 'sip'");
    router.lab.files.write('/etc/config/firewall', alone());
    await router.lab.router.must(['fw4', 'restart']);
    assert.is((await router.sipalg(['disable'])).status, 0);
    await router.lab.router.must(['fw4', 'reload']);
    // What somebody puts there, as the way back did: nothing leads to it.
    await router.lab.router.must(['nft', 'add rule inet fw4 helper_lan udp dport 5060 ct helper set "sip"']);
    const seen = await report(router);
    assert.is(seen.verdict.alg, 'off');
    assert.ok(seen.verdict.findings.some(({ code }) => code === 'assignment-unreached'));
    assert.equal(seen.plan.steps, []);
    await router.lab.router.must(['fw4', 'reload']);
    assert.is((await router.sipalg(['enable'])).status, 0);
    const chain = await router.lab.router.must(['nft', 'list', 'chain', 'inet', 'fw4', 'helper_lan']);
    assert.match(chain, 'ct helper set "sip"');
    const jumps = await router.lab.router.must(['nft', 'list', 'chain', 'inet', 'fw4', 'prerouting']);
    assert.match(jumps, 'jump helper_lan');
    await router.call();
    assert.is((await report(router)).verdict.alg, 'rewriting');
  }),
);

left.run();
