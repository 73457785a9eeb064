/** Which devices lead to the internet, and which networks are behind the router. */
import type { Host, HostAddress, Reading } from '../host/host.ts';
import type { Facts } from './facts.ts';
import { boolean } from './firewall.ts';
import { answered, orElse, understood } from './reading.ts';
import { listOf, optionOf, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciSection } from '../languages/uci/parse.ts';
import { isDevice } from '../languages/kernel/devices.ts';
import { parseDefaultRoutes6 } from '../languages/kernel/routes6.ts';

/** Where the ways out of this router lead. */
export interface Ways {
  /** Devices towards the internet, and where that is known from. */
  wan: Reading<string[]>;
  /** Networks behind the router, `device address/prefix`. */
  lan: { device: string; address: string; prefix: number; zone: string | null }[];
  /**
   * Networks and devices of a zone inside that have no address of a family now, though they are configured: at boot, and while
   * an interface is down. `addresses`: those that /etc/config/network gives them, as `address/prefix`. Not in documents of 0.1.0
   * and older.
   */
  down?: { name: string; zone: string; family: 'ipv4' | 'ipv6'; addresses: string[] }[];
  /** The networks that lead out, as netifd or /etc/config/network has them. Not in documents of 0.1.0 and older. */
  uplinks?: Uplink[];
}

/** A network towards the internet. */
export interface Uplink {
  network: string;
  /** dhcp, pppoe, map, dslite, 464xlat, ... */
  proto: string;
  device: string | null;
  /** Seconds since it came up, as netifd counts; null where it does not say. */
  up: number | null;
}

type Family = HostAddress['family'];

const NETWORK_CONFIG = '/etc/config/network';

/** A list, or the words of an option. */
function words(section: UciSection, name: string): string[] {
  return settingsOf(section).get(name)?.kind === 'list'
    ? listOf(section, name)
    : (optionOf(section, name) ?? '').split(/\s+/).filter((word) => word !== '');
}

/** What the device of a tunnel is called before its interface's name: each protocol's script in netifd says it by itself. */
const TUNNELS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['ppp', 'pppoe', 'pppoa', 'pptp', 'l2tp', '3g', 'sstp', '6in4', '6to4', '6rd', 'map', 'ipip'].map((proto) => [proto, `${proto}-`]),
  ),
  dslite: 'ds-',
  '464xlat': '464-',
  openconnect: 'vpn-',
  openfortivpn: 'vpn-',
  vpnc: 'vpn-',
  gre: 'gre4-',
  gretap: 'gre4t-',
  grev6: 'gre6-',
  grev6tap: 'gre6t-',
  wireguard: '',
  vxlan: '',
  vxlan6: '',
  xfrm: '',
};
/** Their device is a modem's, which only netifd knows. */
const MODEMS: readonly string[] = ['modemmanager', 'wwan', 'qmi', 'ncm', 'mbim', 'huawei_ncm', 'directip'];

/** What a network's device will be called, by /etc/config/network. */
function configured(sections: readonly UciSection[], name: string, depth = 0): string[] {
  const section = sections.find((one) => one.type === 'interface' && one.name === name);
  if (section === undefined || depth > 4) return [];
  const proto = optionOf(section, 'proto') ?? 'none';
  if (Object.hasOwn(TUNNELS, proto)) return [`${TUNNELS[proto]}${name}`];
  if (MODEMS.includes(proto)) return [];
  if (optionOf(section, 'type') === 'bridge') return [`br-${name}`];
  return [...words(section, 'device'), ...words(section, 'ifname')].flatMap((device) =>
    device.startsWith('@') ? configured(sections, device.slice(1), depth + 1) : [device],
  );
}

/** The length of a netmask such as 255.255.255.0. */
const lengthOf = (mask: string): number =>
  mask.split('.').reduce((length, part) => length + (Number(part).toString(2).match(/1/g) ?? []).length, 0);

/** The addresses that a section of /etc/config/network gives its interface by itself, as `address/prefix`. */
function staticAddresses(section: UciSection | undefined, family: 'ipv4' | 'ipv6'): string[] {
  if (section === undefined || optionOf(section, 'proto') !== 'static') return [];
  const mask = family === 'ipv4' ? `/${lengthOf(optionOf(section, 'netmask') ?? '255.255.255.255')}` : '/128';
  return words(section, family === 'ipv4' ? 'ipaddr' : 'ip6addr').map((address) => (address.includes('/') ? address : address + mask));
}

