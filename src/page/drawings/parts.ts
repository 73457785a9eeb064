/**
 * What all drawings are made of: SVG as plain data, as wide as a phone and scaled to what room there is. Lines and words have the
 * colour of the text around them, and shape or a word says what a colour says. Pure; equal data gives an equal tree, and so
 * nothing on the page moves.
 */
import { h, svg } from '../tree.ts';
import type { Tree } from '../tree.ts';

/** Units from side to side. A unit is about a pixel of a phone that is 360 pixels wide. */
export const WIDE = 340;
/** Height of a line of words. */
export const LINE = 14;

/** Colours of LuCI's themes, of our own mount, and where there is neither; dark enough, or light enough, to be read as words. */
export const COLOURS = {
  good: 'var(--success-color-high, var(--success-text, #0c5a25))',
  bad: 'var(--error-color-high, var(--danger-text, #8c1013))',
  mild: 'var(--warn-color-high, var(--warning-text, #664900))',
};
export type Colour = keyof typeof COLOURS;

/** Two digits behind the point are less than a pixel. */
export const round = (value: number): number => Math.round(value * 100) / 100;

/** @param label what it shows, in words */
export const drawing = (label: string, height: number, ...parts: Tree[]): Tree =>
  svg(label, { viewBox: `0 0 ${WIDE} ${round(height)}`, style: { 'display': 'block', 'width': '100%', 'max-width': '560px' } }, ...parts);

type End = 'start' | 'middle' | 'end';

export const words = (x: number, y: number, text: string, anchor: End = 'start', colour?: Colour): Tree =>
  h(
    'text',
    {
      x: String(round(x)),
      y: String(round(y)),
      'text-anchor': anchor === 'start' ? null : anchor,
      style: { 'font-size': '11px', fill: colour === undefined ? 'currentColor' : COLOURS[colour] },
    },
    text,
  );

/** @param title what is said where a pointer rests on it */
export const box = (x: number, y: number, width: number, height: number, opacity = 1, title = '', colour?: Colour): Tree =>
  h(
    'rect',
    {
      x: String(round(x)),
      y: String(round(y)),
      width: String(round(Math.max(0.5, width))),
      height: String(round(Math.max(0, height))),
      opacity: opacity === 1 ? null : String(opacity),
      style: { fill: colour === undefined ? 'currentColor' : COLOURS[colour] },
    },
    title === '' ? null : h('title', {}, title),
  );

/** @param dashes as `stroke-dasharray` has it */
export const path = (d: string, opacity = 1, dashes: string | null = null, colour?: Colour): Tree =>
  h('path', {
    d,
    fill: 'none',
    opacity: opacity === 1 ? null : String(opacity),
    'stroke-dasharray': dashes,
    style: { stroke: colour === undefined ? 'currentColor' : COLOURS[colour] },
  });

/** What would push into its neighbour ends early. About six units a letter. */
export const short = (text: string, units: number): string => {
  const most = Math.max(1, Math.floor(units / 6));
  return text.length <= most ? text : `${text.slice(0, most - 1)}\u2026`;
};

const DAY = 86_400_000;

/** Where a moment of the last day stands. @param from @param to the units between which the day lies */
export const within = (at: number, now: number, from: number, to: number): number =>
  from + Math.min(1, Math.max(0, (at - (now - DAY)) / DAY)) * (to - from);

/** The day as a line with its ends and its middle. @param texts for a day ago, half a day ago and now */
export const axis = (y: number, texts: readonly [string, string, string], from = 0, to = WIDE): Tree[] => [
  path(`M${from} ${y}H${to}M${from} ${y}v3M${(from + to) / 2} ${y}v3M${to} ${y}v3`, 0.5),
  words(from, y + LINE, texts[0]),
  words((from + to) / 2, y + LINE, texts[1], 'middle'),
  words(to, y + LINE, texts[2], 'end'),
];
