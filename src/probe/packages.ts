/** What to install where a part of the kernel is missing, or a tool. */
import type { Facts } from '../observe/facts.ts';
import { orElse } from '../observe/reading.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

const WHY = {
  'kmod-veth': say('lacks-veth', 'a test phone is plugged into the LAN by a cable of the kernel (veth), and this kernel lacks that'),
  'kmod-nft-netdev': say(
    'lacks-netdev',
    'what leaves the router is recorded at the device (netdev egress of nft), and this kernel lacks that',
  ),
  'kmod-macvlan': say(
    'lacks-macvlan',
    'a test phone is set on a LAN that is no bridge by a device of the kernel (macvlan), and this kernel lacks that',
  ),
  'ip-full': say('lacks-ip', 'a test phone is set on a LAN that is no bridge by `ip` of iproute2, and that of busybox cannot do it'),
} as const;

/** The end of a sentence. */
export function lackingPackage({ packageManager, release }: Facts['system'], name: keyof typeof WHY): Said {
  const old = /OpenWrt (1\d|2[0-3])\./.exec(orElse(release, ''));
  if (old !== null && name === 'kmod-nft-netdev')
    return say(
      'lacks-old',
      'what leaves the router is recorded at the device (netdev egress of nft), which OpenWrt has from ' +
        '24.10 on; here two captures say the same (`sipalg compare`)',
    );
  const manager = orElse(packageManager, null);
  const command = manager === 'apk' ? `apk add ${name}` : `opkg update && opkg install ${name}`;
  return manager === null
    ? say('lacks-on-openwrt', '{why}: `{command}` brings it on OpenWrt (`apk add` from 25.12 on)', { why: WHY[name], command })
    : say('lacks', '{why}: `{command}` brings it', { why: WHY[name], command });
}
