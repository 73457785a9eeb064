/** Where a test can be made on this router: the LAN's bridge, free addresses in it, the ways to the internet. It only looks. */
import type { Host, HostAddress } from '../host/host.ts';
import { parseRoutes, wayTo } from '../languages/kernel/routes.ts';
import { optionOf, parseUci } from '../languages/uci/parse.ts';
import type { Facts } from '../observe/facts.ts';
import { orElse, understood } from '../observe/reading.ts';
import { observeWays } from '../observe/wan.ts';
import { ground6Of } from './ground6.ts';
import type { Ground6 } from './ground6.ts';
import { defaultRoutes, isSteered, otherWays } from './wans.ts';
import type { OtherWays } from './wans.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** For documentation (RFC 5737): nobody has it, and nothing is sent there. */
export const PROVIDER = '192.0.2.33';

export interface Ground {
  /** The device whose zone the phone is in, and its address of IPv4. */
  readonly lan: {
    readonly device: string;
    readonly zone: string | null;
    readonly address: string;
    readonly prefix: number;
    readonly mac: string;
    readonly mtu: number;
    /** A bridge, or a device of Ethernet by itself: eth1, eth0.3. */
    readonly isBridge: boolean;
  };
  /** Free addresses in the LAN; none, one or two. */
  readonly phones: readonly string[];
  /** Devices towards the internet. */
  readonly wans: readonly string[];
  /** The one that a packet to PROVIDER leaves by. */
  readonly way: string;
  readonly mtu: number;
  /** Ways beside it. */
  readonly others: OtherWays;
  /** Networks behind the router that another test is for. */
  readonly lans: readonly string[];
  /** Rules of routing of the owner's decide what goes by which way. */
  readonly steered: boolean;
  /** What comes in at the LAN is refused where an answer to it would go elsewhere. */
  readonly strict: boolean;
  /** IPv6; or why there is none, the end of a sentence. */
  readonly six: Ground6 | NoGround;
  readonly kernel: string;
  /** An address for the device of the ping, in a network that the router has nothing of. */
  readonly trigger: { readonly own: string; readonly peer: string };
  /** Frames of a bridge go through the rules of IP: then answers are bridged past the ALG, and cannot be tested. */
  readonly isBridgeFiltered: boolean;
}

/** Why there is none, in a sentence, and what is lacking. */
export interface NoGround {
  readonly because: Said;
}

const numberOf = (address: string): number => address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
const addressOf = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.');

async function textOf(host: Host, path: string): Promise<string> {
  return orElse(await host.read(path), '').trim();
}

/** The addresses a DHCP server may give, of this network. */
function pool(dhcp: string, address: string, prefix: number): (number: number) => boolean {
  const network = numberOf(address) & (prefix === 0 ? 0 : -1 << (32 - prefix));
  const ranges = parsed(dhcp)
    .filter(({ type, name }) => type === 'dhcp' && name !== 'wan')
    .map((section) => [Number(optionOf(section, 'start') ?? 100), Number(optionOf(section, 'limit') ?? 150)] as const);
  return (number) => ranges.some(([start, limit]) => number >= (network >>> 0) + start && number < (network >>> 0) + start + limit);
}

function parsed(text: string) {
  try {
    return parseUci(text).sections;
  } catch {
    return [];
  }
}

/** Addresses that somebody has or is to have: neighbours, leases, fixed leases, flows. */
async function freeAddresses(host: Host, lan: HostAddress, own: readonly HostAddress[], many: number): Promise<string[]> {
  const [arp, leases, dhcp, flows] = await Promise.all([
    host.read('/proc/net/arp'),
    host.read('/tmp/dhcp.leases'),
    host.read('/etc/config/dhcp'),
    host.read('/proc/net/nf_conntrack', { most: 8 << 20 }),
  ]);
  const known = [arp, leases, dhcp].map((one) => orElse(one, '')).join('\n');
  const taken = new Set([...(known.match(/\d+\.\d+\.\d+\.\d+/g) ?? []), ...own.map(({ address }) => address)]);
  const talking = orElse(flows, '');
  const isPooled = pool(orElse(dhcp, ''), lan.address, lan.prefix);
  const size = 2 ** (32 - lan.prefix);
  const network = (numberOf(lan.address) & (-1 << (32 - lan.prefix))) >>> 0;
  const found: string[] = [];
  // From the end, where people put the fewest; a large network is not searched through.
  for (const inPool of [false, true]) {
    for (let host = size - 2; host > Math.max(0, size - 4096) && found.length < many; host--) {
      const number = network + host;
      const address = addressOf(number);
      if (isPooled(number) !== inPool || taken.has(address) || talking.includes(`src=${address} `)) continue;
      found.push(address);
    }
  }
  return found;
}

/** A network of four addresses that the router knows nothing of: of those for measurements (RFC 2544). */
function triggerOf(own: readonly HostAddress[]): Ground['trigger'] {
  const isFree = (number: number): boolean =>
    own.every(
      ({ family, address, prefix }) => family !== 'ipv4' || ((numberOf(address) ^ number) & (-1 << (32 - Math.min(prefix, 30)))) !== 0,
    );
  const base = Array.from({ length: 64 }, (_, index) => numberOf('198.19.81.188') + index * 4).find(isFree) ?? numberOf('198.19.81.188');
  return { own: addressOf(base + 1), peer: addressOf(base + 2) };
}

