/**
 * Which messages belong to one call, on whatever side of a router they were seen: those with one Call-ID (RFC 3261 §8.1.1.4), and,
 * for routers that rewrite it, those that share the tag of an end (§19.3), which is chosen at random and which no router changes.
 */
export interface Named {
  callId: string;
  /** '' where there is none. */
  fromTag: string;
  toTag: string;
}

export interface Correlation {
  /** The id of the call: its Call-ID as it was first seen, in printable ASCII. */
  of(message: Named): string;
}

/** An id must be none that cuts the frame of a reader short. */
const printable = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?').slice(0, 250);

/** @param most names that are remembered; the oldest is forgotten for a new one, and its call would begin anew */
export function createCorrelation(most = 20_000): Correlation {
  const known = new Map<string, string>();
  const remember = (name: string, id: string): void => {
    // Behind all others again: what is spoken of now is forgotten last.
    known.delete(name);
    known.set(name, id);
    if (known.size > most) known.delete(known.keys().next().value as string);
  };
  return {
    of({ callId, fromTag, toTag }) {
      const names = [`c ${callId}`, ...[fromTag, toTag].filter((tag) => tag !== '').map((tag) => `t ${tag}`)];
      const id = names.map((name) => known.get(name)).find((found) => found !== undefined) ?? printable(callId);
      for (const name of names) remember(name, id);
      return id;
    },
  };
}
