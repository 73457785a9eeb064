/** Rules, forwardings and port forwards as lines of nft's language, put in the chain they belong to. */
import { existsSync, readFileSync } from 'node:fs';
import { familyOf, quoted, setOf, type Family, type Section } from './sections.ts';
import { add, cidr, deviceMatch, sameNet, type Chains, type Helper, type Policy, type Zone } from './zones.ts';

export type Known = {
  readonly zones: readonly Zone[];
  readonly helpers: readonly Helper[];
  readonly chains: Chains;
  readonly sets: readonly string[]; // names of the sets that are rendered
};

type End = { readonly any: true } | { readonly any: false; readonly zone: Zone };

// ICMP names: type for IPv4, type for IPv6, and whether a code (with that number) belongs to it.
const ICMP: Readonly<Record<string, readonly [number, number | undefined, number | undefined, number?]>> = {
  'echo-request': [8, undefined, 128],
  'echo-reply': [0, undefined, 129],
  'destination-unreachable': [3, undefined, 1],
  'time-exceeded': [11, undefined, 3],
  'packet-too-big': [-1, undefined, 2, 0],
  'bad-header': [-1, undefined, 4, 0],
  'unknown-header-type': [-1, undefined, 4, 1],
  'router-solicitation': [10, undefined, 133],
  'router-advertisement': [9, undefined, 134],
  'neighbour-solicitation': [-1, undefined, 135, 0],
  'neighbour-advertisement': [-1, undefined, 136, 0],
};

function endOf(section: Section, option: string, zones: readonly Zone[]): End | undefined | 'wrong' {
  const name = section.one(option);
  if (name === undefined) return undefined;
  if (name === '*') return { any: true };
  const zone = zones.find((each) => each.name === name);
  if (zone) return { any: false, zone };
  section.warn(`option '${option}' specifies invalid value '${name}'`);
  return 'wrong';
}

function protocols(section: Section): string[] {
  const given = section.many('proto');
  return (given.length === 0 ? ['tcpudp'] : given)
    .map((each) => each.toLowerCase())
    .flatMap((each) => (each === 'tcpudp' ? ['tcp', 'udp'] : ['all', 'any', '*'].includes(each) ? [''] : [each]));
}

const addressFamily = (address: string): Family => (address.includes(':') ? 6 : 4);

/** `icmpv6 type { ... }` and `icmpv6 type . icmpv6 code { ... }`: one rule for each that is needed. */
function icmpMatches(names: readonly string[], family: 4 | 6): string[] {
  const word = family === 4 ? 'icmp' : 'icmpv6';
  const types: string[] = [];
  const codes: string[] = [];
  for (const name of names) {
    const given = /^(\d+)(?:\/(\d+))?$/.exec(name);
    const known = ICMP[name];
    const type = given ? Number(given[1]) : known?.[family === 4 ? 0 : 2];
    const code = given ? given[2] : known?.[family === 4 ? 1 : 3];
    if (type === undefined || type < 0) continue;
    if (code === undefined) types.push(String(type));
    else codes.push(`${type} . ${code}`);
  }
  return [
    ...(types.length > 0 ? [`${word} type ${setOf(types)} `] : []),
    ...(codes.length > 0 ? [`${word} type . ${word} code ${setOf(codes, true)} `] : []),
  ];
}

/** A `config ipset` of networks: its name and its declaration. What is in the kernel's set already stays, as with the real one. */
export function readIpset(section: Section): { name: string; text: string } | undefined {
  const [name, file] = [section.one('name'), section.one('loadfile')];
  if (name === undefined || section.many('match').join() !== 'src_net' || section.flag('enabled', true) !== true) {
    section.warn("is not an enabled set of networks, which is all the lab's firewall renders, ignoring section");
    return undefined;
  }
  if (file !== undefined && !existsSync(file)) section.warn(`has no file '${file}' to load`);
  const lines = file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const networks = [...lines, ...section.many('entry')].map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const elements = networks.length > 0 ? [`elements = ${setOf(networks, true)}`] : [];
  const type = familyOf(section.one('family')) === 6 ? 'ipv6_addr' : 'ipv4_addr';
  return {
    name,
    text: [
      '\tset ' + name + ' {',
      ...[`type ${type}`, 'auto-merge', 'flags interval', ...elements].map((line) => `\t\t${line}`),
      '\t}\n',
    ].join('\n'),
  };
}

/** `option ipset 'NAME src'` as a match; undefined where there is no such set, and then there is no rule either. */
function setMatch(section: Section, ip: string, sets: readonly string[]): string | undefined {
  const [name, side = 'src'] = section.many('ipset');
  if (name === undefined) return '';
  if (sets.includes(name)) return `${ip} ${side.startsWith('dest') ? 'daddr' : 'saddr'} @${name} `;
  section.warn(`references unknown set '${name}'`);
  return undefined;
}

