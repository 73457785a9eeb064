/** Small pieces of the drawing. */
import type { Act } from '../action.ts';
import { COLOURS } from '../drawings/parts.ts';
import { h } from '../tree.ts';
import type { Child, Tree } from '../tree.ts';
import type { Fold, Notice, Tone } from '../view.ts';

/** A rule or a path is one long word: it breaks anywhere rather than push the page wider than a phone. */
export const WRAP = { 'overflow-wrap': 'anywhere' };

const TYPED = { ...WRAP, 'white-space': 'pre-wrap', 'word-break': 'break-word' };

/** Classes of labels. No two themes know the same ones: of several, each takes the gravest it knows. */
export const LABELS: Record<Tone, string> = {
  danger: 'warning danger error',
  warning: 'warning',
  success: 'success',
  info: 'notice',
  notice: '',
};

/** Themes fade or dot the items of lists, which these are for screen readers alone. */
const ITEM = { ...WRAP, 'list-style': 'none', margin: '0', padding: '0', color: 'inherit' };

/** A list without the looks of one. */
export function list(key: string, items: readonly Tree[], traits: Record<string, unknown> = {}): Tree {
  return h('ul', { key, role: 'list', style: { 'list-style': 'none', margin: '.3em 0', padding: '0' }, ...traits }, items);
}

export function item(key: string, padding: string, ...children: (Child | null)[]): Tree {
  return h('li', { key, style: { ...ITEM, padding } }, children);
}

/** A colour says no more than where it stands does. */
const TONES: Partial<Record<Tone, string>> = { danger: COLOURS.bad, success: COLOURS.good };

export const code = (text: string, tone?: Tone): Tree => {
  const colour = tone === undefined ? undefined : TONES[tone];
  return h('code', { style: colour === undefined ? TYPED : { ...TYPED, color: colour } }, text);
};

/** A disclosure as small as a word: themes' buttons are for what does something. Its size is still a finger's (WCAG 2.2, 2.5.8). */
const SMALL = {
  background: 'none',
  border: '0',
  'box-shadow': 'none',
  padding: '0 .25em',
  margin: '0',
  'min-height': '24px',
  'min-width': '24px',
  color: 'inherit',
  font: 'inherit',
  'font-size': '.9em',
  'text-decoration': 'underline dotted',
  'text-underline-offset': '.2em',
  cursor: 'pointer',
  width: 'auto',
};

/** A button that unfolds what has the id `controls`. @param about the id of what it belongs to, for who cannot see that it stands there */
export function disclosure(
  { name, label, open }: { name: string; label: string; open: boolean },
  controls: string,
  act: Act,
  about: string | null = null,
): Tree {
  return h(
    'button',
    {
      type: 'button',
      key: `disclose ${name}`,
      'aria-expanded': String(open),
      'aria-controls': controls,
      'aria-describedby': about,
      'data-fold': name,
      style: SMALL,
      on: { click: () => act({ do: 'unfold', name }) },
    },
    `${open ? '\u25be' : '\u25b8'}\u00a0${label}`,
  );
}

/** A disclosure within a line, and the lines it unfolds below. */
export function drawFold(fold: Fold, act: Act, about: string | null = null): Tree[] {
  const id = `sipalg-fold-${fold.name.replace(/[^\w-]/g, '-')}`;
  return [
    disclosure(fold, id, act, about),
    list(
      `lines ${fold.name}`,
      fold.lines.map((text) => item('', '.1em 0', code(text))),
      { id, hidden: !fold.open, style: { 'list-style': 'none', margin: '.2em 0 .4em', padding: '0 0 0 1em' } },
    ),
  ];
}

export function drawNotice({ name, tone, text, lines: texts, fold, button }: Notice, act: Act, traits: Record<string, unknown> = {}): Tree {
  return h(
    'div',
    { class: `alert-message ${tone}`, key: `notice ${name}`, ...traits },
    h('p', { style: WRAP }, text),
    texts.map((line) => h('p', { style: WRAP }, line)),
    fold === null ? [] : drawFold(fold, act),
    button === undefined
      ? null
      : h(
          'button',
          {
            class: 'btn cbi-button cbi-button-positive important',
            type: 'button',
            key: 'button',
            'data-do': 'start',
            disabled: !button.active,
            on: { click: () => act({ do: 'start' }) },
          },
          button.label,
        ),
  );
}

/** A cell of a table. A head of a row is one by its role: on a phone some themes hide `th`, and show the title of the column instead. */
export function cell(isHead: boolean, title: string | null, children: (Child | null)[]): Tree {
  return h(
    'td',
    {
      class: 'td left',
      role: isHead ? 'rowheader' : 'cell',
      'data-title': title,
      style: isHead ? { ...WRAP, 'font-weight': 'bold' } : WRAP,
    },
    children,
  );
}
