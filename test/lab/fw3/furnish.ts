/** What makes the lab's router one of OpenWrt 21.02: fw3 and its files, iptables of the legacy flavour alone, no nft. */
import { readFileSync } from 'node:fs';
import { bundled } from '../../bundled.ts';
import type { Files } from '../files.ts';
import type { Member } from '../member.ts';
import { HELPERS } from '../openwrt.ts';

export const FW3_RULESETS = [
  'stock-21.02',
  'auto-helper-off',
  'flow-offloading',
  'forward-5060-range',
  'forward-5060-tcpudp',
  'forward-5060-udp',
  'own-helper-5080',
  'set-helper-rule',
  'zone-lists-ftp-sip',
  'zone-lists-sip-alone',
  'zone-without-device',
] as const;
export type Fw3Ruleset = (typeof FW3_RULESETS)[number];

/** As fw4's package has them, but that SIP is for TCP too. */
const helpers = HELPERS.map(
  ([name, module, family, proto, port, description]) => `config helper
\toption name '${name}'
\toption description '${description}'
\toption module '${module}'
\toption family '${family}'
\toption proto '${name === 'sip' ? 'tcpudp' : proto}'
\toption port '${port}'
`,
).join('\n');

const RELEASE = `DISTRIB_ID='OpenWrt'
DISTRIB_RELEASE='21.02.7'
DISTRIB_REVISION='r16847-f8282da11e'
DISTRIB_TARGET='x86/64'
DISTRIB_ARCH='x86_64'
DISTRIB_DESCRIPTION='OpenWrt 21.02.7 r16847-f8282da11e'
DISTRIB_TAINTS=''
`;

/** What its verbs mean to fw3 (package/network/config/firewall/files/firewall.init of 21.02). */
const INIT = `#!/bin/sh
case "$1" in
start|boot) fw3 start ;;
restart) fw3 restart ;;
reload) fw3 reload ;;
stop) fw3 flush ;;
esac
`;

/** The names iptables has there, and what of this machine's has no place on such a router. */
const TOOLS = `cd /usr/sbin
legacy=$(readlink -f iptables-legacy)
rm -f nft iptables-nft* ip6tables-nft*
for name in iptables ip6tables; do for what in "" -save -restore; do ln -sf "$legacy" $name$what; done; done
rm -rf /usr/share/firewall4 /usr/share/nftables.d /etc/nftables.d /etc/modules.conf`;

/** @param files those of the router, furnished for fw4 already */
export async function furnishFw3(router: Member, files: Files, ruleset: Fw3Ruleset): Promise<void> {
  await router.must(['sh', '-ec', TOOLS]);
  files.write('/etc/config/firewall', readFileSync(`test/fixtures/fw3/${ruleset}.config`, 'utf8'));
  files.write('/etc/openwrt_release', RELEASE);
  files.write('/etc/openwrt_version', 'r16847-f8282da11e\n');
  files.write('/usr/share/fw3/helpers.conf', helpers);
  files.write('/etc/firewall.user', '# This file is interpreted as shell script.\n');
  files.write('/etc/init.d/firewall', INIT, 0o755);
  files.write('/sbin/fw3', `#!${process.execPath}\n${await bundled('test/lab/fw3.ts')}`, 0o755);
}
