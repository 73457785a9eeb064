/** /etc/config/firewall as fw3 reads it (options.c and the `fw3_load_…` of each file, 3a65fde), for the options the lab uses. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { parseUci, settingsOf, type UciSection } from '../../../src/languages/uci/parse.ts';
import { readNetworks, type Subnet } from '../fw4/zones.ts';

export type Family = 4 | 6;
export const FAMILIES = [4, 6] as const;

export type Policy = 'ACCEPT' | 'REJECT' | 'DROP';
export type Target = Policy | 'NOTRACK' | 'HELPER' | 'MARK' | 'DSCP' | 'DNAT' | 'SNAT';
const TARGETS: readonly Target[] = ['ACCEPT', 'REJECT', 'DROP', 'NOTRACK', 'HELPER', 'MARK', 'DSCP', 'DNAT', 'SNAT'];

export const warn = (text: string): void => void process.stderr.write(`Warning: ${text}\n`);

/** A section with the ways fw3 takes an option. An option that is never asked for is one the lab does not render: an error. */
export class Section {
  readonly type: string;
  readonly title: string;
  readonly #settings: ReturnType<typeof settingsOf>;
  readonly #asked = new Set<string>();

  constructor(uci: UciSection) {
    this.type = uci.type;
    this.#settings = settingsOf(uci);
    const name = this.#settings.get('name')?.values[0];
    this.title = `${uci.name ?? `@${uci.type}[${uci.index}]`}${name === undefined ? '' : ` (${name})`}`;
  }

  one(name: string): string | undefined {
    this.#asked.add(name);
    const value = this.#settings.get(name)?.values.at(-1);
    return value === '' ? undefined : value;
  }

  /** An `option` is split at its blanks, the items of a `list` are not. */
  many(name: string): string[] {
    this.#asked.add(name);
    const found = this.#settings.get(name);
    return found === undefined
      ? []
      : found.kind === 'list'
        ? found.values
        : found.values.flatMap((value) => value.split(/\s+/).filter(Boolean));
  }

  /** True is `true`, `yes` and `1`; any other word is false. */
  flag(name: string, otherwise: boolean): boolean {
    const value = this.one(name);
    return value === undefined ? otherwise : ['true', 'yes', '1'].includes(value);
  }

  /** Any beginning of a word, in any letter case. */
  target(name: string): Target | undefined {
    const value = this.one(name)?.toUpperCase();
    return value === undefined ? undefined : TARGETS.find((target) => target.startsWith(value));
  }

  /** undefined: both. */
  family(): Family | undefined {
    const value = this.one('family')?.toLowerCase();
    return value === undefined ? undefined : /4$/.test(value) ? 4 : /6$/.test(value) ? 6 : undefined;
  }

  warn(text: string): void {
    warn(`Section ${this.title} ${text}`);
  }

  /** @throws Error naming an option that was not asked for */
  complete(): void {
    const unknown = [...this.#settings.keys()].find((name) => !this.#asked.has(name) && !name.startsWith('_'));
    if (unknown !== undefined) throw new Error(`the lab's fw3 does not render option ${unknown} of section ${this.title}`);
  }
}

export type Helper = {
  readonly name: string;
  readonly description: string;
  readonly module: string;
  readonly family: Family | undefined;
  readonly protocols: readonly string[];
  readonly ports: string | undefined;
  /** Its module is a folder of /sys/module. */
  readonly available: boolean;
};

export type Zone = {
  readonly name: string;
  readonly family: Family | undefined;
  readonly devices: readonly string[];
  readonly subnets: readonly Subnet[];
  readonly input: Policy;
  readonly output: Policy;
  readonly forward: Policy;
  readonly masq: boolean;
  readonly mtuFix: boolean;
  readonly customChains: boolean;
  readonly autoHelper: boolean;
  readonly helpers: readonly Helper[];
  readonly listsHelpers: boolean;
  /** What of it is needed, by family: policies (`src_ACCEPT` for input), HELPER, NOTRACK, SNAT, DNAT. */
  readonly needs: Readonly<Record<Family, Set<string>>>;
};

export type IpSet = { readonly name: string; readonly family: Family; readonly matches: readonly string[]; readonly script: string };

export type Include = {
  readonly path: string;
  readonly restore: boolean;
  readonly family: Family | undefined;
  readonly reload: boolean;
};

export type Config = {
  readonly defaults: {
    readonly input: Policy;
    readonly output: Policy;
    readonly forward: Policy;
    readonly synFlood: boolean;
    readonly dropInvalid: boolean;
    readonly customChains: boolean;
    readonly autoHelper: boolean;
    readonly disableIpv6: boolean;
  };
  readonly helpers: readonly Helper[];
  readonly sets: readonly IpSet[];
  readonly zones: readonly Zone[];
  readonly includes: readonly Include[];
  /** Sections of these types, in the order of the file. */
  readonly of: (type: 'rule' | 'redirect' | 'forwarding') => readonly Section[];
};

const NUMBERS: Readonly<Record<string, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'ipv6-icmp', icmpv6: 'ipv6-icmp' };

