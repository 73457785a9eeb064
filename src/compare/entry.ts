/** A message of one side or of both, on its way to becoming a row. */
import type { Fate } from './comparison.ts';
import type { Difference } from './difference.ts';
import type { Sighting } from './sighting.ts';

/** What is known of a message that will be a row. */
export interface Entry {
  inner: Sighting | null;
  outer: Sighting | null;
  toProvider: boolean;
  equal: boolean;
  fate: Fate;
  differences: readonly Difference[];
  what: string;
  method: string;
  sdp: boolean;
  signature: string;
  /** Its place among the recent ones (recent.ts); -1 where it is none. */
  number: number;
  /** Whose bytes are held for it meanwhile. */
  held: Sighting | null;
}

/** The half whose bytes are there. */
export function sightingOf({ inner, outer }: Entry): Sighting {
  if (inner === null) return outer!;
  return outer === null || !inner.released ? inner : outer;
}
