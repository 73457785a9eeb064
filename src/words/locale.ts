/**
 * Which of the languages there are a reader means: by a locale (`pt_BR.UTF-8`), a tag of a browser (`zh-Hant-HK`, BCP 47) or a
 * name of LuCI (`zh-cn`). The languages there are have names of gettext, as the folders of translations have them (`pt_BR`, `zh_Hans`).
 */

/** A name taken apart; what it does not say is ''. */
interface Tag {
  language: string;
  script: string;
  region: string;
}

/** Where Chinese is written in the traditional script (CLDR 44, likelySubtags). */
const TRADITIONAL: readonly string[] = ['TW', 'HK', 'MO'];

/** @returns null where it is English, or no language, as `C` and `POSIX` are */
function tagOf(text: string): Tag | null {
  // What follows says how characters are coded, how words are sorted, and the like.
  const [, name = '', written = '', place = ''] = /^([a-z]{2,3})(?:[_-]([a-z]{4}))?(?:[_-]([a-z]{2}|\d{3}))?(?=$|[-_.@])/i.exec(text) ?? [];
  const known = name.toLowerCase();
  if (known === '' || known === 'en') return null;
  const region = place.toUpperCase();
  const script = written.charAt(0).toUpperCase() + written.slice(1).toLowerCase();
  // Norwegian is Bokmål where nothing else is said.
  const language = known === 'no' ? 'nb' : known;
  if (language !== 'zh') return { language, script, region };
  return { language, script: script || (TRADITIONAL.includes(region) ? 'Hant' : 'Hans'), region };
}

/**
 * The one of the languages there are that a reader of `tag` can read: that of the region, else that of none, else that of another
 * (who reads pt is better off with pt_BR than with English). Another script is another language.
 */
function choose({ language, script, region }: Tag, there: readonly string[]): string | undefined {
  const fits = there.filter((name) => {
    const tag = tagOf(name);
    return tag !== null && tag.language === language && tag.script === script;
  });
  const of = (wanted: string): string | undefined => fits.find((name) => tagOf(name)?.region === wanted);
  return of(region) ?? of('') ?? fits[0];
}

/** The same by a name of any kind; null where that is English or no language. */
export function chosen(name: string, there: readonly string[]): string | null | undefined {
  const tag = tagOf(name);
  return tag === null ? null : choose(tag, there);
}
