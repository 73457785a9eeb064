/** The small parts of which the view is made. */
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