interface Zone {
  name: string;
  networks: string[];
  devices: string[];
  outside: boolean;
}

/** A zone that masquerades or is called wan; but who forwards to such a zone is behind it, whatever it masquerades. */
export function zonesOf(text: string, firewall: 'fw3' | 'fw4'): Zone[] {
  const { sections } = parseUci(text);
  const zones = sections
    .filter(({ type }) => type === 'zone')
    .filter((section) => boolean(firewall, optionOf(section, 'enabled'), true) !== false);
  const yes = (section: UciSection, name: string): boolean => boolean(firewall, optionOf(section, name), false) === true;
  const nameOf = (section: UciSection): string => optionOf(section, 'name') ?? '';
  const likely = new Set(zones.filter((zone) => nameOf(zone) === 'wan' || yes(zone, 'masq') || yes(zone, 'masq6')).map(nameOf));
  const behind = new Set(
    sections
      .filter(({ type }) => type === 'forwarding')
      .filter((one) => likely.has(optionOf(one, 'dest') ?? ''))
      .map((one) => optionOf(one, 'src') ?? ''),
  );
  return zones.map((zone) => {
    const name = nameOf(zone);
    const networks = words(zone, 'network');
    return {
      name,
      networks,
      devices: words(zone, 'device'),
      outside: name === 'wan' || (likely.has(name) && !behind.has(name) && name !== 'lan'),
    };
  });
}

/** Networks that are up, as netifd shows them. */
async function live(host: Host): Promise<Map<string, Uplink & { device: string }>> {
  const dump = understood(answered(await host.run(['ubus', 'call', 'network.interface', 'dump'], { timeout: 5000 })), (text) => {
    const list = (JSON.parse(text) as { interface?: Record<string, unknown>[] }).interface ?? [];
    return new Map(
      list.flatMap(({ interface: network, l3_device: device, proto, uptime }) =>
        typeof network === 'string' && typeof device === 'string'
          ? [
              [
                network,
                {
                  network,
                  device,
                  proto: typeof proto === 'string' ? proto : 'none',
                  up: typeof uptime === 'number' && Number.isFinite(uptime) ? uptime : null,
                },
              ] as const,
            ]
          : [],
      ),
    );
  });
  return orElse(dump, new Map<string, never>());
}

/** Protocols of lines whose IPv4 address is shared, or translated elsewhere: their networks are seldom in a zone of their own. */
const SHARED_LINES = ['map', 'dslite', '464xlat'];

/** The networks that lead out. @param named those of the zones outside */
function uplinksOf(
  named: readonly string[],
  wan: readonly string[],
  up: ReadonlyMap<string, Uplink & { device: string }>,
  sections: readonly UciSection[],
): Uplink[] {
  const leads = ({ network, proto, device }: Uplink): boolean =>
    named.includes(network) || SHARED_LINES.includes(proto) || (device !== null && wan.includes(device));
  const written = sections
    .filter(({ type, name }) => type === 'interface' && name !== null && !up.has(name))
    .map((section): Uplink => {
      const network = section.name as string;
      return { network, proto: optionOf(section, 'proto') ?? 'none', device: configured(sections, network)[0] ?? null, up: null };
    });
  return [...up.values(), ...written].filter(leads).map(({ network, proto, device, up: since }) => ({ network, proto, device, up: since }));
}

/** What tells the devices of a network: netifd, of those that are up, else /etc/config/network. */
export async function observeDevices(host: Host): Promise<(network: string) => string[]> {
  const [interfaces, network] = await Promise.all([live(host), host.read(NETWORK_CONFIG)]);
  const sections = orElse(
    understood(network, (text) => parseUci(text).sections),
    [],
  );
  return (name) => {
    const up = interfaces.get(name);
    return up === undefined ? configured(sections, name) : [up.device];
  };
}

