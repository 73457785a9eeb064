/** Where the lines of a text begin and end, looked up in logarithmic time whatever the text. */

export interface Lines {
  /** The line, counted from 1, that holds an offset. */
  number(offset: number): number;
  /** Where the line that holds an offset begins. */
  start(offset: number): number;
  /** Where the line that holds an offset ends, its line end included. */
  end(offset: number): number;
}

export function linesOf(text: string): Lines {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  /** What was asked for last; mostly the same line, or the next one, is asked for again. */
  let last = 0;
  const holds = (index: number, offset: number): boolean =>
    (starts[index] ?? Infinity) <= offset && offset < (starts[index + 1] ?? Infinity);
  /** Index of the last line that starts at or before `offset`. */
  const indexOf = (offset: number): number => {
    if (holds(last, offset)) return last;
    if (holds(last + 1, offset)) return (last += 1);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return (last = low);
  };
  return {
    number: (offset) => indexOf(offset) + 1,
    start: (offset) => starts[indexOf(offset)] ?? 0,
    end: (offset) => starts[indexOf(offset) + 1] ?? text.length,
  };
}
