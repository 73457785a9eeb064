/** What takes marked packets past our rules, or the marks off them, as it is set up: flow offload, SQM, qosify. */
import type { Host, Reading } from '../../host/host.ts';
import type { Facts } from '../../observe/facts.ts';
import { boolean } from '../../observe/firewall.ts';
import { answered, orElse, understood } from '../../observe/reading.ts';
import { describeSection, optionOf, parseUci } from '../../languages/uci/parse.ts';
import type { UciSection } from '../../languages/uci/parse.ts';
import type { Offload, Shaper } from '../facts.ts';
import { OFFLOAD_COMMENT } from '../own.ts';

const FORWARD = ['nft', '-a', 'list', 'chain', 'inet', 'fw4', 'forward'];

export async function observeOffload(host: Host, facts: Facts): Promise<Reading<Offload>> {
  const { uci } = facts.firewall;
  const firewall = orElse(facts.system.firewall, 'fw4');
  const read = understood(uci, ({ text }): Offload => {
    const defaults = parseUci(text).sections.find(({ type }) => type === 'defaults');
    const on = (option: string): boolean => defaults !== undefined && boolean(firewall, optionOf(defaults, option), false) === true;
    const software = on('flow_offloading');
    return { software, hardware: software && on('flow_offloading_hw'), forward: null };
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
    return { ...read.value, forward: { rules, loaded: flow >= 0, late } };
  });
}

const queue = (section: UciSection): Shaper => ({
  kind: 'sqm',
  device: optionOf(section, 'interface') ?? '?',
  how: optionOf(section, 'script') ?? 'piece_of_cake.qos',
  section: describeSection(section, 'sqm'),
  options: optionOf(section, 'qdisc_really_really_advanced') === '1' ? (optionOf(section, 'eqdisc_opts') ?? '') : '',
});

/** @returns those that are switched on */
export async function observeShapers(host: Host): Promise<Shaper[]> {
  const [sqm, qosify, files] = await Promise.all([host.read('/etc/config/sqm'), host.read('/etc/config/qosify'), host.list('/etc/qosify')]);
  const sections = (text: Reading<string>): UciSection[] =>
    orElse(
      understood(text, (value) => parseUci(value).sections),
      [],
    );
  const found = sections(sqm)
    .filter((one) => one.type === 'queue' && boolean('fw4', optionOf(one, 'enabled'), false) === true)
    .map(queue);
  const interfaces = sections(qosify)
    .filter(({ type }) => type === 'interface' || type === 'device')
    .filter((one) => boolean('fw4', optionOf(one, 'disabled'), false) !== true);
  if (interfaces.length === 0) return found;
  const rules = await Promise.all(
    orElse(files, [])
      .filter((name) => name.endsWith('.conf'))
      .map((name) => host.read(`/etc/qosify/${name}`)),
  );
  const voice = rules.some((text) => /^\s*udp:5060(-\d+)?\s+\+?voice\b/m.test(orElse(text, '')));
  return [
    ...found,
    ...interfaces.map((section): Shaper => ({
      kind: 'qosify',
      device: optionOf(section, 'name') ?? section.name ?? '?',
      how: optionOf(section, 'mode') ?? 'diffserv4',
      voice,
    })),
  ];
}
