/**
 * Whether work grows in step with what is worked on: no clock and no limit in seconds, which another program on the
 * machine could make a test miss. The same work is done at two sizes and their costs are held against each other.
 */

import { held } from './asserting.ts';

/** How many times larger the large size is. Linear work costs as many times more, quadratic work its square. */
const TIMES = 16;
/**
 * How many times dearer than linear the large one may be: caches and memory make it a few times. Quadratic work is
 * sixteen times dearer.
 */
const SLACK = 8;
/** Microseconds of processor below which nothing grows too fast at these sizes: there the costs are noise. */
const CHEAP = 50_000;

/**
 * An error where the cost of `work` grows faster than the size of what it is given.
 * @param what    names it in the failure
 * @param make    gives work of a size; not counted
 * @param largest the size tried first; a sixteenth of it is what it is compared with
 */
export function growsInStep<T>(what: string, make: (size: number) => T, work: (given: T) => unknown, largest = 1 << 17): void {
  const all = make(largest);
  const few = make(largest / TIMES);
  let large = Infinity;
  let small = 0;
  // Again where it seems dear: the first time pays for the compiler and the collector too, and what shares the processor's
  // caches may slow one measurement and not the other.
  for (let time = 0; time < 5; time++) {
    large = Math.min(large, cost(work, all));
    if (large < CHEAP) return held();
    small = [small, ...[0, 1, 2].map(() => cost(work, few))].sort((a, b) => a - b)[2] as number;
    if (large < small * TIMES * SLACK) return held();
  }
  throw new Error(
    `${what}: ${TIMES} times the size costs ${(large / small).toFixed(0)} times as much (${small} and ${large} microseconds of processor)`,
  );
}

/** Microseconds that the processor spent in this program: others on the machine do not add to it. */
function cost<T>(work: (given: T) => unknown, given: T): number {
  const before = process.cpuUsage();
  work(given);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
