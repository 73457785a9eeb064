/** The files that make the router's file system look like OpenWrt 24.10's to a program that reads it. */
import type { Files } from './files.ts';

/** Helper definitions by fw4's names: module, protocol, port, family, and the words it comments rules with. */
export const HELPERS: readonly (readonly [string, string, string, string, string, string])[] = [
  ['amanda', 'nf_conntrack_amanda', 'any', 'udp', '10080', 'Amanda backup and archiving proto'],
  ['ftp', 'nf_conntrack_ftp', 'any', 'tcp', '21', 'FTP passive connection tracking'],
  ['RAS', 'nf_conntrack_h323', 'any', 'udp', '1719', 'RAS proto tracking'],
  ['Q.931', 'nf_conntrack_h323', 'any', 'tcp', '1720', 'Q.931 proto tracking'],
  ['irc', 'nf_conntrack_irc', 'ipv4', 'tcp', '6667', 'IRC DCC connection tracking'],
  ['netbios-ns', 'nf_conntrack_netbios_ns', 'ipv4', 'udp', '137', 'NetBIOS name service broadcast tracking'],
  ['pptp', 'nf_conntrack_pptp', 'ipv4', 'tcp', '1723', 'PPTP VPN connection tracking'],
  ['sane', 'nf_conntrack_sane', 'any', 'tcp', '6566', 'SANE scanner connection tracking'],
  ['sip', 'nf_conntrack_sip', 'any', 'udp', '5060', 'SIP VoIP connection tracking'],
  ['snmp', 'nf_conntrack_snmp', 'ipv4', 'udp', '161', 'SNMP monitoring connection tracking'],
  ['tftp', 'nf_conntrack_tftp', 'any', 'udp', '69', 'TFTP connection tracking'],
  ['rtsp', 'nf_conntrack_rtsp', 'ipv4', 'tcp', '554', 'RTSP connection tracking'],
];

const helpers = HELPERS.map(
  ([name, module, family, proto, port, description]) => `config helper
\toption name '${name}'
\toption description '${description}'
\toption module '${module}'
\toption family '${family}'
\toption proto '${proto}'
\toption port '${port}'
`,
).join('\n');

const FILES: Readonly<Record<string, string>> = {
  '/etc/openwrt_release': `DISTRIB_ID='OpenWrt'
DISTRIB_RELEASE='24.10.0'
DISTRIB_REVISION='r28427-6df0e3d02a'
DISTRIB_TARGET='x86/64'
DISTRIB_ARCH='x86_64'
DISTRIB_DESCRIPTION='OpenWrt 24.10.0 r28427-6df0e3d02a'
DISTRIB_TAINTS=''
`,
  '/etc/openwrt_version': 'r28427-6df0e3d02a\n',
  '/etc/config/network': `config interface 'loopback'
	option device 'lo'
	option proto 'static'
	option ipaddr '127.0.0.1'
	option netmask '255.0.0.0'

config interface 'lan'
	option device 'br-lan'
	option proto 'static'
	option ipaddr '192.168.1.1'
	option netmask '255.255.255.0'

config interface 'wan'
	option device 'wan'
	option proto 'static'
	option ipaddr '203.0.113.20'
	option netmask '255.255.255.0'
	option gateway '203.0.113.10'

config interface 'wan6'
	option device 'wan'
	option proto 'none'
`,
  // What ubox ships: comments only (package/system/ubox/files/modules.conf keeps the list empty).
  '/etc/modules.conf': '# One module name per line: "blacklist NAME" keeps it from being loaded\n',
  '/etc/modules.d/nf-conntrack': 'nf_conntrack\n',
  '/etc/modules.d/nf-nathelper': 'nf_conntrack_ftp\nnf_nat_ftp\n',
  '/etc/modules.d/nf-nathelper-extra': [
    'nf_conntrack_broadcast',
    'ts_kmp',
    'nf_conntrack_amanda',
    'nf_nat_amanda',
    'nf_conntrack_h323',
    'nf_nat_h323',
    'nf_conntrack_pptp',
    'nf_nat_pptp',
    'nf_conntrack_sip',
    'nf_nat_sip',
    'nf_conntrack_snmp',
    'nf_nat_snmp_basic',
    'nf_conntrack_tftp',
    'nf_nat_tftp',
    'nf_conntrack_irc',
    'nf_nat_irc',
    '',
  ].join('\n'),
  '/usr/share/firewall4/helpers': helpers,
  '/etc/nftables.d/10-custom-filter-chains.nft': "## An example of a chain of one's own would stand here.\n",
  '/usr/share/nftables.d/.keep': '',
};

/**
 * Writes them over the router's root, and takes away what Debian has there and OpenWrt has not.
 * @param firewall the text of /etc/config/firewall
 */
export function furnish(files: Files, firewall: string): void {
  for (const path of [
    '/etc/modules.d',
    '/etc/modprobe.d',
    '/etc/modules-load.d',
    '/etc/nftables.conf',
    '/etc/debian_version',
    '/var/lib/dpkg',
  ]) {
    files.remove(path);
  }
  for (const [path, text] of Object.entries(FILES)) files.write(path, text);
  files.write('/etc/config/firewall', firewall);
}
