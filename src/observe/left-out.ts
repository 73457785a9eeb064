/**
 * Which sections of /etc/config/firewall fw4 leaves out: it takes a zone, a rule or an include as a whole or not at all, and one
 * value that it does not understand is enough (firewall4 b6e5157, fw4.uc: parse_options and what follows it in parse_zone,
 * parse_rule, parse_redirect and parse_include). What no file tells (names of networks, sets of services) counts as understood.
 */
import { bitsOf } from '../languages/address/prefixes.ts';
import { describeSection, listOf, optionOf, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciPackage, UciSection } from '../languages/uci/parse.ts';
import type { FirewallUci, HelperDefinition } from './facts.ts';
import { boolean } from './firewall.ts';

/** By what a value is read; whether fw4 takes it. */
type Takes = (value: string, world: World) => boolean;

interface World {
  helpers: readonly string[];
  /** Zones that are not left out, and the one family that each is for. */
  zones: ReadonlyMap<string, number>;
}

/** parse_invert: blanks aside, and one "!". */
const bare = (value: string): string => value.replace(/^[ \t]*!/, '').trim();
/** parse_enum: any beginning of a word, in any letter case. */
const beginning =
  (...words: string[]): Takes =>
  (value) =>
    words.some((word) => word.startsWith(value.toLowerCase()));
const like =
  (pattern: RegExp): Takes =>
  (value) =>
    pattern.test(bare(value));
const from = (first: number, last: number, text: string | undefined): boolean =>
  text === undefined || (Number(text) >= first && Number(text) <= last);

function isTime(text: string): boolean {
  const [found, hours, , minutes, , seconds] = /^(\d{1,2})(:(\d{1,2})(:(\d{1,2}))?)?$/.exec(text) ?? [];
  return found !== undefined && from(0, 23, hours) && from(0, 59, minutes) && from(0, 59, seconds);
}

function isDate(text: string): boolean {
  const [found, year, , month, , day, , time] = /^(\d{4})(-(\d{1,2})(-(\d{1,2})(T([\d:]+))?)?)?$/.exec(text) ?? [];
  return found !== undefined && from(1970, 2038, year) && from(0, 12, month) && from(0, 31, day) && (time === undefined || isTime(time));
}

function isPort(text: string): boolean {
  const [found, first, last = first] = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text) ?? [];
  return found !== undefined && from(0, 65_535, last) && from(0, Number(last), first);
}

/** 4 or 6; 0 for a name, which netifd may know; null for what is neither. */
function networkFamily(value: string): 4 | 6 | 0 | null {
  const [address = '', mask, ...more] = bare(value).split('/');
  const ends = mask === undefined ? address.split('-') : [address];
  const widths = ends.map((end) => bitsOf(end)?.length);
  if (more.length > 0 || ends.length > 2 || address === '' || widths.some((width) => width !== widths[0])) return null;
  if (widths[0] === undefined) return mask === undefined && ends.length === 1 && !/[.:]/.test(address) ? 0 : null;
  if (mask !== undefined && !Number.isInteger(Number(mask)) && bitsOf(mask)?.length !== widths[0]) return null;
  return widths[0] === 8 ? 4 : 6;
}

/** 0: both. */
function familyOf(value: string): 4 | 6 | 0 | null {
  if (['any', 'all', '*'].includes(value)) return 0;
  return value === 'inet' || value.includes('4') ? 4 : value.includes('6') ? 6 : null;
}

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

