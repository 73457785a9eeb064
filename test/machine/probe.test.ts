/**
 * `sipalg probe` where the SIP modules load and unload, on kernels whose nft records the first 256 bytes of a message alone
 * (up to 6.12, as OpenWrt 24.10 and 25.12 have them): proof before and after `disable`, and nothing left of it.
 */
import * as assert from 'uvu/assert';
import type { ProbeDocument as ProbeReport } from '../../src/probe/report.ts';
import { onEveryKernel } from './qemu/each.ts';
import type { Router } from './qemu/router.ts';
import { sipalg } from './qemu/steps.ts';

const test = onEveryKernel('a probe by live packets');

async function probe(router: Router, expected: 0 | 1): Promise<ProbeReport> {
  const ran = await router.run(['sipalg', 'probe', '--json'], { timeout: 120_000 });
  assert.is(ran.status, expected, ran.stdout.slice(0, 4000) + ran.stderr);
  return JSON.parse(ran.stdout) as ProbeReport;
}

/** What a probe makes and takes away again; its lock's file stays, as any of ours does. */
const traces = (router: Router): Promise<string> =>
  router.must([
    'sh',
    '-ec',
    'nft list ruleset | sed "s/packets [0-9]* bytes [0-9]*//"; ip -o link | sed "s/^[0-9]*: //"; ip -o addr; ls /var/run | grep -vE "^sipalg.(daemon|link|probe.lock|probed.router)$"; cat /sys/class/net/br-lan/address',
  ]);

test('says which fields the ALG rewrites, and leaves nothing', async (router) => {
  const before = await traces(router);
  const report = await probe(router, 1);
  assert.is(report.verdict, 'rewritten here');
  const options = report.messages.find(({ name }) => name === 'OPTIONS');
  assert.is(options?.fate, 'rewritten');
  assert.ok((options?.differences ?? []).some(({ field, part }) => field === 'Via' && part === 'sent-by'));
  assert.is(await traces(router), before);
});

/** The zones of fw4 as they are with these devices in them. */
const ZONES = `nft list table inet fw4 |
  sed 's/ifname "wan"/ifname { "wan", "wan.7", "pppoe-wan", "ds-wan" }/; s/ifname "br-lan"/ifname { "br-lan", "br-lan.10" }/' >/tmp/zones
  { echo delete table inet fw4; cat /tmp/zones; } | nft -f -`;

/** A way out by VLAN 7 of the WAN's port, and a LAN whose bridge has a port in VLAN 3 alone. */
const VLAN = `ip link add link wan name wan.7 type vlan id 7
  ip -n provider link add link eth0 name eth0.7 type vlan id 7; ip -n provider addr add 203.0.114.10/24 dev eth0.7
  ip -n provider link set eth0.7 up; ip addr add 203.0.114.20/24 dev wan.7; ip link set wan.7 up
  ip route replace default via 203.0.114.10 dev wan.7
  ip link add link lan2 name lan2.3 type vlan id 3; ip link set lan2 nomaster; ip link set lan2 up
  ip link set lan2.3 master br-lan; ip link set lan2.3 up`;

/** A session of PPPoE in the kernel at both ends; it has its number beforehand, so nobody has to look for a concentrator. */
const PPPOE = `modprobe pppoe
  here=$(cat /sys/class/net/wan/address); there=$(ip netns exec provider cat /sys/class/net/eth0/address)
  common='noauth noccp novj noipdefault nodefaultroute mtu 1492 mru 1492 updetach'
  ip netns exec provider pppd plugin pppoe.so rp_pppoe_sess 9:$here nic-eth0 $common 203.0.115.10:203.0.115.20 >/tmp/pppd.there 2>&1 &
  pppd plugin pppoe.so rp_pppoe_sess 9:$there nic-wan ifname pppoe-wan $common 203.0.115.20:203.0.115.10 >/tmp/pppd.here 2>&1 || { cat /tmp/pppd.*; exit 1; }
  ip route replace default via 203.0.115.10 dev pppoe-wan`;

/** And a LAN that is VLAN 10 of the bridge. */
const LAN10 = `ip link add link br-lan name br-lan.10 type vlan id 10; ip addr add 192.168.10.1/24 dev br-lan.10; ip link set br-lan.10 up`;

