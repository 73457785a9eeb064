/** What this router is: release, kernel, package manager, firewall, and the way to the internet. */
import type { Host, Reading } from '../host/host.ts';
import { parseDefaultRoutes } from '../languages/kernel/routes.ts';
import type { Facts } from './facts.ts';
import { understood } from './reading.ts';

/** A value of a file of shell assignments (/etc/openwrt_release, os-release(5)). */
function assignment(text: string, name: string): string | null {
  const found = new RegExp(`^${name}=(?:'([^']*)'|"([^"]*)"|(\\S*))`, 'm').exec(text);
  return found ? (found[1] ?? found[2] ?? found[3] ?? '') : null;
}

async function release(host: Host): Promise<Reading<string>> {
  const openwrt = await host.read('/etc/openwrt_release');
  if (openwrt.state !== 'absent') return understood(openwrt, (text) => assignment(text, 'DISTRIB_DESCRIPTION') ?? 'OpenWrt');
  return understood(await host.read('/etc/os-release'), (text) => assignment(text, 'PRETTY_NAME') ?? 'unknown');
}

async function firstOf<T extends string>(host: Host, candidates: readonly (readonly [T, string])[]): Promise<Reading<T>> {
  for (const [name, path] of candidates) {
    const kind = await host.kind(path);
    if (kind.state !== 'absent') return understood(kind, () => name);
  }
  return { state: 'absent', source: candidates.map(([, path]) => path).join(', ') };
}

export async function observeSystem(host: Host): Promise<Facts['system']> {
  return {
    release: await release(host),
    kernel: understood(await host.read('/proc/sys/kernel/osrelease'), (text) => text.trim()),
    packageManager: await firstOf(host, [
      ['apk', '/usr/bin/apk'],
      ['apk', '/sbin/apk'],
      ['opkg', '/bin/opkg'],
      ['opkg', '/usr/bin/opkg'],
    ]),
    // /sbin/fw3 is a link to fw4 on fw4 systems, so fw4 is asked for first.
    firewall: await firstOf(host, [
      ['fw4', '/sbin/fw4'],
      ['fw4', '/usr/sbin/fw4'],
      ['fw3', '/sbin/fw3'],
    ]),
  };
}

/** A number the kernel shows in one file. */
export async function observeNumber(host: Host, path: string): Promise<Reading<number>> {
  return understood(await host.read(path), (text) => {
    const value = text.trim();
    if (!/^\d+$/.test(value)) throw new Error(`it holds "${value.slice(0, 40)}", and a number is wanted`);
    return Number(value);
  });
}

/** The device of the default route, and the addresses it has. */
export async function observeWan(host: Host): Promise<Facts['wan']> {
  const routes = understood(await host.read('/proc/net/route'), parseDefaultRoutes);
  if (routes.state !== 'present') return routes;
  const device = routes.value[0]?.device;
  if (device === undefined) return { state: 'absent', source: routes.source };
  return { ...routes, value: { device, addresses: host.addresses().filter((address) => address.device === device) } };
}
