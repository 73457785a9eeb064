/** What of the table that is there has to go before another text is loaded. */
import { NETWORK_SETS, TABLE, TEXT_CHAIN } from '../../own.ts';
import { FORMAT } from './table.ts';
import type { NftText } from './table.ts';

export interface Existing {
  kind: string;
  name: string;
}

/** Most objects of timeouts that are kept beside those in use: taking one away would forget the timeouts of flows under it. */
const MOST_TIMEOUTS = 16;

/**
 * What has to go before a text is loaded, as lines for the same transaction; none where nothing has. What the rules have
 * filled and counted stays, unless it is of another make or nothing fills it any more.
 */
export function clearing(existing: readonly Existing[], { declared }: Pick<NftText, 'declared'>): string[] {
  const marks = existing.filter(({ kind, name }) => kind === 'chain' && name.startsWith(TEXT_CHAIN));
  if (existing.length > 0 && !marks.some(({ name }) => name.startsWith(`${TEXT_CHAIN}${FORMAT}_`))) return [`delete table ${TABLE}`];
  const old = existing.filter(({ kind, name }) => kind === 'ct timeout' && !declared.has(`${kind} ${name}`));
  const gone = existing.filter(({ kind, name }) =>
    kind === 'ct timeout'
      ? old.length > MOST_TIMEOUTS && !declared.has(`${kind} ${name}`)
      : // What is in a set of networks is given anew.
        !declared.has(`${kind} ${name}`) || (kind === 'set' && (NETWORK_SETS as readonly string[]).includes(name)),
  );
  // Rules first, and what jumps before what it jumps to: with no rules left there is no order.
  return gone.length === 0 ? [] : [`flush table ${TABLE}`, ...gone.map(({ kind, name }) => `delete ${kind} ${TABLE} ${name}`)];
}
