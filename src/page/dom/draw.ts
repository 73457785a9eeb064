/** The view -> a tree of elements, in the classes of LuCI's themes. */
import { drawAsk } from './draw-ask.ts';
import { drawSwitch } from './draw-switch.ts';
import { cell, code, disclosure, drawFold, drawNotice, item, LABELS, list, WRAP } from './draw-blocks.ts';
import { h } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { Act } from '../action.ts';
import type { Block, Details, Drawing, Finding, Findings, Login, Section, Table, Tone, VerdictBlock, View } from '../view.ts';

const row = (classes: string, ...cells: Tree[]): Tree => h('tr', { class: `tr ${classes}`.trim(), role: 'row' }, cells);

const drawLabel = (tone: Tone, text: string): Tree => h('span', { class: `label ${LABELS[tone]}`.trim() }, text);

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
      ...cells.map(({ text, code: typed, fold, tone }, column) =>
        cell(column === 0 && heads.length === 0, heads[column] ?? null, [
          typed === true ? code(text, tone) : tone === undefined ? text : drawLabel(tone, text),
          ...(fold === undefined ? [] : drawFold(fold, act)),
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
    title === '' ? 'div' : 'section',
    { 'aria-labelledby': title === '' ? null : id, key: name, style: { margin: '1em 0' } },
    title === '' ? null : h('h3', { id }, title),
    lines.map((line) => h('p', { class: 'cbi-section-descr' }, line)),
    table.rows.length > 0
      ? drawTable(table, title || table.heads.join(', '), act)
      : table.empty === ''
        ? null
        : h('p', { key: 'empty' }, table.empty),
  );
}

/** A finding in a line, and its evidence to unfold. */
function drawFinding({ name, tone, weight, text, fold }: Finding, act: Act): (Tree | string)[] {
  const id = `sipalg-finding-${name}`;
  return [
    drawLabel(tone, weight),
    ' ',
    h('span', { id, style: WRAP }, text),
    ' ',
    ...(fold === null ? [] : drawFold(fold, act, id)),
  ];
}

function drawVerdict({ tone, state, text, why, more, working }: VerdictBlock, act: Act): Tree {
  return h(
    'div',
    { key: 'verdict', class: `alert-message ${tone}`, id: 'sipalg-verdict', 'aria-busy': String(working) },
    h(
      'p',
      { role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true', key: 'said', style: { margin: '0' } },
      h('strong', { style: { display: 'block', 'font-size': '1.6em', 'line-height': '1.3' } }, state),
      h('span', {}, text),
    ),
    more === '' ? null : h('p', { key: 'more', style: { margin: '.3em 0 0' } }, more),
    why === null ? null : h('div', { key: 'why', style: { margin: '.5em 0 0' } }, drawFinding(why, act)),
  );
}

function drawFindings({ name, title, rows }: Findings, act: Act): Tree {
  const id = `sipalg-${name}`;
  return h(
    'section',
    { 'aria-labelledby': id, key: name, style: { margin: '1em 0' } },
    h('h3', { id }, title),
    list(
      'rows',
      rows.map((row) => item(row.name, '.25em 0', ...drawFinding(row, act))),
    ),
  );
}

function drawDrawing({ name, title, lines, tree }: Drawing): Tree {
  const id = `sipalg-${name}`;
  return h(
    'section',
    { 'aria-labelledby': id, key: name, style: { margin: '1em 0' } },
    h('h3', { id }, title),
    lines.map((line) => h('p', { class: 'cbi-section-descr' }, line)),
    tree,
  );
}

function drawDetails({ name, label, open, blocks }: Details, act: Act): Tree {
  const id = `sipalg-${name}`;
  return h(
    'div',
    { key: name, style: { margin: '1em 0' } },
    disclosure({ name, label, open }, id, act),
    h(
      'div',
      { id, key: 'inside', hidden: !open },
      blocks.map((block) => drawBlock(block, act)),
    ),
  );
}

/** How each kind of block is drawn. */
const DRAW: { [K in Block['kind']]: (block: Extract<Block, { kind: K }>, act: Act) => Tree } = {
  ask: drawAsk,
  section: drawSection,
  findings: drawFindings,
  verdict: drawVerdict,
  switch: drawSwitch,
  drawing: drawDrawing,
  details: drawDetails,
};

function drawBlock(block: Block, act: Act): Tree {
  return (DRAW[block.kind] as (block: Block, act: Act) => Tree)(block, act);
}

/** What a tab shows above its fields. */
export function drawTab(blocks: readonly Block[], act: Act): Tree {
  return h(
    'div',
    { class: 'sipalg-tab' },
    blocks.map((block) => drawBlock(block, act)),
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

/** What stands above all tabs. Always there, so that what comes into it is read out. */
export function drawHead(view: View, act: Act): Tree {
  return h(
    'div',
    { id: 'sipalg', 'data-mood': view.mood },
    h(
      'div',
      { role: 'status', 'aria-live': 'polite', key: 'notices' },
      view.notices.map((one) => drawNotice(one, act)),
      view.wait === '' ? null : h('p', { key: 'wait' }, h('em', { class: 'spinning' }, view.wait)),
    ),
    view.login === null ? null : drawLogin(view.login, act),
  );
}

/** Arrow keys go through the tabs (WAI-ARIA Authoring Practices, "Tabs"). */
function move(event: KeyboardEvent, names: readonly string[], at: number): string | undefined {
  const by = { ArrowRight: at + 1, ArrowLeft: at - 1 + names.length, Home: 0, End: names.length - 1 }[event.key];
  return by === undefined ? undefined : names[by % names.length];
}

/** The whole page, for the mount that has no frame of its own. */
export function draw(view: View, act: Act): Tree {
  const { tabs } = view;
  const shown = tabs.find(({ name }) => name === view.tab) ?? tabs[0];
  const names = tabs.map(({ name }) => name);
  return h(
    'div',
    { class: 'cbi-map' },
    h('h2', { key: 'title' }, view.title),
    h('div', { class: 'cbi-map-descr', key: 'about' }, view.about),
    { ...drawHead(view, act), key: 'head' },
    shown === undefined
      ? null
      : h(
          'div',
          { class: 'cbi-tabmenu', role: 'tablist', 'aria-label': view.title, key: 'tabs' },
          tabs.map(({ name, title }, at) =>
            h(
              'button',
              {
                class: name === shown.name ? 'cbi-tab' : 'cbi-tab-disabled',
                type: 'button',
                role: 'tab',
                key: name,
                id: `sipalg-tab-${name}`,
                'aria-selected': String(name === shown.name),
                'aria-controls': 'sipalg-panel',
                tabindex: name === shown.name ? '0' : '-1',
                on: {
                  click: () => act({ do: 'turn to', tab: name }),
                  keydown: (event: KeyboardEvent) => {
                    const tab = move(event, names, at) as typeof name | undefined;
                    if (tab === undefined) return;
                    event.preventDefault();
                    act({ do: 'turn to', tab });
                    document.getElementById(`sipalg-tab-${tab}`)?.focus();
                  },
                },
              },
              title,
            ),
          ),
        ),
    shown === undefined
      ? null
      : h(
          'div',
          {
            role: 'tabpanel',
            id: 'sipalg-panel',
            'aria-labelledby': `sipalg-tab-${shown.name}`,
            class: 'cbi-section',
            key: `panel ${shown.name}`,
          },
          drawTab(shown.blocks, act),
        ),
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
