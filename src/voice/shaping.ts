/** What takes marked packets past our rules, or the marks off them: flow offload, SQM, qosify. */
import type { Host, Reading } from '../host/host.ts';
import type { Facts } from '../observe/facts.ts';
import { boolean } from '../observe/firewall.ts';
import { answered, orElse, understood } from '../observe/reading.ts';
import { word } from '../languages/shell/command.ts';
import { describeSection, optionOf, parseUci } from '../languages/uci/parse.ts';
import type { UciSection } from '../languages/uci/parse.ts';
import type { Offload, Shaper } from './facts.ts';
import type { Dscp, Marking, PolicyWish } from '../wish/wish.ts';

/** How the comment begins by which our rules in fw4's table are known; the classes follow. */
export const OFFLOAD_COMMENT = '!sipalg: voice';
/** Holds them for fw4, which takes them in with each load (a section `include` of type nftables). */
export const OFFLOAD_FILE = '/etc/sipalg.offload';
const FORWARD = ['nft', '-a', 'list', 'chain', 'inet', 'fw4', 'forward'];

/** Marks that can be told from no mark at all. */
const told = (marking: Marking): Dscp[] => (marking === null ? [] : [marking.media, marking.signalling].filter(({ value }) => value !== 0));

/**
 * The rules that let marked voice pass before fw4 puts a flow into the offload, as nft commands. Empty where nothing is marked.
 *
 * Not `ct state established`: a UDP flow goes into the offload with its second packet, answered or not (nft_flow_offload.c).
 * A flow is confirmed once the firewall has let its first packet pass; behind these rules the offload would take it past
 * the firewall for good.
 */
export function offloadRules(marking: Marking): string[] {
  const classes = [...new Set(told(marking).map(({ name }) => name.toLowerCase()))].sort();
  if (classes.length === 0) return [];
  return ['ip', 'ip6'].map(
    (ip) =>
      `insert rule inet fw4 forward ${ip} dscp { ${classes.join(', ')} } ct status confirmed accept comment "${OFFLOAD_COMMENT} (${ip} ${classes.join(' ')}) stays out of the offload"`,
  );
}

