/** What `sipalg probe --json` has printed, as far as a document shows it. */
import { lineOf, linesOf } from '../words/published.ts';
import { say, Trouble } from '../words/say.ts';
import type { Line } from '../words/say.ts';

export interface ProbeDocument {
  verdict: string;
  /** Why it is inconclusive; null where it is not. */
  because: Line | null;
  /** Fields that were changed. */
  alterations: { field: string; part: string; toProvider: boolean; before: string | null; after: string | null; messages: string[] }[];
  /** What was sent, and what became of it. */
  messages: { name: Line; toProvider: boolean; fate: string }[];
  /** What was not tested, what has to be known beside it, and what could not be taken away: sentences. */
  remarks: Line[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
const objects = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** @throws Trouble where it is no such document @param name what it is called in a sentence */
export function probeOf(written: string, name: string): ProbeDocument {
  let data: unknown;
  try {
    data = JSON.parse(written);
  } catch {
    data = null;
  }
  const verdict = isObject(data) ? text(data['verdict']) : null;
  if (!isObject(data) || verdict === null || !Array.isArray(data['alterations']))
    throw new Trouble(
      say(
        'probe-no-document',
        '{name} is not what `sipalg probe --json` prints; save it with `sipalg probe --json > FILE` on the router.',
        { name },
      ),
    );
  return {
    verdict,
    because: text(data['because']) === null ? null : lineOf(data, 'because'),
    alterations: objects(data['alterations']).map((one) => ({
      field: text(one['field']) ?? '?',
      part: text(one['part']) ?? '',
      toProvider: one['toProvider'] === true,
      before: text(one['before']),
      after: text(one['after']),
      messages: texts(one['messages']),
    })),
    messages: objects(data['messages']).map((one) => ({
      name: text(one['name']) === null ? '?' : lineOf(one, 'name'),
      toProvider: one['toProvider'] === true,
      fate: text(one['fate']) ?? '?',
    })),
    remarks: ['untested', 'remarks', 'leftOver'].flatMap((field) => linesOf(data, field)),
  };
}
