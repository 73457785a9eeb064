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
}

export const JOURNAL_PATH = '/etc/sipalg.journal';

/** The text of the file. */
export function renderJournal(journal: Journal): string {
  return JSON.stringify(journal, null, 1) + '\n';
}

const KINDS: readonly Taken['kind'][] = ['file', 'nft', 'iptables', 'module', 'automatic'];

/** Reads the file. Throws an Error that says what is wrong with it. */
export function parseJournal(text: string): Journal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is no JSON (${(error as Error).message})`);
  }
  const journal = value as Partial<Journal> | null;
  if (typeof journal !== 'object' || journal === null || journal.format !== 1) {
    throw new Error('it is not a journal of format 1, the only one this version of sipalg reads');
  }
  const known = Array.isArray(journal.taken) && journal.taken.every((entry) => KINDS.includes((entry as Taken | null)?.kind as Taken['kind']));
  if (!known || !['taking', 'taken', 'giving back'].includes(journal.state as string)) {
    throw new Error('its entries are not what sipalg writes');
  }
  return { format: 1, program: String(journal.program), since: Number(journal.since), state: journal.state as Journal['state'], taken: journal.taken as Taken[], held: journal.held ?? null };
}

/** Adds entries that are not in the journal yet. */
export function withTaken(journal: Journal, taken: readonly Taken[]): Journal {
  const known = new Set(journal.taken.map((entry) => JSON.stringify(entry)));
  return { ...journal, taken: [...journal.taken, ...taken.filter((entry) => !known.has(JSON.stringify(entry)))] };
}
