/** nft's JSON listing, made comparable. */

/**
 * The listing without what differs between two loadings of the same rules: the program's version, handles, and how
 * much the counters and limits have seen by now.
 */
export function comparable(entries: readonly unknown[]): unknown[] {
  return entries.filter((entry) => !('metainfo' in (entry as object))).map(strip);
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
