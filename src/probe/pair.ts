/**
 * A cable with two ends (veth, kmod-veth): one in the LAN's bridge, as a phone is plugged in, the other for what the phone
 * sends. By one shell script, in words that iproute2 and busybox's `ip` both understand; the latter calls the other end
 * vethN, whatever was asked for (1.35).
 */
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';

export interface Pair {
  /** The phone's end, and the one in the bridge. */
  readonly phone: string;
  readonly port: string;
}

/** Of this run alone. */
export function pairOf(host: Host): Pair {
  const id = host.process().pid.toString(36);
  return { phone: `sipa${id}`, port: `sipb${id}` };
}

/** The kernel gives a bridge without an address of its own the lowest of its ports': this one is never it. */
const PORT_MAC = 'fe:51:be:00:00:01';

const SCRIPT = `set -e
a=$1 b=$2 bridge=$3 mtu=$4 address=$5
ip link add "$a" type veth peer name "$b" || exit 100
index=$(cat "/sys/class/net/$a/iflink")
for folder in /sys/class/net/*; do [ "$(cat "$folder/ifindex" 2>/dev/null)" != "$index" ] || peer=\${folder##*/}; done
[ "$peer" = "$b" ] || ip link set "$peer" name "$b"
for one in "$a" "$b"; do
  file=/proc/sys/net/ipv6/conf/$one/disable_ipv6
  [ ! -e "$file" ] || echo 1 > "$file"
  ip link set "$one" mtu "$mtu"
done
ip link set "$b" address ${PORT_MAC}
ip link set "$a" arp off
ip addr add "$address/30" dev "$a"
ip link set "$b" master "$bridge" 2>/dev/null || brctl addif "$bridge" "$b"
ip link set "$a" up
ip link set "$b" up
`;

/** Not made: veth is what the kernel lacks. */
const NO_VETH = 100;
/** BR_STATE_FORWARDING of linux/if_bridge.h. */
const FORWARDING = '3';
/** Milliseconds. */
const SETTLING = 1500;

/**
 * Plugs the phone in. What was made of it when it fails is the caller's to take away.
 * @returns null; or why it could not be: `veth` where the kernel lacks it, else the end of a sentence
 */
export async function plugIn(
  host: Host,
  clock: Clock,
  { phone, port }: Pair,
  bridge: string,
  mtu: number,
  address: string,
): Promise<'veth' | string | null> {
  const outcome = await host.run(['sh', '-c', SCRIPT, 'sh', phone, port, bridge, String(mtu), address]);
  if (outcome.state !== 'exited') return outcome.state === 'absent' ? 'there is no shell' : outcome.because;
  if (outcome.code === NO_VETH) return /nknown|not supported/i.test(outcome.stderr) ? 'veth' : outcome.stderr.trim();
  if (outcome.code !== 0) return outcome.stderr.trim().split('\n').pop() || `the script ended with ${outcome.code}`;
  // The bridge hears of the carrier from a queue of the kernel's (linkwatch), a moment later.
  const end = clock.now() + SETTLING;
  for (;;) {
    const reading = await host.read(`/sys/class/net/${port}/brport/state`);
    const state = reading.state === 'present' ? reading.value.trim() : '';
    if (state === FORWARDING) return null;
    if (clock.now() > end)
      return (
        `the bridge ${bridge} does not let a new port speak at once (state ${state}): ` +
        'with the spanning tree that takes twice its forward delay'
      );
    await new Promise<void>((resolve) => {
      clock.after(20, resolve);
    });
  }
}
