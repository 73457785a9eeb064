/** What somebody may have meant by a word that is not known. */

/** Edits that turn one word into another (Levenshtein); small words only. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 1; at <= one.length; at++) {
    const next = [at];
    for (let to = 1; to <= other.length; to++) {
      const same = one[at - 1] === other[to - 1] ? 0 : 1;
      next.push(Math.min((row[to] as number) + 1, (next[to - 1] as number) + 1, (row[to - 1] as number) + same));
    }
    row = next;
  }
  return row[other.length] as number;
}

/** @returns the known word nearest to this one; null where none is near */
export function nearestOf(word: string, known: readonly string[]): string | null {
  const ranked = known.map((one) => ({ one, away: distance(word.slice(0, 40).toLowerCase(), one) })).sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best !== undefined && best.away <= Math.max(2, Math.floor(best.one.length / 2)) ? best.one : null;
}

/** @returns ` Did you mean "WORD"?` for the known word nearest to this one; '' where none is near */
export function nearest(word: string, known: readonly string[]): string {
  const best = nearestOf(word, known);
  return best === null ? '' : ` Did you mean "${best}"?`;
}
