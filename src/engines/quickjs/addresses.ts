/** Addresses of this machine, as `ip -o addr` of busybox or iproute2 tells them. */
import * as std from 'qjs:std';
import type { HostAddress } from '../../host/host.ts';

/** `2: br-lan    inet 192.168.1.1/24 brd …`, or with `peer ADDRESS/PREFIX` behind an address without one. */
const LINE = /^\d+: ([^\s@]+)(?:@\S+)?\s+(inet6?) ([0-9a-f.:]+)(?: peer [0-9a-f.:]+)?\/(\d+)/gm;

/** In the order the kernel gives them to getifaddrs(3): all of IPv4, then IPv6; a device where it appears first. */
export function addressesIn(text: string): HostAddress[] {
  const all = [...text.matchAll(LINE)].map(([, device = '', inet, address = '', prefix]): HostAddress => ({
    device,
    family: inet === 'inet6' ? 'ipv6' : 'ipv4',
    address,
    prefix: Number(prefix),
  }));
  const ordered = [...all.filter(({ family }) => family === 'ipv4'), ...all.filter(({ family }) => family === 'ipv6')];
  const devices = [...new Set(ordered.map(({ device }) => device))];
  return devices.flatMap((one) => ordered.filter(({ device }) => device === one));
}

/** Those of devices that are up (IFF_UP), with a carrier or without; none where `ip` is not to be had. */
export function addresses(): HostAddress[] {
  const pipe = std.popen('ip -o addr show up 2>/dev/null', 'r');
  if (pipe === null) return [];
  const text = pipe.readAsString();
  pipe.close();
  return addressesIn(text);
}
