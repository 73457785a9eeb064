/** The ports that count as SIP's on this router: the usual ones, and those that its owner's configuration, rules or flows name. */
import type { Facts } from '../../observe/facts.ts';
import type { Reading } from '../../host/host.ts';
import { listOf, parseUci } from '../../languages/uci/parse.ts';

/** 5061 is TLS over TCP, which nobody can read here; over UDP it is a phone's second line. */
export const SIP_PORTS: readonly number[] = [5060, 5061];
/** Each port is two rules at each tap. */
const MOST_PORTS = 12;

const isPort = (port: number | null | undefined): port is number => port != null && Number.isInteger(port) && port > 0 && port < 65_536;

/** `5060,5080`, as nf_conntrack_sip has its parameter `ports`. */
const listed = (text: string | undefined): number[] => (text ?? '').split(',').map(Number);

/** Ports that a rule of nft in its own words asks for: `udp dport 5080 ct helper set "sip"`, `th dport { 5060, 5080 }`. */
export function portsInRule(text: string): number[] {
  return [...text.matchAll(/\b(?:udp|tcp|th) dport (\d+(?!\d|-)|\{[^}]*\})/g)].flatMap(([, ports = '']) =>
    [...ports.matchAll(/(?<![\d-])\d+(?![\d-])/g)].map(Number),
  );
}

/** Ports that a rule of iptables in its own words asks for: `--dport 5080`, `--dports 5060,5080`. */
export const portsInArguments = (text: string): number[] =>
  [...text.matchAll(/--(?:dport|dports|destination-ports?) ([\d,]+)(?![\d:])/g)].flatMap(([, ports]) => listed(ports));

/** Ports of the sections `provider` of /etc/config/sipalg: `list port`, and behind an address or name. */
function portsOfProviders(text: string): number[] {
  const providers = parseUci(text).sections.filter(({ type }) => type === 'provider');
  return providers.flatMap((section) => [
    ...listOf(section, 'port').map(Number),
    ...['host', 'signalling'].flatMap((name) => listOf(section, name)).map((one) => Number(/^(?:[^:]*|\[.*\]):(\d+)$/.exec(one)?.[1])),
  ]);
}

/** In the order in which they matter: where a reading failed, it names none. */
export function sipPortsOf({ modules, nft, iptables, flows, firewall, wish }: Facts): number[] {
  const of = <T>(reading: Reading<T>, ports: (value: T) => (number | null | undefined)[]): (number | null | undefined)[] =>
    reading.state === 'present' ? ports(reading.value) : [];
  const all = [
    ...SIP_PORTS,
    ...of(modules.tracker, ({ parameters }) => listed(parameters['ports'])),
    ...of(nft, ({ assignments }) =>
      assignments.flatMap(({ rule, map }) => [rule ?? '', ...(map?.elements ?? [])].flatMap((text) => portsInRule(text))),
    ),
    ...iptables.flatMap((one) => of(one, ({ assignments }) => assignments.flatMap(({ rule }) => portsInArguments(rule)))),
    ...of(firewall.definitions, (all) => all.filter(({ module }) => module === 'nf_conntrack_sip').map(({ port }) => port)),
    ...of(flows, ({ certain, flows: under }) => (certain ? under : []).map(({ destinationPort }) => destinationPort)),
    ...of(wish.text, portsOfProviders),
  ];
  return [...new Set(all.filter(isPort))].slice(0, MOST_PORTS);
}
