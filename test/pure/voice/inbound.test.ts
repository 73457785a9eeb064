import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Facts } from '../../../src/observe/facts.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import type { Part } from '../../../src/plan/files.ts';
import { networksOf } from '../../../src/voice/digest.ts';
import { compare } from '../../../src/voice/judge/compare.ts';
import { planInbound } from '../../../src/voice/plan/inbound.ts';
import { addOwn, inboundEdit, inboundOf, titlesOf } from '../../../src/voice/render/inbound.ts';
import { titlesIn } from '../../../src/voice/seen/inbound.ts';
import { deleteSection } from '../../../src/languages/uci/edit.ts';
import { parseUci } from '../../../src/languages/uci/parse.ts';
import { fixture } from '../languages/texts.ts';
import { seeded } from '../../seeded.ts';
import type { Provider } from '../../../src/wish/wish.ts';

const STOCK = fixture('fw4/stock-alg-on.config');
const PROVIDER: Provider = {
  name: 'example',
  hosts: [{ name: 'SIP.example.com', port: null }],
  signalling: ['203.0.113.0/25', '2001:db8:113::/48'],
  media: ['198.51.100.0/24'],
  inbound: { pbx: ['192.168.1.20'], ports: [5060], mediaPorts: null },
};

const ABSENT = { state: 'absent', source: '' } as const;

const planned = (facts: Facts, policy: PolicyFacts, edited: boolean): Part => planInbound(facts, policy, compare(facts, policy), edited);

function inbound(
  providers: Partial<Provider>[],
  { text = STOCK, firewall = 'fw4' as 'fw3' | 'fw4', set = true, wanted = true, loaded = true } = {},
) {
  const nft = { state: 'present', value: { tables: loaded ? ['inet fw4'] : [] } };
  const facts = {
    nft,
    firewall: { uci: { state: 'present', value: { text } } },
    system: { firewall: { state: 'present', value: firewall } },
  } as unknown as Facts;
  const policy = {
    wanted,
    backend: firewall === 'fw4' ? 'nft' : 'iptables',
    extensions: { set },
    wish: {
      timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
      marking: null,
      limit: null,
      providers: providers.map((each) => ({ ...PROVIDER, ...each })),
      sites: [],
    },
    files: {},
    wan: { state: 'absent', source: '' },
    inForce: { all: ABSENT, ipv4: ABSENT, ipv6: ABSENT },
    perFlow: ABSENT,
    offload: ABSENT,
    names: { 'sip.example.com': { addresses: ['203.0.113.7', '192.0.2.9', '2001:db8:99::1'], ports: [], tlsPorts: [] } },
    lan: [
      { device: 'br-lan', address: '192.168.1.1', prefix: 24, zone: 'lan' },
      { device: 'br-lan', address: '2001:db8:1::1', prefix: 64, zone: 'lan' },
      { device: 'tun0', address: '10.8.0.1', prefix: 24, zone: null },
    ],
  } as unknown as PolicyFacts;
  return { facts, policy, ...inboundOf(facts, policy) };
}

const added = (after: string): string => after.slice(STOCK.length).trim();

const test = suite('policy/inbound');

test('a forward for an IPv4 PBX, from the provider alone, with what its names lead to', () => {
  const { sections, sets, lacking } = inbound([{}]);
  assert.equal(lacking, []);
  assert.is(
    added(inboundEdit(STOCK, sections).after).replaceAll(/\t(option|list) (\w+)\t/g, '\t$1 $2 '),
    `config ipset 'sipalg_example_set4'
	option name sipalg_example_in4
	option family ipv4
	list match src_net
	option loadfile /etc/sipalg.example4

config redirect 'sipalg_example_call4_5060'
	option name 'sipalg: calls from example to 192.168.1.20 port 5060'
	option src wan
	option dest lan
	option family ipv4
	option proto 'tcp udp'
	option src_dport 5060
	option dest_ip 192.168.1.20
	option dest_port 5060
	option ipset 'sipalg_example_in4 src'
	option target DNAT
	option reflection 0`,
  );
  assert.equal(sets, [
    { name: 'sipalg_example_in4', family: 'ipv4', file: '/etc/sipalg.example4', networks: ['192.0.2.9', '203.0.113.0/25'] },
  ]);
});