/** The devices by zone that fw4 itself uses now: `iifname "wan" jump input_wan`. */
async function firewallDevices(host: Host, facts: Pick<Facts, 'nft'>): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  if (!orElse(facts.nft, null)?.tables.includes('inet fw4')) return found;
  const text = answered(await host.run(['nft', 'list', 'chain', 'inet', 'fw4', 'input']));
  for (const [, devices = '', zone = ''] of orElse(text, '').matchAll(/^\s*iifname (\{[^}]*\}|"[^"]*") jump input_(\S+)/gm)) {
    found.set(zone, [...(found.get(zone) ?? []), ...[...devices.matchAll(/"([^"]*)"/g)].map(([, device = '']) => device)]);
  }
  return found;
}

/** What of a zone has no address of a family now. */
function downIn(
  { name: zone, networks, devices: own }: Zone,
  lan: readonly HostAddress[],
  deviceOf: (network: string) => string[],
  network: Reading<readonly UciSection[]>,
): NonNullable<Ways['down']> {
  const sections = orElse(network, []);
  const of = (name: string): UciSection | undefined => sections.find((one) => one.type === 'interface' && one.name === name);
  // A network that is named and nowhere configured, or switched off, does not come up; one that could not be read about may.
  const comes = (name: string): boolean => {
    const section = of(name);
    if (section === undefined) return network.state === 'failed';
    return optionOf(section, 'proto') !== 'none' && !/^(1|on|true|yes|enabled)$/.test(optionOf(section, 'disabled') ?? '');
  };
  const places = [
    ...networks
      .filter(comes)
      .map((name) => ({ name, devices: deviceOf(name), addresses: (family: Family) => staticAddresses(of(name), family) })),
    ...own.filter(isDevice).map((name) => ({ name, devices: [name], addresses: () => [] })),
  ];
  return places.flatMap(({ name, devices, addresses }) =>
    (['ipv4', 'ipv6'] as const)
      .filter((family) => !lan.some((one) => one.family === family && devices.includes(one.device) && !one.address.startsWith('fe80:')))
      .map((family) => ({ name, zone, family, addresses: addresses(family) })),
  );
}

/** @param facts what of them is needed; without nftables the devices that fw4 itself uses now are not asked for */
export async function observeWays(host: Host, facts: Pick<Facts, 'firewall' | 'system' | 'nft' | 'wan'>): Promise<Ways> {
  const [interfaces, shown, network, routes6] = await Promise.all([
    live(host),
    firewallDevices(host, facts),
    host.read(NETWORK_CONFIG),
    host.read('/proc/net/ipv6_route', { select: { holding: [`${'0'.repeat(32)} 00 `] } }),
  ]);
  const parsed = understood(network, (text) => parseUci(text).sections);
  const sections = orElse(parsed, []);
  const { uci } = facts.firewall;
  const zones = uci.state === 'present' ? zonesOf(uci.value.text, orElse(facts.system.firewall, 'fw4')) : [];
  const deviceOf = (each: string): string[] => {
    const up = interfaces.get(each);
    return up === undefined ? configured(sections, each) : [up.device];
  };
  const devicesOf = ({ name, networks, devices }: Zone): string[] =>
    [...new Set([...devices, ...networks.flatMap(deviceOf), ...(shown.get(name) ?? [])])].filter(isDevice);
  const placed = zones.map((zone) => ({ ...zone, devices: devicesOf(zone) }));
  const inside = new Set(placed.filter(({ outside }) => !outside).flatMap(({ devices }) => devices));
  const ways = [...(facts.wan.state === 'present' ? [facts.wan.value.device] : []), ...parseDefaultRoutes6(orElse(routes6, ''))];
  const wan = [...new Set([...placed.filter(({ outside }) => outside).flatMap(({ devices }) => devices), ...ways])]
    .filter((device) => isDevice(device) && !inside.has(device) && device !== 'lo')
    .sort();
  const source = 'the zones of /etc/config/firewall, and the default routes';
  const addresses = host.addresses();
  const down = zones.filter(({ outside }) => !outside).flatMap((zone) => downIn(zone, addresses, deviceOf, parsed));
  const outward = zones.filter(({ outside }) => outside).flatMap(({ networks }) => networks);
  const uplinks = uplinksOf(outward, wan, interfaces, sections);
  return {
    ...(down.length > 0 ? { down } : {}),
    ...(uplinks.length > 0 ? { uplinks } : {}),
    wan: wan.length > 0 ? { state: 'present', value: wan, source } : uci.state === 'failed' ? { ...uci } : { state: 'absent', source },
    lan: addresses
      .filter(({ device }) => device !== 'lo' && !wan.includes(device))
      .map(({ device, address, prefix }) => ({
        device,
        address,
        prefix,
        zone: placed.find(({ devices }) => devices.includes(device))?.name ?? null,
      })),
  };
}
