/** The view -> a tree of elements, in the classes of LuCI's themes. */
import { drawAsk } from './draw-ask.ts';
import { drawSwitch } from './draw-switch.ts';
import { cell, code, disclosure, drawFold, drawNotice, item, LABELS, list, WRAP } from './draw-blocks.ts';
import { h } from '../tree.ts';
import type { Tree } from '../tree.ts';
import type { Act } from '../action.ts';
import type { Block, Details, Drawing, Finding, Findings, Section, Table, Tone, VerdictBlock, View } from '../view.ts';

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
          ...(fold === undefined ? [] : [' ', ...drawFold(fold, act)]),
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
  return [drawLabel(tone, weight), ' ', h('span', { id, style: WRAP }, text), ' ', ...(fold === null ? [] : drawFold(fold, act, id))];
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
  );
}
