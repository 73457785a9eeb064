/** Sections of type rule (rules.c): read once, for what they ask of zones, and written when their turn comes. */
import { portOf, protocolsOf } from './config.ts';
import type { Zone } from './config.ts';
import {
  address,
  familyOfAddress,
  helperNamed,
  ICMP,
  inFamily,
  jumpOf,
  leftOut,
  ours,
  port,
  setMatch,
  setOf,
  words,
  zoneNamed,
} from './words.ts';
import type { Reading } from './words.ts';

/** @returns what writes each rule */
export function readRules(reading: Reading): (() => void)[] {
  const { config, family, put } = reading;
  return config.of('rule').flatMap((section, nth) => {
    const name = section.one('name');
    const [src, dest] = [section.one('src'), section.one('dest')];
    const [from, to] = [zoneNamed(config, src), zoneNamed(config, dest)];
    const target = section.target('target') ?? 'REJECT';
    const own = section.family();
    const helper = helperNamed(config, section.one('set_helper'));
    const given = section.many('proto');
    const protocols = protocolsOf(given.length === 0 ? ['tcpudp'] : given);
    const lists = (option: string): (string | undefined)[] => {
      const values = section.many(option);
      return values.length === 0 ? [undefined] : values;
    };
    const [sources, targets] = [lists('src_ip'), lists('dest_ip')];
    const [sports, dports] = [lists('src_port').map(portOf), lists('dest_port').map(portOf)];
    const types = lists('icmp_type');
    const limit = section.one('limit');
    const [dscp, extra, set] = [section.one('set_dscp'), section.one('extra'), section.one('ipset')];
    const enabled = section.flag('enabled', true);
    section.complete();
    const inRaw = target === 'HELPER' || target === 'NOTRACK';
    if (!enabled) return [];
    const missing = [
      [src, from],
      [dest, to],
    ].find(([text, zone]) => text !== undefined && text !== '*' && zone === undefined);
    if (missing !== undefined) return leftOut(section, `refers to not existing zone '${String(missing[0])}'`);
    if (section.one('set_helper') !== undefined && helper === undefined) return leftOut(section, 'refers to unknown CT helper');
    if (from === undefined && inRaw) return leftOut(section, `is set to target ${target} but has no source assigned`);
    if (target === 'HELPER' && helper === undefined)
      return leftOut(section, "is set to target HELPER but specifies no 'set_helper' option");
    if (target === 'MARK' || target === 'DNAT' || target === 'SNAT')
      throw new Error(`the lab's fw3 does not render target ${target} of ${section.title}`);
    for (const each of [4, 6] as const) to?.needs[each].add(target);
    const table = inRaw ? 'raw' : target === 'DSCP' ? 'mangle' : 'filter';
    const chain = chainOf(target, src, dest, from, to);
    const jump =
      target === 'NOTRACK'
        ? 'CT --notrack'
        : target === 'HELPER'
          ? `CT --helper ${helper?.name}`
          : target === 'DSCP'
            ? `DSCP --set-dscp 0x${Number(dscp ?? 0).toString(16)}`
            : to !== undefined
              ? `zone_${dest}_dest_${target}`
              : jumpOf(target);
    const write = (): void => {
      const inSet = setOf(reading, section);
      if ((own !== undefined && own !== family) || !inFamily(family, from) || !inFamily(family, to) || inSet === null) return;
      if (helper !== undefined && (helper.family ?? family) !== family) return;
      const icmp = (protocol: string): boolean => protocol === 'icmp' || protocol === 'ipv6-icmp';
      for (const protocol of protocols) {
        if ((protocol === 'ipv6-icmp' && family === 4) || (helper !== undefined && !helper.protocols.includes(protocol))) continue;
        const plain = icmp(protocol) && family === 6 ? 'ipv6-icmp' : protocol;
        for (const source of sources)
          for (const target of targets)
            for (const sport of icmp(protocol) ? [undefined] : sports)
              for (const dport of icmp(protocol) ? [undefined] : dports)
                for (const type of icmp(protocol) ? types : [undefined]) {
                  if ([source, target].some((text) => text !== undefined && familyOfAddress(text) !== family)) continue;
                  const number = type === undefined ? undefined : (ICMP[family][type] ?? (/^\d/.test(type) ? type : null));
                  if (number === null) continue;
                  put(
                    table,
                    chain,
                    words(
                      plain === '' ? '' : `-p ${plain}`,
                      address('-s', source),
                      address('-d', target),
                      port('--sport', protocol, sport),
                      port('--dport', protocol, dport),
                      number === undefined ? '' : family === 4 ? `-m icmp --icmp-type ${number}` : `-m icmp6 --icmpv6-type ${number}`,
                      setMatch(inSet, set),
                      limit === undefined ? '' : `-m limit --limit ${limit}`,
                      extra,
                      name === undefined ? ours(`@rule[${nth}]`) : ours(name),
                      `-j ${jump}`,
                    ),
                  );
                }
      }
    };
    return [write];
  });
}

function chainOf(target: string, src: string | undefined, dest: string | undefined, from: Zone | undefined, to: Zone | undefined): string {
  if (target === 'NOTRACK') return `zone_${src}_notrack`;
  if (target === 'HELPER') return `zone_${src}_helper`;
  if (target === 'DSCP') {
    if ((from && to) || (src === '*' && dest === '*')) return 'FORWARD';
    return src === '*' && to
      ? 'POSTROUTING'
      : dest === '*' && from
        ? 'PREROUTING'
        : dest === undefined && src !== undefined
          ? 'INPUT'
          : 'OUTPUT';
  }
  if (src === undefined) return dest === undefined || dest === '*' ? 'OUTPUT' : `zone_${dest}_output`;
  if (src === '*') return dest === undefined ? 'INPUT' : 'FORWARD';
  return `zone_${src}_${dest === undefined ? 'input' : 'forward'}`;
}
