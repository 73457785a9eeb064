/** Finds the language of whoever reads on a terminal. */
import { english } from './english.ts';
import type { Put } from './english.ts';
import type { Catalog, Languages } from './languages.ts';

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
 * @param ofCalls whether what is said of calls is wanted too, and help
 * @returns English too where a language is not there, or cannot be loaded: what is said counts more than how
 */
export async function speak(locale: string, load: () => Promise<Languages>, ofCalls: boolean): Promise<Put> {
  const names = asked(locale);
  if (names.length === 0) return english;
  try {
    const [languages, { putIn }, { reasonIn }] = await Promise.all([load(), import('./put.ts'), import('./far-reasons.ts')]);
    const parts = languages[names.find((one) => Object.hasOwn(languages, one)) ?? ''];
    if (parts === undefined) return english;
    const loaded = await Promise.all([parts.plain(), ...(ofCalls ? [parts.calls()] : [])]);
    const catalog: Catalog = loaded.length === 1 ? loaded[0].default : Object.assign({}, ...loaded.map((part) => part.default));
    return putIn((key) => (Object.hasOwn(catalog, key) ? (catalog[key] as string) : key), reasonIn);
  } catch {
    return english;
  }
}
