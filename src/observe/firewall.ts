/**
 * What /etc/config/firewall says of helpers, read as fw4 (fw4.uc) and fw3 read
 * it. The two differ, and each difference decides whether a phone's calls are
 * touched: fw4 takes `on` for true, skips a whole zone over an unknown helper
 * and sets the helper even for `!sip`; fw3 does none of that.
 */
import type { Host, Reading } from '../host/host.ts';
import { describeSection, listOf, optionOf, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciSection } from '../languages/uci/parse.ts';
import type { Facts, FirewallCheck, FirewallUci, HelperDefinition, ZoneFact } from './facts.ts';
import { TRACKER } from './modules.ts';
import { complaint, present, understood } from './reading.ts';

export type Firewall = 'fw4' | 'fw3';

export const FIREWALL_CONFIG = '/etc/config/firewall';

const DEFINITIONS = { fw4: '/usr/share/firewall4/helpers', fw3: '/usr/share/fw3/helpers.conf' };

/** A boolean as the firewall reads it; null: fw4 refuses the value, and with it the section. */
export function boolean(firewall: Firewall, value: string | null, otherwise: boolean): boolean | null {
  if (value === null || value === '') return otherwise;
  if (firewall === 'fw3') return ['true', 'yes', '1'].includes(value);
  if (['1', 'on', 'true', 'yes'].includes(value)) return true;
  return ['0', 'off', 'false', 'no'].includes(value) ? false : null;
}

/** The values of a `list helper`; an `option helper 'a b'` is split at its blanks, list items are not. */
export function helperValues(section: UciSection): string[] {
  const isList = settingsOf(section).get('helper')?.kind === 'list';
  return isList ? listOf(section, 'helper') : (optionOf(section, 'helper') ?? '').split(/\s+/).filter((value) => value !== '');
}

/** The helper a value names: blanks aside, and a "!", which neither firewall honours in a zone. */
export function helperNamed(value: string): string {
  return value.trim().replace(/^!\s*/, '');
}

/** fw4's and fw3's enumerations take any beginning of a word, in any case. */
function targetsHelper(section: UciSection): boolean {
  const target = (optionOf(section, 'target') ?? '').trim().toLowerCase();
  return target !== '' && 'helper'.startsWith(target);
}

/** @returns the zone, and whether the firewall leaves it out */
function zoneOf(
  section: UciSection,
  firewall: Firewall,
  globalAuto: boolean,
  definitions: readonly HelperDefinition[],
): { zone: ZoneFact; skipped: boolean } {
  const values = helperValues(section);
  const names = values.map(helperNamed);
  const auto = boolean(firewall, optionOf(section, 'auto_helper'), true);
  const masq = boolean(firewall, optionOf(section, 'masq'), false);
  const masq6 = firewall === 'fw4' ? boolean(firewall, optionOf(section, 'masq6'), false) : false;
  const enabled = boolean(firewall, optionOf(section, 'enabled'), true);
  const unknown = (name: string): boolean => !definitions.some((definition) => definition.name === name);
  // fw4 leaves a zone out over one value it does not take; fw3 only warns.
  const skipped = enabled !== true || (firewall === 'fw4' && (auto === null || masq === null || masq6 === null || names.some(unknown)));
  const isSip = (name: string): boolean =>
    definitions.some((definition) => definition.module === TRACKER && sameName(firewall, definition.name, name));
  const listed = values.some((value, index) => isSip(names[index] as string) && !(firewall === 'fw3' && value.startsWith('!')));
  const automatic =
    globalAuto
    && auto === true
    && values.length === 0
    && masq !== true
    && masq6 !== true
    && definitions.some(({ module }) => module === TRACKER);
  const zone: ZoneFact = {
    section: describeSection(section, 'firewall'),
    line: section.line,
    name: optionOf(section, 'name') ?? '',
    masquerades: masq === true || masq6 === true,
    autoHelper: auto === true,
    helpers: names,
    sip: skipped ? 'not' : listed ? 'listed' : automatic ? 'automatic' : 'not',
  };
  return { zone, skipped };
}

function sameName(firewall: Firewall, one: string, other: string): boolean {
  return firewall === 'fw3' ? one.toLowerCase() === other.toLowerCase() : one === other;
}

