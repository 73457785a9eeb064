/** Puts sentences into the reader's language, from a translation by code. English needs none of it. */
export { chosen } from './locale.ts';
import { ENGLISH, fill, listed, say } from './say.ts';
import type { Coded, Grammar, Said } from './say.ts';
import type { Put } from './english.ts';
import type { ReasonIn } from './reasons.ts';

/** What a translation is asked for, besides `_` of the page: a sentence by its code. */
const key = (code: string): string => `sipalg ${code}`;

/** Which form goes with a number, by the expression of a translation's header `Plural-Forms` (gettext's manual, "Plural forms"). */
export const FORMS: Readonly<Record<string, (n: number) => number>> = {
  '0': () => 0,
  'n != 1': (n) => (n === 1 ? 0 : 1),
  'n > 1': (n) => (n > 1 ? 1 : 0),
  'n==1 ? 0 : n>=2 && n<=4 ? 1 : 2': (n) => (n === 1 ? 0 : n >= 2 && n <= 4 ? 1 : 2),
  'n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2': (n) =>
    n === 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2,
  'n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2': (n) =>
    n % 10 === 1 && n % 100 !== 11 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2,
};

const AND = say('and', ' and ');

/**
 * @param translate gives what it was asked for where it knows nothing of it
 * @param reasonIn knows what doors say
 */
export function putIn(translate: (key: string) => string, reasonIn: ReasonIn): Put {
  const form = FORMS[translate('sipalg plural')] ?? ENGLISH.form;
  const grammar: Grammar = {
    form,
    list: (items) => listed(items, put(AND)),
    // Why something could not be read is said by doors and tools, and travels as they say it.
    value: (name, value) => (typeof value !== 'string' ? put(value) : name === 'because' ? reason(value) : value),
  };
  const reason = (text: string): string => {
    const known = reasonIn(text);
    if (known !== null) return put(known, text);
    // It may begin a sentence.
    const within = reasonIn(text.charAt(0).toLowerCase() + text.slice(1));
    if (within === null) return text;
    const said = put(within, text);
    return said.charAt(0).toUpperCase() + said.slice(1);
  };
  function put(said: Coded | undefined, text?: string): string {
    const english = text ?? (said as Said).text;
    if (said === undefined) return reason(english);
    const found = translate(key(said.code));
    return found === key(said.code) ? english : fill(found, said.parameters ?? {}, grammar);
  }
  return put;
}
