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

const emptyRuleset = (): Ruleset => ({ version: null, tables: [], chains: [], rules: [], helpers: [], maps: [], timeouts: 0 });

/** JSON, or undefined. The engine's own words differ from engine to engine. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Reads `nft -j list ruleset`. Throws Refused. */
export function parseRuleset(text: string): Ruleset {
  const ruleset = emptyRuleset();
  readDocument(ruleset, text, (rule) => ruleset.rules.push(rule));
  return ruleset;
}

/** What comes of each rule. */
type TakeRule = (rule: Rule) => void;

/** @param shown how the text begins, where this is a part of it */
function readDocument(ruleset: Ruleset, text: string, take: TakeRule, shown = text): void {
  const document = parsed(text);
  if (document === undefined) throw new Refused(`nft did not print JSON: ${quote(shown)}`);
  if (!isObject(document) || !Array.isArray(document['nftables'])) {
    throw new Refused(`nft printed JSON without a list "nftables": ${quote(shown)}`);
  }
  readItems(ruleset, document['nftables'], take);
}

function readItems(ruleset: Ruleset, items: readonly unknown[], take: TakeRule): void {
  for (const item of items) {
    if (!isObject(item)) throw new Refused(`nft's JSON lists ${quote(String(JSON.stringify(item)))}; an object is wanted`);
    for (const [kind, value] of Object.entries(item)) if (isObject(value)) readObject(ruleset, kind, value, take);
  }
}

/**
 * Where the text is cut: before each rule. Within a string of JSON a quote is always escaped, so these bytes stand nowhere
 * but at the beginning of an object whose first name is `rule`, and rules stand in the list alone.
 */
export const RULE = '{"rule": ';

/** Characters of the text that a refusal can need. */
const SHOWN = 400;

export interface RulesetReader {
  /** The next part of the text; each but the first begins with RULE. Never throws. */
  take(part: string): void;
  /** All but what `keep` did not want. Throws Refused, as parseRuleset does for the same text. */
  end(): Ruleset;
}

/** How a rule begins that says plainly where it stands. */
const PLACE = /^\{"rule": \{"family": "(\w+)", "table": "([^"\\]+)", "chain": "([^"\\]+)", "handle": \d+, /;
/** Each object of the list but the first has one; so has some statement of a rule, which is parsed then. */
const FAMILY = '"family": ';

/**
 * Reads `nft -j list ruleset` part by part: of fifty thousand rules only those are held that matter. Every part is JSON of
 * its own and is parsed as such, so that nothing is passed over that the whole text would be refused for; but for rules that
 * begin and end as one does and of which `passOver` says that nothing in them matters: parsing a rule takes longer than
 * looking for a word in it.
 *
 * @param keep     sees every rule with what was read before it, and says whether it is to be held
 * @param passOver sees where a rule stands and its text, before that is parsed
 */
export function createRulesetReader(
  keep: (rule: Rule, ruleset: Ruleset) => boolean,
  passOver: (place: TableName & { chain: string }, text: string, ruleset: Ruleset) => boolean = () => false,
): RulesetReader {
  const ruleset = emptyRuleset();
  let before: string | null = null;
  let parts = 0;
  /** How the whole text begins, for a sentence. */
  let head = '';
  let refused: unknown = null;
  const take: TakeRule = (rule) => {
    if (keep(rule, ruleset)) ruleset.rules.push(rule);
  };

  /** Whether a part is one whole rule, and one to be passed over. */
  function isPassedOver(part: string): boolean {
    if (!part.endsWith(']}}, ')) return false;
    const [, family, table, chain] = PLACE.exec(part) ?? [];
    if (family === undefined || table === undefined || chain === undefined) return false;
    return !part.includes(FAMILY, part.indexOf(FAMILY) + 1) && passOver({ family, table, chain }, part, ruleset);
  }

  /** One part, which another one follows. */
  function readPart(part: string): void {
    if (parts > 1 && isPassedOver(part)) return;
    const text = part.trimEnd();
    // The list begins in the first part, which need hold nothing of it.
    if (parts === 1 && /[,[]$/.test(text)) return readDocument(ruleset, `${text.replace(/,$/, '')}]}`, take, head);
    const items = parts > 1 && text.endsWith(',') ? parsed(`[${text.slice(0, -1)}]`) : undefined;
    if (!Array.isArray(items)) throw new Refused(`nft did not print JSON: ${quote(head)}`);
    readItems(ruleset, items, take);
  }

  /** The last one, which ends the document. */
  function readLast(part: string): void {
    if (parts === 1) return readDocument(ruleset, part, take, head);
    readDocument(ruleset, `{"nftables": [${part}`, take, head);
  }

  function attempt(act: (part: string) => void, part: string): void {
    if (refused !== null) return;
    try {
      act(part);
    } catch (error) {
      refused = error;
    }
  }

  return {
    take(part) {
      if (head.length < SHOWN) head = (head + part).slice(0, SHOWN);
      if (before !== null) attempt(readPart, before);
      before = part;
      parts += 1;
    },
    end() {
      attempt(readLast, before ?? '');
      if (refused !== null) throw refused;
      return ruleset;
    },
  };
}

function readObject(ruleset: Ruleset, kind: string, value: Json, take: TakeRule): void {
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
      take({
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

/** Whether it holds the target CT of iptables, or one whose name nft does not tell; xt_CT.c takes it in a table raw alone. */
export function mayHoldCt({ table, expr }: Rule): boolean {
  const names = expr.flatMap((one) => (isObject(one) && 'xt' in one ? [isObject(one['xt']) ? one['xt']['name'] : undefined] : []));
  return table === 'raw' && names.some((name) => name === undefined || name === 'CT');
}

/** Whether a rule has a statement that sets a helper, in a form that is known or not. */
export function setsHelper(rule: Rule): boolean {
  return rule.expr.some((statement) => isObject(statement) && 'ct helper' in statement);
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