test('a rule for an IPv6 PBX, and for one on the router itself; audio from where the provider sends it', () => {
  const { sections, sets } = inbound([
    { inbound: { pbx: ['2001:db8:1::20', '192.168.1.1'], ports: [5060, 5080], mediaPorts: '10000-20000' } },
  ]);
  const rules = sections
    .filter(({ type }) => type !== 'ipset')
    .map(({ type, options }) =>
      [type, ...options.filter(([name]) => !['name', 'family', 'target'].includes(name)).map((option) => option.join('='))].join(' '),
    );
  assert.equal(rules, [
    'rule src=wan dest=lan proto=tcp udp dest_ip=2001:db8:1::20 dest_port=5060 5080 ipset=sipalg_example_in6 src',
    'rule src=wan proto=tcp udp dest_port=5060 5080 ipset=sipalg_example_in4 src',
    'rule src=wan proto=udp dest_port=10000-20000 ipset=sipalg_example_in4m src',
  ]);
  assert.equal(
    sets.map(({ name }) => name),
    ['sipalg_example_in6', 'sipalg_example_in4', 'sipalg_example_in4m'],
  );
  assert.equal(sets[2]?.networks, ['198.51.100.0/24']);
});

test('fw3 without ipset has a forward for each network, and never one protocol alone', () => {
  const { sections } = inbound([{ hosts: [], signalling: ['203.0.113.0/25', '192.0.2.9'] }], { firewall: 'fw3', set: false });
  assert.equal(
    sections.map(({ type, name, options }) => [type, name, Object.fromEntries(options)['src_ip'], Object.fromEntries(options)['proto']]),
    [
      ['redirect', 'sipalg_example_call4_5060', '192.0.2.9', 'tcp udp'],
      ['redirect', 'sipalg_example_call4_5060_1', '203.0.113.0/25', 'tcp udp'],
    ],
  );
  const many = Array.from({ length: 65 }, (_, nth) => `198.18.${nth}.1`);
  assert.match(
    inbound([{ signalling: many }], { firewall: 'fw3', set: false }).lacking[0]?.text ?? '',
    /67 networks are too many without ipset. Install the package ipset/,
  );
});

test('opens nothing without a source, a place or a zone, and says why', () => {
  const says = (provider: Partial<Provider>, sentence: RegExp, text = STOCK): void => {
    const { sections, lacking } = inbound([provider], { text });
    assert.equal(sections, []);
    assert.is(lacking.length, 1);
    assert.match(lacking[0]?.text as string, sentence);
  };
  const pbx = (address: string): Partial<Provider> => ({ inbound: { pbx: [address], ports: [5060], mediaPorts: null } });
  says(pbx('192.168.7.20'), /to 192\.168\.7\.20 are not let in: the address is in no network of this router/);
  says(pbx('10.8.0.9'), /tun0 is in no zone of the firewall/);
  says({ hosts: [], signalling: ['2001:db8:113::/48'] }, /no IPv4 network of the provider is known/);
  says({}, /has no zone wan and none that masquerades/, "config zone\n\toption name 'lan'\n\tlist network 'lan'\n");
  const two = inbound([{ inbound: { pbx: ['192.168.1.20', '192.168.1.21'], ports: [5060], mediaPorts: null } }]);
  assert.match(two.lacking[0]?.text as string, /192\.168\.1\.21 are not let in: a port can be forwarded to one IPv4 address alone/);
  assert.is(two.sections.filter(({ type }) => type === 'redirect').length, 1);
  for (const nothing of [inbound([{ inbound: null }]), inbound([{}], { wanted: false })])
    assert.equal([nothing.sections, nothing.lacking], [[], []]);
});

test('two providers that share a network and a port are named, where they lead to different places', () => {
  const other = (address: string, ports: number[], signalling: string[], mediaPorts: string | null = null): Partial<Provider> => ({
    name: 'other',
    hosts: [],
    signalling,
    media: [],
    inbound: { pbx: [address], ports, mediaPorts },
  });
  const first = { inbound: { pbx: ['192.168.1.20'], ports: [5060, 5061], mediaPorts: '10000-20000' }, media: [] };
  const lacking = (...providers: Partial<Provider>[]): string[] => inbound([first, ...providers]).lacking.map(({ text }) => text);
  for (const address of ['192.168.1.21', '192.168.1.1']) {
    assert.equal(lacking(other(address, [5061, 5080], ['192.0.2.0/28', '198.51.100.0/25'])), [
      `Not all calls of example to 192.168.1.20 and of other to ${address} can be let in: both have the network 192.0.2.0/28, ` +
        'and port 5061 can lead to one address alone. Give both the same `option pbx`, or other ports.',
    ]);
  }
  assert.match(lacking(other('192.168.1.21', [5080], ['203.0.113.1'], '15000-16000'))[0] as string, 'port 15000-16000 can lead');
  for (const fine of [
    other('192.168.1.20', [5060], ['203.0.113.1']),
    other('192.168.1.21', [5080], ['203.0.113.1']),
    other('192.168.1.21', [5060], ['203.0.113.128/25']),
  ]) {
    assert.equal(lacking(fine), []);
  }
});

