/** The whole ruleset of the firewall as text for `nft -f`. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { masquerade, readForwarding, readIpset, readRedirect, readRule, zoneJump } from './rules.ts';
import { sectionsIn, quoted, setOf, warn, type Section } from './sections.ts';
import { cidr, deviceMatch, policyOf, readHelpers, readNetworks, readZone, type Chains, type Policy, type Zone } from './zones.ts';

export type Include = { readonly position: string; readonly chain: string | undefined; readonly path: string };

export type Rendered = {
  readonly text: string;
  readonly zones: readonly Zone[];
  readonly scripts: readonly string[]; // script includes, run after the rules are loaded
};

const POSITIONS = ['ruleset-prepend', 'ruleset-append', 'table-prepend', 'table-append', 'chain-prepend', 'chain-append'];

/** `table-pre` and `chain-postpend` are accepted as well. */
function positionOf(text: string): string | undefined {
  const said = text.replace('post', 'append').replace('appendpend', 'append');
  return POSITIONS.find((position) => position.startsWith(said));
}

function readIncludes(sections: readonly Section[], automatic: boolean): { includes: Include[]; scripts: string[] } {
  const includes: Include[] = [];
  const scripts: string[] = [];
  for (const section of sections.filter(({ type }) => type === 'include')) {
    const path = section.one('path');
    if (section.flag('enabled', true) !== true) section.warn('is disabled, ignoring section');
    else if (path === undefined) section.warn("option 'path' is mandatory but not set");
    else if (!existsSync(path)) section.warn(`specifies unreachable path '${path}', ignoring section`);
    else if ((section.one('type') ?? 'script') === 'script') {
      if (section.flag('fw4_compatible', path !== '/etc/firewall.user')) scripts.push(path);
      else section.warn('is not marked as compatible with fw4, ignoring section');
    } else {
      const position = positionOf(section.one('position') ?? 'table-append');
      const chain = section.one('chain');
      if (position === undefined) section.warn(`option 'position' specifies invalid value '${section.one('position')}'`);
      else if (position.startsWith('chain') && chain === undefined) {
        section.warn(`must specify 'chain' for position ${position}, ignoring section`);
      } else includes.push({ position, chain: position.startsWith('chain') ? chain : undefined, path });
    }
  }
  const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
  const shorts = ['ruleset-pre', 'ruleset-post', 'table-pre', 'table-post', 'chain-pre', 'chain-post'];
  for (const short of automatic ? shorts : []) {
    const folder = `/usr/share/nftables.d/${short}`;
    const chains = short.startsWith('chain') ? names(folder).filter((name) => statSync(`${folder}/${name}`).isDirectory()) : [undefined];
    for (const chain of chains) {
      const inside = chain === undefined ? folder : `${folder}/${chain}`;
      for (const name of names(inside).filter((each) => each.endsWith('.nft'))) {
        warn(`Automatically including '${inside}/${name}'`);
        includes.push({ position: positionOf(short)!, chain, path: `${inside}/${name}` });
      }
    }
  }
  return { includes, scripts };
}

