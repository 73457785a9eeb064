/**
 * Where packets come in a ruleset: which chains they reach from a hook where a flow is known and not yet confirmed, and
 * what a chain of nat does with a flow that leaves by a device. Follows jumps, goto and verdict maps; what cannot be
 * told counts as reached, or as not told.
 */
import type { Chain, Rule, Ruleset, TableName } from './ruleset.ts';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** One name for a chain. */
const keyOf = ({ family, table }: TableName, chain: string): string => `${family} ${table} ${chain}`;

/** Connection tracking looks at a packet at this priority (NF_IP_PRI_CONNTRACK): before it, there is no flow to set a helper on. */
const CONNTRACK = -200;

/** A helper is set on a flow that conntrack has seen and not confirmed (nft_ct.c, nft_ct_helper_obj_eval). */
function canAssign({ hook, priority }: Chain): boolean {
  if (hook === 'prerouting' || hook === 'output') return priority === null || priority > CONNTRACK;
  return hook === 'input' || hook === 'forward' || hook === 'postrouting';
}

const LEADS = ['jump', 'goto', 'vmap'];
const has = (rule: Rule, names: readonly string[]): boolean => rule.expr.some((one) => isObject(one) && names.some((name) => name in one));

/** The chains a rule may lead to; null: a map whose elements are not known decides. */
function targetsOf(value: unknown, maps: (name: string) => readonly unknown[] | null): string[] | null {
  if (Array.isArray(value)) return joined(value.map((one) => targetsOf(one, maps)));
  if (!isObject(value)) return [];
  return joined(
    Object.entries(value).map(([key, inside]) => {
      if ((key === 'jump' || key === 'goto') && isObject(inside)) return typeof inside['target'] === 'string' ? [inside['target']] : [];
      if (key === 'vmap' && isObject(inside) && typeof inside['data'] === 'string') {
        const elements = maps(inside['data'].replace(/^@/, ''));
        return elements === null ? null : targetsOf(elements, maps);
      }
      return targetsOf(inside, maps);
    }),
  );
}

const joined = (lists: (string[] | null)[]): string[] | null => (lists.some((list) => list === null) ? null : (lists as string[][]).flat());

function rulesByChain(ruleset: Ruleset): Map<string, Rule[]> {
  const rules = new Map<string, Rule[]>();
  for (const rule of ruleset.rules) {
    const key = keyOf(rule, rule.chain);
    const list = rules.get(key);
    if (list === undefined) rules.set(key, [rule]);
    else list.push(rule);
  }
  return rules;
}

/** All chains that packets come to from these, as `family table chain`. */
function reachedFrom(ruleset: Ruleset, rules: ReadonlyMap<string, readonly Rule[]>, bases: readonly Chain[]): Set<string> {
  const reached = new Set<string>();
  const waiting: (TableName & { name: string })[] = [...bases];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const at = next;
    const key = keyOf(at, at.name);
    if (reached.has(key)) continue;
    reached.add(key);
    // Elements are not listed unless a helper hangs on them.
    const elements = (name: string): readonly unknown[] | null => {
      const map = ruleset.maps.find((one) => one.family === at.family && one.table === at.table && one.name === name);
      return map === undefined || map.elements.length === 0 ? null : map.elements.map(({ value }) => value);
    };
    for (const rule of rules.get(key) ?? []) {
      if (!has(rule, LEADS)) continue;
      const targets = targetsOf(rule.expr, elements);
      const names =
        targets ?? ruleset.chains.filter(({ family, table }) => family === at.family && table === at.table).map(({ name }) => name);
      waiting.push(...names.map((name) => ({ family: at.family, table: at.table, name })));
    }
  }
  return reached;
}

const TRANSLATES = ['masquerade', 'snat', 'xt'];
const ENDS = ['accept', 'drop', 'return', 'reject'];

const holding = (names: readonly string[]): ((text: string) => boolean) => {
  const quoted = names.map((name) => `"${name}"`);
  return (text) => quoted.some((name) => text.includes(name));
};
/** Whether the JSON of a rule may hold a statement that leads elsewhere or translates; one that ends a packet's way. */
export const mayLead = holding([...LEADS, ...TRANSLATES]);
export const mayEnd = holding(ENDS);

/** Which rules of a listing have to be held, for these questions to be answered: told rule by rule, in the listing's order. */
export function createWays(): {
  matters(rule: Rule, ruleset: Ruleset): boolean;
  ends(rule: Rule): boolean;
  /** Whether all rules of a chain matter. */
  allOf(place: TableName & { chain: string }, ruleset: Ruleset): boolean;
} {
  /** Chains of nat on the way out, and those they are seen to lead to. */
  const translating = new Set<string>();
  let seen = 0;
  /** Chains stand before the rules of their table. */
  const learn = ({ chains }: Ruleset): void => {
    for (const one of chains.slice(seen)) if (one.type === 'nat' && one.hook === 'postrouting') translating.add(keyOf(one, one.name));
    seen = chains.length;
  };
  const allOf = (place: TableName & { chain: string }, ruleset: Ruleset): boolean => {
    if (ruleset.chains.length > seen) learn(ruleset);
    return translating.has(keyOf(place, place.chain));
  };
  return {
    allOf,
    matters(rule, ruleset) {
      const leads = has(rule, LEADS);
      const inNat = allOf(rule, ruleset);
      if (inNat && leads) for (const target of targetsOf(rule.expr, () => null) ?? []) translating.add(keyOf(rule, target));
      return leads || inNat || has(rule, TRANSLATES);
    },
    ends: (rule) => has(rule, ENDS),
  };
}

