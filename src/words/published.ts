/**
 * What a program reads of a result whose sentences are {@link Said}: each is its English text where it stands, and beside it, in
 * `coded`, its code and values by the name of its field; those of a list by their places in it.
 *
 *     { what: Said, evidence: Line[] }  ->  { what: string, evidence: string[], coded: { what: Coded, evidence: { 0: Coded } } }
 */
import { coded, codedOf, textOf } from './say.ts';
import type { Coded, Line, Said } from './say.ts';
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
