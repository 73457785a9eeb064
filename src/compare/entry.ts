/** A message of one side or of both, on its way to becoming a row. */
import { parseMessage } from '../languages/sip/message.ts';
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

export const callIdOf = (entry: Entry): string => sightingOf(entry).identity?.callId ?? '(no Call-ID)';

/** A pair of captures that are the other way round, found before that was known: what is seen in the first one is the WAN's. */
export function turnRound(entry: Entry): void {
  const { inner, outer } = entry;
  if (inner === null || outer === null || inner.side !== 0) return;
  entry.inner = outer;
  entry.outer = inner;
  entry.toProvider = !entry.toProvider;
}

function methodOf(entry: Entry): string {
  const { identity } = sightingOf(entry);
  return identity?.cseq?.split(' ')[1] ?? identity?.method ?? '';
}

/** Fills in what a row says of its message. */
export function describe(entry: Entry): void {
  const sighting = sightingOf(entry);
  const { text, identity } = sighting;
  const message = parseMessage(text);
  if ('refused' in message) {
    entry.what = identity?.method ?? String(identity?.status ?? '?');
  } else {
    const line = message.startLine;
    entry.what = line.kind === 'request' ? line.method.text : `${line.code.text} ${line.reason.text}`.trim();
    entry.sdp = /(?:^|\n)v=0/.test(text.slice(message.body.start));
  }
  entry.method = methodOf(entry);
  entry.signature = `${entry.what} ${identity?.cseq} ${identity?.branch} ${identity?.fromTag}`;
}
