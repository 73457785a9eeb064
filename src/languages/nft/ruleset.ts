/**
 * What `nft -j list ruleset` says (libnftables-json(5)), as far as conntrack
 * helpers are concerned: the objects, the chains, and every rule with its
 * statements kept as they came. Objects of a kind not known here are passed
 * over; a known one that lacks what it must have is refused, for a ruleset
 * half understood must not look like one without a helper.
 */
import { Refused, quote } from '../refused.ts';

/** Where a chain, an object or a map lives. */
export interface TableName {
  /** ip, ip6, inet, arp, bridge or netdev. */
  family: string;
  table: string;
}

/** A `ct helper` object: the kernel's helper `type` under the name rules use. */
export interface HelperObject extends TableName {
  name: string;
  handle: number;
  /** The kernel's helper, e.g. `sip`; says what it is, whatever its name. */
  type: string;
  /** udp or tcp. */
  protocol: string;
  /** ip, ip6 or inet. */
  l3proto: string;
}

export interface Chain extends TableName {
  name: string;
  /** filter, nat or route, for a base chain; null for one that only rules lead to. */
  type: string | null;
  hook: string | null;
  priority: number | null;
}

export interface Rule extends TableName {
  chain: string;
  handle: number;
  comment: string | null;
  /** Expressions and statements, in order, as the JSON has them. */
  expr: readonly unknown[];
}

/** A named map. */
export interface NamedMap extends TableName {
  name: string;
  elements: readonly { key: unknown; value: unknown }[];
}

export interface Ruleset {
  /** Of the nft program, e.g. `1.0.6`. */
  version: string | null;
  tables: TableName[];
  chains: Chain[];
  rules: Rule[];
  helpers: HelperObject[];
  maps: NamedMap[];
  /** How many `ct timeout` objects there are: flows of theirs live as long as those say. */
  timeouts: number;
}

/** How a rule sets a helper. */
export type HelperUse =
  /** `ct helper set "name"` */
  | { form: 'object'; object: string }
  /** `ct helper set KEY map { KEY : "name", ... }`: one entry per element, in order */
  | { form: 'map'; objects: string[] }
  /** `ct helper set KEY map @name` */
  | { form: 'named map'; map: string };

/** nft prints the number where /etc/protocols is missing. */
const PROTOCOLS: Record<string, string> = { 6: 'tcp', 17: 'udp' };

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textIn(object: Json, field: string, what: string): string {
  const value = object[field];
  if (typeof value === 'string') return value;
  throw new Refused(`nft's JSON has ${what} whose "${field}" is ${quote(String(JSON.stringify(value)))}; a name is wanted`);
}

function numberIn(object: Json, field: string, what: string): number {
  const value = object[field];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new Refused(`nft's JSON has ${what} whose "${field}" is ${quote(String(JSON.stringify(value)))}; a number is wanted`);
}

/** Reads `nft -j list ruleset`. Throws Refused. */
export function parseRuleset(text: string): Ruleset {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The engine's own words differ from engine to engine; the text says enough.
    throw new Refused(`nft did not print JSON: ${quote(text)}`);
  }
  if (!isObject(document) || !Array.isArray(document['nftables'])) {
    throw new Refused(`nft printed JSON without a list "nftables": ${quote(text)}`);
  }
  const ruleset: Ruleset = { version: null, tables: [], chains: [], rules: [], helpers: [], maps: [], timeouts: 0 };
  for (const item of document['nftables'] as unknown[]) {
    if (!isObject(item)) throw new Refused(`nft's JSON lists ${quote(String(JSON.stringify(item)))}; an object is wanted`);
    for (const [kind, value] of Object.entries(item)) if (isObject(value)) readObject(ruleset, kind, value);
  }
  return ruleset;
}

function readObject(ruleset: Ruleset, kind: string, value: Json): void {
  const place = (what: string): TableName => ({
    family: textIn(value, 'family', what),
    table: textIn(value, 'table', what),
  });
  switch (kind) {
    case 'metainfo':
      ruleset.version = typeof value['version'] === 'string' ? value['version'] : null;
      return;
    case 'table':
      ruleset.tables.push({ family: textIn(value, 'family', 'a table'), table: textIn(value, 'name', 'a table') });
      return;
    case 'chain':
      ruleset.chains.push({
        ...place('a chain'),
        name: textIn(value, 'name', 'a chain'),
        type: typeof value['type'] === 'string' ? value['type'] : null,
        hook: typeof value['hook'] === 'string' ? value['hook'] : null,
        priority: typeof value['prio'] === 'number' ? value['prio'] : null,
      });
      return;
    case 'rule': {
      const expr = value['expr'];
      if (!Array.isArray(expr)) throw new Refused(`nft's JSON has a rule without "expr": ${quote(JSON.stringify(value))}`);
      ruleset.rules.push({
        ...place('a rule'),
        chain: textIn(value, 'chain', 'a rule'),
        handle: numberIn(value, 'handle', 'a rule'),
        comment: typeof value['comment'] === 'string' ? value['comment'] : null,
        expr,
      });
      return;
    }
    case 'ct helper':
      ruleset.helpers.push({
        ...place('a ct helper'),
        name: textIn(value, 'name', 'a ct helper'),
        handle: numberIn(value, 'handle', 'a ct helper'),
        type: textIn(value, 'type', 'a ct helper'),
        protocol: PROTOCOLS[textIn(value, 'protocol', 'a ct helper')] ?? textIn(value, 'protocol', 'a ct helper'),
        l3proto: typeof value['l3proto'] === 'string' ? value['l3proto'] : 'inet',
      });
      return;
    case 'ct timeout':
      ruleset.timeouts++;
      return;
    case 'map':
      ruleset.maps.push({
        ...place('a map'),
        name: textIn(value, 'name', 'a map'),
        elements: pairs(value['elem']),
      });
      return;
    default:
  }
}

/** The `[key, value]` pairs of a map's elements; anything else in the list is not a pair and says nothing. */
function pairs(elements: unknown): { key: unknown; value: unknown }[] {
  if (!Array.isArray(elements)) return [];
  return elements.filter((pair): pair is unknown[] => Array.isArray(pair) && pair.length === 2).map(([key, value]) => ({ key, value }));
}

/** Whether a rule holds a match or target of iptables, which nft shows as `xt` and nothing more. */
export function hasExtension(rule: Rule): boolean {
  return rule.expr.some((statement) => isObject(statement) && 'xt' in statement);
}

/**
 * The helpers a rule sets: its `ct helper` statements. A match on `ct helper`
 * is an expression inside `match` and sets nothing.
 */
export function helperUses(rule: Rule): HelperUse[] {
  const uses: HelperUse[] = [];
  for (const statement of rule.expr) {
    if (!isObject(statement) || !('ct helper' in statement)) continue;
    const set = statement['ct helper'];
    if (typeof set === 'string') {
      uses.push({ form: 'object', object: set });
    } else if (isObject(set) && isObject(set['map'])) {
      const data = set['map']['data'];
      if (typeof data === 'string') uses.push({ form: 'named map', map: data.replace(/^@/, '') });
      else if (isObject(data)) uses.push({ form: 'map', objects: pairs(data['set']).map(({ value }) => String(value)) });
    } else {
      throw new Refused(
        `rule ${rule.handle} of ${rule.family} ${rule.table} ${rule.chain} sets a helper in a form `
          + `that is not known: ${quote(JSON.stringify(statement))}`,
      );
    }
  }
  return uses;
}
