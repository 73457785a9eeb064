/**
 * Values as blobmsg carries them (libubox blobmsg.h), each kind's writing beside its reading.
 *
 * | ubus               | read as                                 | written from                             |
 * |--------------------|-----------------------------------------|------------------------------------------|
 * | unspec (0)         | null                                    | null                                     |
 * | array (1)          | array                                   | array                                    |
 * | table (2)          | plain object, the first of equal names  | object; undefined values are left out    |
 * | string (3)         | string (see text.ts)                    | string without NUL                       |
 * | int64 (4)          | number where exact, else bigint         | bigint; an integer beyond 32 bits        |
 * | int32 (5)          | number                                  | an integer of 32 bits with sign          |
 * | int16 (6)          | number                                  | `typed('int16', n)`                      |
 * | boolean, int8 (7)  | boolean (not 0)                         | boolean                                  |
 * | double (8)         | number                                  | any other number; `typed('double', n)`   |
 *
 * Integers are signed, as in libubox's own JSON. An integer beyond 2^53 in a number is not exact
 * and is written as a double: use a bigint. JavaScript puts names that are
 * array indices ("0", "17") first in an object, and so in what is written.
 */
import { BlobWriter, MAX_BLOB, padded, readAttributes } from './blob.ts';
import type { Attribute } from './blob.ts';
import { Status, UbusError } from './status.ts';
import { readText } from './text.ts';

/** The blobmsg types by the names used here; `any` is unspec. The place is the number on the wire. */
export const types = ['any', 'array', 'table', 'string', 'int64', 'int32', 'int16', 'boolean', 'double'] as const;

export type TypeName = (typeof types)[number];

/** A value as it is read. */
export type Value = null | boolean | number | bigint | string | Value[] | Table;

/** A table as it is read. */
export interface Table {
  [name: string]: Value;
}

/** An object to be written as a table; what is in it is checked then. */
export type TableLike = { readonly [name: string]: any };

/** A number whose type on the wire is chosen: see {@link typed}. */
export class Typed {
  readonly type: 'int16' | 'int32' | 'int64' | 'double';
  readonly value: number | bigint;

  constructor(type: Typed['type'], value: number | bigint) {
    this.type = type;
    this.value = value;
  }
}

/** A number of exactly this type on the wire, for an object that insists on it: `typed('double', 1)`. */
export function typed(type: Typed['type'], value: number | bigint): Typed {
  return new Typed(type, value);
}

/** Deeper nesting is refused in both directions: nobody means it, and it would exhaust the stack. */
const DEEPEST = 64;

const [UNSPEC, ARRAY, TABLE, STRING, INT64, INT32, INT16, INT8, DOUBLE] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** The bytes a fixed-size type has. */
const sizes: Record<number, number> = { [INT64]: 8, [INT32]: 4, [INT16]: 2, [INT8]: 1, [DOUBLE]: 8 };

const ranges = { int16: 16, int32: 32, int64: 64 } as const;

/** @throws UbusError INVALID_ARGUMENT when a value has no place in ubus, naming it */
export function encodeTable(table: TableLike): Uint8Array {
  const writer = new BlobWriter(MAX_BLOB);
  writeMembers(writer, table, [], 0);
  return writer.finish();
}

/** @throws UbusError PARSE_ERROR when `bytes` is not the inside of a table */
export function decodeTable(bytes: Uint8Array): Table {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return readMembers(bytes, view, 0, bytes.length, 0);
}

function refuse(path: readonly string[], what: string): UbusError {
  return new UbusError(Status.INVALID_ARGUMENT, `the value at ${JSON.stringify(path.join('.'))} ${what}`);
}

function writeMembers(writer: BlobWriter, table: TableLike, path: string[], depth: number): void {
  for (const name of Object.keys(table)) {
    if (table[name] === undefined) continue;
    path.push(name);
    writeValue(writer, name, table[name], path, depth);
    path.pop();
  }
}

function begin(writer: BlobWriter, type: number, name: string): number {
  const start = writer.open(type, true);
  // The name's length stands before it but is known after it.
  writer.u16(0);
  const size = writer.text(name);
  if (size > 0xffff) throw new UbusError(Status.INVALID_ARGUMENT, `a name of ${size} bytes is longer than 65535`);
  writer.u16At(start + 4, size);
  writer.pad();
  return start;
}