/** ARPHRD_ETHER of linux/if_arp.h, which is no port of a bridge or bond. */
async function kindOf(host: Host, device: string): Promise<'bridge' | 'Ethernet' | 'other'> {
  const folder = `/sys/class/net/${device}`;
  if ((await host.kind(`${folder}/bridge`)).state === 'present') return 'bridge';
  const isFree = (await host.kind(`${folder}/master`)).state === 'absent';
  return isFree && (await textOf(host, `${folder}/type`)) === '1' ? 'Ethernet' : 'other';
}

/**
 * rp_filter of 1 (ip-sysctl.rst; the higher one of the device's and of `all` counts): a packet is refused where an answer to its
 * source would leave by another device.
 */
async function isStrict(host: Host, device: string): Promise<boolean> {
  const values = await Promise.all(['all', device].map((one) => textOf(host, `/proc/sys/net/ipv4/conf/${one}/rp_filter`)));
  return Math.max(...values.map(Number)) === 1;
}

/** Those of a zone may be down: a kernel up to 6.12 refuses the whole table for one, as if it knew no devices (ENOENT). */
async function thereOf(host: Host, devices: readonly string[]): Promise<string[]> {
  const there = await Promise.all(devices.map((one) => host.kind(`/sys/class/net/${one}`)));
  return devices.filter((_, index) => there[index]?.state !== 'absent');
}

/** Where there is nothing to be said against it. @param wanted the device of the LAN, where the owner named one */
export async function groundOf(host: Host, facts: Facts, wanted: string | null): Promise<Ground | NoGround> {
  const ways = await observeWays(host, facts);
  const wans = orElse(ways.wan, [] as string[]);
  if (wans.length === 0)
    return { because: say('ground-no-wan', 'no device of this router leads to the internet now, so nothing can leave by it') };
  const inside = host.addresses().filter(({ family, device }) => family === 'ipv4' && ways.lan.some((one) => one.device === device));
  const zoneOf = (device: string): string | null => ways.lan.find((one) => one.device === device)?.zone ?? null;
  const kinds = new Map<string, 'bridge' | 'Ethernet' | 'other'>();
  for (const { device } of inside) kinds.set(device, await kindOf(host, device));
  const choices = wanted === null ? inside : inside.filter(({ device }) => device === wanted);
  if (choices.length === 0) {
    const devices = [...new Set(inside.map(({ device }) => device))];
    return {
      because:
        wanted === null
          ? say('ground-no-lan', 'no network behind this router has an address of IPv4 now')
          : devices.length === 0
            ? say('ground-wrong-none', '"{given}" is no device of a network behind this router with an address of IPv4; there is none', {
                given: wanted,
              })
            : say('ground-wrong', '"{given}" is no device of a network behind this router with an address of IPv4; there are {devices}', {
                given: wanted,
                devices: devices.join(', '),
              }),
    };
  }
  // What is said of a guest network is not said of the LAN, whatever it takes to test that.
  const grade = { bridge: 0, Ethernet: 1, other: 4 } as const;
  const rank = ({ device }: HostAddress): number => grade[kinds.get(device) ?? 'other'] + (zoneOf(device) === 'lan' ? 0 : 2);
  const [lan] = [...choices].sort((one, other) => rank(one) - rank(other));
  if (lan === undefined || kinds.get(lan.device) === 'other') {
    return {
      because: say(
        'ground-no-bridge',
        'the LAN ({devices}) is neither a bridge nor Ethernet, so no test phone can be plugged into it; its ' +
          'own phones can be recorded (`sipalg probe --phones`), or two captures compared (`sipalg compare`)',
        { devices: choices.map(({ device }) => device).join(', ') },
      ),
    };
  }
  const routes = orElse(understood(await host.read('/proc/net/route'), parseRoutes), []);
  const phones = await freeAddresses(host, lan, host.addresses(), 2);
  const [asked, steered, defaults] = await Promise.all([
    host.run(['ip', 'route', 'get', PROVIDER, ...(phones[0] === undefined ? [] : ['from', phones[0], 'iif', lan.device])]),
    isSteered(host),
    defaultRoutes(host),
  ]);
  const way = (asked.state === 'exited' ? / dev (\S+)/.exec(asked.stdout)?.[1] : undefined) ?? wayTo(routes, PROVIDER);
  if (way === null || way === undefined)
    return { because: say('ground-no-route', 'there is no route to the internet (to {address})', { address: PROVIDER }) };
  const folder = `/sys/class/net/${lan.device}`;
  // A rule of routing may send by a device that is of no zone, and nothing of a test is to leave.
  const all = await thereOf(host, [...new Set([...wans, way, ...defaults.hops.keys()])]);
  const [mac, lanMtu, mtu, filtered, strict, six] = await Promise.all([
    textOf(host, `${folder}/address`),
    textOf(host, `${folder}/mtu`),
    textOf(host, `/sys/class/net/${way}/mtu`),
    textOf(host, '/proc/sys/net/bridge/bridge-nf-call-iptables'),
    isStrict(host, lan.device),
    ground6Of(host, lan.device, all),
  ]);
  return {
    lan: {
      device: lan.device,
      zone: zoneOf(lan.device),
      address: lan.address,
      prefix: lan.prefix,
      mac,
      mtu: Number(lanMtu) || 1500,
      isBridge: kinds.get(lan.device) === 'bridge',
    },
    phones,
    wans: all,
    way,
    mtu: Number(mtu) || 1500,
    others: otherWays(defaults, way, steered),
    lans:
      wanted === null
        ? [...new Set(inside.map(({ device }) => device))].filter((device) => device !== lan.device && kinds.get(device) !== 'other')
        : [],
    steered,
    strict,
    six,
    kernel: orElse(facts.system.kernel, ''),
    trigger: triggerOf(host.addresses()),
    isBridgeFiltered: filtered === '1',
  };
}
