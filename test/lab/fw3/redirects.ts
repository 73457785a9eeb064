/** Sections of type redirect (redirects.c), over IPv4 alone as in fw3. */
import { cidr, sameNet } from '../fw4/zones.ts';
import { portOf, protocolsOf } from './config.ts';
import type { Config, Helper, Zone } from './config.ts';
import { address, helperNamed, inFamily, leftOut, ours, port, setMatch, setOf, words, zoneNamed } from './words.ts';
import type { Reading } from './words.ts';

/** @returns what writes each redirect */
export function readRedirects(reading: Reading): (() => void)[] {
  const { config, family, put } = reading;
  const { zones } = config;
  return config.of('redirect').flatMap((section, nth) => {
    const [src, dest] = [section.one('src'), section.one('dest')];
    const [from, given] = [zoneNamed(config, src), zoneNamed(config, dest)];
    const target = section.target('target') ?? 'DNAT';
    const name = section.one('name');
    const title = (suffix: string): string => ours(`${name ?? `@redirect[${nth}]`}${suffix}`);
    const protocols = protocolsOf(section.many('proto').length === 0 ? ['tcpudp'] : section.many('proto'));
    const own = section.family();
    const [sport, dport] = [portOf(section.one('src_port')), portOf(section.one('src_dport'))];
    const [source, dialled, address4] = [section.one('src_ip'), section.one('src_dip'), section.one('dest_ip')];
    const redirected = portOf(section.one('dest_port')) ?? dport;
    const named = section.one('helper');
    const set = section.one('ipset');
    const reflection = section.flag('reflection', true);
    const enabled = section.flag('enabled', true);
    section.complete();
    if (!enabled || own === 6) return [];
    if (target !== 'DNAT') throw new Error(`the lab's fw3 does not render target ${target} of ${section.title}`);
    if (from === undefined) return leftOut(section, 'refers to not existing zone, or has no source specified');
    if (dest !== undefined && dest !== '*' && given === undefined) return leftOut(section, `refers to not existing zone '${dest}'`);
    const local = address4 === undefined;
    const to = given ?? zones.find(({ subnets }) => address4 !== undefined && subnets.some((subnet) => sameNet(address4, subnet)));
    from.needs[4].add('DNAT');
    if (reflection && to !== undefined && from.masq) for (const need of ['ACCEPT', 'DNAT', 'SNAT']) to.needs[4].add(need);
    const helper = named !== undefined ? helperNamed(config, named) : automatic(config, protocols, redirected);
    if (named !== undefined && helper === undefined) return leftOut(section, `refers to unknown CT helper '${named}'`);
    if (helper !== undefined) from.needs[4].add('HELPER');
    const colon = redirected?.replace(':', '-');
    const destination = `${address4 ?? ''}${colon === undefined ? '' : `:${colon}`}`;
    const jump = local ? `REDIRECT${colon === undefined ? '' : ` --to-ports ${colon}`}` : `DNAT --to-destination ${destination}`;
    const write = (): void => {
      const inSet = setOf(reading, section);
      if (inSet === null || !inFamily(family, from) || !inFamily(family, to)) return;
      for (const protocol of protocols) {
        put(
          'nat',
          `zone_${from.name}_prerouting`,
          words(
            protocol === '' ? '' : `-p ${protocol}`,
            address('-s', source),
            address('-d', dialled),
            port('--sport', protocol, sport),
            port('--dport', protocol, dport),
            setMatch(inSet, set),
            named === undefined ? '' : `-m helper --helper ${named}`,
            title(''),
            `-j ${jump}`,
          ),
        );
        if (helper?.protocols.includes(protocol))
          put(
            'raw',
            `zone_${from.name}_helper`,
            words(
              `-p ${protocol}`,
              address('-s', source),
              address('-d', address4),
              port('--sport', protocol, sport),
              port('--dport', protocol, redirected),
              setMatch(inSet, set),
              '-m conntrack --ctstate DNAT',
              title(' (CT helper)'),
              `-j CT --helper ${helper.name}`,
            ),
          );
      }
      if (reflection && !local && to !== undefined && from.masq) reflect(to, protocols, address4, dport, redirected, destination, title);
    };
    const reflect = (
      zone: Zone,
      each: readonly string[],
      inside: string,
      outer: string | undefined,
      inner: string | undefined,
      way: string,
      titled: (suffix: string) => string,
    ): void => {
      for (const external of dialled === undefined ? from.subnets.map(({ address: its }) => its) : [dialled])
        for (const subnet of zone.subnets)
          for (const protocol of each) {
            const [proto, near] = [protocol === '' ? '' : `-p ${protocol}`, `-s ${cidr(subnet)}`];
            put(
              'nat',
              `zone_${zone.name}_prerouting`,
              words(
                near,
                `-d ${external}`,
                proto,
                port('--dport', protocol, outer),
                titled(' (reflection)'),
                `-j DNAT --to-destination ${way}`,
              ),
              true,
            );
            put(
              'nat',
              `zone_${zone.name}_postrouting`,
              words(
                near,
                `-d ${inside}`,
                proto,
                port('--dport', protocol, inner),
                titled(' (reflection)'),
                `-j SNAT --to-source ${subnet.address}`,
              ),
              true,
            );
          }
    };
    return [write];
  });
}

/** select_helper (redirects.c): one that fits, for exactly one of the protocols; with two, the last one's answer is kept. */
function automatic({ defaults, helpers }: Config, protocols: readonly string[], redirected: string | undefined): Helper | undefined {
  if (!defaults.autoHelper || redirected === undefined || redirected.startsWith('!')) return undefined;
  const [first = 0, last = first] = redirected.split(':').map(Number);
  const found = protocols.map((protocol) =>
    helpers.find((helper) => {
      const [from = 0, to = from] = (helper.ports ?? '').split(':').map(Number);
      return helper.protocols.includes(protocol) && helper.ports !== undefined && from <= first && to >= last;
    }),
  );
  return found.filter((helper) => helper !== undefined).length === 1 ? found.at(-1) : undefined;
}
