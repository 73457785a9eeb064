/** The view -> a tree of elements, in the classes of LuCI's themes. */
import { drawSwitch } from './draw-switch.ts';
import { cell, code, drawFold, drawNotice, item, LABELS, list, WRAP } from './draw-blocks.ts';
import { h } from './tree.ts';
import type { Tree } from './tree.ts';
import type { Act } from '../action.ts';
import type { Login, Section, Table, View } from '../view.ts';

const row = (classes: string, ...cells: Tree[]): Tree => h('tr', { class: `tr ${classes}`.trim(), role: 'row' }, cells);

function drawTable({ heads, rows }: Table, label: string, act: Act): Tree {
  const head =
    heads.length === 0
      ? null
      : h(
          'tr',
          { class: 'tr table-titles', role: 'row', key: 'heads' },
          heads.map((text) => h('th', { class: 'th left', role: 'columnheader', scope: 'col' }, text)),
        );
  const lines = rows.map(({ name, cells }, place) => ({
    ...row(
      `cbi-rowstyle-${(place % 2) + 1}`,
      ...cells.map(({ text, code: typed, fold }, column) =>
        cell(column === 0 && heads.length === 0, heads[column] ?? null, [
          typed === true ? code(text) : text,
          fold === undefined ? null : drawFold(fold, act),
        ]),
      ),
    ),
    key: name,
  }));
  return h('table', { class: 'table cbi-section-table', role: 'table', 'aria-label': label, key: 'table' }, head, lines);
}

function drawSection({ name, title, lines, table }: Section, act: Act): Tree {
  const id = `sipalg-${name}`;
  return h(
    'section',
    { class: 'cbi-section', 'aria-labelledby': id, key: name },
    h('h3', { id }, title),
    lines.map((line) => h('p', { class: 'cbi-section-descr' }, line)),
    table.rows.length > 0 ? drawTable(table, title, act) : h('p', { key: 'empty' }, table.empty),
  );
}

function drawVerdict({ tone, state, text, more, working }: NonNullable<View['verdict']>): Tree {
  return h(
    'div',
    {
      class: `alert-message ${tone}`,
      role: 'status',
      'aria-live': 'polite',
      'aria-atomic': 'true',
      'aria-busy': String(working),
      id: 'sipalg-verdict',
      key: 'verdict',
    },
    h('p', { style: { 'font-size': '1.15em' } }, h('strong', {}, `${state}:`), ' ', h('span', {}, text)),
    more === '' ? null : h('p', { key: 'more' }, more),
  );
}

function drawFindings({ title, rows, empty }: NonNullable<View['findings']>, act: Act): Tree {
  return h(
    'section',
    { class: 'cbi-section', 'aria-labelledby': 'sipalg-findings', key: 'findings' },
    h('h3', { id: 'sipalg-findings' }, title),
    rows.length === 0
      ? h('p', { key: 'empty' }, empty)
      : list(
          'rows',
          rows.map(({ name, tone, weight, text, fold }) => {
            const id = `sipalg-finding-${name}`;
            return item(
              name,
              '.4em 0',
              h('span', { class: `label ${LABELS[tone]}`.trim() }, weight),
              ' ',
              h('span', { id, style: WRAP }, text),
              fold === null ? null : drawFold(fold, act, id),
            );
          }),
        ),
  );
}

function drawLogin(login: Login, act: Act): Tree {
  const { how, title, about, said, warning, busy } = login;
  const field = (name: 'username' | 'password', label: string): Tree =>
    h(
      'div',
      { class: 'cbi-value', key: name },
      h('label', { class: 'cbi-value-title', for: `sipalg-${name}` }, label),
      h(
        'div',
        { class: 'cbi-value-field' },
        h('input', {
          class: 'cbi-input-text',
          id: `sipalg-${name}`,
          name,
          type: name === 'password' ? 'password' : 'text',
          required: true,
          autocomplete: name === 'password' ? 'current-password' : 'username',
          'aria-describedby': said !== '' ? 'sipalg-login-said' : warning !== '' ? 'sipalg-login-warning' : null,
        }),
      ),
    );
  const submit = (event: Event): void => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    act({ do: 'log in', username: String(given.get('username')), password: String(given.get('password')) });
  };
  return h(
    'section',
    { class: 'cbi-section', 'aria-labelledby': 'sipalg-login', key: 'login' },
    h('h3', { id: 'sipalg-login' }, title),
    h('p', { class: 'cbi-section-descr' }, about),
    warning === '' ? null : h('p', { class: 'alert-message warning', id: 'sipalg-login-warning', key: 'warning' }, warning),
    said === '' ? null : h('p', { class: 'alert-message danger', role: 'alert', id: 'sipalg-login-said', key: 'said' }, said),
    how === 'token'
      ? null
      : h(
          'form',
          { key: 'form', on: { submit } },
          field('username', login.user),
          field('password', login.password),
          h(
            'div',
            { class: 'cbi-page-actions' },
            h('button', { class: 'btn cbi-button cbi-button-positive', type: 'submit', disabled: busy }, login.submit),
          ),
        ),
  );
}

export function draw(view: View, act: Act): Tree {
  return h(
    'div',
    { class: 'cbi-map', 'data-mood': view.mood, id: 'sipalg' },
    h('h2', { key: 'title' }, view.title),
    h('div', { class: 'cbi-map-descr', key: 'about' }, view.about),
    // Always there, so that what comes into it is read out.
    h(
      'div',
      { role: 'status', 'aria-live': 'polite', key: 'notices' },
      view.notices.map((one) => drawNotice(one, act)),
      view.wait === '' ? null : h('p', { key: 'wait' }, h('em', { class: 'spinning' }, view.wait)),
    ),
    view.login === null ? null : drawLogin(view.login, act),
    view.verdict === null ? null : drawVerdict(view.verdict),
    view.switch === null ? null : drawSwitch(view.switch, act),
    view.findings === null ? null : drawFindings(view.findings, act),
    view.sections.map((section) => drawSection(section, act)),
    view.leave === ''
      ? null
      : h(
          'div',
          { class: 'cbi-page-actions', key: 'leave' },
          h(
            'button',
            { class: 'btn cbi-button cbi-button-neutral', type: 'button', on: { click: () => act({ do: 'log out' }) } },
            view.leave,
          ),
        ),
  );
}
