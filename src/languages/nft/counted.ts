/** Packets that the counters of rules have counted, as `nft -j list chain` writes them (libnftables-json(5), COUNTER). */

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The sum over all rules of the listing; null where none counts, or where it is no such listing. */
export function countedPackets(json: string): number | null {
  let sum: number | null = null;
  try {
    const { nftables } = JSON.parse(json) as { nftables?: unknown };
    for (const entry of Array.isArray(nftables) ? (nftables as unknown[]) : []) {
      const rule = isObject(entry) ? entry['rule'] : undefined;
      for (const statement of isObject(rule) && Array.isArray(rule['expr']) ? (rule['expr'] as unknown[]) : []) {
        const counter = isObject(statement) ? statement['counter'] : undefined;
        if (isObject(counter) && typeof counter['packets'] === 'number') sum = (sum ?? 0) + counter['packets'];
      }
    }
  } catch {
    return null; // no JSON: an nft without it
  }
  return sum;
}
