/** nft's JSON listing, made comparable. */

/**
 * The listing without what means nothing or differs between two loadings of the same rules: the program's version,
 * handles, how much the counters have seen, and the order of tables, chains and objects, which is that of their
 * making. Rules keep their order within their chain.
 */
export function comparable(entries: readonly unknown[]): unknown[] {
  return (entries as Record<string, Record<string, unknown>>[])
    .filter((entry) => !('metainfo' in entry))
    .map((entry) => ({ place: placeOf(entry), plain: strip(entry) }))
    .sort((one, other) => (one.place < other.place ? -1 : one.place > other.place ? 1 : 0))
    .map(({ plain }) => plain);
}

/** Equal for the rules of one chain, so that sorting (which is stable) keeps their order. */
function placeOf(entry: Record<string, Record<string, unknown>>): string {
  const [kind, about] = Object.entries(entry)[0]!;
  const rule = kind === 'rule';
  return [rule ? 'rule' : '', about['family'], about['table'], kind, rule ? about['chain'] : about['name']].join(' ');
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const kept: [string, unknown][] = [];
  for (const [name, inside] of Object.entries(value)) {
    if (name === 'handle' && typeof inside === 'number') continue;
    if ((name === 'packets' || name === 'bytes') && typeof inside === 'number') continue;
    kept.push([name, strip(inside)]);
  }
  return Object.fromEntries(kept);
}