/** Reads the configuration and renders it. @throws Refused where /etc/config/firewall is not UCI */
export function render(): Rendered {
  const sections = sectionsIn('/etc/config/firewall');
  const of = (type: string): Section[] => sections.filter((section) => section.type === type);
  const defaults = of('defaults')[0] ?? emptyDefaults();
  const helpers = readHelpers();
  const networks = readNetworks();
  const chains: Chains = new Map();
  const autoHelper = defaults.flag('auto_helper', true) === true;
  const zones = of('zone').flatMap((section) => readZone(section, defaults, autoHelper, helpers, networks, chains) ?? []);
  const sets = of('ipset').flatMap((section) => readIpset(section) ?? []);
  const known = { zones, helpers, chains, sets: sets.map(({ name }) => name) };
  for (const section of of('rule')) readRule(section, known);
  for (const section of of('forwarding')) readForwarding(section, known);
  for (const section of of('redirect')) readRedirect(section, known);
  for (const section of of('nat')) section.warn("is of type nat, which the lab's firewall does not render, ignoring section");
  const { includes, scripts } = readIncludes(sections, defaults.flag('auto_includes', true) === true);
  const included = (position: string, chain?: string): string[] =>
    includes.filter((include) => include.position === position && include.chain === chain).map(({ path }) => `include ${quoted(path)}`);

  const chain = (name: string, head: string | undefined, body: readonly string[], before: readonly string[] = []): string =>
    [
      `\tchain ${name} {`,
      ...[
        ...(head === undefined ? [] : [head]),
        ...before,
        ...included('chain-prepend', name),
        ...body,
        ...included('chain-append', name),
      ].map((line) => `\t\t${line}`),
      '\t}\n',
    ].join('\n');
  const hook = (type: string, where: string, priority: string, policy: Policy = 'accept'): string =>
    `type ${type} hook ${where} priority ${priority}; policy ${policy === 'reject' ? 'drop' : policy};`;
  const rules = (name: string): string[] => chains.get(name) ?? [];
  const jumps = (direction: string, wanted: (zone: Zone) => boolean): string[] =>
    zones.filter((zone) => zone.devices.length > 0 && wanted(zone)).map((zone) => zoneJump(zone, direction));

  const synflood = defaults.flag('synflood_protect', defaults.flag('syn_flood', false) === true) === true;
  const policies = (['input', 'output', 'forward'] as const).map((name) => policyOf(defaults, name, 'drop') ?? 'drop');
  const [input, output, forward] = policies as [Policy, Policy, Policy];
  const rejects = (policy: Policy): string[] => (policy === 'reject' ? ['jump handle_reject'] : []);
  const invalid = defaults.flag('drop_invalid', false) === true ? ', invalid : drop' : '';
  const states = (what: string): string =>
    `ct state vmap { established : accept, related : accept${invalid} } comment "!fw4: Handle ${what} flows"`;
  const helps = (zone: Zone): boolean => zone.needs.has('helper');
  const loopback = (zone: Zone): boolean => zone.devices.includes('lo');
  const mss = (zone: Zone, egress: boolean): string =>
    `${deviceMatch(egress ? 'oifname' : 'iifname', zone.devices)}`
    + 'tcp flags syn / syn,fin,rst tcp option maxseg size set rt mtu '
    + `comment "!fw4: Zone ${zone.name} IPv4/IPv6 ${egress ? 'egress' : 'ingress'} MTU fixing"`;
  const fixed = zones.filter((zone) => zone.mtuFix);

  const offloading = defaults.flag('flow_offloading', false) === true ? flowDevices(zones) : [];

  const text = [
    'table inet fw4',
    'flush table inet fw4',
    ...(hasFlowtable() ? ['delete flowtable inet fw4 ft'] : []),
    ...included('ruleset-prepend'),
    '',
    'table inet fw4 {',
    ...(offloading.length === 0
      ? []
      : [
          '\tflowtable ft {',
          '\t\thook ingress priority 0;',
          `\t\tdevices = ${setOf(offloading.map(quoted), true)};`,
          '\t\tcounter;',
          '\t}\n',
        ]),
    ...helpers
      .filter((helper) => helper.available)
      .map(({ name, proto }) => `\tct helper ${name} {\n\t\ttype ${quoted(name)} protocol ${proto};\n\t}\n`),
    ...sets.map(({ text }) => text),
    ...zones.flatMap((zone) => [
      `\tdefine ${zone.name}_devices = ${setOf(zone.devices.map(quoted), true)}`,
      `\tdefine ${zone.name}_subnets = ${setOf(zone.subnets.map(cidr), true)}\n`,
    ]),
    '\tinclude "/etc/nftables.d/*.nft"',
    ...included('table-prepend').map((line) => `\t${line}`),
    '',
    chain(
      'input',
      hook('filter', 'input', 'filter', input),
      [
        states('inbound'),
        ...(synflood ? ['tcp flags & (fin | syn | rst | ack) == syn jump syn_flood comment "!fw4: Rate limit TCP syn packets"'] : []),
        ...rules('input'),
        ...jumps('input', () => true),
        ...rejects(input),
      ],
      ['iif "lo" accept comment "!fw4: Accept traffic from loopback"'],
    ),
    chain(
      'forward',
      hook('filter', 'forward', 'filter', forward),
      [states('forwarded'), ...rules('forward'), ...jumps('forward', () => true), ...rejects(forward)],
      // Before all that is included.
      offloading.length === 0 ? [] : ['meta l4proto { tcp, udp } flow offload @ft;'],
    ),
    chain(
      'output',
      hook('filter', 'output', 'filter', output),
      [
        states('outbound'),
        ...rules('output'),
        ...zones
          .filter((zone) => zone.devices.length > 0)
          .flatMap((zone) => [
            ...(helps(zone) && loopback(zone) ? [zoneJump({ ...zone, devices: ['lo'] }, 'helper')] : []),
            zoneJump(zone, 'output'),
          ]),
        ...rejects(output),
      ],
      ['oif "lo" accept comment "!fw4: Accept traffic towards loopback"'],
    ),
    chain(
      'prerouting',
      hook('filter', 'prerouting', 'filter'),
      zones
        .filter((zone) => helps(zone) && zone.devices.some((device) => device !== 'lo'))
        .map((zone) => zoneJump({ ...zone, devices: zone.devices.filter((device) => device !== 'lo') }, 'helper')),
    ),
    chain('handle_reject', undefined, [
      'meta l4proto tcp reject with tcp reset comment "!fw4: Reject TCP traffic"',
      'reject with icmpx type port-unreachable comment "!fw4: Reject any other traffic"',
    ]),
    ...(synflood
      ? [
          chain('syn_flood', undefined, [
            'limit rate 25/second burst 50 packets return comment "!fw4: Accept SYN packets below rate-limit"',
            'drop comment "!fw4: Drop excess packets"',
          ]),
        ]
      : []),
    ...zones.flatMap((zone) => zoneChains(zone)),
    chain(
      'dstnat',
      hook('nat', 'prerouting', 'dstnat'),
      jumps('dstnat', (zone) => zone.needs.has('dnat')),
    ),
    chain(
      'srcnat',
      hook('nat', 'postrouting', 'srcnat'),
      jumps('srcnat', (zone) => zone.needs.has('snat')),
    ),
    ...zones.flatMap((zone) => [
      ...(zone.needs.has('dnat') ? [chain(`dstnat_${zone.name}`, undefined, rules(`dstnat_${zone.name}`))] : []),
      ...(zone.needs.has('snat')
        ? [
            chain(`srcnat_${zone.name}`, undefined, [
              ...rules(`srcnat_${zone.name}`),
              ...(zone.masq ? [masquerade(zone, 4)] : []),
              ...(zone.masq6 ? [masquerade(zone, 6)] : []),
            ]),
          ]
        : []),
    ]),
    chain(
      'raw_prerouting',
      hook('filter', 'prerouting', 'raw'),
      jumps('notrack', (zone) => zone.needs.has('notrack')),
    ),
    chain('raw_output', hook('filter', 'output', 'raw'), []),
    ...zones
      .filter((zone) => zone.needs.has('notrack'))
      .map((zone) => chain(`notrack_${zone.name}`, undefined, rules(`notrack_${zone.name}`))),
    chain('mangle_prerouting', hook('filter', 'prerouting', 'mangle'), []),
    chain(
      'mangle_postrouting',
      hook('filter', 'postrouting', 'mangle'),
      fixed.map((zone) => mss(zone, true)),
    ),
    chain('mangle_input', hook('filter', 'input', 'mangle'), []),
    chain('mangle_output', hook('route', 'output', 'mangle'), []),
    chain(
      'mangle_forward',
      hook('filter', 'forward', 'mangle'),
      fixed.map((zone) => mss(zone, false)),
    ),
    ...included('table-append').map((line) => `\t${line}`),
    '}',
    ...included('ruleset-append'),
    '',
  ].join('\n');
  return { text, zones, scripts };

  function zoneChains(zone: Zone): string[] {
    const dnat = (what: string): string[] => (zone.needs.has('dnat') ? [`ct status dnat accept comment "!fw4: Accept port ${what}"`] : []);
    const { name } = zone;
    return [
      chain(`input_${name}`, undefined, [...rules(`input_${name}`), ...dnat('redirections'), `jump ${zone.input}_from_${name}`]),
      chain(`output_${name}`, undefined, [...rules(`output_${name}`), `jump ${zone.output}_to_${name}`]),
      chain(`forward_${name}`, undefined, [...rules(`forward_${name}`), ...dnat('forwards'), `jump ${zone.forward}_to_${name}`]),
      ...(helps(zone) ? [chain(`helper_${name}`, undefined, rules(`helper_${name}`))] : []),
      ...(['accept', 'reject', 'drop'] as const).flatMap((verdict) => [
        ...(zone.from.has(verdict) ? [chain(`${verdict}_from_${name}`, undefined, [zoneVerdict(zone, verdict, 'iifname')])] : []),
        ...(zone.to.has(verdict)
          ? [
              chain(`${verdict}_to_${name}`, undefined, [
                ...(verdict === 'accept' && invalid === '' && (zone.masq || zone.masq6) ? [leak(zone)] : []),
                zoneVerdict(zone, verdict, 'oifname'),
              ]),
            ]
          : []),
      ]),
    ];
  }
}

