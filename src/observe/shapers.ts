/** What queues packets by their marks, or writes marks of its own, as it is set up and switched on: SQM and qosify. */
import type { Host, Reading } from '../host/host.ts';
import { describeSection, optionOf, parseUci } from '../languages/uci/parse.ts';
import type { UciSection } from '../languages/uci/parse.ts';
import { boolean } from './firewall.ts';
import { orElse, understood } from './reading.ts';

/** Something that sets or reads DSCP marks after us, and is switched on. */
export type Shaper = {
  device: string;
  /** The script or mode, e.g. `piece_of_cake.qos`. */
  how: string;
} & (
  | {
      kind: 'sqm';
      /** As `uci show sqm` names it. */
      section: string;
      /** `eqdisc_opts`, where they are in force. */
      options: string;
    }
  | {
      kind: 'qosify';
      /** One of its files says that SIP is voice. */
      voice: boolean;
    }
);

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
