import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boolean, firewallFacts, observeDefinitions } from '../../../src/observe/firewall.ts';
import type { Firewall } from '../../../src/observe/firewall.ts';
import type { FirewallUci, HelperDefinition } from '../../../src/observe/facts.ts';
import { recordedRouter } from '../../routers.ts';
import { refuses } from '../languages/texts.ts';

const DEFINITIONS: HelperDefinition[] = [
  { name: 'ftp', module: 'nf_conntrack_ftp', available: true },
  { name: 'sip', module: 'nf_conntrack_sip', available: true },
  { name: 'RAS', module: 'nf_conntrack_h323', available: false },
];

const facts = (text: string, firewall: Firewall = 'fw4'): FirewallUci => firewallFacts(text, firewall, DEFINITIONS);

/** How a zone with these options comes to the helper. */
function zone(options: string, firewall: Firewall = 'fw4', defaults = ''): string {
  const [found] = facts(`config defaults\n${defaults}\nconfig zone\n\toption name 'lan'\n${options}`, firewall).zones;
  return found?.sip ?? 'no zone';
}

const zones = suite('zones of the firewall');

zones('get every helper unless they masquerade, are told not to, or name some', () => {
  for (const firewall of ['fw4', 'fw3'] as const) {
    assert.is(zone('', firewall), 'automatic');
    assert.is(zone("option masq '1'", firewall), 'not');
    assert.is(zone("option masq '0'", firewall), 'automatic');
    assert.is(zone("option auto_helper '0'", firewall), 'not');
    assert.is(zone("list helper 'ftp'", firewall), 'not');
    assert.is(zone("list helper 'ftp'\nlist helper 'sip'", firewall), 'listed');
    assert.is(zone("option masq '1'\nlist helper 'sip'", firewall), 'listed', 'a list is honoured on wan too');
    assert.is(zone("option auto_helper '0'\nlist helper 'sip'", firewall), 'listed');
    assert.is(zone('', firewall, "option auto_helper '0'"), 'not');
    assert.is(zone("option auto_helper '1'", firewall, "option auto_helper '0'"), 'not', 'the defaults force every zone');
    assert.is(zone("list helper 'sip'", firewall, "option auto_helper '0'"), 'listed');
    assert.is(zone("option enabled '0'", firewall), 'not');
  }
  assert.is(zone("option masq6 '1'", 'fw4'), 'not');
  assert.is(zone("option masq6 '1'", 'fw3'), 'automatic', 'fw3 does not look at masq6');
});

zones('are left out by fw4 over a helper it does not know, and not by fw3', () => {
  assert.is(zone("list helper 'sip'\nlist helper 'nonsense'"), 'not');
  assert.is(zone("list helper 'sip'\nlist helper 'nonsense'", 'fw3'), 'listed');
  assert.is(zone("list helper 'SIP'"), 'not', 'fw4 compares exactly');
  assert.is(zone("list helper 'SIP'", 'fw3'), 'listed', 'fw3 does not');
  assert.is(zone("list helper 'ftp sip'"), 'not', 'an item of a list is one name to fw4');
  assert.is(zone("list helper 'RAS'\nlist helper 'sip'"), 'listed', 'known and not available only warns');
});

zones('have an option split at its blanks, and a list not', () => {
  assert.is(zone("option helper 'ftp sip'"), 'listed');
  assert.is(zone("option helper 'ftp'"), 'not');
  assert.is(zone("option helper ''"), 'automatic');
  assert.is(zone("list helper ' sip '"), 'listed');
});

zones('get the helper of fw4 for a negated name, and none of fw3', () => {
  assert.is(zone("list helper '!sip'"), 'listed');
  assert.is(zone("list helper 'ftp'\nlist helper '!sip'"), 'listed');
  assert.is(zone("list helper '!sip'", 'fw3'), 'not', 'the list is not empty, so nothing is automatic either');
});

zones('are told of with section, line, name and helpers', () => {
  const {
    zones: [lan, wan],
  } = facts("# x\nconfig zone 'home'\n\toption name lan\n\tlist helper ftp\n\nconfig zone\n\toption name wan\n\toption masq 1\n");
  assert.equal(lan, { section: 'firewall.home', line: 2, name: 'lan', masquerades: false, autoHelper: true, helpers: ['ftp'], sip: 'not' });
  assert.equal([wan?.section, wan?.line, wan?.masquerades], ['firewall.@zone[1]', 6, true]);
});