/** Protocols by iptables' names; `tcpudp` is both; '' is any. */
export const protocolsOf = (words: readonly string[]): string[] =>
  words
    .map((word) => word.toLowerCase())
    .flatMap((word) => (word === 'tcpudp' ? ['tcp', 'udp'] : ['all', 'any', '*', '0'].includes(word) ? [''] : [NUMBERS[word] ?? word]));

/** `5060`, or `5060:5070`, behind a "! " where it is negated; undefined for no port. */
export function portOf(text: string | undefined): string | undefined {
  const [, not, from, to = from] = /^(!?)\s*(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text ?? '') ?? [];
  return from === undefined ? undefined : `${not === '!' ? '! ' : ''}${Number(from) === Number(to) ? Number(from) : `${from}:${to}`}`;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function readHelper(section: Section): Helper[] {
  const [name, module] = [section.one('name'), section.one('module')];
  const helper = {
    name: name ?? '',
    description: section.one('description') ?? name ?? '',
    module: module ?? '',
    family: section.family(),
    protocols: protocolsOf(section.many('proto')),
    ports: portOf(section.one('port')),
    available: isFolder(`/sys/module/${module}`),
  };
  const enabled = section.flag('enabled', true);
  section.complete();
  if (name === undefined || module === undefined || helper.protocols.length === 0)
    section.warn('must have a name, a module and a protocol');
  return enabled && name !== undefined && module !== undefined && helper.protocols.length > 0 ? [helper] : [];
}

const sectionsOf = (path: string): Section[] =>
  existsSync(path) ? parseUci(readFileSync(path, 'utf8')).sections.map((section) => new Section(section)) : [];

const policyOf = (target: Target | undefined, otherwise: Policy): Policy =>
  target === 'ACCEPT' || target === 'REJECT' || target === 'DROP' ? target : otherwise;

/** What its sections make of a set, as lines for `ipset -exist -`. */
function readSet(section: Section): IpSet[] {
  if (!section.flag('enabled', true)) return [];
  const [name, storage, loadfile] = [section.one('name'), section.one('storage'), section.one('loadfile')];
  const matches = section.many('match');
  const family = section.family() ?? 4;
  if (name === undefined || matches.length === 0) {
    section.warn('ipset must have a name assigned, and datatypes');
    return [];
  }
  const types = matches.map((match) => match.replace(/^(?:src|dest|dst)_/, ''));
  const options = ['timeout', 'maxelem', 'hashsize'].flatMap((option) => {
    const value = section.one(option);
    return value === undefined ? [] : [`${option} ${value}`];
  });
  const entries = [
    ...section.many('entry'),
    ...(loadfile !== undefined && existsSync(loadfile) ? readFileSync(loadfile, 'utf8').split('\n') : []),
  ].filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const create = `create ${name} ${storage ?? 'hash'}:${types.join(',')} family inet${family === 6 ? '6' : ''}`;
  section.complete();
  return [
    { name, family, matches, script: [[create, ...options].join(' '), ...entries.map((entry) => `add ${name} ${entry}`), ''].join('\n') },
  ];
}

/** @throws Error where /etc/config/firewall is no UCI, or holds an option that the lab does not render */
export function readConfig(): Config {
  if (!existsSync('/etc/config/firewall')) throw new Error('Failed to load /etc/config/firewall');
  const sections = sectionsOf('/etc/config/firewall');
  const all = (type: string): Section[] => sections.filter((section) => section.type === type);
  const [first] = all('defaults');
  const read = first ?? new Section({ type: 'defaults', index: 0, line: 0, name: null, settings: [] } as unknown as UciSection);
  const policy = (name: string): Policy => policyOf(read.target(name), 'DROP');
  const defaults = {
    input: policy('input'),
    output: policy('output'),
    forward: policy('forward'),
    synFlood: read.flag('synflood_protect', read.flag('syn_flood', false)),
    dropInvalid: read.flag('drop_invalid', false),
    customChains: read.flag('custom_chains', true),
    autoHelper: read.flag('auto_helper', true),
    disableIpv6: read.flag('disable_ipv6', false),
  };
  // This iptables has no target FLOWOFFLOAD: fw3 says so and leaves the rule out (check_target, defaults.c).
  for (const option of ['flow_offloading', 'flow_offloading_hw'])
    if (read.flag(option, false)) read.warn(`requires unavailable target extension FLOWOFFLOAD, disabling (${option})`);
  read.complete();

  const helpers = [...sectionsOf('/usr/share/fw3/helpers.conf'), ...sections].filter(({ type }) => type === 'helper').flatMap(readHelper);
  const networks = readNetworks();
  const zones = all('zone').flatMap((section): Zone[] => {
    const name = section.one('name');
    const enabled = section.flag('enabled', true);
    const mine = section.many('network').flatMap((each) => networks.get(each) ?? []);
    const listed = section.many('helper');
    const found = listed.flatMap((each) => {
      const helper = helpers.find((one) => one.name.toLowerCase() === each.toLowerCase());
      if (each.startsWith('!')) section.warn('must not use a negated helper match');
      else if (helper === undefined) section.warn(`refers to not existing helper '${each}'`);
      return helper === undefined ? [] : [helper];
    });
    const zone: Zone = {
      name: name ?? '',
      family: section.family(),
      // Those that are named come first, then those of its networks.
      devices: [...new Set([...section.many('device'), ...mine.map(({ device }) => device)])],
      subnets: mine.flatMap(({ subnets }) => subnets),
      input: policyOf(section.target('input'), defaults.input),
      output: policyOf(section.target('output'), defaults.output),
      forward: policyOf(section.target('forward'), defaults.forward),
      masq: section.flag('masq', false),
      mtuFix: section.flag('mtu_fix', false),
      customChains: section.flag('custom_chains', true) && defaults.customChains,
      autoHelper: section.flag('auto_helper', true) && defaults.autoHelper,
      helpers: found,
      listsHelpers: listed.length > 0,
      needs: { 4: new Set(), 6: new Set() },
    };
    section.complete();
    if (!enabled) return [];
    if (name === undefined) section.warn('has no name - ignoring');
    if (name === undefined) return [];
    for (const family of FAMILIES) {
      const needs = zone.needs[family];
      for (const one of [`src_${zone.input}`, zone.forward, zone.output]) needs.add(one);
      if (zone.listsHelpers ? found.some((helper) => (helper.family ?? family) === family) : zone.autoHelper && !zone.masq)
        needs.add('HELPER');
    }
    if (zone.masq || zone.customChains) zone.needs[4].add('SNAT');
    if (zone.customChains) zone.needs[4].add('DNAT');
    return [zone];
  });
  for (const section of all('nat')) throw new Error(`the lab's fw3 does not render section ${section.title}`);
  const includes = all('include').flatMap((section): Include[] => {
    const path = section.one('path');
    const include = {
      path: path ?? '',
      restore: section.one('type') === 'restore',
      family: section.family(),
      reload: section.flag('reload', false),
    };
    const enabled = section.flag('enabled', true);
    if (enabled && path === undefined) section.warn('must specify a path');
    return enabled && path !== undefined ? [include] : [];
  });
  return { defaults, helpers, sets: all('ipset').flatMap(readSet), zones, includes, of: all };
}