/** A `config rule`. */
export function readRule(section: Section, known: Known): void {
  const src = endOf(section, 'src', known.zones);
  const dest = endOf(section, 'dest', known.zones);
  const name = section.one('name') ?? section.title;
  const target = (section.one('target') ?? '').toLowerCase();
  const setHelper = known.helpers.find((helper) => helper.name === section.one('set_helper'));
  const badHelper = section.one('set_helper') !== undefined && setHelper === undefined;
  if (badHelper) section.warn(`option 'set_helper' specifies invalid value '${section.one('set_helper')}'`);
  const enabled = section.flag('enabled', true);
  if (src === 'wrong' || dest === 'wrong' || badHelper || enabled === undefined) {
    section.warn('skipped due to invalid options');
    return;
  }
  if (!enabled) {
    section.warn('is disabled, ignoring section');
    return;
  }
  if ((target === 'helper' || target === 'notrack') && (!src || src.any)) {
    section.warn(`must specify a source zone for target '${target}'`);
    return;
  }
  if (target === 'helper' && !setHelper) {
    section.warn("must specify option 'set_helper' for target 'helper'");
    return;
  }
  if (!['accept', 'reject', 'drop', 'helper', 'notrack'].includes(target)) {
    section.warn(`has target '${target}', which the lab's firewall does not render, ignoring section`);
    return;
  }

  let verdict: string = target;
  let chain: string;
  if (target === 'helper') {
    const { zone } = src as { zone: Zone };
    // Rendered whether or not the helper is available: without its object nft refuses the whole ruleset.
    verdict = `ct helper set ${quoted(setHelper!.name)}`;
    chain = `helper_${zone.name}`;
    zone.needs.add('helper');
  } else if (target === 'notrack') {
    const { zone } = src as { zone: Zone };
    chain = `notrack_${zone.name}`;
    zone.needs.add('notrack');
  } else {
    chain =
      src === undefined
        ? dest && !dest.any
          ? `output_${dest.zone.name}`
          : 'output'
        : `${dest ? 'forward' : 'input'}${src.any ? '' : `_${src.zone.name}`}`;
    if (dest && !dest.any) {
      verdict = `jump ${target}_to_${dest.zone.name}`;
      dest.zone.to.add(target as Policy);
    } else if (target === 'reject') {
      verdict = 'jump handle_reject';
    }
  }
  for (const proto of protocols(section)) {
    const ports = proto === 'tcp' || proto === 'udp';
    const addresses = [...section.many('src_ip'), ...section.many('dest_ip')];
    const icmp = proto.startsWith('icmp') ? section.many('icmp_type') : [];
    const asked = familyOf(section.one('family')) || setHelper?.family || (addresses[0] ? addressFamily(addresses[0]) : 0);
    const families: Family[] = asked === 0 && icmp.length > 0 ? [4, 6] : [asked];
    for (const family of families) {
      const ip = family === 6 ? 'ip6' : 'ip';
      const set = setMatch(section, ip, known.sets);
      if (set === undefined) continue;
      const match = [
        family !== 0 && addresses.length === 0 ? `meta nfproto ipv${family} ` : '',
        proto !== '' && icmp.length === 0 && !(ports && (section.one('src_port') ?? section.one('dest_port')))
          ? `meta l4proto ${proto === 'icmp' && family === 6 ? 'ipv6-icmp' : proto} `
          : '',
        section.many('src_ip').length > 0 ? `${ip} saddr ${setOf(section.many('src_ip'))} ` : '',
        section.many('dest_ip').length > 0 ? `${ip} daddr ${setOf(section.many('dest_ip'))} ` : '',
        ports && section.one('src_port') ? `${proto} sport ${setOf(section.many('src_port'))} ` : '',
        ports && section.one('dest_port') ? `${proto} dport ${setOf(section.many('dest_port'))} ` : '',
        set,
      ].join('');
      const limit = /^(\d+)\/(s|sec|second|m|min|minute|h|hour|d|day)/.exec(section.one('limit') ?? '');
      const unit = { s: 'second', m: 'minute', h: 'hour', d: 'day' }[limit?.[2]?.[0] ?? 's'];
      const rest = [
        limit ? `limit rate ${limit[1]}/${unit} ` : '',
        section.flag('counter', true) ? 'counter ' : '',
        `${verdict} comment ${quoted(`!fw4: ${name}`)}`,
      ].join('');
      const matches = icmp.length > 0 ? icmpMatches(icmp, family === 6 ? 6 : 4) : [''];
      for (const each of matches) add(known.chains, chain, match + each + rest);
    }
  }
}

