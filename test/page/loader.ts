/** What LuCI's loader reads off a view before it runs it, as its rules are: written anew, from what it is seen to do. */

export interface Scanned {
  /** What is loaded and handed in: the class, and the name it gets. */
  needs: { name: string; as: string }[];
  /** What the source was wrapped in, ready to be evaluated. */
  wrapped: string;
}

/**
 * Walks over the strings at the head of a source, up to the first that is
 * neither `use strict` nor `require NAME [as NAME]`.
 * @param comments whether comments are skipped; LuCI before May 2020 did not
 */
export function scan(source: string, comments: boolean): Scanned {
  const needs: { name: string; as: string }[] = [];
  let at = 0;
  for (;;) {
    if (comments && source.startsWith('//', at)) {
      at = (source + '\n').indexOf('\n', at);
      continue;
    }
    if (comments && source.startsWith('/*', at)) {
      at = source.indexOf('*/', at) + 2;
      continue;
    }
    const quote = source[at];
    if (quote === undefined) break;
    if (quote !== '"' && quote !== "'") {
      at += quote === '\\' ? 2 : 1;
      continue;
    }
    let end = at + 1;
    while (end < source.length && source[end] !== quote) end += source[end] === '\\' ? 2 : 1;
    const text = source.slice(at + 1, end);
    const found = /^require[ \t]+(\S+)(?:[ \t]+as[ \t]+([a-zA-Z_]\S*))?$/.exec(text);
    if (found !== null) needs.push({ name: found[1] as string, as: found[2] ?? (found[1] as string).replace(/[^a-zA-Z0-9_]/g, '_') });
    else if (!/^use[ \t]+strict$/.test(text)) break;
    at = end + 1;
  }
  const names = ['window', 'document', 'L', ...needs.map(({ as }) => as)];
  // On one line with what it is wrapped in: a last line that is a comment swallows the brace.
  return { needs, wrapped: `(function(${names.join(', ')}) { ${source} })\n` };
}