const KINDS = {
  bool: (value) => boolean('fw4', value, true) !== null,
  string: () => true,
  int: (value) => !Number.isNaN(Number(value)),
  given: (value) => bare(value) !== '',
  name: (value) => /^[a-zA-Z_.][a-zA-Z0-9/_.-]*$/.test(value),
  family: (value) => familyOf(value) !== null,
  network: (value) => networkFamily(value) !== null,
  policy: beginning('accept', 'reject', 'drop'),
  target: beginning('accept', 'reject', 'drop', 'notrack', 'helper', 'mark', 'dscp', 'dnat', 'snat', 'masquerade'),
  limit: (value) => {
    const [found, , unit = 's'] = /^(\d+)(?:\/([a-z]+))?$/.exec(bare(value)) ?? [];
    return found !== undefined && ['second', 'minute', 'hour', 'day'].some((word) => word.startsWith(unit));
  },
  port: (value) => isPort(bare(value)),
  mac: like(/^[\da-f]{1,2}([:-][\da-f]{1,2}){5}$/i),
  helper: (value, { helpers }) => helpers.length === 0 || helpers.includes(bare(value)),
  zone: (value, { zones }) => value === '*' || zones.has(value),
  direction: (value) => ['in', 'ingress', 'out', 'egress'].includes(value),
  date: isDate,
  time: isTime,
  days: (value) => bare(value) !== '' && words(bare(value)).every((day) => DAYS.some((word) => word.startsWith(day.toLowerCase()))),
  mark: (value) => /^[\da-fx]+(\/[\da-fx]+)?$/i.test(bare(value)) && bare(value).split('/').every((one) => Number(one) <= 0xffff_ffff),
  dscp: (value) => /^(cs[0-7]|be|le|af[1-4][1-3]|ef)$/i.test(bare(value)) || (Number(bare(value)) >= 0 && Number(bare(value)) <= 63),
  include: beginning('script', 'nftables'),
  reflection: beginning('internal', 'external'),
  position: beginning(...['ruleset', 'table', 'chain'].flatMap((one) => [`${one}-prepend`, `${one}-postpend`, `${one}-append`])),
} satisfies Record<string, Takes>;

/** Options by their kind; `[]`: may be a list, and is split at its blanks; `!`: may not be negated. */
const OPTIONS = {
  zone:
    'bool enabled masq masq_allow_invalid masq6 mtu_fix auto_helper counter custom_chains, name name, family family, given[] network '
    + 'device, network[] subnet masq_src masq_dest, policy input output forward, string extra extra_src extra_dest, int log, '
    + 'limit log_limit, helper[] helper',
  rule:
    'bool enabled utc_time counter, string name _name extra log, family family, zone src dest, given! device, direction direction, '
    + 'given ipset, helper helper, helper! set_helper, given[] proto, network[] src_ip dest_ip, mac[] src_mac, port[] src_port dest_port, '
    + 'limit limit log_limit, int limit_burst, date start_date stop_date, time start_time stop_time, days weekdays, mark mark, '
    + 'mark! set_mark set_xmark, dscp dscp, dscp! set_dscp, target target',
  redirect:
    'bool enabled utc_time reflection counter, string name _name extra log, family family, zone src dest, zone[] reflection_zone, '
    + 'given ipset, helper! helper, given[] proto, network src_ip src_dip dest_ip, mac[] src_mac, port src_port src_dport dest_port, '
    + 'limit limit log_limit, int limit_burst, date start_date stop_date, time start_time stop_time, days weekdays, mark mark, '
    + 'reflection reflection_src, target target',
  include: 'bool enabled fw4_compatible reload, string path, include type, family family, position position, name chain',
} as const;

function takes(section: UciSection, of: keyof typeof OPTIONS, world: World): boolean {
  const settings = settingsOf(section);
  return OPTIONS[of].split(', ').every((line) => {
    const [kind = '', ...names] = line.split(' ');
    const takesOne: Takes = KINDS[kind.replace(/\W+/, '') as keyof typeof KINDS];
    return names.every((name) => {
      const setting = settings.get(name);
      if (setting === undefined) return true;
      if (!kind.endsWith('[]') && setting.kind === 'list') return false;
      const values = kind.endsWith('[]') && setting.kind === 'option' ? words(setting.values[0] ?? '') : setting.values;
      return values.every((value) => takesOne(value, world) && !(kind.endsWith('!') && /^[ \t]*!/.test(value)));
    });
  });
}

