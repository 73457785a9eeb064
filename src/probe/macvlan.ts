/**
 * A test phone at a LAN that is no bridge: two devices on top of it (macvlan in bridge mode, kmod-macvlan). What one sends to
 * the other is received by the LAN's device first (drivers/net/macvlan.c, macvlan_queue_xmit: "send to lowerdev first for its
 * network taps"), which is where a frame of a real phone comes in: rules for that device, zone and all, meet it. At its ingress
 * the frame is turned to the router itself, so that it goes no further to the other device. Nothing goes out by the cable.
 *
 * busybox's `ip` makes such devices in another mode, in which all goes out; so the mode is looked at before anything is sent.
 */
import type { Host } from '../host/host.ts';
import type { Pair } from './pair.ts';

/** Of the device that frames are sent to. */
export const TARGET_MAC = 'fe:51:be:00:00:01';

const SCRIPT = `set -e
a=$1 b=$2 lan=$3 mtu=$4 address=$5
[ "$(cat "/sys/class/net/$lan/carrier" 2>/dev/null)" = 1 ] || exit 102
ip link add link "$lan" name "$a" type macvlan mode bridge || exit 100
ip link add link "$lan" name "$b" type macvlan mode bridge
for one in "$a" "$b"; do
  ip -d link show "$one" | grep -q 'macvlan *mode bridge' || exit 101
  file=/proc/sys/net/ipv6/conf/$one/disable_ipv6
  [ ! -e "$file" ] || echo 1 > "$file"
  ip link set "$one" mtu "$mtu"
  ip link set "$one" arp off
done
ip link set "$b" address ${TARGET_MAC}
ip addr add "$address/30" dev "$a"
ip link set "$b" up
ip link set "$a" up
`;

const [NO_MACVLAN, OTHER_MODE, NO_CARRIER] = [100, 101, 102];

/**
 * Sets the phone on the LAN's device. What was made of it when it fails is the caller's to take away.
 * @returns null; or why it could not be: `macvlan` where the kernel lacks it, `ip` where that of busybox is all there is, else
 *          the end of a sentence
 */
export async function setOn(
  host: Host,
  { phone, port }: Pair,
  lan: string,
  mtu: number,
  address: string,
): Promise<'macvlan' | 'ip' | string | null> {
  const outcome = await host.run(['sh', '-c', SCRIPT, 'sh', phone, port, lan, String(mtu), address]);
  if (outcome.state !== 'exited') return outcome.state === 'absent' ? 'there is no shell' : outcome.because;
  if (outcome.code === NO_CARRIER) return `nothing is connected to ${lan}`;
  if (outcome.code === OTHER_MODE) return 'ip';
  if (outcome.code === NO_MACVLAN)
    return /nknown|not supported/i.test(outcome.stderr) ? 'macvlan' : /BusyBox|usage/i.test(outcome.stderr) ? 'ip' : outcome.stderr.trim();
  return outcome.code === 0 ? null : outcome.stderr.trim().split('\n').pop() || `the script ended with ${outcome.code}`;
}

/** The chain that turns frames of the phones to the router. @param macs the phones' @param own the address of the LAN's device */
export const turning = (lan: string, macs: readonly string[], own: string): string[] => [
  '  chain turn {',
  `    type filter hook ingress device "${lan}" priority -400; policy accept;`,
  `    ether saddr { ${macs.join(', ')} } ether daddr ${TARGET_MAC} meta pkttype set host ether daddr set ${own}`,
  '  }',
];
