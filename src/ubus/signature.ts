/** An object's signature: what each method takes. On the wire, a table of tables of type numbers. */
import { Status, UbusError } from './status.ts';
import { decodeTable, encodeTable, types } from './value.ts';
import type { Table, TypeName, Value } from './value.ts';

/** The arguments of a method: name to type. */
export type Arguments = { readonly [name: string]: TypeName };

/** The methods of an object: name to arguments. */
export type Signature = { readonly [method: string]: Arguments };

/** @throws UbusError INVALID_ARGUMENT when a type has no such name */
export function encodeSignature(signature: Signature): Uint8Array {
  const table: { [method: string]: { [name: string]: number } } = {};
  for (const [method, names] of Object.entries(signature)) {
    const row: { [name: string]: number } = {};
    for (const [name, type] of Object.entries(names)) {
      const number = types.indexOf(type);
      if (number < 0) {
        throw new UbusError(
          Status.INVALID_ARGUMENT,
          `the type ${JSON.stringify(type)} of ${method}(${name}) is none of ${types.join(', ')}`,
        );
      }
      row[name] = number;
    }
    table[method] = row;
  }
  return encodeTable(table);
}

/** Types without a name here (and what is no type at all) are read as `any`. Throws as decodeTable does. */
export function decodeSignature(bytes: Uint8Array): Signature {
  return Object.fromEntries(
    Object.entries(decodeTable(bytes)).map(([method, row]) => {
      const names = Object.entries(isTable(row) ? row : {});
      return [
        method,
        Object.fromEntries(names.map(([name, type]) => [name, (typeof type === 'number' ? types[type] : undefined) ?? 'any'])),
      ];
    }),
  );
}

function isTable(value: Value): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The name of the first argument that is not of the type its method declares.
 * Missing arguments, null, and arguments that were not declared (rpcd adds
 * `ubus_rpc_session`) are right.
 */
export function misfit(names: Arguments, given: Table): string | undefined {
  return Object.keys(names).find((name) => {
    const value = Object.hasOwn(given, name) ? given[name]! : null;
    return value !== null && !fits(names[name]!, value);
  });
}

function fits(type: TypeName, value: Value): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'array':
      return Array.isArray(value);
    case 'table':
      return isTable(value);
    case 'string':
    case 'boolean':
      return typeof value === type;
    case 'double':
      return typeof value === 'number';
    case 'int64':
      return typeof value === 'bigint' || Number.isInteger(value);
    case 'int32':
      return Number.isInteger(value) && value === (Number(value) | 0);
    case 'int16':
      return Number.isInteger(value) && Math.abs(Number(value)) <= 0x8000;
  }
}
