/** SIP flows that no answer reaches: which they are, which they are not, and how they are ended. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Outcome } from '../../../src/host/host.ts';
import { staleFlows } from '../../../src/judge/questions.ts';
import type { Facts } from '../../../src/observe/facts.ts';
import { factsIn } from '../../../src/observe/iptables-facts.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planAlg as plan } from '../../../src/plan/plan.ts';
import { reportOn } from '../../../src/survey/report.ts';
import { exitCode } from '../../../src/survey/survey.ts';
import { recordedRouter } from '../../routers.ts';

const ROUTER = 'wan-changed';
const OLD = '203.0.113.99';

/** The recorded router, with some files and commands that say something else. */
function router(files: Record<string, string> = {}, commands: Record<string, Outcome> = {}): Host {
  const host = recordedRouter(ROUTER);
  return {
    ...host,
    async read(path, options) {
      const text = files[path];
      if (text === undefined) return host.read(path, options);
      const { select } = options ?? {};
      const lines = text.split(/(?<=\n)/).filter((line) => !select || select.holding.some((needle) => line.includes(needle)));
      return { state: 'present', source: path, value: lines.join('') };
    },
    async run(argv, options) {
      return commands[argv.join(' ')] ?? host.run(argv, options);
    },
  };
}

const sources = (facts: Facts): string[] => staleFlows(facts).map(({ source }) => source);
const [PHONE, TLS, UNTRANSLATED, PROVIDER] = ['192.168.1.10', '192.168.1.11', '192.168.1.12', '203.0.113.10'];
const ALL = [PHONE, TLS, UNTRANSLATED, PROVIDER];

/** A rule more in nft's listing. */
async function withRule(expr: object): Promise<Record<string, Outcome>> {
  const argv = ['nft', '-j', '-t', 'list', 'ruleset'];
  const said = await recordedRouter(ROUTER).run(argv);
  assert.ok(said.state === 'exited');
  const listing = JSON.parse(said.stdout) as { nftables: object[] };
  listing.nftables.push({ rule: { family: 'inet', table: 'fw4', chain: 'srcnat', handle: 9999, expr: [expr] } });
  return { [argv.join(' ')]: { ...said, stdout: JSON.stringify(listing) } };
}

const stale = suite('stale flows');

stale('are those whose answers go to an address that is gone, and those that left untranslated', async () => {
  assert.equal(sources(await observe(router())), ALL);
});

stale('are known by the rules of iptables too, where there is no nft: those of fw3', async () => {
  const facts = await observe(router());
  const save = (rules: string): string => `*nat\n:POSTROUTING ACCEPT [0:0]\n:zone_wan_postrouting - [0:0]\n${rules}COMMIT\n`;
  const on3 = (rules: string): Facts => ({
    ...facts,
    nft: { state: 'absent', source: 'nft' },
    iptables: [{ state: 'present', source: 'iptables-save', value: factsIn('iptables-save', save(rules)) }],
  });
  const masquerade = '-A zone_wan_postrouting -j MASQUERADE\n';
  const translated = ALL.filter((source) => source !== UNTRANSLATED);
  const found = (rules: string): string[] => sources(on3(masquerade + rules)).filter((source) => source !== UNTRANSLATED);
  assert.equal(found(''), translated);
  assert.equal(found('-A zone_wan_postrouting -s 192.168.1.5/32 -j SNAT --to-source 203.0.113.77\n'), translated);
  // Somebody's rule still gives the address, or may give it.
  assert.equal(found(`-A zone_wan_postrouting -p udp -j SNAT --to-source ${OLD}:5060-5070\n`), []);
  assert.equal(found('-A zone_wan_postrouting -j SNAT --to-source 203.0.113.90-203.0.113.110\n'), []);
  assert.equal(found('-A zone_wan_postrouting -j NETMAP --to 203.0.113.0/24\n'), []);
  // Not seen is not "none".
  const unread = { ...on3(masquerade), iptables: [{ state: 'failed', source: 'iptables-save', because: 'it was killed' } as const] };
  assert.equal(sources(unread), []);
});

stale("are none where the address is the router's after all, on a device without a carrier too", async () => {
  const trie = `Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- ${OLD}\n        /32 host LOCAL\n     |-- 10.8.0.2\n        /32 host LOCAL\n`;
  assert.equal(
    sources(await observe(router({ '/proc/net/fib_trie': trie }))).filter((source) => source !== UNTRANSLATED),
    ['192.168.1.13'],
  );
});

stale("are not known where the router's addresses cannot be read", async () => {
  assert.equal(sources(await observe(router({ '/proc/net/fib_trie': '' }))), []);
});

stale('are not those that a rule still translates so, to an address that is routed here', async () => {
  assert.equal(sources(await observe(router({}, await withRule({ snat: { family: 'ip', addr: OLD } })))), [UNTRANSLATED]);
  assert.equal(sources(await observe(router({}, await withRule({ snat: { addr: '198.51.100.1', port: 5060 } })))), ALL, 'another address');
});