const words = (value: string): string[] => value.split(/[ \t]+/).filter((word) => word !== '');

/** The one family that networks are of; 0: of both, or of none. */
function familyOfAll(section: UciSection, name: string): number {
  const values = settingsOf(section).get(name)?.kind === 'list' ? listOf(section, name) : words(optionOf(section, name) ?? '');
  const families = new Set(values.map(networkFamily));
  return families.size === 1 ? ([...families][0] ?? 0) : 0;
}

/** infer_family: what all of them are for; null: they contradict each other. */
const agreed = (families: readonly number[]): number | null =>
  families.reduce<number | null>((so, one) => (so === null || one === 0 || one === so ? so : so === 0 ? one : null), 0);

const ownFamily = (section: UciSection): number => familyOf(optionOf(section, 'family') ?? '*') ?? 0;

/**
 * The zones, rules, redirects and includes that fw4 takes, as `uci show` names them; those that are switched off too, but for zones.
 * @param definitions empty: any helper counts as known
 */
export function takenSections({ sections }: UciPackage, definitions: readonly HelperDefinition[]): ReadonlySet<string> {
  const of = (type: string): UciSection[] => sections.filter((section) => section.type === type);
  const zones = new Map<string, number>();
  const taken = new Set<string>();
  const world: World = { helpers: definitions.map(({ name }) => name), zones };
  const name = (section: UciSection): string => describeSection(section, 'firewall');
  for (const zone of of('zone')) {
    const called = optionOf(zone, 'name');
    const family = agreed([ownFamily(zone), familyOfAll(zone, 'subnet')]);
    const enabled = boolean('fw4', optionOf(zone, 'enabled'), true) === true;
    if (called === null || family === null || !enabled || !takes(zone, 'zone', world)) continue;
    // Rules find the first zone of a name (parse_zone_ref).
    if (!zones.has(called)) zones.set(called, family);
    taken.add(name(zone));
  }
  for (const kind of ['rule', 'redirect'] as const)
    for (const rule of of(kind)) {
      const at = (option: string): number => zones.get(optionOf(rule, option) ?? '') ?? 0;
      const addresses = ['src_ip', 'src_dip', 'dest_ip'].map((option) => familyOfAll(rule, option));
      const families = [ownFamily(rule), ...addresses, at('src'), at('dest')];
      if (agreed(families) !== null && optionOf(rule, 'device') !== '*' && takes(rule, kind, world)) taken.add(name(rule));
    }
  for (const include of of('include')) if (isRead(include) && takes(include, 'include', world)) taken.add(name(include));
  return taken;
}

/** The same without what fw4 leaves out: such a zone gets no helper, such a rule is not made, such a file is not read. */
export function withoutLeftOut(uci: FirewallUci, definitions: readonly HelperDefinition[]): FirewallUci {
  const taken = takenSections(parseUci(uci.text), definitions);
  return {
    ...uci,
    zones: uci.zones.map((zone) => (taken.has(zone.section) ? zone : { ...zone, sip: 'not' })),
    setHelper: uci.setHelper.map((rule) => ({ ...rule, enabled: rule.enabled && taken.has(rule.section) })),
    includes: uci.includes.filter(({ section }) => taken.has(section)),
  };
}

/** parse_include: a script names no place in the ruleset, and counts as made for fw4; `/etc/firewall.user` has to say so. */
function isRead(include: UciSection): boolean {
  const option = (name: string): string | null => optionOf(include, name);
  const position = (option('position') ?? '').toLowerCase();
  const compatible = boolean('fw4', option('fw4_compatible'), option('path') !== '/etc/firewall.user') === true;
  if ('script'.startsWith((option('type') ?? 'script').toLowerCase())) return compatible && position === '' && option('chain') === null;
  return !position.startsWith('c') || option('chain') !== null;
}
