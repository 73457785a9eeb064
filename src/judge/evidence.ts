/** Evidence that more than one room shows, and how much of a long list is shown. */
import { orElse } from '../observe/reading.ts';
import { coded, codedOf, say, textOf } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Finding, Weight } from './verdict.ts';
import type { Facts } from '../observe/facts.ts';
import type { Journal } from '../journal/journal.ts';

/** So many of a list are shown; the rest are counted. */
const SHOWN = 8;

export function shown(list: readonly Line[]): Line[] {
  return list.length <= SHOWN ? [...list] : [...list.slice(0, SHOWN), say('and-more', 'and {more} more', { more: list.length - SHOWN })];
}

/** What was looked at, and what came of it. */
export const because = (what: string, why: string): Said => say('because', '{what}: {because}', { what, because: why });

/** Lines as they travel: the text of each, and the codes of those that are words. */
export function evidenceOf(lines: readonly Line[]): Pick<Finding, 'evidence' | 'coded'> {
  const words = codedOf(lines);
  return { evidence: lines.map(textOf), ...(words === undefined ? {} : { coded: words }) };
}

/** A finding; where its code has several sentences, `says` is that of the one it has here. */
export function finding(code: string, weight: Weight, sentence: Said, evidence: readonly Line[]): Finding {
  const { code: says, ...parameters } = coded(sentence);
  return { code, weight, text: sentence.text, ...(says === code ? {} : { says }), ...parameters, ...evidenceOf(evidence) };
}

/**
 * The longest time in seconds that a phone is known to be registered for at least, with where that is known from; null: for none.
 * The ALG keeps a registration's hole open for as long as it lasts (nf_conntrack_sip.c, refresh_signalling_expectation).
 */
export function registration(facts: Facts): { seconds: number; evidence: Said } | null {
  const now = orElse(facts.expectations, []).map((one) => (one.permanent && one.class === 'signalling' ? (one.timeout ?? 0) : 0));
  const then = orElse<Pick<Journal, 'registered'>>(facts.journal, {}).registered ?? 0;
  const seconds = Math.max(then, ...now);
  if (seconds === 0) return null;
  const { source } = now.includes(seconds) ? facts.expectations : facts.journal;
  return { seconds, evidence: say('registered-for', 'a phone is registered for {seconds} s more, as {source} shows', { seconds, source }) };
}
