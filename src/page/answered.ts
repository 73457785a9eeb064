/** What the object answers besides the report, as far as the page shows it: programs print it, and any of it may be of another version. */
import type { Coded } from '../words/say.ts';
import type { State, Trouble } from './state.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

/** A table whose sentences have their codes beside them, by field. */
export interface WithCodes {
  coded?: Readonly<Record<string, unknown>>;
}

/** A field's sentence in the reader's language. */
export const sentence = (of: WithCodes, field: string, text: string, words: Words): string =>
  words.put(of.coded?.[field] as Coded | undefined, text);

/** Those of a list. */
export const sentences = (of: WithCodes, field: string, texts: readonly string[], words: Words): string[] =>
  texts.map((text, at) => words.put((of.coded?.[field] as Readonly<Record<number, Coded>> | undefined)?.[at], text));

export interface Probed extends WithCodes {
  verdict: string;
  because: string | null;
  messages: (WithCodes & { name: string; fate: string; reason: string | null })[];
  alterations: { field: string; part: string; before: string | null; after: string | null; messages: string[] }[];
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
export function fixOf(fix: Fix, words: Words): string {
  const { fixes } = words.diagnosis;
  const put = (field: string, text: string): string => sentence(fix, field, text, words);
  if ('command' in fix) {
    const more = fix.then === undefined ? '' : `, ${put('then', fix.then)}`;
    return `${fill(fixes.command, fix.command)}${more}`;
  }
  if ('setting' in fix) return fill(fixes.setting, put('setting', fix.setting), put('of', fix.of));
  return fill(fixes.ask, put('ask', fix.ask), put('question', fix.question));
}

export interface Came<T> {
  busy: boolean;
  /** The last answer; null: there is none. */
  value: T | null;
  /** Why there is none, in a sentence; null where there is, or nothing was asked. */
  failed: string | null;
}

const saidOf = ({ kind, said }: Trouble, words: Words): string => (kind === 'denied' ? words.diagnosis.denied : said || words.lost);

/** What was asked by this name. @param is what an answer of that kind has */
export function cameOf<T extends object>({ answers }: Pick<State, 'answers'>, name: string, is: keyof T & string, words: Words): Came<T> {
  const { busy = false, result = null, trouble = null } = answers[name] ?? {};
  if (trouble !== null) return { busy, value: null, failed: saidOf(trouble, words) };
  if (typeof result !== 'object' || result === null) return { busy, value: null, failed: null };
  if (is in result) return { busy, value: result as T, failed: null };
  return { busy, value: null, failed: String((result as { trouble?: unknown }).trouble ?? JSON.stringify(result).slice(0, 200)) };
}