/** A `config forwarding`. */
export function readForwarding(section: Section, { zones, chains }: Known): void {
  const src = endOf(section, 'src', zones);
  const dest = endOf(section, 'dest', zones);
  if (src === undefined || dest === undefined || src === 'wrong' || dest === 'wrong') {
    section.warn('skipped due to invalid options');
    return;
  }
  if (section.flag('enabled', true) !== true) {
    section.warn('is disabled, ignoring section');
    return;
  }
  const family = familyOf(section.one('family'));
  const [one, other] = [src, dest].map((end) => (end.any ? 'any' : end.zone.name));
  const name = section.one('name') ?? `Accept ${one} to ${other} forwarding`;
  add(
    chains,
    src.any ? 'forward' : `forward_${src.zone.name}`,
    [
      family === 0 ? '' : `meta nfproto ipv${family} `,
      dest.any ? 'accept' : `jump accept_to_${dest.zone.name}`,
      ` comment ${quoted(`!fw4: ${name}`)}`,
    ].join(''),
  );
  if (!dest.any) dest.zone.to.add('accept');
}

/** A `config redirect` to an IPv4 host inside (DNAT), with the rules that let the inside use the outside address. */
export function readRedirect(section: Section, { zones, chains, sets }: Known): void {
  const src = endOf(section, 'src', zones);
  const dest = endOf(section, 'dest', zones);
  const [inside, target] = [section.one('dest_ip'), (section.one('target') ?? 'dnat').toLowerCase()];
  if (section.flag('enabled', true) !== true) {
    section.warn('is disabled, ignoring section');
    return;
  }
  if (
    target !== 'dnat'
    || !src
    || src === 'wrong'
    || src.any
    || dest === 'wrong'
    || dest?.any === true
    || inside === undefined
    || inside.includes(':')
  ) {
    section.warn("is not a redirect of a zone to an IPv4 address, which is all the lab's firewall renders, ignoring section");
    return;
  }
  const to = dest?.zone ?? zones.find((zone) => zone.subnets.some((subnet) => sameNet(inside, subnet)));
  const name = section.one('name') ?? section.title;
  const outerPort = section.one('src_dport');
  const innerPort = section.one('dest_port') ?? outerPort;
  const set = setMatch(section, 'ip', sets);
  if (set === undefined) return;
  src.zone.needs.add('dnat');
  for (const proto of protocols(section)) {
    const ports = outerPort !== undefined && (proto === 'tcp' || proto === 'udp');
    const l4 = proto === '' || ports ? '' : `meta l4proto ${proto} `;
    const where = `${inside}${ports ? `:${innerPort}` : ''}`;
    const counter = section.flag('counter', true) ? 'counter ' : '';
    add(
      chains,
      `dstnat_${src.zone.name}`,
      `meta nfproto ipv4 ${l4}${ports ? `${proto} dport ${outerPort} ` : ''}${set}`
        + `${counter}dnat ${where} comment ${quoted(`!fw4: ${name}`)}`,
    );
    const own = to?.subnets.find((subnet) => sameNet(inside, subnet));
    if (section.flag('reflection', true) !== true || !to || !own) continue;
    if (!src.zone.masq || src.zone.subnets.length === 0) continue;
    for (const need of ['dnat', 'snat'] as const) to.needs.add(need);
    to.to.add('accept');
    const around = to.subnets.map(cidr);
    const said = quoted(`!fw4: ${name} (reflection)`);
    const outside = src.zone.subnets.map(({ address }) => address);
    add(
      chains,
      `dstnat_${to.name}`,
      `ip saddr ${setOf(around)} ip daddr ${setOf(outside)} `
        + `${l4}${ports ? `${proto} dport ${outerPort} ` : ''}dnat ${where} comment ${said}`,
    );
    add(
      chains,
      `srcnat_${to.name}`,
      `ip saddr ${setOf(around)} ip daddr ${inside} `
        + `${l4}${ports ? `${proto} dport ${innerPort} ` : ''}snat ${own.address} comment ${said}`,
    );
  }
}

/** Whether traffic of a zone is masqueraded, as a line. */
export const masquerade = (zone: Zone, family: 4 | 6): string =>
  `meta nfproto ipv${family} masquerade comment "!fw4: Masquerade IPv${family} ${zone.name} traffic"`;

/** A jump into one of the zone's chains. */
export function zoneJump(zone: Zone, direction: string): string {
  const which = direction === 'output' || direction === 'srcnat' ? 'oifname' : 'iifname';
  const what = direction === 'helper' ? 'assignment' : 'traffic';
  return (
    `${deviceMatch(which, zone.devices)}jump ${direction}_${zone.name} `
    + `comment "!fw4: Handle ${zone.name} IPv4/IPv6 ${direction} ${what}"`
  );
}
