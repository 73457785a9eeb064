/**
 * Replies that fit into a message of ubus (1 MiB): ten thousand networks and a day of attempts are more than that, with
 * the configuration's text and the steps that would put them in force.
 */
import { MAX_BLOB } from '../ubus/blob.ts';
import { Status, UbusError } from '../ubus/status.ts';
import { encodeTable } from '../ubus/value.ts';
import type { TableLike } from '../ubus/value.ts';

/** Characters of JSON that fit in any case: of what a report holds, ubus makes less than three times as many bytes. */
export const MOST_SURE = 340_000;
/** Bytes that a message has around its table. */
const ENVELOPE = 64;
/** What is left of a long text, in characters, and of a long list. */
const TEXT = 4096;
const ITEMS = 500;

const SAID =
  'The whole reply is more than ubus takes in one message: long texts in it end early, '
  + 'and long lists too where that was not enough. `sipalg status --json` has all of it.';

/** A ubus string ends at a NUL, and text of a damaged file may hold one. */
export function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\u2400');
  if (Array.isArray(value)) return value.map(withoutNul);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [withoutNul(name), withoutNul(one)]));
}

function fits(table: TableLike): boolean {
  try {
    return encodeTable(table).length <= MAX_BLOB - ENVELOPE;
  } catch (error) {
    if (error instanceof UbusError && error.status === Status.INVALID_ARGUMENT) return false;
    throw error;
  }
}

/** @param tables how many tables a list may have; @param items how many of anything else */
function cut(value: unknown, tables: number, items: number): unknown {
  if (typeof value === 'string') return value.length <= TEXT ? value : `${value.slice(0, TEXT)} [${value.length} characters in all]`;
  if (Array.isArray(value)) return value.slice(0, typeof value[0] === 'object' ? tables : items).map((one) => cut(one, tables, items));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cut(one, tables, items)]));
}

/**
 * The reply, or as much of it as ubus takes. What was cut short says so under `shortened`.
 * @param length of the reply as JSON, in characters
 */
export function shortened(reply: TableLike, length: number): TableLike {
  if (length <= MOST_SURE || fits(reply)) return reply;
  let short: TableLike = reply;
  for (const [tables, items] of [
    [Infinity, Infinity],
    [ITEMS, Infinity],
    [ITEMS, ITEMS],
  ] as const) {
    short = { ...(cut(reply, tables, items) as TableLike), shortened: SAID };
    if (fits(short)) break;
  }
  return short;
}
