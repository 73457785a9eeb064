import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { observeWays } from '../../../src/observe/wan.ts';
import { factsWith, made } from '../voice/made.ts';
import type { Made } from '../voice/made.ts';

const STOCK = `
config zone
	option name 'lan'
	list network 'lan'

config zone
	option name 'wan'
	list network 'wan'
	list network 'wan6'
	option masq '1'

config forwarding
	option src 'lan'
	option dest 'wan'
`;
const NETWORK = `
config interface 'lan'
	option device 'br-lan'
	option proto 'static'

config interface 'wan'
	option device 'eth1'
	option proto 'pppoe'

config interface 'wan6'
	option device '@wan'
	option proto 'dhcpv6'
`;
const DUMP = JSON.stringify({
  interface: [
    { interface: 'lan', l3_device: 'br-lan' },
    { interface: 'wan', up: true, device: 'eth1', l3_device: 'pppoe-wan' },
    { interface: 'wan6', up: false },
  ],
});
const UBUS = 'ubus call network.interface dump';
const ROUTE6 = (device: string, flags = '00000003'): string =>
  `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000200 00000001 00000000 ${flags}     ${device}\n`;

const ways = suite('the ways to the internet');

const wanOf = async (
  firewall: string,
  host: Made,
  route: string | null = null,
  kind: 'fw3' | 'fw4' = 'fw4',
): Promise<string[] | string> => {
  const facts = await factsWith(firewall, kind);
  const { wan } = await observeWays(
    made(host),
    route === null ? facts : { ...facts, wan: { state: 'present', value: { device: route, addresses: [] }, source: '' } },
  );
  return wan.state === 'present' ? wan.value : wan.state;
};

ways('are the devices of the zone that masquerades, as netifd names them', async () => {
  assert.equal(await wanOf(STOCK, { answers: { [UBUS]: DUMP }, files: { '/etc/config/network': NETWORK } }), ['pppoe-wan']);
});

ways('are known from the configuration alone, where netifd does not answer', async () => {
  assert.equal(await wanOf(STOCK, { files: { '/etc/config/network': NETWORK } }), ['pppoe-wan']);
  assert.equal(await wanOf(STOCK, { files: { '/etc/config/network': NETWORK.replace('pppoe', 'dhcp') } }), ['eth1']);
  const named: Record<string, string[]> = {
    dslite: ['ds-wan'],
    '464xlat': ['464-wan'],
    map: ['map-wan'],
    '6in4': ['6in4-wan'],
    l2tp: ['l2tp-wan'],
    openconnect: ['vpn-wan'],
    gre: ['gre4-wan'],
    gretap: ['gre4t-wan'],
    wireguard: ['wan'],
    static: ['eth1'],
  };
  for (const [proto, devices] of Object.entries(named)) {
    const network = NETWORK.replace('pppoe', proto).replace("'@wan'", "''");
    assert.equal(await wanOf(STOCK, { files: { '/etc/config/network': network } }), devices, proto);
  }
  assert.equal(
    await wanOf(STOCK, { files: { '/etc/config/network': NETWORK.replace('pppoe', 'modemmanager').replace("'@wan'", "''") } }),
    'absent',
    'only netifd knows a modem',
  );
  assert.equal(await wanOf(STOCK, { answers: { [UBUS]: 'no JSON' }, files: { '/etc/config/network': NETWORK } }), ['pppoe-wan']);
  assert.equal(
    await wanOf(STOCK, { files: { '/etc/config/network': "config interface 'wan'\n\toption ifname 'eth0.2 eth0.3'\n" } }, null, 'fw3'),
    ['eth0.2', 'eth0.3'],
  );
});

ways('are what fw4 uses, and the default routes, where nothing else is known', async () => {
  const chain = '\t\tiifname "br-lan" jump input_lan comment "!fw4"\n\t\tiifname { "eth5", "wwan0" } jump input_wan comment "!fw4"\n';
  assert.equal(await wanOf(STOCK, { answers: { 'nft list chain inet fw4 input': chain } }), ['eth5', 'wwan0']);
  assert.equal(await wanOf('', {}, 'eth7'), ['eth7']);
  assert.equal(
    await wanOf('', { files: { '/proc/net/ipv6_route': ROUTE6('wg0') + ROUTE6('lo', '00200200') + ROUTE6('unreachable', '00000203') } }),
    ['wg0'],
  );
});

ways('never are a device of a zone behind the router, not by a default route and not by its masquerading', async () => {
  const odd = STOCK.replace("list network 'lan'", "list device 'br-lan'\n\toption masq '1'");
  assert.equal(await wanOf(odd, { answers: { [UBUS]: DUMP } }, 'br-lan'), ['pppoe-wan']);
  const guest = `${STOCK}\nconfig zone\n\toption name 'guest'\n\toption masq '1'\n\tlist device 'br-guest'\nconfig forwarding\n\toption src 'guest'\n\toption dest 'wan'\n`;
  assert.equal(await wanOf(guest, { answers: { [UBUS]: DUMP } }, 'br-guest'), ['pppoe-wan']);
  assert.is(
    await wanOf("config zone\n\toption name 'lan'\n\tlist device 'br-lan'\n\toption masq '1'\n", {}, 'br-lan'),
    'absent',
    'only a LAN',
  );
});

ways('another zone that masquerades is one too; one that is switched off is none; no hostile name gets in', async () => {
  const more = `${STOCK}\nconfig zone\n\toption name 'vpn'\n\toption masq6 '1'\n\tlist device 'tun0'\n\tlist device 'a"; flush'\nconfig zone\n\toption name 'old'\n\toption enabled '0'\n\toption masq '1'\n\tlist device 'ppp9'\n`;
  assert.equal(await wanOf(more, { answers: { [UBUS]: DUMP } }), ['pppoe-wan', 'tun0']);
});

ways('tell the networks behind, with their zones', async () => {
  const addresses = [
    { device: 'lo', family: 'ipv4', address: '127.0.0.1', prefix: 8 },
    { device: 'br-lan', family: 'ipv4', address: '192.168.1.1', prefix: 24 },
    { device: 'pppoe-wan', family: 'ipv4', address: '203.0.113.20', prefix: 32 },
    { device: 'br-lan', family: 'ipv6', address: 'fd00::1', prefix: 64 },
    { device: 'wg1', family: 'ipv4', address: '10.9.0.1', prefix: 24 },
  ] as const;
  const { lan } = await observeWays(made({ answers: { [UBUS]: DUMP }, addresses: [...addresses] }), await factsWith(STOCK));
  assert.equal(lan, [
    { device: 'br-lan', address: '192.168.1.1', prefix: 24, zone: 'lan' },
    { device: 'br-lan', address: 'fd00::1', prefix: 64, zone: 'lan' },
    { device: 'wg1', address: '10.9.0.1', prefix: 24, zone: null },
  ]);
});

ways.run();
