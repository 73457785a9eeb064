/** What cannot be known now stays as it is in force: networks that are down, names, a firewall that is stopped. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Facts } from '../../../src/observe/facts.ts';
import { addresses4, addresses6 } from '../../../src/languages/kernel/addresses.ts';
import { Refused } from '../../../src/languages/refused.ts';
import { observeWays } from '../../../src/observe/wan.ts';
import { networksOf } from '../../../src/voice/digest.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import { compare } from '../../../src/voice/judge/compare.ts';
import { judge } from '../../../src/voice/judge/findings.ts';
import { UNFINISHED, unfinishedOf } from '../../../src/host/host.ts';
import { POLICY_FILE, POLICY_FOLDER, POLICY_UNFINISHED } from '../../../src/voice/paths.ts';
import { plan } from '../../../src/voice/plan/plan.ts';
import { inboundEdit, titlesOf } from '../../../src/voice/render/inbound.ts';
import type { HostAddress } from '../../../src/host/host.ts';
import { NOW } from '../../routers.ts';
import { policyFacts } from '../../voice.ts';
import { factsWith, made } from './made.ts';

const ZONES = `config zone
	option name 'lan'
	list network 'lan'

config zone
	option name 'wan'
	option masq '1'
	list network 'wan'
`;
const NETWORK = `config interface 'lan'
	option device 'br-lan'
	option proto 'static'
	option ipaddr '192.168.1.1'
	option netmask '255.255.255.0'

config interface 'wan'
	option device 'eth1'
	option proto 'dhcp'
`;

const PROVIDER: PolicyFacts['wish']['providers'][number] = {
  name: 'example',
  hosts: [],
  signalling: ['203.0.113.0/24'],
  media: [],
  inbound: { pbx: ['192.168.1.20'], ports: [5060], mediaPorts: null },
};
const ABSENT = { state: 'absent', source: '' } as const;

type Down = NonNullable<PolicyFacts['down']>;
const down = (...addresses: string[]): Down => [{ name: 'lan', zone: 'lan', family: 'ipv4', addresses }];

async function seen(text: string, changes: Partial<PolicyFacts>, provider: Partial<typeof PROVIDER> = {}) {
  const facts = await factsWith(text);
  const base = policyFacts({ lan: [], inForce: { all: ABSENT, ipv4: ABSENT, ipv6: ABSENT }, ...changes });
  const policy = { ...base, wish: { ...base.wish, providers: [{ ...PROVIDER, ...provider }] } };
  return { facts, policy, compared: compare(facts, policy) };
}

const LAN: PolicyFacts['lan'] = [{ device: 'br-lan', address: '192.168.1.1', prefix: 24, zone: 'lan' }];
const inForce = async (provider: Partial<typeof PROVIDER> = {}): Promise<string> =>
  inboundEdit(ZONES, (await seen(ZONES, { lan: LAN }, provider)).compared.inbound.sections).after;

const test = suite('what is not known stays in force');

test('a network with a fixed address is one while it is down, and one whose address nobody knows keeps what is in force', async () => {
  for (const pbx of [['192.168.1.20'], ['192.168.1.1']]) {
    const inbound = { pbx, ports: [5060, 5080], mediaPorts: '10000-10100' };
    const text = await inForce({ inbound });
    assert.ok(text.length > ZONES.length);
    for (const changes of [{ down: down('192.168.1.1/24') }, { down: down() }]) {
      const { compared } = await seen(text, changes, { inbound });
      assert.is(inboundEdit(text, compared.inbound.sections).after, text, JSON.stringify([pbx, changes]));
      assert.equal(compared.inbound.lacking, []);
    }
    // All networks are there, and the address is in none: that is known.
    const { compared } = await seen(text, { lan: [{ ...LAN[0]!, address: '192.168.7.1' }] }, { inbound });
    assert.is(inboundEdit(text, compared.inbound.sections).after, ZONES);
    assert.match(compared.inbound.lacking[0]?.text ?? '', /is in no network of this router/);
  }
});

test('what is neither known nor in force is not opened, and not said to be in no network', async () => {
  const { compared } = await seen(ZONES, { down: down() });
  assert.equal(compared.inbound.sections, []);
  assert.equal(
    compared.inbound.lacking.map(({ text }) => text),
    [
      'Calls of example to 192.168.1.20 are not let in yet: whether the address is in a network of this router is not known, ' +
        'for lan has no IPv4 address now.',
    ],
  );
  // A network of the other family, or with a fixed address that does not hold it, says nothing about it.
  for (const other of [[{ ...down()[0]!, family: 'ipv6' as const }], down('192.168.9.1/24')])
    assert.match((await seen(ZONES, { down: other })).compared.inbound.lacking[0]?.text ?? '', /is in no network of this router/);
});

test('the networks that calls come from stay while none of the names has ever been answered', async () => {
  const text = await inForce();
  const files = { '/etc/sipalg.example4': { state: 'present', value: '203.0.113.0/24\n', source: '' } } as const;
  const provider = { hosts: [{ name: 'sip.example.org', port: null }], signalling: [] };
  const set = { titles: [], sets: [{ name: 'sipalg_example_in4', networks: networksOf(['203.0.113.0/24']) }] };
  const kept = await seen(text, { lan: LAN, files, inbound: set, names: {} }, provider);
  assert.is(inboundEdit(text, kept.compared.inbound.sections).after, text);
  const answer = { addresses: ['198.51.100.7'], ports: [], tlsPorts: [], at: 1, until: 2, failed: null };
  const answered = await seen(text, { lan: LAN, files, inbound: set, names: { 'sip.example.org': answer } }, provider);
  assert.equal(answered.compared.inbound.sets[0]?.networks, ['198.51.100.7']);
});

test('which networks are down is told by zones, configuration and addresses', async () => {
  const facts = await factsWith(ZONES.replace("network 'lan'", "network 'lan'\n\tlist network 'gone'\n\tlist network 'off'"));
  const files = { '/etc/config/network': `${NETWORK}\nconfig interface 'off'\n\toption proto 'dhcp'\n\toption disabled '1'\n` };
  const ways = (addresses: HostAddress[]) => observeWays(made({ files, addresses }), facts);
  const lan = { name: 'lan', zone: 'lan' };
  assert.equal((await ways([])).down, [
    { ...lan, family: 'ipv4', addresses: ['192.168.1.1/24'] },
    { ...lan, family: 'ipv6', addresses: [] },
  ]);
  const six = { device: 'br-lan', family: 'ipv6', prefix: 64 } as const;
  const four = { device: 'br-lan', family: 'ipv4', address: '192.168.1.1', prefix: 24 } as const;
  assert.equal((await ways([four, { ...six, address: 'fe80::1' }])).down, [{ ...lan, family: 'ipv6', addresses: [] }]);
  assert.is((await ways([four, { ...six, address: '2001:db8::1' }])).down, undefined);
});

test('addresses of devices without a carrier are read from /proc', () => {
  const trie = `Local:
  +-- 192.168.77.0/24 2 0 2
     +-- 192.168.77.0/31 1 0 0
        |-- 192.168.77.0
           /24 link UNICAST
        |-- 192.168.77.1
           /32 host LOCAL
     |-- 192.168.77.255
        /32 link BROADCAST
`;
  const route = `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth1\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br-x\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
  assert.equal(addresses4(trie, route), [{ device: 'br-x', family: 'ipv4', address: '192.168.77.1', prefix: 24 }]);
  assert.throws(
    () => addresses4(trie, 'x'),
    (error: unknown) => error instanceof Refused,
  );
  assert.equal(addresses6('20010db8007700000000000000000001 02 40 00 80     br-x\nbroken\n'), [
    { device: 'br-x', family: 'ipv6', address: '2001:db8:77::1', prefix: 64 },
  ]);
});

test('a firewall that is stopped is not loaded, and what it does not let in is said', async () => {
  const text = await inForce();
  const rules = (loaded: PolicyFacts['loaded'], backend: PolicyFacts['backend']) =>
    seen(text, { lan: LAN, loaded: loaded as NonNullable<PolicyFacts['loaded']>, backend, inbound: { titles: [], sets: [] } });
  for (const backend of ['nft', 'iptables'] as const) {
    const { facts, policy, compared } = await rules({ state: 'present', value: false, source: '' }, backend);
    const { steps, refused } = plan(facts, policy, compared);
    assert.not.match(JSON.stringify(steps), /fw[34].,.reload/);
    if (backend === 'nft') assert.match(refused.map(({ text }) => text).join(), 'the firewall that lets them in is not loaded');
    const unknown = await rules({ state: 'failed', source: '/var/run/fw3.state', because: 'EIO' }, backend);
    const open = plan(unknown.facts, unknown.policy, unknown.compared);
    assert.not.match(JSON.stringify(open.steps), /fw[34].,.reload/);
    if (backend === 'nft') assert.match(open.refused.map(({ text }) => text).join(), 'Whether the firewall is loaded is not known');
  }
});

test('the trace is planned for the end, and not where something of ours could not be read', async () => {
  const text = await inForce();
  const files = { [POLICY_FILE]: { state: 'present', value: 'x', source: '' } } as const;
  const off = async (inbound: PolicyFacts['inbound']) => {
    const { facts, policy, compared } = await seen(text, { wanted: false, lan: LAN, files, inbound });
    return plan(facts, policy, compared);
  };
  const titles = titlesOf((await seen(text, { lan: LAN })).compared.inbound.sections);
  const { steps, refused } = await off({ titles, sets: [] });
  assert.equal([refused, steps.at(-1)?.commands, steps.at(-1)?.last], [[], [`rm ${POLICY_FILE}`], true]);
  assert.ok(steps.every(({ rank }) => rank <= (steps.at(-1)?.rank ?? 0)));
  const unread = await off({ titles: [], sets: [], unread: ['nft -t list table inet fw4 could not be read: it hung'] });
  assert.match(unread.refused.map(({ text }) => text).join(), /is not known, so it is left as it is: nft -t list/);
  assert.not.match(JSON.stringify(unread.steps), `rm ${POLICY_FILE}`);
  for (const path of [POLICY_FILE + UNFINISHED, unfinishedOf(POLICY_FILE, 4711, 2)])
    assert.ok(path.startsWith(`${POLICY_FOLDER}/`) && POLICY_UNFINISHED.test(path.slice(POLICY_FOLDER.length + 1)), path);
});

test('an answer from a time that is still to come was given when the clock was ahead', async () => {
  const failed = { at: NOW, because: 'no server answered' };
  const names = { 'a.example': { addresses: ['203.0.113.7'], ports: [], tlsPorts: [], at: NOW + 8760 * 3_600_000, until: NOW, failed } };
  const { facts, policy, compared } = await seen(ZONES, { names }, { hosts: [{ name: 'a.example', port: null }], inbound: null });
  const at = { ...facts, at: NOW } as Facts;
  const stale = judge(at, policy, compared, { steps: [], takes: [], refused: [] }).findings.find(({ code }) => code === 'provider-stale');
  assert.match(stale?.evidence.join() ?? '', 'answered when the clock was ahead, then');
});

test.run();
