/**
 * What a program reads of a result whose sentences are {@link Said}: each is its English text where it stands, and beside it, in
 * `coded`, its code and values by the name of its field; those of a list by their places in it.
 *
 *     { what: Said, evidence: Line[] }  ->  { what: string, evidence: string[], coded: { what: Coded, evidence: { 0: Coded } } }
 */
import { coded, codedOf, textOf } from './say.ts';
import type { Coded, Line, Said, Value, Values } from './say.ts';
import type { Put } from './english.ts';

/** By the field that holds the sentence, or a list of lines of which some are words. */
export type CodedFields = Readonly<Record<string, Coded | Readonly<Record<number, Coded>>>>;

export type Published<T> = T extends Said
  ? string
  : T extends readonly (infer One)[]
    ? Published<One>[]
    : T extends object
      ? { [Field in keyof T]: Published<T[Field]> } & { coded?: CodedFields }
      : T;

const isSaid = (value: unknown): value is Said =>
  typeof value === 'object'
  && value !== null
  && typeof (value as Said).code === 'string'
  && typeof (value as Said).text === 'string'
  && Object.keys(value).every((key) => key === 'code' || key === 'text' || key === 'parameters');

export function published<T>(value: T): Published<T> {
  return plain(value) as Published<T>;
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isSaid(value)) return value.text;
  if (Array.isArray(value)) return value.map(plain);
  const codes: Record<string, CodedFields[string]> = {};
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => {
    if (isSaid(field)) {
      codes[name] = coded(field);
      return [name, field.text];
    }
    if (!Array.isArray(field) || !field.some(isSaid)) return [name, plain(field)];
    const lines = field as Line[];
    codes[name] = codedOf(lines) ?? {};
    return [name, lines.map(textOf)];
  });
  return { ...Object.fromEntries(fields), ...(Object.keys(codes).length > 0 ? { coded: codes } : {}) };
}

/** A sentence that was published, in the reader's language; of a document without codes it stays English. */
export const putField = (put: Put, of: { coded?: CodedFields }, field: string, text: string): string =>
  put(of.coded?.[field] as Coded | undefined, text);

/** The lines of a list that was published. */
export const putFieldLines = (put: Put, of: { coded?: CodedFields }, field: string, lines: readonly string[]): string[] =>
  lines.map((text, at) => put((of.coded?.[field] as Readonly<Record<number, Coded>> | undefined)?.[at], text));

/** Deeper than this no sentence of ours holds others. */
const MOST_DEEP = 4;

type Unknown = Readonly<Record<string, unknown>>;

const isValue = (value: unknown, deep: number): value is Value =>
  typeof value === 'string'
  || typeof value === 'number'
  || (Array.isArray(value)
    ? deep > 0 && value.every((one) => typeof one !== 'number' && !Array.isArray(one) && isValue(one, deep))
    : codeFrom(value, deep - 1) !== null && typeof (value as Unknown)['text'] === 'string');

/** What a file has where a code should stand; null where it is none. */
function codeFrom(value: unknown, deep = MOST_DEEP): Coded | null {
  if (deep < 0 || typeof value !== 'object' || value === null) return null;
  const { code, parameters } = value as Unknown;
  if (typeof code !== 'string') return null;
  if (parameters === undefined) return { code };
  const isFit =
    typeof parameters === 'object' && parameters !== null && Object.values(parameters).every((one) => isValue(one, deep));
  return isFit ? { code, parameters: parameters as Values } : null;
}

const lineWith = (text: string, value: unknown): Line => {
  const known = codeFrom(value);
  return known === null ? text : { ...known, text };
};

const codedIn = (of: Unknown, field: string): unknown => (of['coded'] as Unknown | null | undefined)?.[field];

/** A sentence that a file has published. What stands beside it and is no code counts as none: the text is what was said. */
export const lineOf = (of: Unknown, field: string): Line => lineWith(String(of[field]), codedIn(of, field));

/** The lines of a list that a file has published; what is no text is left out. */
export function linesOf(of: Unknown, field: string): Line[] {
  const list = of[field];
  const codes = codedIn(of, field) as Readonly<Record<number, unknown>> | null | undefined;
  return Array.isArray(list) ? list.flatMap((one, at) => (typeof one === 'string' ? [lineWith(one, codes?.[at])] : [])) : [];
}
