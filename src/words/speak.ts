/** Finds the language of whoever reads on a terminal. */
import { english } from './english.ts';
import type { Put } from './english.ts';
import type { Catalog, Languages } from './languages.ts';

/**
 * @param locale as in LC_ALL, LC_MESSAGES or LANG (POSIX, XBD 8.2), where the first that is set counts
 * @param load the languages there are; English needs no file
 * @param ofCalls whether what is said of calls is wanted too, and help
 * @returns English too where a language is not there, or cannot be loaded: what is said counts more than how
 */
export async function speak(locale: string, load: () => Promise<Languages>, ofCalls: boolean): Promise<Put> {
  // What the most say of all costs nothing.
  if (/^($|(en|C|POSIX)(?![a-z]))/i.test(locale)) return english;
  try {
    const [languages, { chosen, putIn }, { reasonIn }] = await Promise.all([load(), import('./put.ts'), import('./far-reasons.ts')]);
    const parts = languages[chosen(locale, Object.keys(languages)) ?? ''];
    if (parts === undefined) return english;
    const loaded = await Promise.all([parts.plain(), ...(ofCalls ? [parts.calls()] : [])]);
    const catalog: Catalog = loaded.length === 1 ? loaded[0].default : Object.assign({}, ...loaded.map((part) => part.default));
    return putIn((key) => (Object.hasOwn(catalog, key) ? (catalog[key] as string) : key), reasonIn);
  } catch {
    return english;
  }
}