/**
 * The chains, as `family table chain`, in which no rule can set a helper on any flow.
 * @param dormant tables, as `family table`, whose chains no hook calls (nf_tables_api.c, NFT_TABLE_F_DORMANT)
 */
export function unreachedChains(ruleset: Ruleset, dormant: ReadonlySet<string> = new Set()): Set<string> {
  const bases = ruleset.chains.filter((chain) => canAssign(chain) && !dormant.has(`${chain.family} ${chain.table}`));
  const reached = reachedFrom(ruleset, rulesByChain(ruleset), bases);
  return new Set(ruleset.chains.map((chain) => keyOf(chain, chain.name)).filter((key) => !reached.has(key)));
}

/** Whether a match holds for an IPv4 flow that leaves by a device; null: that is not told by the device. */
function holds(statement: Json, device: string): boolean | null {
  const match = statement['match'];
  if (!isObject(match)) return 'xt' in statement || 'vmap' in statement || 'limit' in statement ? null : true;
  const meta = isObject(match['left']) ? match['left']['meta'] : undefined;
  const key = isObject(meta) ? meta['key'] : undefined;
  const op = match['op'];
  const right = match['right'];
  const among = isObject(right) && Array.isArray(right['set']) ? right['set'] : [right];
  if (key === 'nfproto') return op === '!=' ? !among.includes('ipv4') : among.includes('ipv4');
  if ((key !== 'oifname' && key !== 'oif') || !among.every((one) => typeof one === 'string')) return null;
  const named = (among as string[]).some((one) => (one.endsWith('*') ? device.startsWith(one.slice(0, -1)) : one === device));
  return op === '!=' ? !named : named;
}

/** What a chain does: the flow's source is translated, left as it is for good, or the next rule decides; null: not told. */
type Outcome = 'translated' | 'left' | 'returned' | 'on' | null;

/** What a walk goes by: the rules that are held, and the chains of which some are not. */
interface Walked {
  rules: ReadonlyMap<string, readonly Rule[]>;
  passedOver: ReadonlySet<string>;
}

function walk(walked: Walked, at: TableName, chain: string, device: string, depth: number): Outcome {
  const { rules, passedOver } = walked;
  let told = !passedOver.has(keyOf(at, chain));
  for (const { expr } of depth > 8 ? [] : (rules.get(keyOf(at, chain)) ?? [])) {
    const statements = expr.filter(isObject);
    const conditions = statements.map((statement) => holds(statement, device));
    if (conditions.includes(false)) continue;
    const sure = !conditions.includes(null) || statements.some((one) => isObject(one['xt']) && one['xt']['name'] === 'MASQUERADE');
    const outcome = statements.reduce<Outcome>((so, statement) => {
      if (so !== 'on') return so;
      if ('masquerade' in statement || 'snat' in statement) return 'translated';
      if (isObject(statement['xt'])) return /^(MASQUERADE|SNAT|NETMAP)$/.test(String(statement['xt']['name'])) ? 'translated' : 'on';
      if ('accept' in statement || 'drop' in statement) return 'left';
      if ('return' in statement) return 'returned';
      const [target] = targetsOf([statement], () => null) ?? [];
      return target === undefined ? ('vmap' in statement ? null : 'on') : walk(walked, at, target, device, depth + 1);
    }, 'on');
    if (outcome === 'on') continue;
    if (outcome === null || !sure) told = false;
    else return told ? (outcome === 'returned' ? 'on' : outcome) : null;
  }
  return told ? 'on' : null;
}

/** Devices that chains of nat name on the way out. */
function devicesIn(rules: readonly Rule[]): string[] {
  return [
    ...JSON.stringify(rules.map(({ expr }) => expr)).matchAll(/"key":"oif(?:name)?"\}\},"right":("[^"]*"|\{"set":\[[^\]]*\]\})/g),
  ].flatMap(([, right = '']) => [...right.matchAll(/"([^"]*)"/g)].map(([, name = '']) => name).filter((name) => name !== 'set'));
}

/**
 * Whether the source of an IPv4 flow is translated on its way out, by device; '' stands for every device not named.
 * null: other things than the device decide, or a rule that was passed over may.
 * @param passedOver chains, as `family table chain`, of which rules that end a packet's way are not in the ruleset
 */
export function translation(ruleset: Ruleset, passedOver: ReadonlySet<string> = new Set()): Record<string, boolean | null> {
  const bases = ruleset.chains.filter(
    ({ family, type, hook }) => type === 'nat' && hook === 'postrouting' && (family === 'ip' || family === 'inet'),
  );
  if (bases.length === 0) return { '': false };
  const rules = rulesByChain(ruleset);
  const own = [...reachedFrom(ruleset, rules, bases)].flatMap((chain) => rules.get(chain) ?? []);
  const named = devicesIn(own);
  const devices = new Set(['', ...named.filter((name) => !name.endsWith('*'))]);
  // `tun*` may stand for one that has no name here.
  const told = !named.some((name) => name.endsWith('*'));
  const of = (device: string): boolean | null => {
    const outcomes = bases.map((base) => walk({ rules, passedOver }, base, base.name, device, 0));
    return outcomes.includes('translated') ? true : outcomes.includes(null) ? null : false;
  };
  return Object.fromEntries([...devices].map((device) => [device, device !== '' || told ? of(device) : null]));
}
