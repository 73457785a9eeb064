/** What kind of ways lead to the internet, and which of them calls take. It only looks. */
import type { Host } from '../host/host.ts';
import { orElse } from '../observe/reading.ts';
import { OWN_TABLE } from './record/made.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

export type WanKind = 'Ethernet' | 'VLAN' | 'bridge' | 'PPP' | 'tunnel' | 'other';

export interface Wan {
  readonly device: string;
  readonly kind: WanKind;
  /** Bytes of an IP packet; 0 where it is not known. */
  readonly mtu: number;
  /** The router's own addresses of IPv4 there. */
  readonly addresses: readonly string[];
}

/** ARPHRD_ of linux/if_arp.h: of PPP, of IP in IP, of IP in IPv6, of SIT, of GRE. */
const TYPES: Readonly<Record<string, WanKind>> = { '512': 'PPP', '768': 'tunnel', '769': 'tunnel', '776': 'tunnel', '778': 'tunnel' };
/** Names that netifd's protocols give (observe/wan.ts), for devices whose type says nothing (65534, ARPHRD_NONE). */
const NAMES: readonly (readonly [RegExp, WanKind])[] = [
  [/^(ppp|pppoe|pppoa|pptp|l2tp|3g|sstp)-/, 'PPP'],
  [/^(ds|map|464|6in4|6rd|6to4|ipip|wg)[0-9-]/, 'tunnel'],
];

export async function wanOf(host: Host, device: string): Promise<Wan> {
  const folder = `/sys/class/net/${device}`;
  const [type, uevent, mtu] = await Promise.all([host.read(`${folder}/type`), host.read(`${folder}/uevent`), host.read(`${folder}/mtu`)]);
  const number = orElse(type, '').trim();
  const kind = /^DEVTYPE=(.*)$/m.exec(orElse(uevent, ''))?.[1];
  const named = NAMES.find(([pattern]) => pattern.test(device))?.[1];
  return {
    device,
    kind: TYPES[number] ?? (number === '1' ? (kind === 'vlan' ? 'VLAN' : kind === 'bridge' ? 'bridge' : 'Ethernet') : (named ?? 'other')),
    mtu: Number(orElse(mtu, '').trim()) || 0,
    addresses: host.addresses().flatMap((one) => (one.device === device && one.family === 'ipv4' ? [one.address] : [])),
  };
}

/** The kernel's own: local, main and default. */
const STOCK = /^(0:\s+from all lookup local|32766:\s+from all lookup main|32767:\s+from all lookup default)\s*$/;

/** Whether there are rules of routing beside the kernel's own. */
export async function isSteered(host: Host): Promise<boolean> {
  const rules = await host.run(['ip', '-4', 'rule', 'show']);
  return rules.state === 'exited' && rules.code === 0 && rules.stdout.split('\n').some((line) => line.trim() !== '' && !STOCK.test(line));
}

/** One of several ways: what would go by it goes by a route of the test's own. */
export interface OtherWay {
  readonly device: string;
  /** An address that is never reached. */
  readonly provider: string;
  /** Words behind `ip route add`. */
  readonly route: readonly string[];
}

export interface OtherWays {
  readonly tried: readonly OtherWay[];
  /** Devices beyond those that are tried. */
  readonly more: readonly string[];
  /** One route has several hops, and flows are spread over them. */
  readonly isSpread: boolean;
}

/** For documentation (RFC 5737), one network of four: beside the address of the main test. */
const PROVIDERS = ['192.0.2.36', '192.0.2.37', '192.0.2.38', '192.0.2.39'] as const;
export const NETWORK = '192.0.2.36/30';

/** Devices by which a default route leads, whatever their zone; and how: words behind `ip route add ADDRESS`. */
export interface DefaultRoutes {
  readonly hops: ReadonlyMap<string, readonly string[]>;
  readonly isSpread: boolean;
}

/** Of any table, those of the main one first. */
export async function defaultRoutes(host: Host): Promise<DefaultRoutes> {
  const shown = await host.run(['ip', '-4', 'route', 'show', 'table', 'all'], { select: { holding: ['default', 'nexthop'] } });
  const hops = new Map<string, readonly string[]>();
  const text = shown.state === 'exited' ? shown.stdout : '';
  // `nexthop via A dev B weight 1` where one route has several; `via inet6 A` by a hop of IPv6 (RFC 5549).
  const found = [...text.matchAll(/(?:^default|^\s+nexthop)(?: via ((?:inet6 )?\S+))? dev (\S+)(.*)/gm)];
  const inTable = ([, , , more = '']: RegExpMatchArray): number => Number(/\btable /.test(more));
  for (const [, gateway, device = '', more = ''] of found.sort((one, other) => inTable(one) - inTable(other)))
    if (device !== 'lo' && !hops.has(device))
      hops.set(device, [
        ...(gateway === undefined ? [] : ['via', ...gateway.split(' ')]),
        'dev',
        device,
        ...(/\bonlink\b/.test(more) ? ['onlink'] : []),
      ]);
  return { hops, isSpread: /^\s+nexthop /m.test(text) };
}

/**
 * Where rules of routing steer (mwan3, pbr, the tables of netifd), what goes by which way is not known beforehand, for marks decide:
 * then each is tried, and no rule stands in the way.
 */
export function otherWays({ hops, isSpread }: DefaultRoutes, way: string, isSteered: boolean): OtherWays {
  const isOnly = hops.size === 1 && hops.has(way);
  const all = isOnly ? [] : [...hops].filter(([device]) => isSteered || device !== way);
  const tried = all.slice(0, PROVIDERS.length).map(([device, route], index): OtherWay => {
    const provider = PROVIDERS[index]!;
    return { device, provider, route: [`${provider}/32`, ...route, ...(isSteered ? ['table', OWN_TABLE] : [])] };
  });
  return { tried, more: all.slice(PROVIDERS.length).map(([device]) => device), isSpread };
}

/** Shared address space and private networks (RFC 6598, RFC 1918): behind them another router translates. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
/** RFC 7335: a DS-Lite or 464XLAT line. */
const SERVICE = /^192\.0\.0\.[0-7]$/;

/** What this test does not tell, by the way that calls take: sentences. */
export function notTold({ kind, addresses }: Wan, translated: boolean | null): Said[] {
  if (addresses.some((one) => SERVICE.test(one)))
    return [
      say(
        'line-dslite',
        'The line is DS-Lite or 464XLAT: addresses are translated at the provider, whose ALG this test does ' +
          'not reach (`sipalg probe --provider HOST` does).',
      ),
    ];
  if (translated === true && addresses.some((one) => PRIVATE.test(one)))
    return [
      say(
        'line-private',
        'The router has a private address towards the internet, so another one translates behind it, which ' +
          'this test does not reach (`sipalg probe --provider HOST` does).',
      ),
    ];
  return kind === 'tunnel' && translated === false
    ? [say('line-tunnel', 'Calls leave by a tunnel, and this test ends where they enter it.')]
    : [];
}
