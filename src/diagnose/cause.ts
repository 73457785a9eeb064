/** A row of the table of causes. */
import type { Look } from './look.ts';
import type { Symptom } from './symptoms.ts';

/** What to do: a command to type, a setting of something named, or a question to somebody named. */
export type Fix = { command: string } | { setting: string; of: string } | { ask: string; question: string };

/** What a look says of a cause. */
export type Outcome =
  /** @param fix where this look knows a better one than the table */
  | { is: 'found'; evidence: string[]; fix?: Fix }
  | { is: 'out'; because: string }
  /** It cannot be told from here, and `tell` is the one observation that would. */
  | { is: 'unknown'; because: string; tell: string };

export interface Cause {
  /** An interface: it never changes meaning. */
  code: string;
  /** Worse is larger: 90 no call works, 70 calls fail, 50 some calls fail, 30 quality, 10 may hurt. */
  weight: number;
  symptoms: readonly Symptom[];
  /** A sentence. */
  what: string;
  /** What on the router tells it from its neighbours. */
  observable: string;
  /** Causes that look the same on the router, and what would tell them apart. */
  alike?: { codes: readonly string[]; tell: string };
  fix: Fix;
  source: string;
  /** The test that makes it. */
  made: string;
  sees(look: Look): Outcome;
}

export const found = (evidence: string[], fix?: Fix): Outcome =>
  fix === undefined ? { is: 'found', evidence } : { is: 'found', evidence, fix };
export const out = (because: string): Outcome => ({ is: 'out', because });
export const unknown = (because: string, tell: string): Outcome => ({ is: 'unknown', because, tell });

/** A reading that failed is never "not so". */
export function unread(reading: { state: string; source: string; because?: string }): Outcome {
  const what =
    reading.state === 'absent' ? 'is not there' : `could not be read${reading.because === undefined ? '' : `: ${reading.because}`}`;
  return unknown(`${reading.source} ${what}`, 'run it as root on the router, with the package conntrack installed');
}
