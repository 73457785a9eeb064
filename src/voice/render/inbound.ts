/**
 * Calls that a provider may open to a PBX behind the router (`inbound '1'`), as
 * sections of /etc/config/firewall: its owner sees them, and the firewall itself
 * makes them. Each is bound to the provider's networks; a set that holds none
 * matches nobody. Options as fw4 (fw4.uc) and fw3 (redirects.c, rules.c, ipsets.c) read them.
 */
import type { Facts } from '../../observe/facts.ts';
import { addSection, deleteSection } from '../../languages/uci/edit.ts';
import { parseUci } from '../../languages/uci/parse.ts';
import type { UciSection } from '../../languages/uci/parse.ts';
import { word } from '../../languages/shell/command.ts';
import type { PolicyFacts } from '../facts.ts';
import { hash } from '../../host/hash.ts';
import { digit, isInbound, setOf, TITLE } from '../own.ts';
import type { Family } from '../own.ts';
import { readPrefix } from '../../languages/address/prefixes.ts';
import { firstShared, lastOf, mergePrefixes } from '../../languages/address/prefix-sets.ts';
import { prefixes } from './voice.ts';
import { zonesOf } from '../../observe/wan.ts';
import type { Provider } from '../../wish/wish.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

type Options = [name: string, value: string][];

export interface Section {
  type: 'ipset' | 'redirect' | 'rule';
  name: string;
  /** A name that comes twice is a list. */
  options: Options;
}

/** A set of the firewall's own, and the file it is loaded from. */
export interface InboundSet {
  name: string;
  family: Family;
  file: string;
  networks: string[];
}

export interface Inbound {
  sections: Section[];
  sets: InboundSet[];
  /** What is not opened and why: sentences. */
  lacking: Said[];
}

/** fw3 without ipset has a rule for each network. */
const MOST_WITHOUT_SETS = 64;

/** ipset takes names of 31 characters. */
export const short = (name: string): string => (name.length <= 19 ? name : `${name.slice(0, 10)}_${hash(name).slice(0, 8)}`);

/** The networks of a provider, with what its names lead to. */
function networksOf(provider: Provider, { names }: PolicyFacts): { signalling: Record<Family, string[]>; media: Record<Family, string[]> } {
  const merged = (texts: readonly string[]): Record<Family, string[]> => mergePrefixes(prefixes(texts));
  const signalling = [...provider.signalling, ...provider.hosts.flatMap(({ name }) => names[name.toLowerCase()]?.addresses ?? [])];
  return { signalling: merged(signalling), media: merged(provider.media.length > 0 ? provider.media : signalling) };
}

/** What is to stand in /etc/config/firewall; nothing where nothing is wished. */
export function inboundOf(facts: Facts, policy: PolicyFacts): Inbound {
  const wished: Inbound = { sections: [], sets: [], lacking: [] };
  const { uci } = facts.firewall;
  const { firewall } = facts.system;
  const providers = policy.wanted ? policy.wish.providers.filter(({ inbound }) => inbound !== null) : [];
  if (providers.length === 0 || uci.state !== 'present' || firewall.state !== 'present') return wished;
  const wan = zonesOf(uci.value.text, firewall.value)
    .filter(({ outside }) => outside)
    .map(({ name }) => name);
  if (wan.length === 0)
    wished.lacking.push(
      say(
        'lacking-zone',
        'Calls cannot be let in: /etc/config/firewall has no zone wan and none that masquerades. '
          + 'Give the zone of the internet the option masq.',
      ),
    );
  const forwarded: Forwarded[] = [];
  if (wan.length > 0)
    for (const provider of providers)
      open(wished, forwarded, provider, policy, wan, firewall.value === 'fw4' || policy.extensions['set'] === true);
  return wished;
}

/** What an earlier provider has had let in over IPv4. */
interface Forwarded {
  provider: string;
  address: string;
  first: number;
  last: number;
  networks: readonly string[];
}

