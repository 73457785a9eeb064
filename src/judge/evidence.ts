/** Evidence that more than one room shows, and how much of a long list is shown. */
import { orElse } from '../observe/reading.ts';
import type { Facts } from '../observe/facts.ts';
import type { Journal } from '../journal/journal.ts';

/** So many of a list are shown; the rest are counted. */
const SHOWN = 8;

export function shown(list: readonly string[]): string[] {
  return list.length <= SHOWN ? [...list] : [...list.slice(0, SHOWN), `and ${list.length - SHOWN} more`];
}

/**
 * The longest time in seconds that a phone is known to be registered for at least, with where that is known from; null: for none.
 * The ALG keeps a registration's hole open for as long as it lasts (nf_conntrack_sip.c, refresh_signalling_expectation).
 */
export function registration(facts: Facts): { seconds: number; evidence: string } | null {
  const now = orElse(facts.expectations, []).map((one) => (one.permanent && one.class === 'signalling' ? (one.timeout ?? 0) : 0));
  const then = orElse<Pick<Journal, 'registered'>>(facts.journal, {}).registered ?? 0;
  const seconds = Math.max(then, ...now);
  if (seconds === 0) return null;
  const { source } = now.includes(seconds) ? facts.expectations : facts.journal;
  return { seconds, evidence: `a phone is registered for ${seconds} s more, as ${source} shows` };
}
