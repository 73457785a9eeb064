/** A message of one side or of both, on its way to becoming a row. */
import type { Fate } from './comparison.ts';
import type { Difference } from './difference.ts';
import type { Sighting } from './sighting.ts';

/** What is known of a message that will be a row. */
export interface Entry {
  readonly inner: Sighting | null;
  readonly outer: Sighting | null;
  readonly toProvider: boolean;
  readonly equal: boolean;
  fate: Fate;
  differences: readonly Difference[];
  what: string;
  method: string;
  sdp: boolean;
  signature: string;
}

/** The half whose bytes are there. */
export function sightingOf({ inner, outer }: Entry): Sighting {
  if (inner === null) return outer!;
  return outer === null || !inner.released ? inner : outer;
}
