/** How long a watch rests after what it has done: each kind of look costs a set part of a processor at most. */

/** What takes so long is followed by so many times that of rest. */
const REST = 300;
/** Of so many the shortest counts: on a busy router a look waits for its turn more than it works. */
const LATEST = 4;

/** @param least and `most`: milliseconds of rest */
export function resting(least: number, most: number): { rest(cost: number): number } {
  const costs: number[] = [];
  return {
    /** @param cost milliseconds that it took this time */
    rest(cost) {
      costs.push(cost);
      if (costs.length > LATEST) costs.shift();
      return Math.min(most, Math.max(least, Math.min(...costs) * REST));
    },
  };
}
