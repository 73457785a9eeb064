/** What a person can ask for: a field to type into where there is one, a button, and what has come of it. */
import type { Act } from '../action.ts';
import { h } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { Ask } from '../view.ts';
import { drawNotice } from './draw-blocks.ts';

/** Milliseconds until what was made for a download is let go. */
const KEPT = 60_000;

function save({ file, text }: NonNullable<Ask['save']>): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/html' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

/** What was typed; by its name, where it was chosen: the program knows the words of every language less well. */
function typedIn(field: Ask['field'], form: HTMLFormElement): Record<string, string> {
  if (field === null) return {};
  const typed = String(new FormData(form).get('typed') ?? '').trim();
  const [name = typed] = Object.entries(field.suggestions).find(([, text]) => text === typed) ?? [];
  return { [field.argument]: name };
}

export function drawAsk({ name, title, lines, field, ask, label, busy, disabled, notices, save: made }: Ask, act: Act): Tree {
  const id = `sipalg-${name}`;
  const submit = (event: Event): void => {
    event.preventDefault();
    act({ do: 'ask', name, method: ask.method, args: { ...ask.args, ...typedIn(field, event.target as HTMLFormElement) } });
  };
  const button = h(
    'button',
    { class: 'btn cbi-button cbi-button-action', type: 'submit', key: 'go', disabled, 'data-ask': name, 'aria-describedby': id },
    label,
  );
  const typed =
    field === null
      ? []
      : [
          h('label', { for: `${id}-typed`, key: 'label' }, field.label),
          ' ',
          h('input', {
            class: 'cbi-input-text',
            id: `${id}-typed`,
            key: 'typed',
            name: 'typed',
            type: 'text',
            maxlength: '200',
            value: field.typed,
            on: { input: (event: Event) => act({ do: 'type', name, text: (event.target as HTMLInputElement).value }) },
            list: `${id}-list`,
            style: { 'max-width': '100%' },
          }),
          h(
            'datalist',
            { id: `${id}-list`, key: 'list' },
            Object.entries(field.suggestions).map(([of, text]) => h('option', { value: text, key: of })),
          ),
          ' ',
        ];
  return h(
    'section',
    { 'aria-labelledby': id, key: name, style: { margin: '1em 0' } },
    h('h3', { id }, title),
    lines.map((line) => h('p', { class: 'cbi-section-descr' }, line)),
    h('form', { key: 'form', on: { submit }, style: { margin: '.5em 0' } }, typed, button),
    h(
      'div',
      { role: 'status', 'aria-live': 'polite', 'aria-busy': String(busy), key: 'came' },
      notices.map((one) => drawNotice(one, act)),
    ),
    made === null
      ? null
      : h(
          'button',
          { class: 'btn cbi-button cbi-button-positive', type: 'button', key: 'save', 'data-save': name, on: { click: () => save(made) } },
          made.label,
        ),
  );
}
