/** Small pieces of the drawing. */
import type { Act } from './act.ts';
import { h } from './tree.ts';
import type { Child, Tree } from './tree.ts';
import type { Fold, Notice, Tone } from './view.ts';

/** A rule or a path is one long word: it breaks anywhere rather than push the page wider than a phone. */
export const WRAP = { 'overflow-wrap': 'anywhere' };

const TYPED = { ...WRAP, 'white-space': 'pre-wrap', 'word-break': 'break-word' };

/** Classes of labels, as every theme of LuCI has them. */
export const LABELS: Record<Tone, string> = { danger: 'danger', warning: 'warning', success: 'success', info: 'notice', notice: 'notice' };

export const code = (text: string): Tree => h('code', { style: TYPED }, text);

export function lines(texts: readonly string[], traits: Record<string, unknown> = {}): Tree {
  return h('ul', { style: { margin: '.25em 0', 'padding-left': '1.2em' }, ...traits }, texts.map((text) => h('li', { style: { 'list-style': 'disc' } }, code(text))));
}

/** A button, and what it unfolds. @param about the id of what it belongs to, for who cannot see that it stands there */
export function drawFold({ name, label, open, lines: texts }: Fold, act: Act, about: string | null = null): Tree {
  const id = `sipalg-fold-${name.replace(/[^\w-]/g, '-')}`;
  return h('div', { key: `fold ${name}`, style: { margin: '.3em 0' } },
    h('button', {
      class: 'btn cbi-button cbi-button-neutral', type: 'button', 'aria-expanded': String(open), 'aria-controls': id, 'aria-describedby': about,
      'data-fold': name, on: { click: () => act({ do: 'unfold', name }) },
    }, `${open ? '\u25be' : '\u25b8'} ${label}`),
    lines(texts, { id, hidden: !open }));
}

export function drawNotice({ name, tone, text, lines: texts, fold }: Notice, act: Act, traits: Record<string, unknown> = {}): Tree {
  return h('div', { class: `alert-message ${tone}`, key: `notice ${name}`, ...traits },
    h('p', { style: WRAP }, text),
    texts.map((line) => h('p', { style: WRAP }, line)),
    fold === null ? null : drawFold(fold, act));
}

/** A cell of a table; on a phone themes show its `data-title` before it. */
export function cell(title: string, isHead: boolean, children: (Child | null)[]): Tree {
  return h(isHead ? 'th' : 'td', {
    class: `${isHead ? 'th' : 'td'} left`, role: isHead ? 'rowheader' : 'cell', scope: isHead ? 'row' : null, 'data-title': title === '' ? null : title, style: WRAP,
  }, children);
}
