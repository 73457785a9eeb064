/**
 * The journal: what was there before sipalg changed anything. It is written and
 * synced before the first step runs and removed when everything has been given
 * back, so at any moment it holds at least what is missing.
 */
import type { Taken } from './taken.ts';

export interface Journal {
  format: 1;
  /** The version of the program that wrote it. */
  program: string;
  /** When the first thing was taken away. */
  since: number;
  /** `taking` or `giving back` means that a run has not come to its end. */
  state: 'taking' | 'taken' | 'giving back';
  taken: Taken[];
  /**
   * Found out by trying: with SIP blocked the firewall would not load. `of` is the
   * fingerprint of the files that decide it; while it is the same, nothing is tried again.
   */
  held: { because: string; of: string } | null;
  /**
   * Found out by loading the firewall: whether rules that set the helper came back with it, from wherever they come. As
   * long as `of` is the fingerprint, it need not be loaded again. Missing where nothing asked for it.
   */
  shown?: { back: boolean; of: string } | null;
  /**
   * For how many seconds a phone was registered at least when the ALG was taken away, as the helper's own expectations said:
   * without it nothing shows that any more. Missing where none was.
   */
  registered?: number;
}

export { JOURNAL_PATH } from './path.ts';
/** It holds the text of files that only root may read. */
export const JOURNAL_MODE = 0o600;

/** The text of the file. */
export function renderJournal(journal: Journal): string {
  return JSON.stringify(journal, null, 1) + '\n';
}

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isList = (value: unknown, isMember: (member: unknown) => boolean): boolean => Array.isArray(value) && value.every(isMember);
const hold = (value: unknown, names: readonly string[], isField = isText): value is Fields =>
  isObject(value) && names.every((name) => isField(value[name]));
const isRule = (value: unknown, place: readonly string[]): boolean =>
  hold(value, [...place, 'rule']) && hold(value, ['previous', 'next'], isTextOrNull) && hold(value, ['place'], Number.isSafeInteger);

const isValue = (value: unknown): boolean =>
  value === null || (isObject(value) && (value['kind'] === 'option' || value['kind'] === 'list') && isList(value['values'], isText));
const isSetting = (edit: unknown): boolean =>
  hold(edit, ['type', 'option'])
  && hold(edit, ['name', 'label'], isTextOrNull)
  && hold(edit, ['index'], Number.isSafeInteger)
  && hold(edit, ['before', 'after'], isValue);

/** What each kind of entry must hold: enable acts on it, so a damaged one is refused as a whole. */
const KINDS: Record<Taken['kind'], (entry: Fields) => boolean> = {
  file: (entry) => hold(entry, ['path', 'after']) && isTextOrNull(entry['before']) && isList(entry['settings'] ?? [], isSetting),
  nft: (entry) =>
    isList(entry['rules'], (rule) => isRule(rule, ['family', 'table', 'chain']) && hold(rule, ['remains'], isTextOrNull))
    && isList(entry['elements'], (map) => hold(map, ['family', 'table', 'map']) && isList(map['elements'], isText))
    && isList(entry['helpers'], (helper) => hold(helper, ['family', 'table', 'name', 'type', 'protocol', 'l3proto'])),
  iptables: (entry) => hold(entry, ['save', 'restore']) && isList(entry['rules'], (rule) => isRule(rule, ['table', 'chain'])),
  module: (entry) => hold(entry, ['name']) && isObject(entry['parameters']) && Object.values(entry['parameters']).every(isText),
  automatic: (entry) => Number.isSafeInteger(entry['value']),
};

function isTaken(entry: unknown): boolean {
  return isObject(entry) && Object.hasOwn(KINDS, String(entry['kind'])) && KINDS[entry['kind'] as Taken['kind']](entry);
}

/** Milliseconds since the epoch that a Date can still name (ECMA-262). */
const LAST_MOMENT = 8.64e15;

/** Reads the file. Throws an Error that says what is wrong with it. */
export function parseJournal(text: string): Journal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('it is no JSON; it may have been cut short');
  }
  const journal = value as Partial<Journal> | null;
  if (typeof journal !== 'object' || journal === null || journal.format !== 1) {
    throw new Error('it is not a journal of format 1, the only one this version of sipalg reads');
  }
  const { program, since, state, taken, held = null, shown = null, registered = 0 } = journal;
  const known =
    isText(program)
    && Number.isInteger(since)
    && Math.abs(since as number) <= LAST_MOMENT
    && ['taking', 'taken', 'giving back'].includes(state as string)
    && isList(taken, isTaken)
    && (held === null || hold(held, ['because', 'of']))
    && Number.isSafeInteger(registered)
    && (shown === null || (hold(shown, ['of']) && typeof shown['back'] === 'boolean'));
  if (!known) throw new Error('its entries are not what sipalg writes');
  return {
    format: 1,
    program: program as string,
    since: since as number,
    state: state as Journal['state'],
    taken: taken as Taken[],
    held,
    ...(shown === null ? {} : { shown }),
    ...(registered > 0 ? { registered } : {}),
  };
}

/** Adds entries that are not in the journal yet. */
export function withTaken(journal: Journal, taken: readonly Taken[]): Journal {
  const known = new Set(journal.taken.map((entry) => JSON.stringify(entry)));
  return { ...journal, taken: [...journal.taken, ...taken.filter((entry) => !known.has(JSON.stringify(entry)))] };
}
