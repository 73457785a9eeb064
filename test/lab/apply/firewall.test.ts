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

const unseen = suite('a rule that nothing which was read explains');

/** Sets the helper in a way that no reading of it shows: the words come from elsewhere. */
const HIDDEN = 'words=$(cat /etc/mine.words)\neval "$words"\n';
const WORDS = `nft add table inet mine
nft flush table inet mine
nft 'add ct helper inet mine voip { type "sip" protocol udp; }'
nft 'add chain inet mine pre { type filter hook prerouting priority 0; }'
nft 'add rule inet mine pre udp dport 5060 ct helper set "voip"'
`;

const include = (path: string): string => `\nconfig include\n\toption path '${path}'\n`;

unseen('is said to come back, once a load of the firewall has shown it', () =>
  onRouter({}, async (router) => {
    const config = readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8');
    router.lab.files.write('/etc/firewall.mine', HIDDEN);
    router.lab.files.write('/etc/mine.words', WORDS);
    router.lab.files.write('/etc/config/firewall', config + include('/etc/firewall.mine'));
    await router.lab.router.must(['fw4', 'restart']);
    const before = await report(router);
    assert.ok(before.verdict.findings.some(({ code }) => code === 'assignment-unexplained'));
    const disabled = await router.sipalg(['disable']);
    assert.is(disabled.status, 1, disabled.stderr);
    assert.ok(
      disabled.changes.some((line) => line.includes('fw4 reload')),
      disabled.changes.join('\n'),
    );
    const after = await report(router);
    assert.is(after.verdict.alg, 'off');
    assert.ok(after.verdict.findings.some(({ code }) => code === 'assignment-comes-back'));
    assert.ok(after.verdict.returns.some(({ at }) => at === 'firewall reload'));
    assert.equal(after.plan.steps, []);
    assert.equal((await router.sipalg(['apply'])).changes, [], 'once is enough');
    // Its owner has taken it away: another load shows that, and nothing is said any more.
    router.lab.files.write('/etc/mine.words', 'true\n');
    await router.lab.router.must(['nft', 'delete', 'table', 'inet', 'mine']);
    assert.is((await router.sipalg(['disable'])).status, 0);
    assert.equal((await report(router)).verdict.returns, []);
    assert.is((await router.sipalg(['enable'])).status, 0);
  }),
);

unseen('is not said of a script that only speaks of the helper', () =>
  onRouter({}, async (router) => {
    const config = readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8');
    // The name does not show, and the branch is never run.
    router.lab.files.write(
      '/etc/firewall.mine',
      '[ -e /nowhere ] && iptables -t raw -A PREROUTING -j CT --helper "$(cat /nowhere)"\ntrue\n',
    );
    router.lab.files.write('/etc/config/firewall', config + include('/etc/firewall.mine'));
    await router.lab.router.must(['fw4', 'restart']);
    const disabled = await router.sipalg(['disable']);
    assert.is(disabled.status, 0, disabled.stderr + disabled.stdout);
    const after = await report(router);
    assert.equal([after.verdict.alg, after.verdict.returns], ['off', []]);
    assert.not.ok(after.verdict.findings.some(({ code }) => code === 'script-sets-helper'));
  }),
);

unseen.run();
