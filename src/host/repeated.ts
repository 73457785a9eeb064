/** Lines of the log that somebody else can cause: the first of a kind is said, of those that follow how many there were. */
import type { Clock } from './clock.ts';

/** Of one kind a line in so long, in milliseconds. */
export const QUIET = 60_000;
/** Kinds that are told apart at a time; the rest count as one. */
export const MOST_KINDS = 16;

/** What two lines of a kind differ in: numbers, and what stands in quotes. */
const kindOf = (line: string): string => line.replace(/"[^"]*"/g, '""').replace(/\d+/g, '0');

/**
 * @param say writes a line of the log
 * @returns the same, for lines that may come a thousand times: a line of a kind that was said within the last minute is
 *   counted, and when the minute is over one line says how many there were
 */
export function createRepeated(clock: Clock, say: (line: string) => void): (line: string) => void {
  const kinds = new Map<string, { more: number; last: string }>();

  return (line) => {
    const own = kindOf(line);
    const kind = kinds.has(own) || kinds.size < MOST_KINDS ? own : '';
    const known = kinds.get(kind);
    if (known !== undefined) {
      known.more += 1;
      known.last = line;
      return;
    }
    say(line);
    const mine = { more: 0, last: '' };
    kinds.set(kind, mine);
    clock.after(QUIET, () => {
      kinds.delete(kind);
      if (mine.more > 0) say(`${mine.last} (${mine.more} like it in ${QUIET / 1000} s)`);
    });
  };
}