function writeValue(writer: BlobWriter, name: string, value: unknown, path: string[], depth: number): void {
  if (depth >= DEEPEST) throw refuse(path, `is nested deeper than ${DEEPEST} levels (or holds itself)`);
  let start: number;
  if (value === null) {
    start = begin(writer, UNSPEC, name);
  } else if (typeof value === 'boolean') {
    start = begin(writer, INT8, name);
    writer.u8(value ? 1 : 0);
  } else if (typeof value === 'string') {
    start = begin(writer, STRING, name);
    writer.text(value);
  } else if (typeof value === 'number') {
    const small = Number.isInteger(value) && value === (value | 0);
    return writeNumber(writer, name, small ? 'int32' : Number.isSafeInteger(value) ? 'int64' : 'double', value, path);
  } else if (typeof value === 'bigint') {
    return writeNumber(writer, name, 'int64', value, path);
  } else if (value instanceof Typed) {
    return writeNumber(writer, name, value.type, value.value, path);
  } else if (Array.isArray(value)) {
    start = begin(writer, ARRAY, name);
    value.forEach((item, at) => {
      path.push(String(at));
      writeValue(writer, '', item, path, depth + 1);
      path.pop();
    });
  } else if (typeof value === 'object') {
    start = begin(writer, TABLE, name);
    writeMembers(writer, value as TableLike, path, depth + 1);
  } else {
    throw refuse(
      path,
      `is ${value === undefined ? 'undefined in an array' : `a ${typeof value}`}: ubus carries null, `
        + 'booleans, numbers, bigints, strings, arrays and objects of these',
    );
  }
  writer.close(start);
}

function writeNumber(writer: BlobWriter, name: string, type: Typed['type'], value: number | bigint, path: string[]): void {
  const start = begin(writer, types.indexOf(type), name);
  if (type === 'double') {
    writer.f64(Number(value));
  } else {
    const bits = ranges[type];
    const whole = typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : undefined;
    if (whole === undefined || BigInt.asIntN(bits, whole) !== whole) {
      throw refuse(path, `is ${value}, which is not an integer of ${bits} bits with sign`);
    }
    if (type === 'int64') writer.u64(whole);
    else if (type === 'int32') writer.u32(Number(whole));
    else writer.u16(Number(whole));
  }
  writer.close(start);
}

function readMembers(bytes: Uint8Array, view: DataView, from: number, to: number, depth: number): Table {
  const table: Table = {};
  for (const attribute of readAttributes(bytes, from, to)) {
    if (!attribute.extended || attribute.id > DOUBLE) continue;
    const data = dataOf(view, attribute);
    const length = view.getUint16(attribute.from);
    const name = readText(bytes, attribute.from + 2, attribute.from + 2 + length);
    const value = readValue(bytes, view, attribute, data, depth);
    // Plain assignment to this one name would set the prototype instead.
    if (name === '__proto__') Object.defineProperty(table, name, { value, enumerable: true, configurable: true });
    else if (!Object.hasOwn(table, name)) table[name] = value;
  }
  return table;
}

/** Where an attribute's data begins, after its name if it has one. */
function dataOf(view: DataView, { extended, from, to }: Attribute): number {
  if (!extended) return from;
  const length = to - from < 3 ? 0xffff : view.getUint16(from);
  const data = from + padded(2 + length + 1);
  if (data > to) throw new UbusError(Status.PARSE_ERROR, `a name of ${length} bytes does not fit its attribute`);
  if (view.getUint8(from + 2 + length) !== 0) throw new UbusError(Status.PARSE_ERROR, 'a name has no NUL at its end');
  return data;
}

function readValue(bytes: Uint8Array, view: DataView, attribute: Attribute, from: number, depth: number): Value {
  const { id, to } = attribute;
  if (depth >= DEEPEST) throw new UbusError(Status.PARSE_ERROR, `values are nested deeper than ${DEEPEST} levels`);
  const size = sizes[id];
  if (size !== undefined && size !== to - from) {
    throw new UbusError(Status.PARSE_ERROR, `a value of type ${types[id]} has ${to - from} bytes instead of ${size}`);
  }
  switch (id) {
    case ARRAY:
      return readAttributes(bytes, from, to).map((item) =>
        item.id > DOUBLE ? null : readValue(bytes, view, item, dataOf(view, item), depth + 1),
      );
    case TABLE:
      return readMembers(bytes, view, from, to, depth + 1);
    case STRING:
      return readString(bytes, from, to);
    case INT64: {
      const exact = view.getBigInt64(from);
      const number = Number(exact);
      return Number.isSafeInteger(number) ? number : exact;
    }
    case INT32:
      return view.getInt32(from);
    case INT16:
      return view.getInt16(from);
    case INT8:
      return view.getUint8(from) !== 0;
    case DOUBLE:
      return view.getFloat64(from);
    default:
      return null;
  }
}

/** A string ends at its first NUL, and has one. */
export function readString(bytes: Uint8Array, from: number, to: number): string {
  const end = bytes.indexOf(0, from);
  if (to === from || bytes[to - 1] !== 0) throw new UbusError(Status.PARSE_ERROR, 'a string has no NUL at its end');
  return readText(bytes, from, end);
}