test('never a section without a source, whatever is asked for', () => {
  const random = seeded(404);
  const addresses = ['192.168.1.20', '192.168.1.1', '2001:db8:1::20', '2001:db8:1::1', '10.8.0.2', '8.8.8.8'];
  const networks = ['203.0.113.0/25', '198.51.100.7', '2001:db8:113::/48', '2a00:1::1'];
  let opened = 0;
  for (let round = 0; round < 150; round++) {
    const some = (from: readonly string[]): string[] => from.filter(() => random.below(2) === 1);
    const providers = Array.from({ length: 1 + random.below(3) }, (_, nth): Partial<Provider> => ({
      name: `p${nth}${'x'.repeat(random.below(40))}`,
      hosts: [],
      signalling: some(networks),
      media: some(networks),
      inbound: {
        pbx: some(addresses),
        ports: [5060, ...(random.below(2) === 1 ? [5070] : [])],
        mediaPorts: random.below(2) === 1 ? '10000-20000' : null,
      },
    }));
    const { sections, sets } = inbound(providers, { firewall: random.below(2) === 1 ? 'fw3' : 'fw4', set: random.below(2) === 1 });
    for (const { type, name, options } of sections) {
      const of = Object.fromEntries(options);
      if (type === 'ipset') continue;
      opened++;
      assert.ok(of['ipset'] !== undefined || of['src_ip'] !== undefined, name);
      if (of['ipset'] !== undefined)
        assert.ok(
          sets.some((set) => `${set.name} src` === of['ipset'] && set.networks.length > 0),
          name,
        );
      assert.is(of['src'], 'wan');
    }
    for (const { name } of sets) assert.ok(name.length <= 31, name);
    assert.is(new Set(sections.map(({ name }) => name)).size, sections.length);
    const { after } = inboundEdit(STOCK, sections);
    assert.is(inboundEdit(after, sections).after, after);
    assert.equal(parseUci(after).sections.length, parseUci(STOCK).sections.length + sections.length);
    assert.is(inboundEdit(after, []).after, STOCK);
  }
  assert.ok(opened > 300, String(opened));
});

test('gives every byte back, whatever the file is like, and whatever stands between', () => {
  const { sections } = inbound([{}, { name: 'two', inbound: { pbx: ['2001:db8:1::20'], ports: [5060], mediaPorts: null } }]);
  for (const text of [STOCK, STOCK.trimEnd(), `${STOCK}\n\n`, STOCK.replaceAll('\n', '\r\n'), `${STOCK}# a last word\n`]) {
    const { after, commands } = inboundEdit(text, sections);
    assert.ok(commands.length > 10);
    assert.is(inboundEdit(after, []).after, text.endsWith('\n') ? text : `${text}\n`);
    // With the section that has the include run, which came before these and goes before them.
    const include = addOwn(text, 'include', 'sipalg_include', [{ kind: 'option', name: 'path', value: '/etc/sipalg.include' }]);
    const both = parseUci(inboundEdit(include, sections).after);
    const without = deleteSection(
      both,
      both.sections.find(({ name }) => name === 'sipalg_include')!,
    );
    assert.is(inboundEdit(without, []).after, text.endsWith('\n') ? text : `${text}\n`);
    // Another section behind ours, as LuCI would add it, stays as it is.
    const own = `${after}\nconfig rule\n\toption name 'mine'\n`;
    assert.match(inboundEdit(own, []).after, /\nconfig rule\n\toption name 'mine'\n$/);
    assert.not.match(inboundEdit(own, []).after, /sipalg/);
  }
});

test('a section changed by hand is made anew, and the others stay', () => {
  const { sections } = inbound([{}]);
  const { after } = inboundEdit(STOCK, sections);
  const changed = after.replace('192.168.1.20\n', '192.168.1.99\n');
  const { after: again, commands } = inboundEdit(changed, sections);
  assert.equal(
    commands.filter((command) => command.includes('delete')),
    ['uci delete firewall.sipalg_example_call4_5060'],
  );
  assert.is(again, after);
});

