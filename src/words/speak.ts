/** Finds the language of whoever reads on a terminal. */
import { english } from './english.ts';
import type { Put } from './english.ts';
import type { Catalog } from './languages.ts';

/**
 * The languages that a locale asks for, the best first: `de_AT.UTF-8@euro` is `de_AT`, then `de`. None where it is English.
 * @param locale as in LC_ALL, LC_MESSAGES or LANG (POSIX, XBD 8.2), where the first that is set counts
 */
export function asked(locale: string): string[] {
  const [, language = '', country] = /^([a-z]{2,3})(?:[_-]([A-Za-z]{2,4}))?(?:$|[.@])/.exec(locale) ?? [];
  if (language === '' || language === 'en') return [];
  return country === undefined ? [language] : [`${language}_${country.toUpperCase()}`, language];
}

/**
 * @param load the languages there are; English needs no file
 * @returns English too where a language is not there, or cannot be loaded: what is said counts more than how
 */
export async function speak(
  locale: string,
  load: () => Promise<Readonly<Record<string, () => Promise<{ default: Catalog }>>>>,
): Promise<Put> {
  const names = asked(locale);
  if (names.length === 0) return english;
  try {
    const [languages, { putIn }] = await Promise.all([load(), import('./put.ts')]);
    const name = names.find((one) => Object.hasOwn(languages, one));
    if (name === undefined) return english;
    const { default: catalog } = await (languages[name] as () => Promise<{ default: Catalog }>)();
    return putIn((key) => (Object.hasOwn(catalog, key) ? (catalog[key] as string) : key));
  } catch {
    return english;
  }
}