/** DS-Lite (RFC 6333): IPv4 in IPv6 to the provider, which translates; the router does not. */
const DSLITE = `ip -6 addr add 2001:db8:f::20/64 dev wan nodad; ip -n provider -6 addr add 2001:db8:f::10/64 dev eth0 nodad
  ip link add ds-wan type ip6tnl mode ipip6 local 2001:db8:f::20 remote 2001:db8:f::10 dev wan encaplimit none
  ip addr add 192.0.0.2/29 dev ds-wan; ip link set ds-wan mtu 1452 up; ip route replace default dev ds-wan
  nft insert rule inet fw4 srcnat oifname ds-wan accept`;

async function by(router: Router, set: string, expected: 0 | 1, lan = 'br-lan'): Promise<ProbeReport> {
  await router.must(['sh', '-ec', set]);
  const ran = await router.run(['sipalg', 'probe', '--json', '--lan', lan], { timeout: 120_000 });
  assert.is(ran.status, expected, ran.stdout.slice(0, 4000) + ran.stderr);
  const report = JSON.parse(ran.stdout) as ProbeReport;
  assert.equal([report.way, report.lan, report.leftOver], ['phone', lan, []]);
  return report;
}

/** That part of it was tried, and both ways: of what came out, and of answers. */
const whole = ({ messages }: ProbeReport): (string | boolean)[][] => {
  const main = messages.filter(({ part }) => part === 'main');
  const of = (toProvider: boolean): string[] => [
    ...new Set(main.filter((one) => one.toProvider === toProvider && one.seen !== null).map(({ device }) => device!)),
  ];
  return [of(true), [main.filter(({ toProvider, seen }) => !toProvider && seen !== null).length === 6]];
};

test('proves it by every kind of way out: a VLAN, PPPoE, DS-Lite; and in a LAN of a VLAN', async (router) => {
  const before = await traces(router);
  const vlan = await by(router, `${VLAN}\n${ZONES}`, 1);
  assert.equal([vlan.verdict, vlan.wan?.kind, vlan.translated, ...whole(vlan)], ['rewritten here', 'VLAN', true, ['wan.7'], [true]]);

  // The smaller kernel lacks PPP.
  if (router.kernel.has('pppoe')) {
    const ppp = await by(router, `${PPPOE}\n${LAN10}`, 1, 'br-lan.10');
    assert.equal([ppp.verdict, ppp.wan?.kind, ppp.wan?.mtu, ppp.translated], ['rewritten here', 'PPP', 1492, true]);
    assert.equal(whole(ppp), [['pppoe-wan'], [true]]);
    await router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
    const off = await by(router, ':', 0);
    assert.equal([off.verdict, off.left, ...whole(off)], ['unchanged', 'pppoe-wan', ['pppoe-wan'], [true]]);
    await router.must(['sh', '-c', `fw4 -q reload; ${ZONES}`]);
  }

  const tunnel = await by(router, DSLITE, 1);
  assert.equal([tunnel.verdict, tunnel.wan?.kind, tunnel.translated, tunnel.left], ['dropped here', 'tunnel', false, 'ds-wan']);
  assert.match(tunnel.remarks.join(' '), /The line is DS-Lite or 464XLAT/);

  await router.must([
    'sh',
    '-c',
    `for one in /proc/[0-9]*; do [ "$(cat $one/comm 2>/dev/null)" != pppd ] || kill \${one##*/}; done
     ip link del wan.7; ip link del ds-wan; ip link del br-lan.10; ip link set lan2.3 nomaster; ip link del lan2.3; ip link set lan2 master br-lan
     ip -6 addr del 2001:db8:f::20/64 dev wan; ip route replace default via 203.0.113.10 dev wan; fw4 -q reload; sleep 2; rm -rf /var/run/ppp*`,
  ]);
  assert.is(await traces(router), before);
});

test('proves that nothing is changed any more, once the ALG is off', async (router) => {
  const ran = await sipalg(router, 'disable --probe', 0);
  assert.match(ran.stdout, 'This router passes SIP unchanged: ');
  const report = await probe(router, 0);
  assert.is(report.verdict, 'unchanged');
});

test.run();
