/** What the object answers besides the report, as far as the page shows it: programs print it, and any of it may be of another version. */
import type { Put } from '../words/english.ts';
import type { Coded } from '../words/say.ts';
import type { State, Trouble } from './state.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

/**
 * Milliseconds an answer is waited for where nothing else says so (LuCI's own calls end after as many): longer than a program
 * beside the object may take (object/programs.ts).
 */
export const ANSWER_WITHIN = 20_000;

/** A table whose sentences have their codes beside them, by field. */
export interface WithCodes {
  coded?: Readonly<Record<string, unknown>>;
}

/** A field's sentence in the reader's language. */
export const sentence = (of: WithCodes, field: string, text: string, put: Put): string => put(of.coded?.[field] as Coded | undefined, text);

/** Those of a list. */
export const sentences = (of: WithCodes, field: string, texts: readonly string[], put: Put): string[] =>
  texts.map((text, at) => put((of.coded?.[field] as Readonly<Record<number, Coded>> | undefined)?.[at], text));

export interface Probed extends WithCodes {
  verdict: string;
  because: string | null;
  messages: (WithCodes & { name: string; fate: string; reason: string | null })[];
  alterations: (WithCodes & { field: string; part: string; before: string | null; after: string | null; messages: string[] })[];
  remarks: string[];
  leftOver: string[];
}

type Fix = WithCodes & ({ command: string; then?: string } | { setting: string; of: string } | { ask: string; question: string });

export interface Diagnosed {
  diagnosis: WithCodes & {
    number: string | null;
    found: (WithCodes & {
      code: string;
      what: string;
      evidence: string[];
      fix: Fix;
      alike: (WithCodes & { codes: string[]; tell: string }) | null;
    })[];
    ruledOut: (WithCodes & { code: string; what: string; because: string })[];
    unknown: (WithCodes & { code: string; what: string; because: string; tell: string })[];
    advisories: (WithCodes & { id: string; text: string; fix: string })[];
  };
}

/** What to do, in a sentence. */
export function fixOf(fix: Fix, put: Put, { diagnosis: { fixes } }: Words): string {
  const of = (field: string, text: string): string => sentence(fix, field, text, put);
  if ('command' in fix) return fill(fixes.command, fix.command) + (fix.then === undefined ? '' : `, ${of('then', fix.then)}`);
  if ('setting' in fix) return fill(fixes.setting, of('setting', fix.setting), of('of', fix.of));
  return fill(fixes.ask, of('ask', fix.ask), of('question', fix.question));
}

export interface Came<T> {
  busy: boolean;
  /** The last answer; null: there is none, or the last try brought none. */
  value: T | null;
  /** The last answer, whatever a later try brought: of what is asked again and again, so that it does not go and come. */
  last: T | null;
  /** Why there is none, in a sentence; null where there is, or nothing was asked. */
  failed: string | null;
  /** Puts what it says into words. */
  put: Put;
}

const saidOf = ({ kind, said }: Trouble, words: Words): string => (kind === 'denied' ? words.diagnosis.denied : said || words.lost);

/** What was asked by this name. @param is what an answer of that kind has */
export function cameOf<T extends object>({ answers }: Pick<State, 'answers'>, name: string, is: keyof T & string, words: Words): Came<T> {
  const { busy = false, result = null, trouble = null } = answers[name] ?? {};
  const there = typeof result === 'object' && result !== null && is in result;
  const own = (there ? (result as { words?: Readonly<Record<string, string>> }).words : undefined) ?? null;
  const put = own === null ? words.put : words.putWith(own);
  const last = there ? (result as T) : null;
  if (trouble !== null) return { busy, value: null, last, failed: saidOf(trouble, words), put };
  if (last !== null || typeof result !== 'object' || result === null) return { busy, value: last, last, failed: null, put };
  const { trouble: said } = result as { trouble?: unknown };
  const failed = said === undefined ? JSON.stringify(result).slice(0, 200) : sentence(result, 'trouble', String(said), put);
  return { busy, value: null, last, failed, put };
}
