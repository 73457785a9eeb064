/** What a value read from JSON must be like, told piece by piece; a type's fields cannot be forgotten, for the compiler counts them. */
import type { Reading } from '../host/host.ts';
import type { Coded, Values } from '../words/say.ts';

/**
 * Whether a value is a T.
 * @param path where it stands in its document, for the answer
 * @returns the path of the first piece that is missing or is something else; null where all is as it should be
 */
export type Shape<T> = ((value: unknown, path: string) => string | null) & { readonly of?: T };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const when =
  <T>(fits: (value: unknown) => boolean): Shape<T> =>
  (value, path) =>
    fits(value) ? null : path;

export const text: Shape<string> = when((value) => typeof value === 'string');
export const flag: Shape<boolean> = when((value) => typeof value === 'boolean');
export const number: Shape<number> = when((value) => typeof value === 'number' && Number.isFinite(value));

/** A moment that a Date can still name (ECMA-262), milliseconds since the epoch. */
export const moment: Shape<number> = when((value) => typeof value === 'number' && Math.abs(value) <= 8.64e15);

export const among = <const T>(values: readonly T[]): Shape<T> => when((value) => values.includes(value as T));

export const orNull =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, path) =>
    value === null ? null : shape(value, path);

/** A field that may be left out. */
export const maybe =
  <T>(shape: Shape<T>): Shape<T> =>
  (value, path) =>
    value === undefined ? null : shape(value, path);

export const list =
  <T>(shape: Shape<T>): Shape<T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) return path;
    for (let at = 0; at < value.length; at++) {
      const lacking = shape(value[at], `${path}[${at}]`);
      if (lacking !== null) return lacking;
    }
    return null;
  };

const below = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

const isValue = (value: unknown): boolean =>
  typeof value === 'string'
  || typeof value === 'number'
  || (Array.isArray(value) && value.every(isValue))
  || (isObject(value)
    && typeof value['code'] === 'string'
    && typeof value['text'] === 'string'
    && (value['parameters'] === undefined || areValues(value['parameters'])));
const areValues = (value: unknown): boolean => isObject(value) && Object.values(value).every(isValue);

/** What a sentence is filled with. */
export const values: Shape<Values> = when(areValues);

/** A sentence by its code. */
export const coded: Shape<Coded> = when(
  (value) => isObject(value) && typeof value['code'] === 'string' && (value['parameters'] === undefined || areValues(value['parameters'])),
);

/** Fields that are not named here are another version's, and are let be. */
export const fields =
  <T extends object>(shapes: { readonly [Name in keyof Required<T>]: Shape<T[Name]> }): Shape<T> =>
  (value, path) => {
    if (!isObject(value)) return path;
    for (const name of Object.keys(shapes)) {
      const shape = shapes[name as keyof T] as Shape<unknown>;
      const lacking = shape(Object.hasOwn(value, name) ? value[name] : undefined, below(path, name));
      if (lacking !== null) return lacking;
    }
    return null;
  };

/** By name; `names` must be there. */
export const record =
  <T>(shape: Shape<T>, names: readonly string[] = []): Shape<Record<string, T>> =>
  (value, path) => {
    if (!isObject(value)) return path;
    for (const name of new Set([...names, ...Object.keys(value)])) {
      const lacking = shape(Object.hasOwn(value, name) ? value[name] : undefined, below(path, name));
      if (lacking !== null) return lacking;
    }
    return null;
  };

/** Both of two. */
export const both =
  <A, B>(one: Shape<A>, other: Shape<B>): Shape<A & B> =>
  (value, path) =>
    one(value, path) ?? other(value, path);

/** Whichever of these the field `by` names. */
export const kinds =
  <T>(by: string, shapes: Readonly<Record<string, Shape<unknown>>>): Shape<T> =>
  (value, path) => {
    if (!isObject(value)) return path;
    const kind = value[by];
    const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
    return shape === undefined ? below(path, by) : shape(value, path);
  };

export const reading = <T>(shape: Shape<T>): Shape<Reading<T>> =>
  kinds('state', {
    present: (value, path) => text((value as { source?: unknown }).source, below(path, 'source')) ?? shapeOfValue(shape, value, path),
    absent: fields<{ source: string }>({ source: text }),
    failed: fields<{ source: string; because: string }>({ source: text, because: text }),
  });

const shapeOfValue = (shape: Shape<unknown>, value: unknown, path: string): string | null =>
  shape((value as { value?: unknown }).value, below(path, 'value'));

/** Text that another function reads, and refuses by an Error. */
export const read =
  <T>(parse: (value: unknown) => T): Shape<T> =>
  (value, path) => {
    try {
      parse(value);
      return null;
    } catch {
      return path; // Its own words are about a file, which this is not.
    }
  };
