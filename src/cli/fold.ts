/** Lines that fit a terminal. A rule or a command stays in one line, to be copied: who has one does not fold it. */

/** Columns where the terminal does not say how many it has. */
export const COLUMNS = 80;

/**
 * A line in as many as it takes. What follows the first stands under its words, behind a sign such as `!` or `-`; a word that is
 * wider than the line stays whole, and so does what is to be typed, between backticks.
 * @param indent columns before what follows, where it is to stand elsewhere
 */
export function folded(line: string, width = COLUMNS, indent?: number): string {
  if (line.length <= width) return line;
  const hang = ' '.repeat(indent ?? /^ *(?:[-!*?+] )?/.exec(line)?.[0].length ?? 0);
  let [all, last] = ['', ''];
  for (const [piece, space = '', word = ''] of line.matchAll(/( *)((?:`[^`]*`|[^ ])+)/g)) {
    if (last.trim() !== '' && last.length + piece.length > width) {
      all += `${last}\n`;
      last = hang + word;
    } else last += space + word;
  }
  return all + last;
}

/** Every line of a text. */
export const foldedText = (text: string, width = COLUMNS): string =>
  text
    .split('\n')
    .map((line) => folded(line, width))
    .join('\n');
