/** What stands in front of calls that a provider may open, in the configuration and in force; and what is open to everybody. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { judge } from '../../../src/judge/judge.ts';
import { mayOpenSip } from '../../../src/observe/firewall.ts';
import { openingsOf, openSip } from '../../../src/observe/openings.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import { compare } from '../../../src/voice/judge/compare.ts';
import { judge as judgeVoice } from '../../../src/voice/judge/findings.ts';
import { inFrontOf } from '../../../src/voice/seen/front.ts';
import { policyFacts } from '../../voice.ts';
import { factsWith } from './made.ts';

const ZONES = `
config zone
	option name 'lan'
	list network 'lan'

config zone
	option name 'wan'
	list network 'wan'
	option masq '1'

config forwarding
	option src 'lan'
	option dest 'wan'
`;

const section = (type: string, options: Record<string, string>, name = ''): string =>
  `\nconfig ${type}${name === '' ? '' : ` '${name}'`}\n${Object.entries(options)
    .map(([option, value]) => `\toption ${option} '${value}'\n`)
    .join('')}`;
const redirect = (options: Record<string, string> = {}): string =>
  section('redirect', { name: 'SIP', src: 'wan', proto: 'udp', src_dport: '5060', dest_ip: '192.168.1.10', ...options });

const front = suite('what stands in front of calls that a provider may open');

const provider = (pbx = '192.168.1.20', mediaPorts: string | null = null): PolicyFacts['wish']['providers'][number] => ({
  name: 'example',
  hosts: [],
  signalling: ['203.0.113.0/24', '2001:db8:5::/48'],
  media: [],
  inbound: { pbx: [pbx], ports: [5060], mediaPorts },
});

interface Router {
  kind?: 'fw3' | 'fw4';
  seen?: NonNullable<PolicyFacts['inbound']>['front'];
  changes?: Partial<PolicyFacts>;
}

async function found(config: string, { kind = 'fw4', seen, changes = {} }: Router = {}): Promise<{ texts: string[]; evidence: string[]; behind: string[] }> {
  const facts = await factsWith(ZONES + config, kind);
  const { wish } = policyFacts();
  const policy = policyFacts({
    wish: { ...wish, providers: [provider()] },
    inbound: { titles: [], sets: [], ...(seen === undefined ? {} : { front: seen }) },
    extensions: { set: true },
    ...(kind === 'fw3' ? { backend: 'iptables' as const } : {}),
    ...changes,
  });
  const { findings, behind = [] } = judgeVoice(facts, policy, compare(facts, policy), { steps: [], takes: [], refused: [] });
  const some = findings.filter(({ code }) => code.startsWith('policy-inbound-'));
  return { texts: some.map(({ text }) => text), evidence: some.flatMap(({ evidence }) => evidence), behind };
}

front("is the owner's own forward of that port, from everybody or from a network of the provider's, on both firewalls", async () => {
  for (const kind of ['fw4', 'fw3'] as const) {
    const { texts, evidence, behind } = await found(redirect(), { kind });
    assert.equal(texts, [
      'Calls from example to 192.168.1.20 do not arrive there: something stands in front, has UDP port 5060 first and sends them '
        + 'to 192.168.1.10. Take it out, or restrict it to other sources, and run `sipalg apply`.',
    ]);
    assert.equal(evidence, ['firewall.@redirect[0] (SIP), line 15 of /etc/config/firewall']);
    assert.equal(behind, ['192.168.1.20']);
  }
  for (const options of [
    { src_ip: '203.0.113.7' },
    { src_dport: '5000-5100' },
    { src_dport: '!22' },
    { src_dport: '' },
    { proto: 'tcpudp' },
    { proto: 'all' },
    { src: '*' },
    { dest_ip: '' },
    { src_ip: '!198.51.100.1' },
    { target: 'dnat' },
  ] as Record<string, string>[])
    assert.match((await found(redirect(options))).texts.join(), ' do not arrive there', JSON.stringify(options));
  for (const options of [{ ipset: 'friends src' }, { src_mac: '00:11:22:33:44:55' }, { start_time: '08:00' }] as Record<string, string>[])
    assert.match((await found(redirect(options))).texts.join(), ' may not arrive there', JSON.stringify(options));
});

front('is nothing of another port, protocol, zone, family or source, and nothing that leads to the same place or is off', async () => {
  for (const options of [
    { src_dport: '5080' },
    { src_dport: '!5060' },
    { proto: 'icmp' },
    { src: 'lan' },
    { family: 'ipv6', dest_ip: '2001:db8:1::10' },
    { src_ip: '198.51.100.0/24' },
    { dest_ip: '192.168.1.20' },
    { enabled: '0' },
    { target: 'SNAT' },
  ] as Record<string, string>[])
    assert.equal(await found(redirect(options)), { texts: [], evidence: [], behind: [] }, JSON.stringify(options));
});

front('is what comes before our section in the file, and not what comes behind it', async () => {
  const facts = await factsWith(ZONES);
  const { wish } = policyFacts();
  const policy = policyFacts({ wish: { ...wish, providers: [provider()] }, inbound: { titles: [], sets: [] } });
  const ours = compare(facts, policy)
    .inbound.sections.filter(({ type }) => type === 'redirect')
    .map(({ type, name, options }) => section(type, Object.fromEntries(options), name))
    .join('');
  assert.is((await found(ours + redirect())).texts.length, 0);
  assert.is((await found(redirect() + ours)).texts.length, 1);
});

front('is a rule that drops for IPv6, and for what is forwarded of IPv4', async () => {
  const drop = section('rule', { name: 'No SIP', src: 'wan', dest: 'lan', dest_port: '5060', proto: 'udp', target: 'DROP' });
  const { wish } = policyFacts();
  const changes = {
    wish: { ...wish, providers: [provider('2001:db8:1::10')] },
    lan: [{ device: 'br-lan', address: '2001:db8:1::1', prefix: 64, zone: 'lan' }],
  };
  assert.match((await found(drop, { changes })).texts.join(), 'has UDP port 5060 first and drops them');
  assert.match((await found(drop)).texts.join(), 'drops them');
  assert.equal((await found(drop.replace("\toption dest 'lan'\n", ''))).texts, [], 'what is for the router itself is not forwarded');
});

const TITLE = 'sipalg: calls from example to 192.168.1.20 port 5060';
const NFT = `table inet fw4 {
	chain dstnat {
		type nat hook prerouting priority dstnat; policy accept;
		iifname "br-lan" jump dstnat_lan comment "!fw4: Handle lan IPv4/IPv6 dstnat traffic"
		tcp dport 8080 dnat ip to 192.168.1.9:80
		iifname { "wan", "pppoe-wan" } jump dstnat_wan comment "!fw4: Handle wan IPv4/IPv6 dstnat traffic"
		udp dport 5060 dnat ip to 192.168.1.8 comment "late"
	}

	chain dstnat_lan {
		ip saddr 192.168.1.0/24 ip daddr 203.0.113.20 udp dport 5060 dnat ip to 192.168.1.10:5060 comment "!fw4: SIP (reflection)"
	}

	chain dstnat_wan {
		jump upnp
		meta nfproto ipv4 udp dport 5060 counter packets 0 bytes 0 dnat ip to 192.168.1.10:5060 comment "!fw4: SIP"
		meta nfproto ipv4 tcp dport 5060 ip saddr @sipalg_example_in4 dnat ip to 192.168.1.20:5060 comment "!fw4: ${TITLE}"
		meta nfproto ipv4 udp dport 5060 ip saddr @sipalg_example_in4 dnat ip to 192.168.1.20:5060 comment "!fw4: ${TITLE}"
		meta nfproto ipv4 udp dport 5060 dnat ip to 192.168.1.7:5060 comment "!fw4: Behind"
	}

	chain upnp {
		iif "pppoe-wan" th dport 5060 @nh,72,8 17 dnat ip to 192.168.1.11:5060
	}
}
`;
const SAVED = `*nat
:PREROUTING ACCEPT [0:0]
:prerouting_rule - [0:0]
:zone_wan_prerouting - [0:0]
:zone_lan_prerouting - [0:0]
-A PREROUTING -j prerouting_rule
-A PREROUTING -i br-lan -j zone_lan_prerouting
-A PREROUTING -i pppoe-wan -j zone_wan_prerouting
-A prerouting_rule -p udp -m udp --dport 5000:5100 -j DNAT --to-destination 192.168.1.11
-A zone_lan_prerouting -p udp -m udp --dport 5060 -m comment --comment "!fw3: SIP (reflection)" -j DNAT --to-destination 192.168.1.10:5060
-A zone_wan_prerouting -s 198.51.100.0/24 -p udp -m udp --dport 5060 -j DNAT --to-destination 192.168.1.12:5060
-A zone_wan_prerouting -p udp -m udp --dport 5060 -m set --match-set sipalg_example_in4 src -m comment --comment "!fw3: ${TITLE}" -j DNAT --to-destination 192.168.1.20:5060
-A zone_wan_prerouting -p udp -m udp --dport 5060 -j DNAT --to-destination 192.168.1.7:5060
COMMIT
`;

front('in force is what packets from the internet meet before ours, whoever has put it there', async () => {
  const nft = inFrontOf(NFT, true, ['pppoe-wan']);
  assert.equal(
    nft.map(({ rule, before }) => [/dnat ip to (\S+)/.exec(rule)?.[1], before]),
    [
      ['192.168.1.9:80', [TITLE]],
      ['192.168.1.11:5060', [TITLE]],
      ['192.168.1.10:5060', [TITLE]],
    ],
  );
  const value = { state: 'present' as const, value: nft, source: 'nft' };
  const { evidence } = await found(redirect(), { seen: value });
  assert.is(evidence.length, 2, 'what a section of the file makes is named once');
  assert.match(evidence[1] ?? '', /^the rule in force: iif "pppoe-wan" th dport 5060/);
  const iptables = inFrontOf(SAVED, false, ['pppoe-wan']);
  assert.is(iptables.length, 2);
  const saved = await found('', { kind: 'fw3', seen: { ...value, value: iptables } });
  assert.is(saved.evidence.length, 1, 'another network is not the provider');
  assert.match(saved.texts.join(), 'sends them to 192.168.1.11');
});

front('that could not be read is said to be so, and is not taken for nothing', async () => {
  const seen = { state: 'failed', source: 'nft -t list table inet fw4', because: 'Operation not permitted' } as const;
  const { texts } = await found('', { seen });
  assert.match(texts.join(), 'could not be read; only its configuration was');
});

front.run();

const open = suite('SIP that is open to everybody');

const opened = (config: string, kind: 'fw3' | 'fw4' = 'fw4'): string[] => {
  const found = openSip(openingsOf(ZONES + config, kind)).map(({ section: where, sip }) => `${where} ${sip.join()}`);
  assert.ok(found.length === 0 || mayOpenSip(ZONES + config), 'it is looked at');
  return found;
};

open('is a forward or a rule of the zone of the internet that asks for no source', () => {
  assert.equal(opened(redirect()), ['firewall.@redirect[0] 5060']);
  assert.equal(opened(redirect({ src_dport: '5000:6000' }), 'fw3'), ['firewall.@redirect[0] 5060,5061']);
  const accept = (options: Record<string, string> = {}): string =>
    section('rule', { src: 'wan', proto: 'udp', dest_port: '5060', target: 'ACCEPT', ...options });
  assert.equal(opened(accept()), ['firewall.@rule[0] 5060']);
  assert.equal(opened(accept({ dest: 'lan', dest_port: '5061', proto: 'tcp' })), ['firewall.@rule[0] 5061']);
  assert.equal(opened(accept({ dest_port: '', proto: 'any' })), ['firewall.@rule[0] 5060,5061']);
  for (const config of [
    accept({ src_ip: '203.0.113.0/24' }),
    accept({ ipset: 'provider' }),
    accept({ enabled: '0' }),
    accept({ src: 'lan' }),
    accept({ dest_port: '5080' }),
    accept({ proto: 'icmp', dest_port: '' }),
    accept({ target: 'DROP' }) + accept(),
    redirect({ src_ip: '203.0.113.5' }),
    redirect({ ipset: 'provider src' }),
  ])
    assert.equal(opened(config), [], config);
  assert.is(mayOpenSip(readFileSync('test/fixtures/fw4/stock-alg-absent.config', 'utf8')), false, 'a stock file is read once');
  assert.is(opened(accept({ src_ip: '!198.51.100.1' })).length, 1);
  assert.is(opened(accept({ dest_port: '!22' })).length, 1);
  assert.is(opened(accept({ target: 'DROP', src_ip: '198.51.100.1' }) + accept()).length, 1, 'one address is not everybody');
});

open('is a finding with the section and its line, and none where the file could not be read', async () => {
  const without = await factsWith('');
  const { uci: read } = without.firewall;
  const of = (given: typeof without) => judge(given).findings.filter(({ code }) => code === 'sip-open');
  assert.ok(read.state === 'present');
  const seen = { ...read, value: { ...read.value, open: openSip(openingsOf(ZONES + redirect(), 'fw4')) } };
  const facts = { ...without, firewall: { ...without.firewall, uci: seen } };
  assert.equal(of(without), []);
  assert.equal(of(facts)[0]?.evidence, ['firewall.@redirect[0] (/etc/config/firewall:15): redirect udp 5060 to 192.168.1.10']);
  assert.match(of(facts)[0]?.text ?? '', 'Everybody on the internet reaches SIP here');
  const uci = { state: 'failed', source: '/etc/config/firewall', because: 'Permission denied' } as const;
  assert.equal(of({ ...facts, firewall: { ...facts.firewall, uci } }), []);
});

open.run();
