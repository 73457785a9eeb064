/** Where nftables declares and sets SIP helpers: every table of every family, whoever owns it. */
import type { Host, Reading } from '../host/host.ts';
import { createListingReader, withoutMapElements } from '../languages/nft/listing.ts';
import type { ListedChain } from '../languages/nft/listing.ts';
import { createWays, mayEnd, mayLead, translation, unreachedChains } from '../languages/nft/reach.ts';
import { createRulesetReader, hasExtension, helperUses, mayHoldCt, RULE, setsHelper } from '../languages/nft/ruleset.ts';
import type { HelperUse, Rule, Ruleset } from '../languages/nft/ruleset.ts';
import type { NftAssignment, NftFacts } from './facts.ts';
import { answered, runInParts, understood } from './reading.ts';
import { LIST_RULES, LIST_TEXT } from './tools.ts';

/**
 * The kernel names the helper `sip`, and `sip-N` where the module was loaded for
 * other ports (nf_ct_helper_init in nf_conntrack_helper.c).
 */
export function isSipHelper(type: string): boolean {
  return /^sip(-\d+)?$/.test(type);
}

const LIST_WHOLE = ['nft', '-j', 'list', 'ruleset'];

/** Whether it takes elements that were left out to know what a rule sets. */
function lacksElements(rule: Rule): boolean {
  return helperUses(rule).some((use) => use.form === 'named map' || (use.form === 'map' && use.objects.length === 0));
}

/** A ruleset with the rules that matter, and what was seen of the others. */
interface Listed {
  ruleset: Ruleset;
  sources: string[];
  foreign: boolean;
  targets: ReadonlySet<string>;
  /** Chains, as `family table chain`, of which rules that end a packet's way were passed over. */
  passedOver: ReadonlySet<string>;
}

/** Somebody who wants to see each rule besides: a taker of rules for each time that they are listed. */
export type AlsoRules = () => (rule: Rule, ruleset: Ruleset) => void;

/** A rule that sets a helper, leads elsewhere or translates is held; of fifty thousand others only what they say beyond that. */
async function listWith(host: Host, argv: readonly string[], needed: readonly string[], also?: AlsoRules): Promise<Reading<Listed>> {
  const other = also?.();
  const sources = new Set<string>();
  const passedOver = new Set<string>();
  let foreign = false;
  const targets = new Set<string>();
  const ways = createWays();
  const reader = createRulesetReader(
    (rule, ruleset) => {
      other?.(rule, ruleset);
      for (const source of sourcesOf(rule)) sources.add(source);
      foreign ||= hasExtension(rule);
      if (mayHoldCt(rule)) targets.add(rule.family);
      if (setsHelper(rule) || ways.matters(rule, ruleset)) return true;
      if (ways.ends(rule)) passedOver.add(chainKey(rule));
      return false;
    },
    (place, text, ruleset) =>
      other === undefined
      && !text.includes('"ct helper"')
      && !mayLead(text)
      && !ways.allOf(place, ruleset)
      && (passedOver.has(chainKey(place)) || !mayEnd(text)),
  );
  const some = other === undefined ? { tables: needed } : {};
  const answer = answered(await runInParts(host, argv, { parts: { at: RULE, take: reader.take }, ...some }));
  return understood(answer, () => ({ ruleset: reader.end(), sources: [...sources], foreign, targets, passedOver }));
}

async function listRuleset(host: Host, needed: readonly string[], also?: AlsoRules): Promise<Reading<Listed>> {
  const listed = await listWith(host, LIST_RULES.argv, needed, also);
  const lacking = understood(listed, ({ ruleset }) => ruleset.rules.some(lacksElements));
  return lacking.state === 'present' && lacking.value ? listWith(host, LIST_WHOLE, needed, also) : listed;
}

/** The tables of chains. @param chains as `family table chain` */
const tablesOf = (chains: Iterable<string>): string[] => [
  ...new Set([...chains].map((key) => key.split(' ').slice(0, 2).join(' '))),
];

/** The rules of the chains that matter, as nft writes them. */
async function listChains(
  host: Host,
  matter: ReadonlySet<string>,
): Promise<Reading<{ chains: ListedChain[]; dormant: ReadonlySet<string> }>> {
  const reader = createListingReader((chain) => matter.has(chainKey(chain)));
  const answer = answered(
    await runInParts(host, LIST_TEXT, {
      parts: { at: '\n', take: (part) => reader.take(part.startsWith('\n') ? part.slice(1) : part) },
      tables: tablesOf(matter),
    }),
  );
  return understood(answer, () => ({ chains: reader.end(), dormant: reader.dormant }));
}

/**
 * @param wanted says which chains' rules are wanted though nothing is assigned in
 *   them now, because something may have to be given back to them
 */
