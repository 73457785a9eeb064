/**
 * How a sentence travels: a code that never changes its meaning, the values it is filled with, and its English text. A face
 * puts it into another language by its code (`put.ts`); who knows no code reads the text.
 *
 * A template names its values in braces: `{count} flows`. `{count:flow|flows}` is one of the forms of a word, by a number.
 * package/words.mjs collects every call of `say` into the translations, so code and template stand in it as they are.
 */

/** A value; a list is written "a, b and c", and a sentence in a sentence is put into words with it. */
export type Value = string | number | Said | readonly (string | Said)[];
export type Values = Readonly<Record<string, Value>>;

/** A sentence without its text. */
export interface Coded {
  code: string;
  /** Absent where it has none. */
  parameters?: Values;
}

export interface Said extends Coded {
  /** In English. */
  text: string;
}

/** A line that is words, or somebody else's text (a rule, a path), which stays as it is. */
export type Line = string | Said;

/** What of a language is more than its words. */
export interface Grammar {
  /** Which of the forms of a word goes with a number, from 0. */
  form(count: number): number;
  list(items: readonly string[]): string;
  value(name: string, value: string | Said): string;
}

export function fill(template: string, values: Values, { form, list, value }: Grammar): string {
  return template.replace(/\{(\w+)(?::([^{}]*))?\}/g, (whole: string, name: string, forms: string | undefined) => {
    const given = values[name];
    if (given === undefined) return whole;
    if (forms !== undefined) {
      const all = forms.split('|');
      return all[Math.min(form(Number(given)), all.length - 1)] ?? '';
    }
    if (typeof given === 'number') return String(given);
    return Array.isArray(given) ? list(given.map((one: string | Said) => value(name, one))) : value(name, given as string | Said);
  });
}

/** `a, b and c` */
export const listed = (items: readonly string[], and: string): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')}${and}${items[items.length - 1] ?? ''}`;

export const ENGLISH: Grammar = {
  form: (count) => (count === 1 ? 0 : 1),
  list: (items) => listed(items, ' and '),
  value: (_, value) => (typeof value === 'string' ? value : value.text),
};

/** A sentence, or a part of one. @param code unique in the whole program */
export function say(code: string, template: string, parameters?: Values): Said {
  return parameters === undefined ? { code, text: template } : { code, parameters, text: fill(template, parameters, ENGLISH) };
}

export const textOf = (line: Line): string => (typeof line === 'string' ? line : line.text);

/** Those of some lines that are words, by their place; nothing where none is. */
export function codedOf(lines: readonly Line[]): Record<number, Coded> | undefined {
  const found = lines.flatMap((line, at) => (typeof line === 'string' ? [] : [[at, coded(line)] as const]));
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

export const coded = ({ code, parameters }: Coded): Coded => (parameters === undefined ? { code } : { code, parameters });

/** What an error says: words, or somebody else's text. */
export const saidBy = (error: Error): Line => (error instanceof Trouble ? error.said : error.message);

/** An error whose message can be put into another language. */
export class Trouble extends Error {
  readonly said: Said;

  constructor(said: Said) {
    super(said.text);
    this.said = said;
  }
}
