/** Drop rules and sets of fw3's router, for a diagnosis: of both families, and in each of the three states. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import { createDropReader, observeBlocked, rejectedOf, withIptables } from '../../../src/observe/calls/rules.ts';
import { surveyor } from '../../survey.ts';
import { recordedRouter } from '../../routers.ts';

const drops = suite('drop rules of fw3');

const V4 = `*filter
:FORWARD DROP [0:0]
:zone_wan_src_REJECT - [0:0]
[7:700] -A zone_wan_src_REJECT -i eth0.2 -m comment --comment "!fw3" -j reject
[5:500] -A FORWARD -s 198.51.100.5/32 -j DROP
-A FORWARD -m set --match-set banned4 src -j DROP
-A FORWARD -m set --match-set sipalg_sites4 src -j DROP
COMMIT
`;
const V6 = V4.replace('198.51.100.5/32', '2001:db8::5/128').replace('banned4', 'banned6');

type Said = { code: number; stdout?: string; stderr?: string } | null;

/** What commands say; null: not installed. */
const host = (said: Record<string, Said>, ipv6 = true): Host =>
  ({
    kind: async (path: string) => (ipv6 ? { state: 'present', value: 'file', source: path } : { state: 'absent', source: path }),
    async run(argv: readonly string[]) {
      const command = argv.join(' ');
      const answer = said[command];
      assert.ok(answer !== undefined, `${command} is not recorded`);
      return answer === null
        ? { state: 'absent', command }
        : { state: 'exited', command, code: answer.code, stdout: answer.stdout ?? '', stderr: answer.stderr ?? '' };
    },
  }) as unknown as Host;

const SAVED = { 'iptables-save -c': { code: 0, stdout: V4 }, 'ip6tables-save -c': { code: 0, stdout: V6 } };
const IN = { code: 0, stderr: '198.51.100.5 is in set banned4.' };
const OUT = { code: 1, stderr: '198.51.100.5 is NOT in set banned4.' };

async function rulesOf(said: Record<string, Said>, ipv6 = true) {
  const { system } = await surveyor.look(recordedRouter('fw3-21.02'));
  const nothing = createDropReader().end({ state: 'absent', source: 'nft' });
  return withIptables(host(said, ipv6), { iptables: [], system }, nothing);
}

drops('are looked at in both families', async () => {
  const rules = await rulesOf(SAVED);
  assert.is(rules.drops.state, 'present');
  assert.equal(
    rules.drops.state === 'present' && rules.drops.value.map(({ tool, chain, handle, packets }) => [tool, chain, handle, packets]),
    [
      ['iptables', 'FORWARD', 1, 5],
      ['ip6tables', 'FORWARD', 1, 5],
    ],
  );
  assert.equal(rules.ipsets, [
    { name: 'banned4', family: 'ipv4' },
    { name: 'banned6', family: 'ipv6' },
  ]);
  assert.equal(rejectedOf(rules, ['eth0.2']), { packets: 14, bytes: 1400 });
  // A kernel without IPv6 has none of it, and that is no trouble.
  assert.is((await rulesOf({ 'iptables-save -c': SAVED['iptables-save -c'] }, false)).drops.state, 'present');
});

drops('that could not be read are never taken for none, nor is a router without iptables for one with none', async () => {
  const failed = await rulesOf({ ...SAVED, 'ip6tables-save -c': { code: 1, stderr: 'Permission denied (you must be root)' } });
  assert.is(failed.drops.state, 'failed');
  assert.is((await rulesOf({ 'iptables-save -c': null, 'ip6tables-save -c': null })).drops.state, 'absent');
});

drops('by a set of ipset are asked for each end of calls, of its family', async () => {
  const rules = await rulesOf(SAVED);
  const peers = ['198.51.100.5', '2001:db8::5'];
  const asked = (four: Said, six: Said) =>
    observeBlocked(host({ 'ipset test banned4 198.51.100.5': four, 'ipset test banned6 2001:db8::5': six }), rules, peers);
  const both = await asked(IN, { code: 0 });
  assert.equal(both.state === 'present' && both.value, [
    { set: 'ipset banned4', address: '198.51.100.5' },
    { set: 'ipset banned6', address: '2001:db8::5' },
  ]);
  const none = await asked(OUT, OUT);
  assert.equal(none.state === 'present' && none.value, []);
  assert.is((await asked({ code: 1, stderr: 'Kernel error received: Operation not permitted' }, OUT)).state, 'failed');
  assert.is((await asked(null, OUT)).state, 'failed');
  assert.is((await observeBlocked(host({}), rules, [])).state, 'absent');
});

drops.run();
