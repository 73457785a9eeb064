/**
 * What fw3 puts into the tables of iptables (3a65fde: defaults.c, zones.c, rules.c, redirects.c, forwards.c, helpers.c), each rule
 * as the words behind `-A CHAIN`, in the order in which fw3 gives them to libxtables.
 */
import type { Config, Family, Zone } from './config.ts';
import { readRedirects } from './redirects.ts';
import { readRules } from './rules.ts';
import { comment, inFamily, jumpOf, ours, port, words, zoneNamed } from './words.ts';

export const TABLES = ['filter', 'nat', 'mangle', 'raw'] as const;
export type TableName = (typeof TABLES)[number];

export type Rule = {
  readonly chain: string;
  readonly words: string;
  /** The same rule that stands there already goes (`fw3_ipt_rule_replace`). */
  readonly replace: boolean;
};

export type Table = { readonly policies: Record<string, string>; readonly chains: string[]; readonly rules: Rule[] };

/** Chains by zone and by the whole firewall, and whether they are their owner's: what a reload or a stop looks for. */
export type ChainSpec = { readonly table: TableName; readonly name: string; readonly need: string | null; readonly custom: boolean };

const custom = (table: TableName, name: string): ChainSpec => ({ table, name, need: null, custom: true });

export const defaultChains: readonly ChainSpec[] = [
  { table: 'filter', name: 'reject', need: null, custom: false },
  ...['input_rule', 'output_rule', 'forwarding_rule'].map((name) => custom('filter', name)),
  { table: 'filter', name: 'syn_flood', need: 'SYN_FLOOD', custom: false },
  ...['prerouting_rule', 'postrouting_rule'].map((name) => custom('nat', name)),
];

export const zoneChains = (zone: string): ChainSpec[] => [
  ...['input', 'output', 'forward'].map((end) => ({ table: 'filter' as const, name: `zone_${zone}_${end}`, need: null, custom: false })),
  ...['ACCEPT', 'REJECT', 'DROP'].flatMap((policy) => [
    { table: 'filter' as const, name: `zone_${zone}_src_${policy}`, need: `src_${policy}`, custom: false },
    { table: 'filter' as const, name: `zone_${zone}_dest_${policy}`, need: policy, custom: false },
  ]),
  { table: 'nat', name: `zone_${zone}_postrouting`, need: 'SNAT', custom: false },
  { table: 'nat', name: `zone_${zone}_prerouting`, need: 'DNAT', custom: false },
  { table: 'raw', name: `zone_${zone}_helper`, need: 'HELPER', custom: false },
  { table: 'raw', name: `zone_${zone}_notrack`, need: 'NOTRACK', custom: false },
  ...['input', 'output', 'forwarding'].map((end) => custom('filter', `${end}_${zone}_rule`)),
  ...['prerouting', 'postrouting'].map((end) => custom('nat', `${end}_${zone}_rule`)),
];