/** The definitions a stock firewall has, for a router whose own file could not be had. */
const STOCK: HelperDefinition[] = [{ name: 'sip', module: TRACKER, available: false }];

/** @param definitions empty where they could not be read: then `sip` is what the stock files call it */
export function firewallFacts(text: string, firewall: Firewall, definitions: readonly HelperDefinition[]): FirewallUci {
  const pkg = parseUci(text);
  const known = definitions.length > 0 ? definitions : STOCK;
  const sip = (value: string): boolean => known.some(({ name, module }) => module === TRACKER && sameName(firewall, name, value.trim()));
  const defaults = pkg.sections.find(({ type }) => type === 'defaults');
  const option = (name: string): string | null => (defaults ? optionOf(defaults, name) : null);
  const autoHelper = boolean(firewall, option('auto_helper'), true) === true;
  const of = (type: string): UciSection[] => pkg.sections.filter((section) => section.type === type);
  const place = (section: UciSection) => ({ section: describeSection(section, 'firewall'), line: section.line });
  const zones = of('zone').map((section) => zoneOf(section, firewall, autoHelper, known));
  // A rule that sets a helper needs a zone its packets come from; without one it is left out with a warning (fw4.uc, rules.c).
  const hasSource = (section: UciSection): boolean => {
    const src = (optionOf(section, 'src') ?? '').trim();
    return src !== '' && src !== '*' && zones.some(({ zone, skipped }) => zone.name === src && !skipped);
  };
  return {
    text,
    autoHelper,
    autoIncludes: boolean(firewall, option('auto_includes'), true) === true,
    zones: zones.map(({ zone }) => zone),
    setHelper: of('rule')
      .filter((section) => targetsHelper(section) && sip(optionOf(section, 'set_helper') ?? ''))
      .map((section) => ({
        ...place(section),
        name: optionOf(section, 'name'),
        enabled: boolean(firewall, optionOf(section, 'enabled'), true) === true && hasSource(section),
      })),
    forwards: (firewall === 'fw3' ? of('redirect') : [])
      .filter((section) => {
        // A helper of its own is set as well as matched (redirects.c), and keeps the automatic one away.
        const own = (optionOf(section, 'helper') ?? '').trim();
        return forwards(section) && (own === '' ? autoHelper && forwardsSip(section, known) : sip(own));
      })
      .map((section) => ({ ...place(section), name: optionOf(section, 'name') })),
    includes: of('include').flatMap((section) => {
      const path = optionOf(section, 'path');
      const given = (optionOf(section, 'type') ?? 'script').toLowerCase();
      if (path === null || boolean(firewall, optionOf(section, 'enabled'), true) !== true) return [];
      const type = (['script', firewall === 'fw4' ? 'nftables' : 'restore'] as const).find((one) => one.startsWith(given));
      return type === undefined ? [] : [{ ...place(section), type, path }];
    }),
  };
}

