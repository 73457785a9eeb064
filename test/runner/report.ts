/**
 * How a test file's process tells the test command what happened in it: one
 * JSON line per event, appended at once, so that what was said survives a
 * process that dies the moment after.
 */
import { appendFileSync } from 'node:fs';

/** Suites and tests are named by their place in the order of registration, from 0. */
export type Event =
  | { event: 'suite'; suite: number; title: string }
  | { event: 'registered'; suite: number; test: number; title: string }
  | { event: 'run'; suite: number }
  | { event: 'started' | 'passed' | 'failed'; test: number }
  /** A hook of a suite threw. */
  | { event: 'hook'; suite: number; hook: 'before' | 'after' | 'before.each' | 'after.each'; because: string }
  /** `.only` or `.skip`, which hide tests. */
  | { event: 'hidden'; suite: number; by: 'only' | 'skip'; title: string }
  | { event: 'rejection'; because: string }
  /** Something that this machine cannot run, said through layer.ts. */
  | { event: 'skip'; reason: string };

const journal = process.env['SIPALG_TEST_JOURNAL'];

export function report(event: Event): void {
  if (journal !== undefined) appendFileSync(journal, JSON.stringify(event) + '\n');
}
