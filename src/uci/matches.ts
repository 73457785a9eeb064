/**
 * Which lines of two texts are the same lines, where that is certain.
 *
 * A shortest edit script is rarely the only one: of two equal lines, either
 * may be the one that went. All shortest scripts lie between the two extreme
 * ones (deletions as early, and as late, as they can be), so a line that both
 * extremes keep in the same place is kept there by every one of them.
 */

/** Most lines of a text, and most cells (4 bytes each) of the table below: they bound time and memory. */
const LINES = 10_000;
const CELLS = 2_000_000;

/**
 * For each line of `from`, the index of the same line in `to`, or -1 where
 * there is none or more than one shortest edit script disagree. Null when the
 * two differ too much to tell in bounded time and memory.
 */
export function certainMatches(from: readonly string[], to: readonly string[]): Int32Array | null {
  if (from.length > LINES || to.length > LINES) return null;
  const numbers = new Map<string, number>();
  const one = numbered(from, numbers);
  const two = numbered(to, numbers);
  for (let band = Math.abs(one.length - two.length) + 8; ; band *= 2) {
    if ((one.length + 1) * (2 * band + 1) > CELLS) return null;
    const table = distances(one, two, band);
    // A script of n steps never strays further than n from the diagonal: now all shortest ones are in the band.
    if ((table[band] ?? 0) > band) continue;
    const early = walk(one, two, table, band, true);
    const late = walk(one, two, table, band, false);
    return early.map((index, line) => (index === late[line] ? index : -1));
  }
}

/**
 * The number of lines to delete and insert from each pair of places to the end,
 * for places at most `band` apart: cell [i * width + (j - i + band)] is for from[i], to[j].
 */
function distances(from: Int32Array, to: Int32Array, band: number): Int32Array {
  const width = 2 * band + 1;
  const far = from.length + to.length + 1;
  const table = new Int32Array((from.length + 1) * width).fill(far);
  for (let i = from.length; i >= 0; i--) {
    for (let j = Math.min(to.length, i + band); j >= Math.max(0, i - band); j--) {
      const cell = i * width + (j - i + band);
      if (i === from.length && j === to.length) {
        table[cell] = 0;
        continue;
      }
      let least = far;
      if (i < from.length && j < to.length && from[i] === to[j]) least = table[cell + width] ?? far;
      // One line down is one column to the left, as columns are counted from the diagonal.
      if (i < from.length && j > i - band) least = Math.min(least, 1 + (table[cell + width - 1] ?? far));
      if (j < to.length && j < i + band) least = Math.min(least, 1 + (table[cell + 1] ?? far));
      table[cell] = least;
    }
  }
  return table;
}

/** Follows one extreme of the shortest edit scripts: deletions before all else, or insertions before all else. */
function walk(
  from: Int32Array,
  to: Int32Array,
  table: Int32Array,
  band: number,
  deletionsFirst: boolean,
): Int32Array {
  const width = 2 * band + 1;
  const matches = new Int32Array(from.length).fill(-1);
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const cell = i * width + (j - i + band);
    const left = table[cell] ?? 0;
    const deletes = i < from.length && j > i - band && 1 + (table[cell + width - 1] ?? 0) === left;
    const keeps = i < from.length && j < to.length && from[i] === to[j] && table[cell + width] === left;
    const inserts = j < to.length && j < i + band && 1 + (table[cell + 1] ?? 0) === left;
    const goes = deletionsFirst ? deletes : !keeps && !inserts;
    const comes = deletionsFirst ? !deletes && !keeps : inserts;
    if (!goes && !comes) matches[i] = j;
    if (!comes) i += 1;
    if (!goes) j += 1;
  }
  return matches;
}

/** The lines as numbers, the same number for the same line, so that comparing two is one step. */
function numbered(lines: readonly string[], numbers: Map<string, number>): Int32Array {
  return Int32Array.from(lines, (line) => {
    const known = numbers.get(line) ?? numbers.size;
    numbers.set(line, known);
    return known;
  });
}