test('knows its rules in what the firewall lists', () => {
  const { sections } = inbound([{}]);
  assert.equal(
    titlesIn(
      'udp dport 5060 dnat to 1 comment "!fw4: sipalg: calls from example to 192.168.1.20 port 5060"\ntcp dport 5060 dnat to 1 comment "!fw4: sipalg: calls from example to 192.168.1.20 port 5060"\n',
    ),
    titlesOf(sections),
  );
  assert.equal(
    titlesIn('-A x -m comment --comment "!fw3: sipalg: calls from example to 192.168.1.20 port 5060" -j DNAT'),
    titlesOf(sections),
  );
  assert.equal(titlesIn('comment "!fw4: Allow-Ping"'), []);
});

test('networks that changed go into the set in force and the file, without a reload; new rules with one', () => {
  const { facts, policy, sections } = inbound([{}]);
  const titles = titlesOf(sections);
  const file = { state: 'present', value: '198.18.0.0/15\n', source: '' } as const;
  const seen = (more: object): PolicyFacts => ({
    ...policy,
    files: { '/etc/sipalg.example4': file },
    inbound: { titles, sets: [{ name: 'sipalg_example_in4', networks: networksOf(['198.18.0.0/15']) }], ...more },
  });
  const { steps } = planned(facts, seen({}), false);
  assert.equal(
    steps.map(({ actions }) => (actions[0]?.do === 'run' ? actions[0].input : actions[0]?.do)),
    ['write', 'flush set inet fw4 sipalg_example_in4\nadd element inet fw4 sipalg_example_in4 { 192.0.2.9, 203.0.113.0/25 }\n'],
  );
  assert.equal(steps[1]?.undo, [
    {
      ...steps[1]?.actions[0],
      input: 'flush set inet fw4 sipalg_example_in4\nadd element inet fw4 sipalg_example_in4 { 198.18.0.0/15 }\n',
      rehearsal: {
        argv: ['nft', '-c', '-f', '-'],
        input: 'flush set inet fw4 sipalg_example_in4\nadd element inet fw4 sipalg_example_in4 { 198.18.0.0/15 }\n',
      },
    },
  ]);
  const right = seen({ sets: [{ name: 'sipalg_example_in4', networks: networksOf(['203.0.113.0/25', '192.0.2.9']) }] });
  assert.equal(
    planned(facts, right, false).steps.map(({ actions }) => actions[0]?.do),
    ['write'],
    'a set that holds them already is left alone',
  );
  const fresh = planned(facts, seen({ titles: [], sets: [] }), true);
  assert.equal(
    fresh.steps.map(({ commands, unlocked }) => `${commands[0]?.split(',')[0]}${unlocked ? ', unlocked' : ''}`),
    ['# write /etc/sipalg.example4', 'fw4 check', 'fw4 reload, unlocked'],
  );
  const fw3 = inbound([{}], { firewall: 'fw3' });
  const made = planned(fw3.facts, { ...fw3.policy, files: {}, inbound: { titles: [], sets: [] } }, true);
  assert.equal(
    made.steps.map(({ actions }) =>
      actions[0]?.do === 'run' ? (actions[0].input ?? actions[0].argv.join(' ')).split('\n')[0] : actions[0]?.do,
    ),
    ['write', 'create sipalg_example_in4 hash:net family inet', 'fw3 reload'],
  );
  const gone = planned(facts, { ...seen({ titles: [] }), wanted: false }, true);
  assert.equal(
    gone.steps.map(({ commands }) => commands[0]),
    ['fw4 check', 'fw4 reload', 'nft delete set inet fw4 sipalg_example_in4', 'rm /etc/sipalg.example4'],
  );
});

test('a firewall that its owner has stopped is not asked to load anything, and nothing is missing then', () => {
  const { facts, policy } = inbound([{}], { loaded: false });
  const stopped = { ...policy, inbound: { titles: [], sets: [] } } as unknown as PolicyFacts;
  const commands = (edited: boolean): string[] =>
    planned(facts, stopped, edited)
      .steps.flatMap((step) => step.commands)
      .filter((command) => command.startsWith('fw4'));
  assert.equal(commands(true), ['fw4 check']);
  assert.equal(commands(false), []);
});

test.run();