export async function observeNft(host: Host, wanted: readonly string[], also?: AlsoRules): Promise<Reading<NftFacts>> {
  const listed = await listRuleset(host, tablesOf(wanted), also);
  const found = understood(listed, ({ ruleset }) => assignmentsIn(ruleset));
  if (listed.state !== 'present' || found.state !== 'present') return found as Reading<NftFacts>;
  let chains: ListedChain[] = [];
  let dormant: ReadonlySet<string> = new Set();
  const matter = new Set([...wanted, ...found.value.map(chainKey)]);
  if (matter.size > 0) {
    const listing = await listChains(host, matter);
    if (listing.state !== 'present') return listing;
    ({ chains, dormant } = listing.value);
  }
  // Who walks every jump of a ruleset only for nothing wastes a router's time.
  const unreached = matter.size > 0 ? unreachedChains(listed.value.ruleset, dormant) : new Set<string>();
  const near = new Set([...matter].map((key) => key.slice(0, key.lastIndexOf(' '))));
  return understood(listed, ({ ruleset: value, sources, foreign, targets, passedOver }) => ({
    version: value.version,
    helpers: value.helpers.filter(({ type }) => isSipHelper(type)),
    assignments: found.value.map((one) => ({ ...withText(one, chains, value), reached: !unreached.has(chainKey(one)) })),
    timeouts: value.timeouts,
    sources,
    foreign,
    ...(targets.size > 0 ? { targets: [...targets] } : {}),
    chains,
    tables: value.tables.map(({ family, table }) => `${family} ${table}`),
    present: value.chains.map(({ family, table, name }) => `${family} ${table} ${name}`),
    unreached: [...unreached].filter((key) => near.has(key.slice(0, key.lastIndexOf(' ')))),
    translates: translation(value, passedOver),
  }));
}

/** `snat to`, and the target of that name which iptables wrote. */
function sourcesOf({ expr }: Rule): string[] {
  // A statement of its own, or the target's name inside that of iptables.
  if (!expr.some((one) => typeof one === 'object' && one !== null && ('snat' in one || 'xt' in one))) return [];
  return [...JSON.stringify(expr).matchAll(/"snat":(?:\{(?:"family":"\w+",)?"addr":"([^"]+)")?|"SNAT"/g)].map(
    ([, address = '']) => address,
  );
}

/** One name for a chain. */
export function chainKey({ family, table, chain }: { family: string; table: string; chain: string }): string {
  return `${family} ${table} ${chain}`;
}

/** Whether a name means a SIP helper in this table: the object's type says it, not its name. */
function sipObjects(ruleset: Ruleset, { family, table }: { family: string; table: string }): Set<string> {
  return new Set(
    ruleset.helpers
      .filter((helper) => helper.family === family && helper.table === table && isSipHelper(helper.type))
      .map(({ name }) => name),
  );
}

function assignmentsIn(ruleset: Ruleset): NftAssignment[] {
  const found: NftAssignment[] = [];
  for (const rule of ruleset.rules) {
    for (const use of helperUses(rule)) {
      const assignment = assignmentOf(ruleset, rule, use);
      if (assignment) {
        found.push(assignment);
        break; // a rule goes once, however often it sets a helper
      }
    }
  }
  return found;
}

function assignmentOf(ruleset: Ruleset, rule: Rule, use: HelperUse): NftAssignment | null {
  const sip = sipObjects(ruleset, rule);
  const { family, table, chain, handle, comment } = rule;
  const assignment = { family, table, chain, handle, comment, rule: null, remains: null, map: null };
  if (use.form === 'object') return sip.has(use.object) ? assignment : null;
  if (use.form === 'map') return use.objects.some((object) => sip.has(object)) ? assignment : null;
  const map = ruleset.maps.find((one) => one.family === family && one.table === table && one.name === use.map);
  const elements = (map?.elements ?? [])
    .filter(({ value }) => sip.has(String(value)))
    .map(({ key, value }) => `${elementKey(key)} : "${String(value)}"`);
  return elements.length > 0 ? { ...assignment, map: { name: use.map, elements } } : null;
}

/** A map element's key as nft would write it. */
function elementKey(key: unknown): string {
  if (typeof key === 'number' || typeof key === 'string') return String(key);
  if (typeof key === 'object' && key !== null) {
    const object = key as Record<string, unknown>;
    if (typeof object['elem'] === 'object' && object['elem'] !== null) return elementKey((object['elem'] as { val?: unknown }).val);
    if (Array.isArray(object['concat'])) return object['concat'].map(elementKey).join(' . ');
    if (Array.isArray(object['range'])) return object['range'].map(elementKey).join('-');
    const prefix = object['prefix'] as { addr?: unknown; len?: unknown } | undefined;
    if (prefix) return `${elementKey(prefix.addr)}/${String(prefix.len)}`;
  }
  throw new Error(`a map of helpers has a key that is not understood: ${JSON.stringify(key)}`);
}

function withText(assignment: NftAssignment, chains: readonly ListedChain[], ruleset: Ruleset): NftAssignment {
  const chain = chains.find((one) => chainKey(one) === chainKey(assignment));
  const rule = chain?.rules.find(({ handle }) => handle === assignment.handle)?.text ?? null;
  if (rule === null || assignment.map !== null) return { ...assignment, rule };
  const sip = sipObjects(ruleset, assignment);
  const remains = / map \{/.test(rule) ? withoutMapElements(rule, (object) => sip.has(object)) : null;
  return { ...assignment, rule, remains: remains === rule ? null : remains };
}
