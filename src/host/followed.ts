/** Text that comes in pieces, a line at a time. Pure, so that every engine's door can use it. */

/** Bytes of a line; a longer one is no line of any tool, and is passed over. */
export const LONGEST_LINE = 1 << 16;

/** @param take gets each line without its end, once the end has come */
export function lineSplitter(take: (line: string) => void): { push(piece: string): void } {
  let begun = '';
  let passing = false;
  return {
    push(piece) {
      let from = 0;
      for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
        const line = begun + piece.slice(from, end);
        begun = '';
        from = end + 1;
        if (passing || line.length > LONGEST_LINE) passing = false;
        else take(line);
      }
      if (!passing) begun += piece.slice(from);
      if (begun.length > LONGEST_LINE) {
        begun = '';
        passing = true;
      }
    },
  };
}