/** Whether it is worth a closer look who reaches SIP from the internet: a redirect, or a rule for these ports or for any. */
export const mayOpenSip = (text: string): boolean =>
  text.split(/^\s*config\s+/m).some((section) => {
    if (!/^['"]?rule/.test(section)) return /^['"]?redirect/.test(section);
    const ports = [...(/\sdest_port\s(.*)/.exec(section)?.[1] ?? '').matchAll(/(!?\d+)(?:[-:](\d+))?/g)];
    if (ports.length === 0) return !/\sproto\s(?!.*(tcp|udp|al|any|\*|\b(0|6|17)\b))/i.test(section);
    return ports.some(([, from = '', to = from]) => !(+from > 5061 || +to < 5060));
  });

/** A port forward that is in force; fw3 takes DNAT where no target is given. */
function forwards(section: UciSection): boolean {
  const target = (optionOf(section, 'target') ?? 'DNAT').toLowerCase();
  return 'dnat'.startsWith(target) && boolean('fw3', optionOf(section, 'enabled'), true) === true;
}

/** As fw3 reads a protocol (options.c, fw3_parse_protocol): by name in any letter case, or by number. */
const PROTOCOLS: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp', tcp: 'tcp', udp: 'udp' };

/** As fw3 reads a port (fw3_parse_port): one, or a range that may hold one alone; null for none or many. */
function portOf(text: string | null): number | null {
  const [, from, to = from] = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec((text ?? '').trim()) ?? [];
  return from !== undefined && Number(from) === Number(to) ? Number(from) : null;
}

/** fw3's select_helper (redirects.c): one protocol alone, rewritten to the port of a helper of that protocol. */
function forwardsSip(section: UciSection, definitions: readonly HelperDefinition[]): boolean {
  const port = portOf(optionOf(section, 'dest_port')) ?? portOf(optionOf(section, 'src_dport'));
  const words = listOf(section, 'proto').flatMap((value) => value.split(/\s+/));
  const protocol = words.length === 1 ? PROTOCOLS[(words[0] as string).toLowerCase()] : undefined;
  return (
    protocol !== undefined
    && definitions.some(
      (one) => one.module === TRACKER && port === (one.port ?? 5060) && (one.protocols ?? ['tcp', 'udp']).includes(protocol),
    )
  );
}

/** A port that is not one alone, and a protocol that is none of the two, is left out: nothing is told by them here. */
function definitionOf(section: UciSection): Omit<HelperDefinition, 'available'> {
  const proto = (optionOf(section, 'proto') ?? 'tcpudp').toLowerCase();
  const port = portOf(optionOf(section, 'port'));
  return {
    name: optionOf(section, 'name') ?? '',
    module: optionOf(section, 'module') ?? '',
    ...(port === null ? {} : { port }),
    protocols: proto === 'tcpudp' ? ['tcp', 'udp'] : proto.split(/\s+/).flatMap((word) => PROTOCOLS[word] ?? []),
  };
}

/** `option enabled '0'` leaves out the section alone, not a stock definition of its name (helpers.c). */
const ownDefinitions = (text: string): Omit<HelperDefinition, 'available'>[] =>
  parseUci(text)
    .sections.filter(({ type }) => type === 'helper')
    .filter((section) => boolean('fw3', optionOf(section, 'enabled'), true) === true)
    .map(definitionOf);

/** The helpers the firewall knows, and whether their modules are in the kernel. */
export async function observeDefinitions(host: Host, firewall: Firewall): Promise<Reading<HelperDefinition[]>> {
  const file = await host.read(DEFINITIONS[firewall]);
  const parsed = understood(file, (text) =>
    parseUci(text)
      .sections.filter(({ type }) => type === 'helper')
      .map(definitionOf),
  );
  if (parsed.state !== 'present') return parsed;
  // fw3 takes definitions of the owner's beside its own; fw4 passes them over.
  const own = firewall === 'fw3' ? understood(await host.read(FIREWALL_CONFIG), ownDefinitions) : null;
  const all = [...parsed.value, ...(own?.state === 'present' ? own.value : [])];
  const definitions = await Promise.all(
    all.map(async (one) => ({ ...one, available: (await host.kind(`/sys/module/${one.module}`)).state === 'present' })),
  );
  return present(parsed.source, definitions);
}

const CHECK = ['fw4', 'check'];

/**
 * Whether fw4 takes what it would load now. Asked only of a router that has the SIP modules: what is to be known is
 * whether the firewall loads for reasons of its owner's own, before SIP is taken from it. Changes nothing.
 */
export async function observeCheck(host: Host, { system, modules }: Pick<Facts, 'system' | 'modules'>): Promise<Reading<FirewallCheck>> {
  const source = CHECK.join(' ');
  const sip = modules.tracker.state === 'present' && modules.tracker.value.state !== 'not there';
  const fw4 = system.firewall.state === 'present' && system.firewall.value === 'fw4';
  if (!sip || !fw4 || host.process().uid !== 0) return { state: 'absent', source };
  const outcome = await host.run(CHECK);
  if (outcome.state === 'absent') return { state: 'absent', source };
  if (outcome.state === 'failed') return { state: 'failed', source, because: outcome.because };
  if (outcome.code === 0) return present(source, { loads: true, because: '' });
  return present(source, { loads: false, because: complaint(outcome.stderr, outcome.stdout) || `it ended with exit code ${outcome.code}` });
}
