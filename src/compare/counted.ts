/** Counts different numbers as they come, exactly as long as each comes again before so many others. Memory is bounded. */

const MOST = 16_384;
const SLOTS = 2 * MOST;

export class Counted {
  size = 0;
  /** Those that came lately, and those that came before them: open addressing, NaN is free. */
  #now = new Float64Array(SLOTS).fill(NaN);
  #before = new Float64Array(SLOTS).fill(NaN);
  #filled = 0;

  /** @param number a whole one of 53 bits, well mixed */
  add(number: number): void {
    const slot = find(this.#now, number);
    if (this.#now[slot] === number) return;
    const before = this.#before[find(this.#before, number)] === number;
    this.#now[slot] = number;
    if (!before) this.size++;
    if (++this.#filled < MOST) return;
    [this.#now, this.#before] = [this.#before, this.#now];
    this.#now.fill(NaN);
    this.#filled = 0;
  }
}

function find(table: Float64Array, number: number): number {
  let slot = (number % 0x7fffffff) & (SLOTS - 1);
  for (let value = table[slot]!; value === value && value !== number; value = table[slot]!) slot = (slot + 1) & (SLOTS - 1);
  return slot;
}
