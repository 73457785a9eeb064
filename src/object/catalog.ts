/** The words of an answer in the reader's language: a page holds its own alone, and of all that programs say it gets what is said. */

/** A language: what is asked for (`sipalg CODE`), and its sentence. */
export type Catalog = Readonly<Record<string, string>>;

/** What goes with any sentence: how a number chooses the form of a word, and how a list ends. */
const ALWAYS = ['sipalg plural', 'sipalg and'];

function collect(value: unknown, catalog: Catalog, found: Record<string, string>): void {
  if (typeof value !== 'object' || value === null) return;
  const { code } = value as { code?: unknown };
  const key = `sipalg ${String(code)}`;
  if (typeof code === 'string' && Object.hasOwn(catalog, key)) found[key] = catalog[key] as string;
  // Of facts pages put nothing into words here, and they are long.
  for (const [name, one] of Object.entries(value)) if (name !== 'facts') collect(one, catalog, found);
}

/** The sentences whose codes stand in an answer, with those in their values. */
export function wordsOf(answer: object, catalog: Catalog): Record<string, string> {
  const found: Record<string, string> = {};
  collect(answer, catalog, found);
  if (Object.keys(found).length > 0)
    for (const key of ALWAYS) if (Object.hasOwn(catalog, key)) found[key] = catalog[key] as string;
  return found;
}