/** The same port cannot lead from the same network to two places: the first redirect has it all. */
function forward(wished: Inbound, forwarded: Forwarded[], mine: Forwarded): void {
  const { provider, address, first, last, networks } = mine;
  forwarded.push(mine);
  for (const earlier of forwarded) {
    const shared =
      earlier.address === address || earlier.first > last || earlier.last < first ? null : firstShared(earlier.networks, networks);
    if (shared !== null)
      return void wished.lacking.push(
        say(
          'lacking-shared-port',
          'Not all calls of {earlier} to {taken} and of {provider} to {address} can be let in: both have the network {network}, and port '
            + '{port} can lead to one address alone. Give both the same `option pbx`, or other ports.',
          {
            earlier: earlier.provider,
            taken: earlier.address,
            provider,
            address,
            network: shared,
            port: `${first}${first === last ? '' : `-${last}`}`,
          },
        ),
      );
  }
}

function open(
  wished: Inbound,
  forwarded: Forwarded[],
  provider: Provider,
  policy: PolicyFacts,
  wan: readonly string[],
  sets: boolean,
): void {
  const { pbx, ports, mediaPorts } = provider.inbound as NonNullable<Provider['inbound']>;
  const name = short(provider.name);
  const networks = networksOf(provider, policy);
  const taken = new Set<Family>();
  for (const address of pbx) {
    const prefix = readPrefix(address);
    if ('wrong' in prefix) continue;
    const { family, bits } = prefix;
    const n = digit(family);
    const lacks = (why: Said): void => {
      wished.lacking.push(
        say('lacking-calls', 'Calls of {provider} to {address} are not let in: {why}', { provider: provider.name, address, why }),
      );
    };
    const near = policy.lan.find((lan) => {
      const network = readPrefix(`${lan.address}/${lan.prefix}`);
      return !('wrong' in network) && network.family === family && network.bits <= bits && bits <= lastOf(network);
    });
    const family4 = family === 'ipv4';
    if (near === undefined)
      lacks(say('why-no-network', 'the address is in no network of this router. Set `option pbx` to the address the PBX has.'));
    else if (near.zone === null)
      lacks(
        say('why-no-zone', '{device} is in no zone of the firewall. Add its network to a zone in /etc/config/firewall.', {
          device: near.device,
        }),
      );
    else if (networks.signalling[family].length === 0)
      lacks(
        say(
          'why-no-provider-network',
          'no {family} network of the provider is known. Give it one with `list signalling`, or a `list host` that resolves to one.',
          { family: family4 ? 'IPv4' : 'IPv6' },
        ),
      );
    else if (family4 && taken.has(family))
      lacks(say('why-port-taken', 'a port can be forwarded to one IPv4 address alone, and an earlier `option pbx` has it.'));
    else if (!sets && networks.signalling[family].length > MOST_WITHOUT_SETS)
      lacks(
        say('why-too-many', '{networks} networks are too many without ipset. Install the package ipset, then run `sipalg apply`.', {
          networks: networks.signalling[family].length,
        }),
      );
    else {
      const self = policy.lan.some((lan) => lan.address === address);
      const both: ['call' | 'media', string, readonly string[], string[]][] = [
        ['call', 'tcp udp', ports.map(String), networks.signalling[family]],
      ];
      if (mediaPorts !== null && networks.media[family].length > 0) both.push(['media', 'udp', [mediaPorts], networks.media[family]]);
      for (const [what, proto, each, from] of both) {
        const which = `${n}${what === 'media' ? 'm' : ''}`;
        const file = `/etc/sipalg.${name}${which}`;
        const set = setOf(file);
        if (!taken.has(family) && sets)
          addSet(wished, { name: set, family, file, networks: from }, `sipalg_${name}_set${which}`, policy.backend === 'iptables');
        if (family4) {
          for (const port of each) {
            const [first = 0, last = first] = port.split('-').map(Number);
            forward(wished, forwarded, { provider: provider.name, address, first, last, networks: from });
          }
        }
        wan.forEach((zone, nth) => {
          const title = `${TITLE}${what === 'call' ? 'calls' : 'audio'} from ${name} to ${address} port`;
          const which = pbx.indexOf(address) > 0 ? `_${pbx.indexOf(address)}` : '';
          const place = `sipalg_${name}_${what}${n}${which}${nth > 0 ? `_wan${nth}` : ''}`;
          const common: Options = [
            ['src', zone],
            ...(self ? [] : ([['dest', near.zone as string]] as Options)),
            ['family', family],
            ['proto', proto],
          ];
          if (!family4 || self) {
            const source: Options = sets ? [['ipset', `${set} src`]] : from.map((network) => ['src_ip', network]);
            wished.sections.push({
              type: 'rule',
              name: place,
              options: [
                ['name', `${title} ${each.join(' ')}`],
                ...common,
                ...(self ? [] : ([['dest_ip', address]] as Options)),
                ['dest_port', each.join(' ')],
                ...source,
                ['target', 'ACCEPT'],
              ],
            });
            return;
          }
          // Both protocols in one section: fw3 puts a forward of UDP 5060 alone under the SIP helper.
          for (const port of each)
            for (const [at, source] of (sets ? [null] : from).entries()) {
              wished.sections.push({
                type: 'redirect',
                name: `${place}_${port.replace('-', '_')}${at > 0 ? `_${at}` : ''}`,
                options: [
                  ['name', `${title} ${port}`],
                  ...common,
                  ['src_dport', port],
                  ['dest_ip', address],
                  ['dest_port', port],
                  source === null ? ['ipset', `${set} src`] : ['src_ip', source],
                  ['target', 'DNAT'],
                  // Else the LAN would be let in by the same forward, without the set.
                  ['reflection', '0'],
                ],
              });
            }
        });
      }
      taken.add(family);
    }
  }
}

