/** What was counted over the last day: attempts as bars, a row for each method, and marked packets as lines. */
import type { Span } from '../../object/history.ts';
import type { Tree } from '../tree.ts';
import { axis, box, drawing, LINE, path, round, WIDE, within, words } from './parts.ts';

export type Series = Exclude<keyof Span, 'from' | 'to'>;

/** Words of a drawing of the day, in the reader's language. */
export interface DayWords {
  /** What it shows. */
  label: string;
  /** A day ago, half a day ago, now. */
  axis: readonly [string, string, string];
  /** Of a span and how much came in it. */
  title(span: Span, count: number): string;
}

/** A row that is drawn: what counts, and its words with how much there was in all. */
export interface DayRow {
  of: Series;
  text: string;
}

const BARS = 26;
const ROW = LINE + BARS + 6;

/** How much came an hour: a span that is longer than another with as much in it is lower. */
const rate = (span: Span, of: Series): number => (span[of] * 3_600_000) / Math.max(1, span.to - span.from);

/**
 * Bars, as wide as the time in which so much came and as high as it came fast: what was not looked at between is not told apart.
 * All rows have one scale.
 * @returns null where nothing came
 */
export function barsOf(spans: readonly Span[], rows: readonly DayRow[], now: number, { label, axis: texts, title }: DayWords): Tree | null {
  const drawn = rows.filter(({ of }) => spans.some((span) => span[of] > 0));
  const most = Math.max(...drawn.flatMap(({ of }) => spans.map((span) => rate(span, of))));
  if (drawn.length === 0) return null;
  const parts = drawn.flatMap(({ of, text }, place) => {
    const base = place * ROW + LINE + BARS;
    const bars = spans
      .filter((span) => span[of] > 0)
      .map((span) => {
        const [from, to] = [within(span.from, now, 0, WIDE), within(span.to, now, 0, WIDE)];
        const height = Math.max(1, (rate(span, of) / most) * BARS);
        return box(from, base - height, Math.max(1, to - from - 0.5), height, 0.75, title(span, span[of]));
      });
    return [words(0, place * ROW + 10, text), ...bars, path(`M0 ${base}H${WIDE}`, 0.25)];
  });
  const foot = drawn.length * ROW;
  return drawing(label, foot + LINE + 4, ...parts, ...axis(foot, texts));
}

const LINES = 60;
const DASHES = [null, '4 3'];

/** A line for each row, dashed from the second on; as high as it came fast. */
export function linesOf(spans: readonly Span[], rows: readonly DayRow[], now: number, { label, axis: texts }: DayWords): Tree | null {
  const drawn = rows.filter(({ of }) => spans.some((span) => span[of] > 0));
  if (drawn.length === 0) return null;
  const most = Math.max(...drawn.flatMap(({ of }) => spans.map((span) => rate(span, of))));
  const top = drawn.length * LINE;
  const parts = drawn.flatMap(({ of, text }, place) => {
    const y = (span: Span): number => round(top + 4 + LINES - (rate(span, of) / most) * LINES);
    const d = spans
      .map((span, at) => {
        const begins = at === 0 || (spans[at - 1] as Span).to !== span.from;
        const from = round(within(span.from, now, 0, WIDE));
        return `${begins ? 'M' : 'L'}${from} ${y(span)}H${round(within(span.to, now, 0, WIDE))}`;
      })
      .join('');
    const dashes = DASHES[place % DASHES.length] ?? null;
    const legend = path(`M0 ${place * LINE + 7}h18`, 1, dashes);
    return [legend, words(24, place * LINE + 10, text), path(d, 1, dashes)];
  });
  const foot = top + LINES + 8;
  return drawing(label, foot + LINE + 4, ...parts, ...axis(foot, texts));
}
