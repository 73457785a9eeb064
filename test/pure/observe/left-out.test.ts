import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { firewallFacts } from '../../../src/observe/firewall.ts';
import { openingsOf } from '../../../src/observe/openings.ts';
import { withoutLeftOut } from '../../../src/observe/left-out.ts';
import type { HelperDefinition } from '../../../src/observe/facts.ts';

// Each line was tried with firewall4 b6e5157 (`fw4 print`), and so were some 1400 sections made at random.
const DEFINITIONS: HelperDefinition[] = [
  { name: 'ftp', module: 'nf_conntrack_ftp', available: true },
  { name: 'sip', module: 'nf_conntrack_sip', available: true },
];
const facts = (text: string) => withoutLeftOut(firewallFacts(text, 'fw4', DEFINITIONS), DEFINITIONS);
const ZONES = "config zone\n\toption name 'lan'\n\tlist device 'br-lan'\n";
const WAN = "config zone\n\toption name 'wan'\n\toption masq '1'\n";
const rule = (options: string) =>
  `config rule\n\toption src 'lan'\n\toption target 'HELPER'\n\toption set_helper 'sip'\n\toption proto 'udp'\n${options}\n`;

const leftOut = suite('what fw4 leaves out');

leftOut('is a zone with one value that it does not take', () => {
  const sip = (options: string) => facts(`${ZONES}${options}\n`).zones[0]?.sip;
  for (const options of [
    '',
    "option input 'acc'",
    "option family 'ipv6'",
    "list subnet '192.168.1.0/24'\nlist subnet 'fd00::/8'",
    "option masq_src '!10.0.0.0/8 lan'",
    "option log_limit '10/min'",
    "option no_such_option 'x'",
    "option mtu_fix 'on'",
  ])
    assert.is(sip(options), 'automatic', options);
  for (const options of [
    "option input 'allow'",
    "list auto_helper '1'",
    "option family 'ipv5'",
    "option family 'ipv4'\nlist subnet 'fd00::/8'",
    "list subnet '999.0.0.1/24'",
    "list subnet '10.0.0.1-fd00::1'",
    "option log 'x'",
    "option log_limit '10/min.'",
    "option mtu_fix 'maybe'",
    "option device '!'",
    "option name 'my zone'",
    "option name '1st'",
  ])
    assert.is(sip(options), 'not', options);
  assert.is(facts("config zone\n\tlist device 'eth9'\n").zones[0]?.sip, 'not', 'one without a name');
});

leftOut('is a rule with one value that it does not take, or that contradicts itself', () => {
  const enabled = (options: string, zones = ZONES) => facts(`${zones}${WAN}${rule(options)}`).setHelper.some((one) => one.enabled);
  for (const options of [
    "option dest 'wan'",
    "option dest_port '!5060'",
    "option family 'inet'",
    "option src_ip '10.0.0.0/255.0.0.0'",
    "option src_ip 'lan'",
    "option weekdays 'mon Tuesday'",
    "option start_date '2026-10-01T10:00'",
    "option helper '!ftp'",
    "option set_mark '0x10/0xff'",
    "option dscp 'ef'",
    "option proto 'icmp'",
    "option device 'eth0'\noption direction 'in'",
  ])
    assert.is(enabled(options), true, options);
  for (const options of [
    "option dest 'nowhere'",
    "option dest_port '70000'",
    "option dest_port '5061-5060'",
    "option src_ip 'a.b.c.d'",
    "option weekdays 'someday'",
    "option start_date '2026-13-01'",
    "option stop_time '24:00'",
    "option helper 'h323'",
    "option set_helper '!sip'",
    "option mark 'ff'",
    "option dscp '64'",
    "option limit '10/fortnight'",
    "option src_mac '00:11:22'",
    "option device '*'",
    "option direction 'sideways'",
    "list target 'HELPER'",
    "option family 'ipv4'\noption src_ip 'fd00::1'",
    "option src_ip '10.0.0.1'\noption dest_ip 'fd00::1'",
  ])
    assert.is(enabled(options), false, options);
  assert.is(enabled("option family 'ipv4'", `${ZONES}\toption family 'ipv6'\n`), false, 'the zone is for the other family');
  assert.is(enabled('', `${ZONES}\toption input 'allow'\n`), false, 'its zone is left out');
});

leftOut('is an include that says it is not for fw4, or names a place that is none', () => {
  const count = (options: string) => facts(`config include\n\toption path '/opt/a'\n${options}\n`).includes.length;
  for (const options of [
    '',
    "option fw4_compatible '1'",
    "option type 'nftables'",
    "option type 'nftables'\noption position 'chain-pre'\noption chain 'forward'",
    "option type 'nftables'\noption position 'ruleset-post'",
    "option path '/etc/firewall.user'\noption fw4_compatible '1'",
  ])
    assert.is(count(options), 1, options);
  for (const options of [
    "option fw4_compatible '0'",
    "option path '/etc/firewall.user'",
    "option position 'table-post'",
    "option type 'nftables'\noption position 'chain-pre'",
    "option type 'nftables'\noption position 'behind'",
    "option type 'restore'",
    "option enabled 'off'",
  ])
    assert.is(count(options), 0, options);
});

leftOut('is a redirect in the same way, by which nobody reaches SIP then', () => {
  const open = (options: string, firewall: 'fw4' | 'fw3' = 'fw4') =>
    openingsOf(
      `${ZONES}${WAN}config redirect\n\toption src 'wan'\n\toption src_dport '5060'\n\toption dest_ip '192.168.1.10'\n${options}\n`,
      firewall,
    ).length;
  for (const options of ['', "option dest 'lan'", "option family 'ipv4'", "option reflection_src 'ext'", "option reflection_zone 'lan wan'"])
    assert.is(open(options), 1, options);
  for (const options of [
    "list src_dport '5060'",
    "option dest 'nowhere'",
    "option family 'ipv6'",
    "option family 'ipv5'",
    "option src_dip 'fd00::1'",
    "option helper '!sip'",
    "option reflection_src 'inside'",
    "option reflection_zone 'lan nowhere'",
    "option target 'forward'",
  ])
    assert.is(open(options), 0, options);
  assert.is(open("option family 'ipv5'", 'fw3'), 1, 'what fw3 leaves out is not told');
});

leftOut.run();
