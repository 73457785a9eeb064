/**
 * What /etc/config/firewall lets in from the internet's zones: redirects (fw4.uc parse_redirect, fw3 redirects.c) and rules that
 * accept, in the order in which the firewall asks them: that of the file.
 */
import { listOf, optionOf, describeSection, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciSection } from '../languages/uci/parse.ts';
import type { Reading } from '../host/host.ts';
import type { FirewallUci, OpenSip } from './facts.ts';
import { boolean } from './firewall.ts';
import { takenSections } from './left-out.ts';
import { understood } from './reading.ts';
import { zonesOf } from './wan.ts';

/** A redirect or a rule for what comes from the internet. */
export interface Opening {
  /** As `uci show` names it. */
  section: string;
  line: number;
  name: string | null;
  does: 'redirect' | 'accept' | 'drop';
  /** tcp, udp; empty: every protocol. */
  protocols: string[];
  /** Ports that are dialled, first and last of each range; empty: every one. */
  ports: [first: number, last: number][];
  /** `ports` are those it is not for. */
  negated: boolean;
  family: 'ipv4' | 'ipv6' | null;
  /** Whose: networks as they stand there, a set as `set NAME`; empty: everybody's. */
  sources: string[];
  /** Only some of these sources, and not told by an address: a device's own address, or a time. */
  narrowed: boolean;
  /** The address or zone it leads to; null for the router itself. */
  to: string | null;
}

/** A list's items, or the words of an option. */
function words(section: UciSection, name: string): string[] {
  const values =
    settingsOf(section).get(name)?.kind === 'list' ? listOf(section, name) : (optionOf(section, name) ?? '').split(/\s+/);
  return values.flatMap((value) => value.trim().split(/\s+/)).filter((value) => value !== '');
}

const begins = (word: string, given: string): boolean => given !== '' && word.startsWith(given.toLowerCase());

/** null: for neither TCP nor UDP. */
function protocolsOf(section: UciSection): string[] | null {
  const given = words(section, 'proto').map((word) => word.toLowerCase());
  if (given.length === 0) return ['tcp', 'udp'];
  if (given.some((word) => ['all', 'any', '*', '0'].includes(word))) return [];
  const known = given.flatMap((word) =>
    word === 'tcpudp' ? ['tcp', 'udp'] : word === 'tcp' || word === '6' ? ['tcp'] : word === 'udp' || word === '17' ? ['udp'] : [],
  );
  return known.length === 0 ? null : known;
}

