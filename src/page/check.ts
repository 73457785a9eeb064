/** What a form says of a value: by the schema itself, so it takes what the program takes, and in the same words. */
import { lacksOf } from '../wish/lacks.ts';
import { SCHEMA } from '../wish/schema.ts';
import type { Many, One, TypeName } from '../wish/schema.ts';
import { booleanOf } from '../wish/values.ts';
import type { Words } from './words.ts';
import { fill } from './words.ts';

/** A section's options as uci has them. */
export type Given = Readonly<Record<string, string | readonly string[] | null | undefined>>;

type Option = One<unknown> | Many<unknown>;

const optionOf = (type: TypeName, option: string): Option | undefined => (SCHEMA[type].options as Record<string, Option>)[option];

/** The values of a list; as an option, its words are the values. */
export function itemsOf(given: Given[string]): readonly string[] {
  if (given === null || given === undefined) return [];
  return (typeof given === 'string' ? given.split(/\s+/) : given.map((each) => each.trim())).filter((each) => each !== '');
}

/** What it is where nothing is given, as text. */
export function unsetOf(type: TypeName, option: string): string {
  const schema = optionOf(type, option);
  if (schema === undefined || schema.takes === 'list' || schema.unset === null) return '';
  const { unset } = schema;
  return typeof unset === 'boolean' ? (unset ? '1' : '0') : typeof unset === 'object' ? (unset as { name: string }).name : String(unset);
}

/** `1` or `0`, however it is written; what is none of them stays as it is. */
export function flagOf(type: TypeName, option: string, given: Given[string]): string {
  if (typeof given !== 'string' || given === '') return unsetOf(type, option);
  const value = booleanOf(given);
  return value === undefined ? given : value ? '1' : '0';
}

const isWrong = (schema: Option, value: unknown): boolean =>
  value === undefined || (schema.takes === 'list' && typeof value === 'object' && value !== null && 'wrong' in value);

/** What is wrong with one value; null: nothing. */
function wrongWith(schema: Option, given: string, words: Words): string | null {
  const value = schema.read(given);
  if (!isWrong(schema, value)) return null;
  if (value === undefined)
    return fill(words.form.allowed, given, typeof schema.allowed === 'string' ? schema.allowed : words.put(schema.allowed));
  return `${words.put(undefined, String((value as { wrong: string }).wrong))}.`;
}

interface Sorted {
  fits: readonly string[];
  /** The first that does not; undefined: all do. */
  wrong: string | undefined;
}

/** A list stays the same object until it is changed, and each is asked about with every look: ten thousand networks take 50 ms. */
const sortedLists = new WeakMap<object, Map<Option, Sorted>>();

function sorted(schema: Option, given: Given[string]): Sorted {
  const known = typeof given === 'object' && given !== null ? (sortedLists.get(given) ?? new Map<Option, Sorted>()) : null;
  const before = known?.get(schema);
  if (before !== undefined) return before;
  const items = itemsOf(given);
  const fits = items.filter((each) => !isWrong(schema, schema.read(each)));
  const result = { fits, wrong: fits.length === items.length ? undefined : items.find((each) => isWrong(schema, schema.read(each))) };
  if (known !== null) sortedLists.set(given as object, known.set(schema, result));
  return result;
}

/** What a section lacks as a whole, in force of it what the reader would take. */
function lackingAt(type: TypeName, section: string, option: string, given: Given, words: Words): string | null {
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(SCHEMA[type].options as Record<string, Option>)) {
    const text = given[name];
    if (schema.takes === 'list') values[name] = sorted(schema, text).fits;
    else values[name] = typeof text === 'string' && text !== '' ? (schema.read(text) ?? schema.unset) : schema.unset;
  }
  const found = lacksOf(type, `sipalg.${section}`, values).find((one) => one.option === option);
  return found === undefined ? null : words.put(found.said);
}

/**
 * What is wrong with an option of a section; null: nothing.
 * @param given the whole section as it would be
 */
export function wrongOf(type: TypeName, section: string, option: string, given: Given, words: Words): string | null {
  const schema = optionOf(type, option);
  if (schema === undefined) return null;
  const value = given[option];
  const text = schema.takes === 'list' ? sorted(schema, value).wrong : typeof value === 'string' && value !== '' ? value : undefined;
  const wrong = text === undefined ? null : wrongWith(schema, text, words);
  return wrong ?? lackingAt(type, section, option, given, words);
}
