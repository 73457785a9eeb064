/**
 * The cables and addresses of the lab:
 *
 *   phone  192.168.1.10 --+
 *                         +-- br-lan 192.168.1.1 [router] wan 203.0.113.20 --- 203.0.113.10 provider
 *   phone2 192.168.1.11 --+
 *
 * and the same with IPv6, routed and not translated: 2001:db8:1::/64 inside, 2001:db8:113::/64 outside.
 * The provider has no route to 192.168.1.0/24, as on the internet.
 */
import type { Member } from './member.ts';

export const ADDRESS = {
  phone: '192.168.1.10',
  phone2: '192.168.1.11',
  router: '192.168.1.1',
  wan: '203.0.113.20',
  provider: '203.0.113.10',
} as const;

export const ADDRESS6 = {
  phone: '2001:db8:1::10',
  phone2: '2001:db8:1::11',
  router: '2001:db8:1::1',
  wan: '2001:db8:113::20',
  provider: '2001:db8:113::10',
} as const;

export type Members = {
  readonly phone: Member;
  readonly phone2: Member;
  readonly router: Member;
  readonly provider: Member;
};

// Without it nobody answers on IPv6 during the first second or two of a lab.
const NO_DAD = 'for name in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $name; done';

/** Lays the cables. Timeouts of conntrack are those OpenWrt ships (its sysctl.d/11-nf-conntrack.conf). */
export async function connect({ phone, phone2, router, provider }: Members): Promise<void> {
  // A new veth pair can have its other end in the namespace of a process: the host never sees a device.
  await inHostPids(
    router,
    `
    ${NO_DAD}
    ip link add br-lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    ip link add lan1 type veth peer name eth0 netns ${phone.pid}
    ip link add lan2 type veth peer name eth0 netns ${phone2.pid}
    ip link add wan type veth peer name eth0 netns ${provider.pid}
    ip link set lan1 master br-lan
    ip link set lan2 master br-lan
    ip addr add ${ADDRESS.router}/24 dev br-lan
    ip addr add ${ADDRESS6.router}/64 dev br-lan nodad
    ip addr add ${ADDRESS.wan}/24 dev wan
    ip addr add ${ADDRESS6.wan}/64 dev wan nodad
    for device in lan1 lan2 br-lan wan; do ip link set $device up; done
    ip route add default via ${ADDRESS.provider}
    cd /proc/sys/net
    echo 1 > ipv4/ip_forward
    echo 1 > ipv6/conf/all/forwarding
    echo 60 > netfilter/nf_conntrack_udp_timeout
    echo 180 > netfilter/nf_conntrack_udp_timeout_stream
    for name in bridge/bridge-nf-call-iptables bridge/bridge-nf-call-ip6tables; do
      [ ! -e $name ] || echo 0 > $name
    done
  `,
  );
  const host = (address: string, address6: string, more: string): string => `
    ${NO_DAD}
    ip addr add ${address}/24 dev eth0
    ip addr add ${address6}/64 dev eth0 nodad
    ip link set eth0 up
    ${more}
  `;
  const home = `ip route add default via ${ADDRESS.router}
    ip -6 route add default via ${ADDRESS6.router}`;
  await Promise.all([
    phone.must(['sh', '-ec', host(ADDRESS.phone, ADDRESS6.phone, home)]),
    phone2.must(['sh', '-ec', host(ADDRESS.phone2, ADDRESS6.phone2, home)]),
    provider.must(['sh', '-ec', host(ADDRESS.provider, ADDRESS6.provider, `ip -6 route add 2001:db8:1::/64 via ${ADDRESS6.wan}`)]),
  ]);
}

// `netns PID` is read in the process namespace of the `ip` that says it, so this one runs with the host's.
export async function inHostPids(router: Member, script: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const child = spawn('nsenter', ['--target', String(router.pid), '--net', '--mount', '--', 'sh', '-ec', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`The lab could not lay its cables: ${said.trim()}`);
}