/** Software offload: the devices of the zones that are there; the real one takes the lower ones for hardware, which the lab has not. */
function flowDevices(zones: readonly Zone[]): string[] {
  return [...new Set(zones.flatMap(({ devices }) => devices))].filter((device) => existsSync(`/sys/class/net/${device}`)).sort();
}

// A flush leaves it, and one that stands cannot be declared with other devices.
function hasFlowtable(): boolean {
  const { stdout } = spawnSync('nft', ['list', 'flowtables', 'inet'], { encoding: 'utf8' });
  return /table inet fw4 \{\s*flowtable ft /.test(stdout);
}

function leak(zone: Zone): string {
  const family = zone.masq !== zone.masq6 ? `meta nfproto ipv${zone.masq ? 4 : 6} ` : '';
  return `${family}${deviceMatch('oifname', zone.devices)}ct state invalid counter drop comment "!fw4: Prevent NAT leakage"`;
}

function zoneVerdict(zone: Zone, verdict: Policy, which: 'iifname' | 'oifname'): string {
  return (
    `${deviceMatch(which, zone.devices)}counter ${verdict === 'reject' ? 'jump handle_reject' : verdict} `
    + `comment "!fw4: ${verdict} ${zone.name} IPv4/IPv6 traffic"`
  );
}

function emptyDefaults(): Section {
  return { type: 'defaults', title: 'defaults', one: () => undefined, many: () => [], flag: (_, otherwise) => otherwise, warn };
}
