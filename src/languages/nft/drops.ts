/** Rules that turn packets away, as `nft -j list ruleset` has them: by what they do so, and how often they did. */
import { isWithin } from '../address/within.ts';
import type { Chain, Rule } from './ruleset.ts';

export type Json = Record<string, unknown>;
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What of a packet a rule asks for. `values` are written as nft writes them: an address, a network, `10000-20000`. */
export interface Asked {
  of: 'source' | 'destination' | 'source port' | 'destination port' | 'protocol' | 'in' | 'out';
  not: boolean;
  values: string[];
}

export interface DropRule {
  family: string;
  table: string;
  chain: string;
  handle: number;
  comment: string | null;
  /** null: the rule has no counter. */
  packets: number | null;
  bytes: number | null;
  asks: Asked[];
  /** It asks for something else besides (a state, a mark, a set), so whom it meets is not told here. */
  more: boolean;
  /** It lets a rate pass and drops what is above. */
  limits: boolean;
  /** It stands in a chain that is asked before a flow is known (NF_IP_PRI_CONNTRACK, -200). */
  early: boolean;
  /** Of iptables, and `handle` is its number in the chain; absent for a rule of nftables. */
  tool?: 'iptables' | 'ip6tables';
}

const ENDS = /^(handle_reject|(drop|reject)_(from|to)_.*)$/;
const FIELDS: Readonly<Record<string, Asked['of']>> = {
  saddr: 'source',
  daddr: 'destination',
  sport: 'source port',
  dport: 'destination port',
  protocol: 'protocol',
  nexthdr: 'protocol',
};

function ends(statement: unknown): boolean {
  if (!isObject(statement)) return false;
  const led = statement['jump'] ?? statement['goto'];
  return 'drop' in statement || 'reject' in statement || (isObject(led) && ENDS.test(String(led['target'])));
}

/** null: something that is not written out here, such as a named set. */
export function valuesOf(right: unknown): string[] | null {
  if (typeof right === 'number') return [String(right)];
  if (typeof right === 'string') return right.startsWith('@') ? null : [right];
  if (!isObject(right)) return null;
  const { set, range, prefix } = right as { set?: unknown; range?: unknown; prefix?: { addr?: unknown; len?: unknown } };
  if (Array.isArray(set)) {
    const each = set.map(valuesOf);
    return each.includes(null) ? null : (each as string[][]).flat();
  }
  if (Array.isArray(range)) return [range.join('-')];
  return isObject(prefix) ? [`${String(prefix.addr)}/${String(prefix.len)}`] : null;
}

/** null: not one of the things that are told here; 'nothing': it narrows nothing that matters (the family). */
function askedBy(match: Json): Asked | 'nothing' | null {
  const { left, op, right } = match as { left?: unknown; op?: unknown; right?: unknown };
  if (!isObject(left) || (op !== '==' && op !== '!=' && op !== 'in')) return null;
  const payload = isObject(left['payload']) ? left['payload'] : {};
  const meta = isObject(left['meta']) ? left['meta']['key'] : undefined;
  if (meta === 'nfproto' || meta === 'protocol') return 'nothing';
  const of = meta === 'iifname' ? 'in' : meta === 'oifname' ? 'out' : meta === 'l4proto' ? 'protocol' : FIELDS[String(payload['field'])];
  const values = valuesOf(right);
  return of === undefined || values === null ? null : { of, not: op === '!=', values };
}

/** The transport that a port is asked of: `udp dport` asks for UDP too. */
const transports = (match: Json): string[] => {
  const payload = isObject(match['left']) && isObject(match['left']['payload']) ? match['left']['payload'] : {};
  return ['udp', 'tcp'].filter((name) => payload['protocol'] === name);
};

/** null for a rule that turns nothing away. @param chainOf finds its chain */
export function dropRule(rule: Rule, chainOf: (rule: Rule) => Chain | undefined): DropRule | null {
  const { family, table, chain: name, handle, comment, expr } = rule;
  if (!expr.some(ends)) return null;
  const asks: Asked[] = [];
  let packets: number | null = null;
  let bytes: number | null = null;
  let more = false;
  let limits = false;
  for (const statement of expr) {
    if (!isObject(statement) || ends(statement)) continue;
    const counter = statement['counter'];
    if (isObject(statement['match'])) {
      const asked = askedBy(statement['match']);
      if (asked === null) more = true;
      else if (asked !== 'nothing') asks.push(asked);
      for (const transport of transports(statement['match'])) asks.push({ of: 'protocol', not: false, values: [transport] });
    } else if (isObject(counter) && typeof counter['packets'] === 'number') {
      packets = counter['packets'];
      bytes = typeof counter['bytes'] === 'number' ? counter['bytes'] : null;
    } else if ('limit' in statement) limits = true;
    else if (!('log' in statement) && !('comment' in statement) && !('counter' in statement)) more = true;
  }
  const chain = chainOf(rule);
  const early = chain?.hook === 'prerouting' && (chain.priority ?? 0) < -200;
  return { family, table, chain: name, handle, comment, packets, bytes, asks, more, limits, early };
}

const inRange = (value: string, number: number): boolean => {
  const [first = '', last = first] = value.split('-');
  return Number(first) <= number && number <= Number(last);
};

/** A packet as a rule may meet it; a port of null is any. */
export interface Packet {
  source: string;
  sourcePort: number | null;
  destination: string;
  destinationPort: number | null;
}

/**
 * Whether a rule meets UDP packets like this one. Its devices are not held against anything: where it stands decides that, and an
 * address or a port is asked for in any case.
 */
export function meets({ asks, more, family }: DropRule, packet: Packet): boolean {
  if (more || (family === 'ip' && packet.source.includes(':')) || (family === 'ip6' && !packet.source.includes(':'))) return false;
  return asks.every(({ of, not, values }) => {
    if (of === 'in' || of === 'out') return true;
    if (of === 'protocol') return values.some((one) => one === 'udp' || one === '17') !== not;
    const port = of === 'source port' ? packet.sourcePort : of === 'destination port' ? packet.destinationPort : undefined;
    if (port !== undefined) return port === null || values.some((value) => inRange(value, port)) !== not;
    const address = of === 'source' ? packet.source : packet.destination;
    return values.some((value) => isWithin(address, value)) !== not;
  });
}