export async function observeOffload(host: Host, facts: Facts): Promise<Reading<Offload>> {
  const { uci } = facts.firewall;
  const firewall = orElse(facts.system.firewall, 'fw4');
  const read = understood(uci, ({ text }): Offload => {
    const defaults = parseUci(text).sections.find(({ type }) => type === 'defaults');
    const on = (option: string): boolean => defaults !== undefined && boolean(firewall, optionOf(defaults, option), false) === true;
    const software = on('flow_offloading');
    return { software, hardware: software && on('flow_offloading_hw'), excluded: false };
  });
  // Rules of ours may be left from when it was on.
  if (read.state !== 'present' || firewall !== 'fw4' || !orElse(facts.nft, null)?.present.includes('inet fw4 forward')) return read;
  return understood(answered(await host.run(FORWARD)), (text) => {
    const lines = text.split('\n');
    const rules = lines.flatMap((line) =>
      line.includes(OFFLOAD_COMMENT) ? [{ handle: Number(/# handle (\d+)$/.exec(line)?.[1]), rule: line.trim() }] : [],
    );
    const flow = lines.findIndex((line) => /^\s*(meta l4proto .*)?flow (add|offload) @/.test(line));
    const late = flow >= 0 && lines.slice(flow).some((line) => line.includes(OFFLOAD_COMMENT));
    return { ...read.value, excluded: read.value.software && rules.length > 0 && !late, rules, loaded: flow >= 0 };
  });
}

/** cake's first tin under diffserv3, and its two first under diffserv4 (net/sched/sch_cake.c). */
const FIRST3 = [56, 48, 46, 44, 4];
const FIRST4 = [...FIRST3, 40, 32, 34, 36, 38, 26, 28, 30, 24, 18, 20, 22, 16];
/** simple.qos of sqm-scripts: CS6, EF, AF42. */
const SIMPLE = [48, 46, 36];

function sqm(section: UciSection, { media, signalling }: NonNullable<Marking>): Shaper {
  const script = optionOf(section, 'script') ?? 'piece_of_cake.qos';
  const options = `${optionOf(section, 'qdisc_really_really_advanced') === '1' ? (optionOf(section, 'eqdisc_opts') ?? '') : ''}`;
  const name = describeSection(section, 'sqm');
  const shaper = (conflict: string | null, set: string[]): Shaper => ({
    kind: 'sqm',
    device: optionOf(section, 'interface') ?? '?',
    how: script,
    conflict,
    setting:
      set.length === 0
        ? null
        : [...set.map((one) => `uci set ${word(name)}.${one}`), 'uci commit sqm', '/etc/init.d/sqm restart'].join(' && '),
  });
  if (script === 'piece_of_cake.qos' && !/diffserv/.test(options)) {
    return shaper('SQM treats all traffic alike with this script, whatever the marks say.', ['script=layer_cake.qos']);
  }
  const served =
    script === 'simple.qos'
      ? SIMPLE
      : /diffserv4/.test(options)
        ? FIRST4
        : script === 'layer_cake.qos' || /diffserv/.test(options)
          ? FIRST3
          : null;
  if (served === null) return shaper('What this script does with marks is not known here.', []);
  const lost = [
    ['audio', media],
    ['signalling', signalling],
  ].flatMap(([what, dscp]) => (served.includes((dscp as Dscp).value) ? [] : [`${String(what)} (${(dscp as Dscp).name})`]));
  if (lost.length === 0) return shaper(null, []);
  const words = `SQM does not put ${lost.join(' and ')} before other traffic with this script; on the way in it shapes before the marks are set.`;
  return shaper(words, served === FIRST3 ? ['qdisc_advanced=1', 'qdisc_really_really_advanced=1', "eqdisc_opts='diffserv4 nat'"] : []);
}

/** @returns those that are switched on; none where nothing is marked */
export async function observeShapers(host: Host, { marking, providers }: PolicyWish): Promise<Shaper[]> {
  if (marking === null) return [];
  const [sqmText, qosify, files] = await Promise.all([
    host.read('/etc/config/sqm'),
    host.read('/etc/config/qosify'),
    host.list('/etc/qosify'),
  ]);
  const found = orElse(
    understood(sqmText, (text) =>
      parseUci(text)
        .sections.filter((one) => one.type === 'queue' && boolean('fw4', optionOf(one, 'enabled'), false) === true)
        .map((one) => sqm(one, marking)),
    ),
    [],
  );
  const interfaces = orElse(
    understood(qosify, (text) =>
      parseUci(text)
        .sections.filter(({ type }) => type === 'interface' || type === 'device')
        .filter((one) => boolean('fw4', optionOf(one, 'disabled'), false) !== true),
    ),
    [],
  );
  if (interfaces.length === 0) return found;
  const rules = await Promise.all(
    orElse(files, [])
      .filter((name) => name.endsWith('.conf'))
      .map((name) => host.read(`/etc/qosify/${name}`)),
  );
  const fits = rules.some((text) => /^\s*udp:5060(-\d+)?\s+\+?voice\b/m.test(orElse(text, '')));
  const audio = providers.flatMap(({ inbound }) => inbound?.mediaPorts ?? [])[0] ?? '10000-20000';
  return [
    ...found,
    ...interfaces.map((section): Shaper => ({
      kind: 'qosify',
      device: optionOf(section, 'name') ?? section.name ?? '?',
      how: optionOf(section, 'mode') ?? 'diffserv4',
      conflict: fits ? null : 'qosify writes marks of its own over ours: UDP it does not know becomes CS0.',
      setting: fits
        ? null
        : `printf '%s\\n' 'udp:5060 voice' 'udp:${audio} voice' > /etc/qosify/50-sipalg.conf && /etc/init.d/qosify restart`,
    })),
  ];
}