zones('take the values of booleans that their firewall takes', () => {
  const taken = (firewall: Firewall): (boolean | null)[] =>
    ['1', 'on', 'true', 'yes', '0', 'off', 'false', 'no', 'FALSE', 'enabled', '', null].map((value) => boolean(firewall, value, true));
  assert.equal(taken('fw4'), [true, true, true, true, false, false, false, false, null, null, true, true]);
  assert.equal(taken('fw3'), [true, false, true, true, false, false, false, false, false, false, true, true]);
  assert.is(zone("option auto_helper 'FALSE'"), 'not', 'fw4 skips the zone');
  assert.is(zone("option auto_helper 'on'", 'fw3'), 'not', 'fw3 reads it as false');
  assert.is(zone("option masq 'on'", 'fw3'), 'automatic');
});

zones.run();

const rules = suite('rules and redirects of the firewall');

const rule = (options: string, firewall: Firewall = 'fw4'): FirewallUci['setHelper'] =>
  facts(`config zone\n\toption name 'lan'\nconfig rule\n\toption src 'lan'\n\toption dest_port '5060'\n${options}`, firewall).setHelper;

rules('that set the helper are left out where they name no zone their packets come from, as fw4 says with a warning', () => {
  const helper = "\toption target 'HELPER'\n\toption set_helper 'sip'\n";
  const enabled = (src: string, zone = ''): boolean | undefined =>
    facts(`config zone\n\toption name 'lan'\n${zone}\nconfig rule\n${src}${helper}`).setHelper[0]?.enabled;
  assert.is(enabled("\toption src 'lan'\n"), true);
  assert.is(enabled("\toption src 'lan'\n\toption dest 'wan'\n"), true);
  assert.is(enabled("\toption dest 'lan'\n"), false);
  assert.is(enabled("\toption src '*'\n"), false);
  assert.is(enabled("\toption src 'lna'\n"), false);
  assert.is(enabled("\toption src 'lan'\n", "\toption enabled '0'\n"), false, 'the zone is left out');
  assert.is(enabled("\toption src 'lan'\n", "\tlist helper 'unknown'\n"), false, 'the zone is left out');
});

rules('set the helper with any beginning of HELPER, in any case', () => {
  for (const target of ['HELPER', 'helper', 'H', 'Hel'])
    assert.is(rule(`option target '${target}'\noption set_helper 'sip'`).length, 1, target);
  for (const target of ['ACCEPT', 'HELPERS', '']) assert.is(rule(`option target '${target}'\noption set_helper 'sip'`).length, 0, target);
  assert.is(rule("option set_helper 'sip'").length, 0);
  assert.is(rule("option target 'HELPER'\noption set_helper 'ftp'").length, 0);
  assert.is(rule("option target 'HELPER'\noption set_helper ' sip '").length, 1);
  assert.is(rule("option target 'HELPER'\noption set_helper '!sip'").length, 0, 'fw4 leaves the rule out');
  assert.is(rule("option target 'HELPER'\noption set_helper 'SIP'").length, 0);
  assert.is(rule("option target 'HELPER'\noption set_helper 'SIP'", 'fw3').length, 1);
  assert.is(rule("option target 'ACCEPT'\noption helper 'sip'").length, 0, 'a match sets nothing');
});

rules('are not in force where they are switched off, or where the switch is not understood', () => {
  const enabled = (value: string): boolean | undefined =>
    rule(`option target 'HELPER'\noption set_helper 'sip'\noption enabled '${value}'`)[0]?.enabled;
  assert.equal(['0', 'off', 'no', 'false', '1', '', 'FALSE', '0 '].map(enabled), [false, false, false, false, true, true, false, false]);
});

const forwards = (options: string, firewall: Firewall = 'fw3', defaults = ''): number =>
  facts(`config defaults\n${defaults}\nconfig redirect\n\toption src 'wan'\n\toption dest_ip '192.168.1.20'\n${options}`, firewall).forwards
    .length;

rules('give a port forward of 5060 the helper in fw3 alone, and only for one protocol', () => {
  assert.is(forwards("option proto 'udp'\noption src_dport '5060'"), 1);
  assert.is(forwards("option proto 'tcp'\noption src_dport '5070'\noption dest_port '5060'"), 1);
  assert.is(forwards("option proto 'udp'\noption src_dport '5060'\noption dest_port '5070'"), 0);
  assert.is(forwards("option proto 'tcp udp'\noption src_dport '5060'"), 0);
  assert.is(forwards("list proto 'tcp'\nlist proto 'udp'\noption src_dport '5060'"), 0);
  assert.is(forwards("option src_dport '5060'"), 0, 'the default is both');
  assert.is(forwards("option proto 'udp'\noption src_dport '5060'\noption target 'SNAT'"), 0);
  assert.is(forwards("option proto 'udp'\noption src_dport '5060'\noption enabled '0'"), 0);
  assert.is(forwards("option proto 'udp'\noption src_dport '5060'", 'fw3', "option auto_helper '0'"), 0);
  assert.is(forwards("option proto 'udp'\noption src_dport '5060'", 'fw4'), 0);
});

