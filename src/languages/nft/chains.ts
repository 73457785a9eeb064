/** `nft -j list chains`: which tables have which chains, without their rules. */

/** A table by what its chains are. */
export interface ChainsOfTable {
  family: string;
  table: string;
  /** Of each chain: the type of a base chain (`filter`, `nat`, `route`), null for one that is only jumped to. */
  types: (string | null)[];
}

const BEGIN = '{"nftables": [';
const END = ']}';

/** The list in the text, without its brackets; null where it is no such text. */
function insideOf(text: string): string | null {
  const trimmed = text.trim();
  return trimmed.startsWith(BEGIN) && trimmed.endsWith(END) ? trimmed.slice(BEGIN.length, -END.length) : null;
}

/** The same without what nft says of itself, which comes first and holds no object. */
const listOf = (inside: string): string => inside.replace(/^\{"metainfo": \{[^{}]*\}\}(, )?/, '');

/** In the order of the text; null where it is not understood. */
export function readNftChains(text: string): ChainsOfTable[] | null {
  if (insideOf(text) === null) return null;
  const tables = new Map<string, ChainsOfTable>();
  let items: unknown;
  try {
    items = (JSON.parse(text) as { nftables: unknown }).nftables;
  } catch {
    return null;
  }
  for (const item of items as { chain?: { family?: unknown; table?: unknown; type?: unknown } }[]) {
    const { family, table, type } = item.chain ?? {};
    if (typeof family !== 'string' || typeof table !== 'string') continue;
    const one = tables.get(`${family} ${table}`) ?? { family, table, types: [] };
    tables.set(`${family} ${table}`, one);
    one.types.push(typeof type === 'string' ? type : null);
  }
  return [...tables.values()];
}

/**
 * A listing as `nft -j list ruleset` has it, of the tables that were asked for one by one; of all others table and chains alone.
 * @param chains what `nft -j list chains` printed
 * @param tables what `nft -j list table` printed, for each
 */
export function withRules(chains: string, tables: readonly string[]): string | null {
  const inside = insideOf(chains);
  const listed = tables.map((text) => insideOf(text));
  if (inside === null || listed.includes(null)) return null;
  const own = listed.map((text) => listOf(text as string));
  const named = own.flatMap((one) => [...one.matchAll(/\{"table": \{"family": "([^"]*)", "name": "([^"]*)"/g)]);
  const has = new Set(named.map(([, family, name]) => `${family} ${name}`));
  const meta = /^\{"metainfo": \{[^{}]*\}\}/.exec(inside)?.[0] ?? '';
  const items = (JSON.parse(chains) as { nftables: { chain?: { family: string; table: string } }[] }).nftables;
  const rest = items.flatMap(({ chain }) => (chain === undefined || has.has(`${chain.family} ${chain.table}`) ? [] : [chain]));
  const others = [...new Set(rest.map(({ family, table }) => `${family} ${table}`))].map((one) => {
    const [family, name] = one.split(' ');
    return JSON.stringify({ table: { family, name } });
  });
  const all = [meta, ...others, ...rest.map((chain) => JSON.stringify({ chain })), ...own].filter((one) => one !== '');
  return `${BEGIN}${all.join(', ')}${END}`;
}