stale('are none of those that were never to be translated: on a routed line, or by a way that nothing translates', async () => {
  const facts = await observe(router());
  if (facts.nft.state !== 'present' || facts.firewall.uci.state !== 'present') throw new Error('not seen');
  const { value } = facts.nft;
  const translating = (translates: Record<string, boolean | null>): Facts => ({
    ...facts,
    nft: { ...(facts.nft as object), value: { ...value, translates } } as Facts['nft'],
  });
  assert.ok(sources(translating({ '': false, wan: true })).includes(UNTRANSLATED));
  for (const other of [{ '': false }, { '': true, wan: false }, { '': true, wan: null }, { '': false, tun0: true }])
    assert.not.ok(sources(translating(other)).includes(UNTRANSLATED), JSON.stringify(other));
  const uci = {
    ...facts.firewall.uci.value,
    zones: facts.firewall.uci.value.zones.map((zone) => ({ ...zone, masquerades: zone.name !== 'wan' })),
  };
  const routed: Facts = { ...facts, firewall: { ...facts.firewall, uci: { state: 'present', source: 'x', value: uci } } };
  assert.not.ok(sources(routed).includes(UNTRANSLATED), 'a VPN that masquerades says nothing of the way by wan');
});

stale('that are under the helper as well are ended once', async () => {
  const facts = await observe(recordedRouter('built-in'));
  const [flow] = facts.flows.state === 'present' ? facts.flows.value.flows : [];
  if (flow === undefined || facts.flows.state !== 'present') throw new Error('no flow');
  const lost = { ...flow, lost: '203.0.113.99', replyDestination: '203.0.113.99' };
  const both: Facts = { ...facts, flows: { ...facts.flows, value: { ...facts.flows.value, stale: [lost] } } };
  assert.equal(staleFlows(both).length, 1);
  const ended = plan(both, 'disabled', false)
    .steps.flatMap(({ commands }) => commands)
    .filter((command) => command.startsWith('conntrack -D'));
  assert.equal(ended, [...new Set(ended)]);
  assert.ok(ended.length > 0);
});

stale("cannot be told where a rule's target is no single address", async () => {
  for (const expr of [
    { snat: { family: 'ip', addr: { prefix: { addr: '198.51.100.0', len: 29 } } } },
    { snat: { addr: { map: { key: {}, data: '@nets' } } } },
    { xt: { type: 'target', name: 'SNAT' } },
  ]) {
    assert.equal(sources(await observe(router({}, await withRule(expr)))), [UNTRANSLATED], JSON.stringify(expr));
  }
});

stale("are not those of an address that the firewall's configuration names", async () => {
  const config = await recordedRouter(ROUTER).read('/etc/config/firewall');
  assert.ok(config.state === 'present');
  const text = `${config.value}\nconfig redirect\n\toption src_dip '${OLD}'\n\toption dest_ip '192.168.1.20'\n`;
  assert.equal(sources(await observe(router({ '/etc/config/firewall': text }))), [UNTRANSLATED]);
});

stale('left untranslated are none on a router that translates nothing', async () => {
  const config = await recordedRouter(ROUTER).read('/etc/config/firewall');
  assert.ok(config.state === 'present');
  const host = router({ '/etc/config/firewall': config.value.replace(/option masq\s.*/g, '') });
  assert.equal(sources(await observe(host)), [PHONE, TLS, PROVIDER]);
});

stale('wait until the WAN has an address', async () => {
  assert.equal(sources(await observe({ ...router(), addresses: () => [] })), []);
});

stale('are ended one by one, towards either state, and are not a wish that is not met', async () => {
  const facts = await observe(router());
  for (const towards of ['disabled', 'enabled'] as const) {
    const steps = plan(facts, towards, false).steps.filter(({ why }) => why === 'flow-stale');
    assert.is(steps.length, 1, towards);
    assert.equal(
      steps[0]?.actions.map((action) => action.do === 'run' && action.argv[action.argv.indexOf('--orig-src') + 1]),
      ALL,
    );
  }
  assert.is(exitCode(reportOn('0', { ...facts, policy: { state: 'absent', source: 'x' } }, null)), 0);
});

stale('are ended by their former address where they cannot be named, and one without is left to end by itself', async () => {
  const argv = ['conntrack', '-L'];
  const table = await recordedRouter(ROUTER).run(argv);
  assert.ok(table.state === 'exited');
  // As /proc writes the same flows.
  const proc = table.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.includes('fd00') ? `ipv6     10 ${line}` : `ipv4     2 ${line}`) + '\n')
    .join('');
  const facts = await observe(router({ '/proc/net/nf_conntrack': proc }, { 'conntrack -L': { state: 'absent', command: 'conntrack -L' } }));
  assert.equal(sources(facts), ALL);
  assert.equal(facts.flows.state === 'present' && facts.flows.value.flows, [], 'none is under the helper, which is not in the kernel');
  const [step] = plan(facts, 'disabled', false).steps;
  assert.equal(step?.actions, [{ do: 'poke', path: '/proc/net/nf_conntrack', text: `${OLD}\n` }]);
  assert.equal(step?.commands, [`echo ${OLD} > /proc/net/nf_conntrack`]);
});

stale.run();
