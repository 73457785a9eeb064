/** What stands in front of the calls that a provider may open: the first redirect or rule that is for a packet has it. */
import { Refused } from '../../languages/refused.ts';
import { firstShared, mergePrefixes } from '../../languages/address/prefix-sets.ts';
import { because, finding } from '../../judge/evidence.ts';
import type { Finding } from '../../judge/verdict.ts';
import type { Facts } from '../../observe/facts.ts';
import { openingsOf } from '../../observe/openings.ts';
import type { Opening } from '../../observe/openings.ts';
import type { PolicyFacts } from '../facts.ts';
import type { Inbound, Section } from '../render/inbound.ts';
import { prefixes } from '../render/voice.ts';
import { say, textOf } from '../../words/say.ts';
import type { Line, Said } from '../../words/say.ts';

/** A way in that is wished. */
interface Way {
  title: string;
  type: 'redirect' | 'rule';
  family: 'ipv4' | 'ipv6';
  protocols: string[];
  first: number;
  last: number;
  to: string;
  networks: readonly string[];
}

/** Something that has its packets first. */
export interface Ahead {
  way: Way;
  protocols: string[];
  /** As one finds it. */
  where: Line;
  /** What it does with them. */
  does: Said;
  /** It is for all of them, or it is not told for which. */
  surely: boolean;
}

function waysOf({ sections, sets }: Inbound): Way[] {
  return sections.flatMap(({ type, options }: Section): Way[] => {
    const all = (name: string): string[] => options.flatMap(([option, value]) => (option === name ? [value] : []));
    const [family = 'ipv4', to = 'this router', title = ''] = [all('family')[0], all('dest_ip')[0], all('name')[0]];
    const set = sets.find(({ name }) => all('ipset')[0] === `${name} src`);
    if (type === 'ipset') return [];
    return all(type === 'redirect' ? 'src_dport' : 'dest_port').flatMap((list) =>
      list.split(' ').map((port): Way => {
        const [first = 0, last = first] = port.split('-').map(Number);
        const networks = set?.networks ?? all('src_ip');
        const protocols = (all('proto')[0] ?? '').split(' ');
        return { title, type, family: family === 'ipv6' ? 'ipv6' : 'ipv4', protocols, first, last, to, networks };
      }),
    );
  });
}

/** Whether a way's networks are among these: all of them, some, or not to be told; null: none. */
function shared(sources: readonly string[], { family, networks }: Way): { surely: boolean } | null {
  if (sources.length === 0) return { surely: true };
  const read = prefixes(sources);
  const is = firstShared(mergePrefixes(read)[family], networks);
  return is !== null ? { surely: true } : read.length < sources.length ? { surely: false } : null;
}

function overlaps({ ports, negated }: Pick<Opening, 'ports' | 'negated'>, { first, last }: Way): boolean {
  if (ports.length === 0) return true;
  return negated ? !ports.some(([from, to]) => from <= first && last <= to) : ports.some(([from, to]) => from <= last && first <= to);
}

const sends = (to: string | null): Said =>
  to === null ? say('front-sends-here', 'sends them to this router') : say('front-sends', 'sends them to {to}', { to });

/** What /etc/config/firewall has before our section, which stands last where it is not there yet. */
function aheadInFile(way: Way, openings: readonly Opening[]): Ahead[] {
  const isOurs = ({ section }: Opening): boolean => section.startsWith('firewall.sipalg_');
  const own = openings.findIndex((opening) => isOurs(opening) && opening.name === way.title && overlaps(opening, way));
  return openings.slice(0, own < 0 ? openings.length : own).flatMap((opening): Ahead[] => {
    const { section, line, name, does, protocols, family, sources, narrowed, to } = opening;
    // What is let in already is let in; what is forwarded is asked of both, what is only accepted of rules alone.
    if (isOurs(opening) || does === 'accept' || (does === 'redirect' && (way.type === 'rule' || to === way.to))) return [];
    if (does === 'drop' && (to === null) !== (way.to === 'this router')) return [];
    if (family !== null && family !== way.family) return [];
    const both = way.protocols.filter((one) => protocols.length === 0 || protocols.includes(one));
    const whose = both.length > 0 && overlaps(opening, way) ? shared(sources, way) : null;
    if (whose === null) return [];
    return [
      {
        way,
        protocols: both,
        where: say('front-section', '{section}, line {line} of {file}', {
          section: `${section}${name === null ? '' : ` (${name})`}`,
          line,
          file: '/etc/config/firewall',
        }),
        does: does === 'drop' ? say('front-drops', 'drops them') : sends(to),
        surely: whose.surely && !narrowed,
      },
    ];
  });
}