rules('know the forms of a port and of a protocol that fw3 knows, and helpers of other ports', () => {
  for (const proto of ['17', 'UDP', 'Tcp', '6']) assert.is(forwards(`option proto '${proto}'\noption src_dport '5060'`), 1, proto);
  for (const port of ['5060-5060', '5060:5060', ' 5060 ']) assert.is(forwards(`option proto 'udp'\noption src_dport '${port}'`), 1, port);
  for (const port of ['5060-5061', '5060 5061', '!5060', '5080'])
    assert.is(forwards(`option proto 'udp'\noption src_dport '${port}'`), 0, port);
  const text = readFileSync('test/fixtures/fw3/own-helper-5080.config', 'utf8');
  const more = "\nconfig redirect\n\toption src 'wan'\n\toption proto 'udp'\n\toption dest_ip '192.168.1.20'\n\toption src_dport '5080'\n";
  const own: HelperDefinition[] = [
    ...DEFINITIONS,
    { name: 'sip', module: 'nf_conntrack_sip', port: 5080, protocols: ['udp'], available: true },
  ];
  assert.is(firewallFacts(text + more, 'fw3', own).forwards.length, 1);
  assert.is(firewallFacts(text + more, 'fw3', DEFINITIONS).forwards.length, 0);
  assert.is(firewallFacts(text + more.replace('udp', 'tcp'), 'fw3', own).forwards.length, 0);
});

rules('give a port forward with a helper of its own that one', () => {
  assert.is(forwards("option helper 'sip'\noption src_dport '5080'", 'fw3', "option auto_helper '0'"), 1);
  assert.is(forwards("option helper 'ftp'\noption proto 'udp'\noption src_dport '5060'"), 0);
  assert.is(forwards("option helper 'sip'\noption src_dport '5080'", 'fw4'), 0, 'fw4 only matches with it');
});

rules('are followed by includes that are in force', () => {
  const { includes, autoIncludes } = facts(
    "config defaults\n\toption auto_includes '0'\nconfig include\n\toption path '/etc/a.sh'\nconfig include\n\toption type 'nftables'\n\toption path '/etc/b.nft'\n" +
      "config include\n\toption path '/etc/c.sh'\n\toption enabled '0'\nconfig include\n\toption type 'nonsense'\n\toption path '/etc/d'\nconfig include\n\toption type script\n",
  );
  assert.equal(
    includes.map(({ type, path }) => `${type} ${path}`),
    ['script /etc/a.sh', 'nftables /etc/b.nft'],
  );
  assert.is(autoIncludes, false);
});

rules('of a file that is no UCI file are refused with the line', () => {
  refuses(() => facts("config zone\n\toption name 'lan\n"), /./, 2);
});

rules.run();

const definitions = suite('what the firewall knows of helpers');

definitions('are read from where each firewall has them, and are available while their module is there', async () => {
  const fw4 = await observeDefinitions(recordedRouter('stock-alg-on'), 'fw4');
  assert.equal(fw4.state === 'present' && fw4.value.filter(({ available }) => available).map(({ name }) => name), [
    'amanda',
    'ftp',
    'RAS',
    'Q.931',
    'irc',
    'netbios-ns',
    'sane',
    'sip',
    'snmp',
    'tftp',
  ]);
  const absent = await observeDefinitions(recordedRouter('stock-alg-absent'), 'fw4');
  assert.equal(absent.state === 'present' && absent.value.filter(({ available }) => available).map(({ name }) => name), [
    'ftp',
    'irc',
    'tftp',
  ]);
  const fw3 = await observeDefinitions(recordedRouter('fw3-21.02'), 'fw3');
  assert.is(fw3.source, '/usr/share/fw3/helpers.conf');
});

definitions('fall back to the stock name where they could not be read', () => {
  assert.is(firewallFacts("config zone\n\toption name 'lan'\n", 'fw4', []).zones[0]?.sip, 'automatic');
  assert.is(firewallFacts("config zone\n\toption name 'lan'\n\tlist helper 'sip'\n", 'fw4', []).zones[0]?.sip, 'listed');
});

definitions('are the module, whatever the name', () => {
  const renamed: HelperDefinition[] = [
    { name: 'phones', module: 'nf_conntrack_sip', available: true },
    { name: 'sip', module: 'nf_conntrack_ftp', available: true },
  ];
  assert.equal(
    ['phones', 'sip'].map((name) => firewallFacts(`config zone\n\tlist helper '${name}'\n`, 'fw4', renamed).zones[0]?.sip),
    ['listed', 'not'],
  );
});

definitions.run();