function portsOf(section: UciSection, option: string): Pick<Opening, 'ports' | 'negated'> {
  const given = words(section, option);
  const ports = given.flatMap((word): [number, number][] => {
    const [, from, to = from] = /^!?(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(word) ?? [];
    return from === undefined ? [] : [[Number(from), Number(to)]];
  });
  return { ports, negated: given.length > 0 && given.every((word) => word.startsWith('!')) };
}

const EVERYWHERE = ['0.0.0.0/0', '::/0', '0/0', '*'];

/** Who is left out by "!" is not asked for: all others are let in. */
function sourcesOf(section: UciSection): string[] {
  const set = (optionOf(section, 'ipset') ?? '').trim();
  const [name = '', direction = 'src'] = set.split(/\s+/);
  return [
    ...words(section, 'src_ip').filter((word) => !word.startsWith('!') && !EVERYWHERE.includes(word)),
    ...(set !== '' && !set.startsWith('!') && direction.split(',').some((one) => one.startsWith('src')) ? [`set ${name}`] : []),
  ];
}

/**
 * @param text /etc/config/firewall
 * @throws Refused where it is no UCI file
 */
export function openingsOf(text: string, firewall: 'fw3' | 'fw4'): Opening[] {
  const outside = new Set(zonesOf(text, firewall).flatMap((zone) => (zone.outside ? [zone.name] : [])));
  const pkg = parseUci(text);
  const taken = firewall === 'fw4' ? takenSections(pkg, []) : null;
  return pkg.sections.flatMap((section): Opening[] => {
    const { type } = section;
    if (taken?.has(describeSection(section, 'firewall')) === false) return [];
    if ((type !== 'redirect' && type !== 'rule') || boolean(firewall, optionOf(section, 'enabled'), true) !== true) return [];
    const from = (optionOf(section, 'src') ?? '').trim();
    if (!outside.has(from) && from !== '*') return [];
    const target = (optionOf(section, 'target') ?? '').trim();
    const does =
      type === 'redirect'
        ? target === '' || begins('dnat', target)
          ? 'redirect'
          : null
        : begins('accept', target)
          ? 'accept'
          : begins('drop', target) || begins('reject', target) || target === ''
            ? 'drop'
            : null;
    const protocols = protocolsOf(section);
    if (does === null || protocols === null) return [];
    const family = (optionOf(section, 'family') ?? '').toLowerCase();
    const address = (optionOf(section, 'dest_ip') ?? '').trim();
    return [
      {
        section: describeSection(section, 'firewall'),
        line: section.line,
        name: optionOf(section, 'name'),
        does,
        protocols,
        ...portsOf(section, type === 'redirect' ? 'src_dport' : 'dest_port'),
        family: family.includes('4') || (type === 'redirect' && !address.includes(':')) ? 'ipv4' : family.includes('6') ? 'ipv6' : null,
        sources: sourcesOf(section),
        narrowed: ['src_mac', 'src_port', 'mark', 'start_date', 'stop_date', 'start_time', 'stop_time', 'weekdays', 'monthdays', 'src_dip']
          .some((name) => words(section, name).length > 0),
        to: address !== '' ? address : type === 'rule' ? (optionOf(section, 'dest') ?? null) : null,
      },
    ];
  });
}

/** Whether it is for a port. */
export const isFor = ({ ports, negated }: Pick<Opening, 'ports' | 'negated'>, port: number): boolean =>
  ports.length === 0 || ports.some(([first, last]) => first <= port && port <= last) !== negated;

const SIP = [5060, 5061];

/**
 * Those by which everybody reaches SIP from the internet, each with these ports of it.
 * @param openings in the order of the file: what is dropped before is not open
 */
export function openSip(openings: readonly Opening[]): OpenSip[] {
  return openings.flatMap((opening, at) => {
    if (opening.does === 'drop' || opening.sources.length > 0 || opening.narrowed) return [];
    const closed = (port: number): boolean =>
      opening.does === 'accept'
      && openings
        .slice(0, at)
        .some(
          (earlier) =>
            earlier.does === 'drop'
            && earlier.sources.length === 0
            && !earlier.narrowed
            && isFor(earlier, port)
            && (earlier.family === null || earlier.family === opening.family)
            && (earlier.protocols.length === 0 || opening.protocols.every((one) => earlier.protocols.includes(one)))
            && (earlier.to === null) === (opening.to === null),
        );
    const sip = SIP.filter((port) => isFor(opening, port) && !closed(port));
    const { section, line, name, does, protocols, to } = opening;
    return sip.length > 0 ? [{ section, line, name, does, protocols, sip, to }] : [];
  });
}

/** Networks that alone are let in to SIP by some opening: a trunk that does not register, a second office. */
export const sipSources = (openings: readonly Opening[]): string[] => [
  ...new Set(
    openings.flatMap((one) => (one.does !== 'drop' && SIP.some((port) => isFor(one, port)) ? one.sources : [])).filter(isNetwork),
  ),
];
const isNetwork = (source: string): boolean => /^[0-9a-f.:]+(\/\d+)?$/i.test(source);

/** What is written in the file, with those of it by which everybody reaches SIP. */
export function withOpenSip(uci: Reading<FirewallUci>, firewall: 'fw3' | 'fw4'): Reading<FirewallUci> {
  return understood(uci, (value) => {
    const openings = openingsOf(value.text, firewall);
    const [open, known] = [openSip(openings), sipSources(openings)];
    return { ...value, ...(open.length > 0 ? { open } : {}), ...(known.length > 0 ? { known } : {}) };
  });
}