function addSet(wished: Inbound, set: InboundSet, section: string, fw3: boolean): void {
  const { name, family, file } = set;
  wished.sets.push(set);
  wished.sections.push({
    type: 'ipset',
    name: section,
    options: [
      ['name', name],
      ['family', family],
      ...(fw3 ? ([['storage', 'hash']] as Options) : []),
      ['match', 'src_net'],
      ['loadfile', file],
    ],
  });
}

/** The names the firewall gives to the rules it makes of them. */
export const titlesOf = (sections: readonly Section[]): string[] =>
  [...new Set(sections.flatMap(({ type, options }) => (type === 'ipset' ? [] : [options[0]?.[1] ?? ''])))].sort();

const lists = ({ options }: Section): Set<string> =>
  new Set(options.map(([name]) => name).filter((name, at, all) => name === 'match' || all.indexOf(name) !== at));

/** Adds a section that `deleteSection` takes away with the very bytes that came: a blank line of its own, even behind another one. */
export function addOwn(
  text: string,
  type: string,
  name: string,
  options: readonly { kind: 'option' | 'list'; name: string; value: string }[],
): string {
  const eol = /\n(\r?\n)$/.exec(text)?.[1] ?? '';
  return addSection(parseUci(text + eol), type, name, options);
}

/**
 * /etc/config/firewall with exactly these sections of ours, every other byte as it was.
 * @throws Refused where the file is no UCI file
 */
export function inboundEdit(text: string, sections: readonly Section[]): { after: string; commands: string[] } {
  const commands: string[] = [];
  const key = (type: string, name: string | null, options: readonly { kind: string; name: string; value: string }[]): string =>
    JSON.stringify([type, name, options.map(({ kind, name, value }) => [kind, name, value])]);
  const wished = new Map(
    sections.map((section) => {
      const list = lists(section);
      const options = section.options.map(([name, value]) => ({
        kind: list.has(name) ? ('list' as const) : ('option' as const),
        name,
        value,
      }));
      return [key(section.type, section.name, options), { ...section, options }];
    }),
  );
  let after = text;
  const same = ({ type, name, options }: UciSection): string => key(type, name, options);
  // The last one first, as they were added.
  for (;;) {
    const pkg = parseUci(after);
    const gone = pkg.sections.filter((section) => isInbound(section) && !wished.has(same(section))).at(-1);
    if (gone === undefined) break;
    after = deleteSection(pkg, gone);
    commands.push(`uci delete firewall.${gone.name}`);
  }
  const stands = new Set(parseUci(after).sections.filter(isInbound).map(same));
  for (const [id, { type, name, options }] of wished) {
    if (stands.has(id)) continue;
    after = addOwn(after, type, name, options);
    commands.push(
      `uci set firewall.${name}=${type}`,
      ...options.map(
        (option) => `uci ${option.kind === 'list' ? 'add_list' : 'set'} firewall.${name}.${option.name}=${word(option.value)}`,
      ),
    );
  }
  return { after, commands };
}
