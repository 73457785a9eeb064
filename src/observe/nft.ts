/** Where nftables declares and sets SIP helpers: every table of every family, whoever owns it. */
import type { Host, Reading } from '../host/host.ts';
import { parseListing, withoutMapElements } from '../languages/nft/listing.ts';
import type { ListedChain } from '../languages/nft/listing.ts';
import { translation, unreachedChains } from '../languages/nft/reach.ts';
import { hasExtension, helperUses, parseRuleset } from '../languages/nft/ruleset.ts';
import type { HelperUse, Rule, Ruleset } from '../languages/nft/ruleset.ts';
import type { NftAssignment, NftFacts } from './facts.ts';
import { answered, understood } from './reading.ts';

/**
 * The kernel names the helper `sip`, and `sip-N` where the module was loaded for
 * other ports (nf_ct_helper_init in nf_conntrack_helper.c).
 */
export function isSipHelper(type: string): boolean {
  return /^sip(-\d+)?$/.test(type);
}

// Without the elements of named sets: some owners block a hundred thousand addresses.
const LIST_JSON = ['nft', '-j', '-t', 'list', 'ruleset'];
const LIST_TEXT = ['nft', '-a', '-t', 'list', 'ruleset'];
const LIST_WHOLE = ['nft', '-j', 'list', 'ruleset'];

/** Whether it takes elements that were left out to know what a rule sets. */
function lacksElements(rule: Rule): boolean {
  return helperUses(rule).some((use) => use.form === 'named map' || (use.form === 'map' && use.objects.length === 0));
}

async function listRuleset(host: Host): Promise<Reading<Ruleset>> {
  const ruleset = understood(answered(await host.run(LIST_JSON)), parseRuleset);
  const lacking = understood(ruleset, ({ rules }) => rules.some(lacksElements));
  return lacking.state === 'present' && lacking.value ? understood(answered(await host.run(LIST_WHOLE)), parseRuleset) : ruleset;
}

/**
 * @param wanted says which chains' rules are wanted though nothing is assigned in
 *   them now, because something may have to be given back to them
 */
export async function observeNft(host: Host, wanted: readonly string[]): Promise<Reading<NftFacts>> {
  const ruleset = await listRuleset(host);
  const found = understood(ruleset, assignmentsIn);
  if (ruleset.state !== 'present' || found.state !== 'present') return found as Reading<NftFacts>;
  let chains: ListedChain[] = [];
  const matter = new Set([...wanted, ...found.value.map(chainKey)]);
  if (matter.size > 0) {
    const listing = understood(answered(await host.run(LIST_TEXT)), parseListing);
    if (listing.state !== 'present') return listing.state === 'failed' ? listing : { state: 'absent', source: listing.source };
    chains = listing.value.filter((chain) => matter.has(chainKey(chain)));
  }
  // Who walks every jump of a ruleset only for nothing wastes a router's time.
  const unreached = matter.size > 0 ? unreachedChains(ruleset.value) : new Set<string>();
  const near = new Set([...matter].map((key) => key.slice(0, key.lastIndexOf(' '))));
  return understood(ruleset, (value) => ({
    version: value.version,
    helpers: value.helpers.filter(({ type }) => isSipHelper(type)),
    assignments: found.value.map((one) => ({ ...withText(one, chains, value), reached: !unreached.has(chainKey(one)) })),
    timeouts: value.timeouts,
    sources: value.rules.flatMap(sourcesOf),
    foreign: value.rules.some(hasExtension),
    chains,
    tables: value.tables.map(({ family, table }) => `${family} ${table}`),
    present: value.chains.map(({ family, table, name }) => `${family} ${table} ${name}`),
    unreached: [...unreached].filter((key) => near.has(key.slice(0, key.lastIndexOf(' ')))),
    translates: translation(value),
  }));
}

/** `snat to`, and the target of that name which iptables wrote. */
function sourcesOf({ expr }: Rule): string[] {
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