/** What a rule in force tells of the ports it is for: `udp dport 5060`, `--dport 5060:5061`, `--dports 5060,5080`. */
function portsIn(rule: string): Pick<Opening, 'ports' | 'negated'> {
  const [, not, list = ''] = /\bdport (!= )?(\{[^}]*\}|\S+)/.exec(rule) ?? /(! )?--dports? (\S+)/.exec(rule) ?? [];
  const found = [...list.matchAll(/(\d+)(?:[-:](\d+))?/g)];
  return { ports: found.map(([, from, to = from]) => [Number(from), Number(to)]), negated: not !== undefined && not.includes('!') };
}

/** What is in force before our rule, and is no section's that was named already. */
function aheadInForce(way: Way, policy: PolicyFacts, openings: readonly Opening[]): Ahead[] {
  const { front } = policy.inbound ?? {};
  if (way.type !== 'redirect' || front?.state !== 'present') return [];
  return front.value.flatMap(({ rule, before }): Ahead[] => {
    const title = /!fw[34]: ([^"]*)"/.exec(rule)?.[1];
    if (!before.includes(way.title) || openings.some(({ name }) => name !== null && name === title)) return [];
    const named = [...rule.matchAll(/\b(tcp|udp) [ds]port|-p (tcp|udp)\b/g)].map(([, one, other]) => one ?? other);
    const both = way.protocols.filter((one) => named.length === 0 || named.includes(one));
    const to = /(?:dnat (?:ip )?to|--to-destination) (\S+)/.exec(rule)?.[1] ?? null;
    const source = /(?:ip saddr|-s) (\{[^}]*\}|[^@!\s]\S*)/.exec(rule)?.[1];
    const others = /saddr (?:!=|@)|! -s |--match-set/.test(rule);
    const whose = shared(source === undefined ? [] : source.replace(/[{},]/g, ' ').trim().split(/\s+/), way);
    if ((to ?? 'this router').replace(/:\d+$/, '') === way.to || !overlaps(portsIn(rule), way) || whose === null || both.length === 0)
      return [];
    const where = say('front-rule', 'the rule in force: {rule}', { rule });
    return [{ way, protocols: both, where, does: sends(to), surely: whose.surely && !others }];
  });
}

/** All of it, way by way; nothing where nothing is let in. */
export function aheadOf(facts: Facts, policy: PolicyFacts, inbound: Inbound): Ahead[] {
  const { uci } = facts.firewall;
  const { firewall } = facts.system;
  if (uci.state !== 'present' || firewall.state !== 'present' || inbound.sections.length === 0) return [];
  let openings: Opening[] = [];
  try {
    openings = openingsOf(uci.value.text, firewall.value);
  } catch (error) {
    // What is no UCI file is refused where it is to be edited, and said there.
    if (!(error instanceof Refused)) throw error;
  }
  const seen = new Set<string>();
  return waysOf(inbound)
    .flatMap((way) => [...aheadInFile(way, openings), ...aheadInForce(way, policy, openings)])
    .filter(({ way, where }) => seen.size !== seen.add(`${way.title} ${way.first} ${textOf(where)}`).size);
}

export function frontFindings(ahead: readonly Ahead[], { inbound }: PolicyFacts): Finding[] {
  const findings = ahead.map(({ way: { title, first, last }, protocols, where, does, surely }): Finding => {
    // As titles of ours are written (render/inbound.ts).
    const [, kind, provider = '', to = ''] = /^sipalg: (calls|audio) from (\S+) to (\S+) port /.exec(title) ?? [];
    const values = {
      provider,
      to,
      protocols: protocols.map((one) => one.toUpperCase()),
      port: `${first}${first === last ? '' : `-${last}`}`,
      does,
    };
    const sentence =
      kind === 'audio'
        ? surely
          ? say(
              'policy-inbound-behind-audio',
              'Audio from {provider} to {to} does not arrive there: something stands in front, '
                + 'has {protocols} port {port} first and {does}. Take it out, or restrict it to other sources, and run `sipalg apply`.',
              values,
            )
          : say(
              'policy-inbound-behind-audio-maybe',
              'Audio from {provider} to {to} may not arrive there: something stands in front, '
                + 'has {protocols} port {port} first and {does}. Take it out, or restrict it to other sources, and run `sipalg apply`.',
              values,
            )
        : surely
          ? say(
              'policy-inbound-behind',
              'Calls from {provider} to {to} do not arrive there: something stands in front, '
                + 'has {protocols} port {port} first and {does}. Take it out, or restrict it to other sources, and run `sipalg apply`.',
              values,
            )
          : say(
              'policy-inbound-behind-maybe',
              'Calls from {provider} to {to} may not arrive there: something stands in front, '
                + 'has {protocols} port {port} first and {does}. Take it out, or restrict it to other sources, and run `sipalg apply`.',
              values,
            );
    return finding('policy-inbound-behind', 'risk', sentence, [where]);
  });
  if (inbound?.front?.state === 'failed')
    findings.push(
      finding(
        'policy-inbound-unread',
        'note',
        say(
          'policy-inbound-unread',
          'What the firewall in force asks before the calls that providers may open could not be read; only its configuration was.',
        ),
        [because(inbound.front.source, inbound.front.because)],
      ),
    );
  return findings;
}
