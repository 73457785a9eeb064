/** Rules of nftables that lead SIP's ports elsewhere, that give flows random ports, and that count packets by their DSCP mark. */
import { isObject, valuesOf } from './drops.ts';
import type { Json } from './drops.ts';
import type { Rule } from './ruleset.ts';

/** A rule by which packets for one of SIP's ports go to somebody else. */
export interface SipRedirect {
  family: string;
  table: string;
  chain: string;
  handle: number;
  /** Those of 5060 and 5061 that it is for. */
  ports: number[];
  to: string;
}

const SIP = [5060, 5061];

const matchesOf = ({ expr }: Rule): Json[] => expr.flatMap((one) => (isObject(one) && isObject(one['match']) ? [one['match']] : []));

function fieldOf({ left }: Json): string {
  const payload = isObject(left) && isObject(left['payload']) ? left['payload'] : {};
  return String(payload['field'] ?? '');
}

const covers = (value: string, port: number): boolean => {
  const [first = '', last = first] = value.split('-');
  return Number(first) <= port && port <= Number(last);
};

/** null for a rule that does not translate the destination of SIP's ports, or to no address that is written out. */
export function sipRedirect(rule: Rule): SipRedirect | null {
  const dnat = rule.expr.flatMap((one) => (isObject(one) && isObject(one['dnat']) ? [one['dnat']] : []))[0];
  const to = dnat?.['addr'];
  if (typeof to !== 'string') return null;
  const asked = matchesOf(rule).find((match) => fieldOf(match) === 'dport' && match['op'] !== '!=');
  const values = asked === undefined ? null : valuesOf(asked['right']);
  const ports = SIP.filter((port) => (values ?? []).some((value) => covers(value, port)));
  const { family, table, chain, handle } = rule;
  return ports.length > 0 ? { family, table, chain, handle, ports, to } : null;
}

/** Whether it gives flows a random port on purpose (nft(8): `random`, `fully-random`). */
export const givesRandomPorts = ({ expr }: Rule): boolean =>
  expr.some(
    (one) =>
      isObject(one) &&
      ['masquerade', 'snat'].some((name) => isObject(one[name]) && /random/.test(String((one[name] as Json)['flags'] ?? ''))),
  );

/** A rule that gives flows a port outside out of these alone: what a line with a shared address (MAP-E, MAP-T, lw4o6) allows. */
export interface PortSet {
  family: string;
  table: string;
  chain: string;
  handle: number;
  /** `1232-1247` */
  ports: string[];
}

/** null for a rule that does not keep flows to ranges of ports. */
export function portSet(rule: Rule): PortSet | null {
  const all = rule.expr.flatMap((one) => {
    const said = isObject(one) ? (one['snat'] ?? one['masquerade']) : undefined;
    return isObject(said) ? [said] : [];
  });
  const ports = all.flatMap(({ port }) => (port === undefined ? [] : (valuesOf(port) ?? [])));
  const { family, table, chain, handle } = rule;
  return ports.length === 0 || ports.every((one) => one === '1024-65535') ? null : { family, table, chain, handle, ports };
}

/** DSCP by the names that nft writes (nft(8), "DSCP"). */
const NAMES: Readonly<Record<string, number>> = {
  ef: 46,
  cs0: 0,
  cs1: 8,
  cs2: 16,
  cs3: 24,
  cs4: 32,
  cs5: 40,
  cs6: 48,
  cs7: 56,
  va: 44,
  le: 1,
};

function valueOfMark(word: string): number | null {
  if (/^\d+$/.test(word)) return Number(word);
  const [, group = '', drop = ''] = /^af([1-4])([1-3])$/.exec(word) ?? [];
  return group === '' ? (NAMES[word] ?? null) : 8 * Number(group) + 2 * Number(drop);
}

/** What a rule has counted by the marks it asks for; null where it asks for none, for all but some, or does not count. */
export function countedMarks(rule: Rule): { marks: number[]; packets: number } | null {
  const counter = rule.expr.flatMap((one) => (isObject(one) && isObject(one['counter']) ? [one['counter']] : []))[0];
  const asked = matchesOf(rule).find((match) => fieldOf(match) === 'dscp' && match['op'] !== '!=');
  if (asked === undefined || typeof counter?.['packets'] !== 'number') return null;
  const marks = (valuesOf(asked['right']) ?? []).map(valueOfMark);
  return marks.length === 0 || marks.includes(null) ? null : { marks: marks as number[], packets: counter['packets'] };
}
