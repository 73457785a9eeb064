/** All the words of a language, for a page that is in it. */
import type { Catalog, Languages } from './languages.ts';
import { chosen } from './locale.ts';

/** @param language as anybody names it @returns null where there is no such language, or its package is not installed */
export async function wholeOf(languages: Languages, language: string): Promise<Catalog | null> {
  const parts = languages[chosen(language, Object.keys(languages)) ?? ''];
  if (parts === undefined) return null;
  try {
    const loaded = await Promise.all([parts.plain(), parts.calls(), parts.page()]);
    return Object.assign({}, ...loaded.map((part) => part.default)) as Catalog;
  } catch {
    return null;
  }
}
