/** The fields drawn, where LuCI does not. */
import type { Act } from '../action.ts';
import { addingOf } from '../form.ts';
import type { FieldView, FormView, GroupView, SectionView } from '../form.ts';
import { h } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { FormWords } from '../words.ts';

/** Lines of a list that are seen at once. */
const MOST_ROWS = 12;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function drawControl(
  { name, section, option, kind, value, placeholder, choices, wrong, secret }: FieldView,
  active: boolean,
  act: Act,
): Tree {
  const id = `sipalg-field-${name}`;
  const enter = (next: string): void =>
    act({ do: 'edit', edit: { do: 'enter', section, option, value: kind === 'list' ? next.split('\n') : next } });
  const traits = {
    id,
    name,
    disabled: !active,
    'aria-invalid': wrong === '' ? null : 'true',
    'aria-describedby': wrong === '' ? null : `${id}-wrong`,
  };
  const input = (event: Event): void => enter((event.target as Control).value);
  if (kind === 'flag')
    return h('input', {
      ...traits,
      type: 'checkbox',
      checked: value === '1',
      on: { change: (event: Event) => enter((event.target as HTMLInputElement).checked ? '1' : '0') },
    });
  if (kind === 'choice')
    return h(
      'select',
      { ...traits, class: 'cbi-input-select', on: { change: input } },
      choices.map(([one, label]) => h('option', { value: one, key: one, selected: one === (value || placeholder) }, label)),
    );
  if (kind === 'list') {
    const rows = String(Math.min(MOST_ROWS, Math.max(2, value.split('\n').length)));
    return h('textarea', { ...traits, class: 'cbi-input-text', rows, on: { input } }, value);
  }
  return h('input', {
    ...traits,
    class: 'cbi-input-text',
    type: secret ? 'password' : 'text',
    autocomplete: 'off',
    value,
    placeholder,
    list: choices.length === 0 ? null : `${id}-choices`,
    on: { input },
  });
}

function drawField(field: FieldView, active: boolean, act: Act): Tree {
  const id = `sipalg-field-${field.name}`;
  return h(
    'div',
    { class: 'cbi-value', key: field.name, 'data-name': field.option },
    h('label', { class: 'cbi-value-title', for: id }, field.label),
    h(
      'div',
      { class: 'cbi-value-field' },
      drawControl(field, active, act),
      field.kind === 'text' && field.choices.length > 0
        ? h(
            'datalist',
            { id: `${id}-choices` },
            field.choices.map(([value, label]) => h('option', { value, key: value }, label)),
          )
        : null,
      field.wrong === '' ? null : h('p', { class: 'cbi-value-wrong', id: `${id}-wrong`, key: 'wrong' }, field.wrong),
    ),
  );
}

function drawSection({ section, title, fields }: SectionView, active: boolean, words: FormWords, act: Act): Tree {
  const drawn = fields.map((field) => drawField(field, active, act));
  if (title === '') return h('div', { key: section }, drawn);
  return h(
    'fieldset',
    { key: section, 'data-section-id': section },
    h('legend', {}, title),
    drawn,
    h(
      'button',
      {
        class: 'btn',
        type: 'button',
        disabled: !active,
        'aria-label': `${words.remove}: ${title}`,
        on: { click: () => act({ do: 'edit', edit: { do: 'remove', section } }) },
      },
      words.remove,
    ),
  );
}

function drawAdd({ name, type, title, typed }: GroupView, active: boolean, words: FormWords, act: Act): Tree {
  const id = addingOf(name);
  const submit = (event: Event): void => {
    event.preventDefault();
    const input = (event.target as HTMLFormElement).elements.namedItem('section') as HTMLInputElement;
    const section = input.value.trim();
    // As uci names a section.
    if (/^\w+$/.test(section)) act({ do: 'edit', edit: { do: 'add', type, section } });
    input.value = '';
    act({ do: 'type', name: id, text: '' });
  };
  return h(
    'form',
    { key: 'add', class: 'cbi-section-create', on: { submit } },
    h('label', { for: id }, `${words.name}:`),
    ' ',
    h('input', {
      id,
      name: 'section',
      class: 'cbi-input-text',
      pattern: '\\w+',
      required: true,
      value: typed,
      'aria-label': `${title}: ${words.name}`,
      on: { input: (event: Event) => act({ do: 'type', name: id, text: (event.target as HTMLInputElement).value }) },
    }),
    ' ',
    h('button', { class: 'btn', type: 'submit', disabled: !active }, words.add),
  );
}

export function drawForm({ groups, said, active, busy, changed, reads, words }: FormView, act: Act): Tree {
  const idle = active && busy === null;
  const stale = said?.tone === 'warning';
  const button = (label: string, edit: 'save' | 'read', classes: string, enabled: boolean): Tree =>
    h(
      'button',
      {
        class: `btn ${classes}`.trim(),
        type: 'button',
        key: edit,
        'data-do': edit,
        disabled: !enabled,
        on: { click: () => act({ do: 'edit', edit: { do: edit } }) },
      },
      label,
    );
  return h(
    'div',
    // What was typed goes with the fields that it was typed into.
    { key: `form ${reads}` },
    groups.map((group) =>
      h(
        'section',
        { key: group.name, 'aria-label': group.title },
        h('h3', {}, group.title),
        group.about === '' ? null : h('p', { class: 'cbi-section-descr' }, group.about),
        group.sections.map((one) => drawSection(one, idle, words, act)),
        group.many && active ? drawAdd(group, idle, words, act) : null,
      ),
    ),
    h(
      'div',
      { role: 'status', 'aria-live': 'polite', key: 'said' },
      said === null ? null : h('p', { class: `alert-message ${said.tone}`, id: 'sipalg-saved', tabindex: '-1' }, said.text),
    ),
    h(
      'div',
      { class: 'cbi-page-actions', key: 'actions' },
      button(busy === 'saving' ? words.saving : words.save, 'save', 'cbi-button-positive', idle && changed),
      ' ',
      button(stale ? words.again : words.reset, 'read', '', idle && (changed || stale)),
    ),
  );
}
