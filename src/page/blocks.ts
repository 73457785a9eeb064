/** The small parts of which the view is made. */
import type { Finding } from '../judge/verdict.ts';
import { putLines } from '../words/english.ts';
import type { Coded } from '../words/say.ts';
import type { State } from './state.ts';
import type { Fold, Notice, Tone } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

export function notice(name: string, tone: Tone, text: string, lines: readonly string[] = [], fold: Fold | null = null): Notice {
  return { name, tone, text, lines: [...lines], fold };
}

/** Lines to unfold; null where there are none. */
export function foldOf(name: string, label: string, lines: readonly string[], state: State): Fold | null {
  return lines.length === 0 ? null : { name, label, open: state.open.includes(name), lines: [...lines] };
}

/** A code and its values, as `put` takes them; undefined for a text that has none. */
export function codeOf({ code, parameters }: Partial<Coded>): Coded | undefined {
  return code === undefined ? undefined : parameters === undefined ? { code } : { code, parameters };
}

/** The sentence of a finding. */
export const sentenceOf = ({ code, says, parameters, text }: Finding, words: Words): string =>
  words.put(codeOf({ code: says ?? code, ...(parameters === undefined ? {} : { parameters }) }), text);

/** What something rests on, to unfold. */
export const evidenceFold = (
  name: string,
  { evidence, coded }: Pick<Finding, 'evidence' | 'coded'>,
  state: State,
  words: Words,
): Fold | null => foldOf(name, fill(words.evidence, evidence.length), putLines(words.put, evidence, coded), state);

/** @param milliseconds how long ago by the router's own clock; below 0 where that has gone back since (a second may be the reader's) */
export function ago(milliseconds: number, words: Words): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < -2) return words.clockAhead;
  if (seconds < 2) return words.justNow;
  const span =
    seconds < 120
      ? fill(words.seconds, seconds)
      : seconds < 7200
        ? fill(words.minutes, Math.floor(seconds / 60))
        : seconds < 172_800
          ? fill(words.hours, Math.floor(seconds / 3600))
          : fill(words.days, Math.floor(seconds / 86_400));
  return fill(words.ago, span);
}