/** @param isThere whether a set of that name is in the kernel @throws Error for what the lab does not render */
export function render(config: Config, family: Family, isThere: (set: string) => boolean): Record<TableName, Table> {
  const tables = Object.fromEntries(TABLES.map((name) => [name, { policies: {}, chains: [], rules: [] }])) as unknown as Record<
    TableName,
    Table
  >;
  const { defaults, zones, helpers } = config;
  const put = (table: TableName, chain: string, text: string, replace = false): void => {
    const tagged = text.includes('-m comment ')
      ? text
      : text.replace(/ ?(-j .*)$/, (target) => ` ${comment('!fw3')} ${target.trim()}`).trim();
    tables[table].rules.push({ chain, words: tagged, replace });
  };

  // What sections ask of zones is known before any chain is made.
  const reading = { config, family, isThere, put };
  const rules = readRules(reading);
  const redirects = readRedirects(reading);
  const forwards = config.of('forwarding').flatMap((section) => {
    const [src, dest] = [section.one('src'), section.one('dest')];
    const enabled = section.flag('enabled', true);
    const own = section.family();
    section.complete();
    const [from, to] = [zoneNamed(config, src), zoneNamed(config, dest)];
    if (!enabled || (src !== '*' && from === undefined) || (dest !== '*' && to === undefined)) return [];
    for (const each of [4, 6] as const) to?.needs[each].add('ACCEPT');
    return [{ src, dest, from, to, family: own }];
  });

  for (const name of ['INPUT', 'OUTPUT', 'FORWARD'] as const) {
    const policy = defaults[name.toLowerCase() as 'input' | 'output' | 'forward'];
    tables.filter.policies[name] = policy === 'REJECT' ? 'DROP' : policy;
  }
  const make = (specs: readonly ChainSpec[], needs: (need: string) => boolean, customChains: boolean): void => {
    for (const { table, name, need, custom: own } of specs)
      if ((table !== 'nat' || family === 4) && (own ? customChains : need === null || needs(need))) tables[table].chains.push(name);
  };
  make(defaultChains, () => defaults.synFlood, defaults.customChains);
  for (const zone of zones.filter((one) => inFamily(family, one))) {
    make(zoneChains(zone.name), (need) => zone.needs[family].has(need), zone.customChains);
    if (!zone.customChains) continue;
    for (const [end, name] of [
      ['input', 'input'],
      ['output', 'output'],
      ['forward', 'forwarding'],
    ])
      put('filter', `zone_${zone.name}_${end}`, `${ours(`Custom ${zone.name} ${name} rule chain`)} -j ${name}_${zone.name}_rule`);
    if (family === 4)
      for (const name of ['prerouting', 'postrouting'])
        put('nat', `zone_${zone.name}_${name}`, `${ours(`Custom ${zone.name} ${name} rule chain`)} -j ${name}_${zone.name}_rule`);
  }
  head();
  for (const write of rules) write();
  if (family === 4) for (const write of redirects) write();
  for (const { src, dest, from, to, family: own } of forwards)
    if ((own === undefined || own === family) && inFamily(family, from) && inFamily(family, to))
      put(
        'filter',
        from === undefined ? 'FORWARD' : `zone_${src}_forward`,
        words(
          ours(`Zone ${from?.name ?? '*'} to ${to?.name ?? '*'} forwarding policy`),
          to === undefined ? '-j ACCEPT' : `-j zone_${dest}_dest_ACCEPT`,
        ),
      );
  for (const zone of zones.filter((one) => inFamily(family, one))) ofZone(zone);
  for (const [chain, policy] of [
    ['INPUT', defaults.input],
    ['OUTPUT', defaults.output],
    ['FORWARD', defaults.forward],
  ] as const)
    if (policy === 'REJECT') put('filter', chain, '-j reject');
  return tables;

  function head(): void {
    const builtIn = [
      ['INPUT', 'input'],
      ['OUTPUT', 'output'],
      ['FORWARD', 'forwarding'],
    ] as const;
    put('filter', 'INPUT', '-i lo -j ACCEPT');
    put('filter', 'OUTPUT', '-o lo -j ACCEPT');
    if (defaults.customChains) {
      for (const [chain, name] of builtIn) put('filter', chain, `${ours(`Custom ${name} rule chain`)} -j ${name}_rule`);
      if (family === 4)
        for (const name of ['prerouting', 'postrouting'])
          put('nat', name.toUpperCase(), `${ours(`Custom ${name} rule chain`)} -j ${name}_rule`);
    }
    for (const [chain] of builtIn) {
      put('filter', chain, '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT');
      if (defaults.dropInvalid) put('filter', chain, '-m conntrack --ctstate INVALID -j DROP');
    }
    if (defaults.synFlood) {
      put('filter', 'syn_flood', '-m limit --limit 25/sec --limit-burst 50 -j RETURN');
      put('filter', 'syn_flood', '-j DROP');
      put('filter', 'INPUT', '-p tcp -m tcp --syn -j syn_flood');
    }
    put('filter', 'reject', '-p tcp -j REJECT --reject-with tcp-reset');
    put('filter', 'reject', '-j REJECT --reject-with port-unreach');
  }

  function ofZone(zone: Zone): void {
    const { name } = zone;
    const needs = zone.needs[family];
    if (needs.has('DNAT'))
      for (const [end, what] of [
        ['input', 'redirections'],
        ['forward', 'forwards'],
      ])
        put('filter', `zone_${name}_${end}`, `-m conntrack --ctstate DNAT ${ours(`Accept port ${what}`)} -j ACCEPT`);
    put('filter', `zone_${name}_input`, `-j zone_${name}_src_${zone.input}`);
    put('filter', `zone_${name}_forward`, `-j zone_${name}_dest_${zone.forward}`);
    put('filter', `zone_${name}_output`, `-j zone_${name}_dest_${zone.output}`);
    if (zone.masq && family === 4) put('nat', `zone_${name}_postrouting`, '-j MASQUERADE');
    const mine = zone.listsHelpers ? zone.helpers : zone.masq || !zone.autoHelper ? [] : helpers;
    for (const helper of mine.filter((one) => one.available && (one.family ?? family) === family))
      for (const protocol of helper.protocols)
        put(
          'raw',
          `zone_${name}_helper`,
          words(`-p ${protocol}`, ours(helper.description), port('--dport', protocol, helper.ports), `-j CT --helper ${helper.name}`),
          true,
        );
    for (const device of zone.devices) ofDevice(zone, device);
  }

  function ofDevice(zone: Zone, device: string): void {
    const { name } = zone;
    const needs = zone.needs[family];
    const [inward, outward] = [`-i ${device}`, `-o ${device}`];
    for (const policy of ['ACCEPT', 'REJECT', 'DROP'] as const) {
      const states = policy === 'ACCEPT' && !defaults.dropInvalid ? '-m conntrack --ctstate NEW,UNTRACKED' : '';
      if (needs.has(`src_${policy}`)) put('filter', `zone_${name}_src_${policy}`, words(inward, states, `-j ${jumpOf(policy)}`), true);
      if (!needs.has(policy)) continue;
      const chain = `zone_${name}_dest_${policy}`;
      if (policy === 'ACCEPT' && zone.masq)
        put('filter', chain, `${outward} -m conntrack --ctstate INVALID ${ours('Prevent NAT leakage')} -j DROP`, true);
      put('filter', chain, `${outward} -j ${jumpOf(policy)}`, true);
    }
    put('filter', 'INPUT', `${inward} -j zone_${name}_input`, true);
    put('filter', 'OUTPUT', `${outward} -j zone_${name}_output`, true);
    put('filter', 'FORWARD', `${inward} -j zone_${name}_forward`, true);
    if (needs.has('DNAT')) put('nat', 'PREROUTING', `${inward} -j zone_${name}_prerouting`, true);
    if (needs.has('SNAT')) put('nat', 'POSTROUTING', `${outward} -j zone_${name}_postrouting`, true);
    if (zone.mtuFix)
      for (const way of [outward, inward])
        put(
          'mangle',
          'FORWARD',
          `${way} -p tcp -m tcp --tcp-flags SYN,RST SYN ${ours(`Zone ${name} MTU fixing`)} -j TCPMSS --clamp-mss-to-pmtu`,
          true,
        );
    const [chain, from] = device === 'lo' ? ['OUTPUT', ''] : ['PREROUTING', inward];
    if (needs.has('HELPER')) put('raw', chain, words(from, ours(`${name} CT helper assignment`), `-j zone_${name}_helper`), true);
    if (needs.has('NOTRACK')) put('raw', chain, words(from, ours(`${name} CT bypass`), `-j zone_${name}_notrack`), true);
  }
}
