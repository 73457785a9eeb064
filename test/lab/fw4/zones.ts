/** Helpers, networks and zones: who is where, and whose traffic gets a conntrack helper. */
import { statSync } from 'node:fs';
import { familyOf, quoted, sectionsIn, setOf, warn, type Family, type Section } from './sections.ts';

export type Helper = {
  readonly name: string;
  readonly description: string;
  readonly family: Family;
  readonly proto: string;
  readonly port: string;
  readonly available: boolean; // its module is a folder of /sys/module
};

export type Policy = 'accept' | 'reject' | 'drop';

export type Subnet = { readonly address: string; readonly bits: number };

export type Zone = {
  readonly name: string;
  readonly devices: readonly string[];
  readonly subnets: readonly Subnet[];
  readonly input: Policy;
  readonly output: Policy;
  readonly forward: Policy;
  readonly masq: boolean;
  readonly masq6: boolean;
  readonly mtuFix: boolean;
  /** Which chains of the zone are needed; rules add to it. */
  readonly needs: Set<'helper' | 'dnat' | 'snat' | 'notrack'>;
  readonly from: Set<Policy>;
  readonly to: Set<Policy>;
};

/** Rules by chain, in the order they are rendered. */
export type Chains = Map<string, string[]>;

export function add(chains: Chains, chain: string, rule: string): void {
  const known = chains.get(chain);
  if (known) known.push(rule);
  else chains.set(chain, [rule]);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The helper definitions of the package. */
export function readHelpers(): Helper[] {
  return sectionsIn('/usr/share/firewall4/helpers')
    .filter(({ type }) => type === 'helper')
    .map((section) => ({
      name: section.one('name') ?? '',
      description: section.one('description') ?? section.one('name') ?? '',
      family: familyOf(section.one('family')),
      proto: section.one('proto') ?? '',
      port: section.one('port') ?? '',
      available: isFolder(`/sys/module/${section.one('module')}`),
    }));
}

type Network = { readonly device: string; readonly subnets: readonly Subnet[] };

/** What ubus would say of the interfaces: here, what /etc/config/network says. */
export function readNetworks(): Map<string, Network> {
  const networks = new Map<string, Network>();
  for (const section of sectionsIn('/etc/config/network')) {
    const device = section.one('device');
    if (section.type !== 'interface' || device === undefined) continue;
    const name = /^\S+/.exec(section.title)![0];
    const [address, mask] = [section.one('ipaddr'), section.one('netmask')];
    networks.set(name, {
      device,
      subnets: address === undefined || mask === undefined ? [] : [{ address, bits: bitsOf(mask) }],
    });
  }
  return networks;
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const bitsOf = (mask: string): number => numberOf(mask).toString(2).replaceAll('0', '').length;

/** 192.168.1.1, 24 -> 192.168.1.0/24 */
export function cidr({ address, bits }: Subnet): string {
  if (bits === 32) return address;
  const net = Math.floor(numberOf(address) / 2 ** (32 - bits)) * 2 ** (32 - bits);
  return [24, 16, 8, 0].map((shift) => Math.floor(net / 2 ** shift) % 256).join('.') + `/${bits}`;
}

/** Whether two addresses are in the same subnet. */
export function sameNet(address: string, subnet: Subnet): boolean {
  return cidr({ address, bits: subnet.bits }) === cidr(subnet);
}

export function policyOf(section: Section, name: string, otherwise: Policy): Policy | undefined {
  const value = section.one(name)?.toLowerCase();
  if (value === undefined) return otherwise;
  const found = (['accept', 'reject', 'drop'] as const).find((policy) => policy.startsWith(value));
  if (found === undefined) section.warn(`option '${name}' specifies invalid value '${value}'`);
  return found;
}

/** The nft words that set a helper, as a zone does it for each helper by itself. */
function helperRule(helper: Helper): string {
  return [
    helper.family === 0 ? '' : `meta nfproto ipv${helper.family} `,
    `meta l4proto ${helper.proto} ${helper.proto} dport ${helper.port} `,
    `ct helper set ${quoted(helper.name)} comment ${quoted(`!fw4: ${helper.description}`)}`,
  ].join('');
}

/**
 * Reads a zone and adds its helper rules. A zone with an option that cannot be used is skipped as a whole: that is
 * what happens with the name of a helper nobody defines. A helper that is defined and not available is left out.
 */
export function readZone(
  section: Section,
  defaults: Section,
  autoHelper: boolean,
  helpers: readonly Helper[],
  networks: ReadonlyMap<string, Network>,
  chains: Chains,
): Zone | undefined {
  const name = section.one('name');
  const policies = (['input', 'output', 'forward'] as const).map((option) =>
    policyOf(section, option, policyOf(defaults, option, 'drop') ?? 'drop'),
  );
  const [input, output, forward] = policies;
  const flags = [
    ['enabled', true],
    ['masq', false],
    ['masq6', false],
    ['mtu_fix', false],
    ['auto_helper', true],
  ] as const;
  const [enabled, masq, masq6, mtuFix, ownAuto] = flags.map(([option, otherwise]) => section.flag(option, otherwise));
  const wanted = section.many('helper').map((each) => {
    const found = helpers.find((helper) => helper.name === each);
    if (!found) section.warn(`option 'helper' specifies invalid value '${each}'`);
    return found;
  });
  if (name === undefined) section.warn("option 'name' is mandatory but not set");
  if (
    name === undefined
    || input === undefined
    || output === undefined
    || forward === undefined
    || [enabled, masq, masq6, mtuFix, ownAuto].includes(undefined)
    || wanted.includes(undefined)
  ) {
    section.warn('skipped due to invalid options');
    return undefined;
  }
  if (!enabled) {
    section.warn('is disabled, ignoring section');
    return undefined;
  }
  const mine = section.many('network').flatMap((each) => networks.get(each) ?? []);
  const zone: Zone = {
    name,
    devices: [...new Set([...mine.map(({ device }) => device), ...section.many('device')])],
    subnets: mine.flatMap(({ subnets }) => subnets),
    input,
    output,
    forward,
    masq: masq!,
    masq6: masq6!,
    mtuFix: mtuFix!,
    needs: new Set(masq || masq6 ? ['snat'] : []),
    from: new Set([input]),
    to: new Set([output, forward]),
  };
  if ((ownAuto && autoHelper && !zone.masq && !zone.masq6) || wanted.length > 0) {
    zone.needs.add('helper');
    for (const helper of wanted.length > 0 ? wanted : helpers) {
      if (helper!.available) add(chains, `helper_${name}`, helperRule(helper!));
      else if (wanted.length > 0) warn(`Section ${section.title} uses unavailable ct helper '${helper!.name}'`);
    }
  }
  return zone;
}

/** `iifname "br-lan" `, or nothing for a zone without devices. */
export const deviceMatch = (which: 'iifname' | 'oifname', devices: readonly string[]): string =>
  devices.length === 0 ? '' : `${which} ${setOf(devices.map(quoted))} `;
