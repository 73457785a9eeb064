/** A document as one page that needs nothing beside it: no script, no file, no network; light, dark and on paper. */
import type { Block, Item, Section, Tone } from '../report/document.ts';
import type { Put } from '../words/english.ts';
import { callPart, cell, row, STYLE, table } from './compare-html.ts';
import { escaped } from './html.ts';
import type { Write } from './report-markdown.ts';

const MORE = `
h3 { font-size: 1rem; margin-top: 1.8rem; overflow-wrap: anywhere } p { overflow-wrap: anywhere }
.answer.alarm { border-color: var(--alarm) } .answer.risk { border-color: var(--mild) }
ul.items { padding-left: 1.1rem } ul.items > li { margin: .35rem 0 } li.alarm::marker { color: var(--alarm); content: '! ' }
li.risk::marker { color: var(--mild); content: '* ' } ul.evidence { padding-left: 1rem; list-style: none; font-size: .9rem;
  color: var(--soft); overflow-wrap: anywhere } nav ul { columns: 2; padding-left: 1.1rem } nav a { color: inherit }
@media screen and (max-width: 44rem) { nav ul { columns: 1 } }
@media print { nav { display: none } a { text-decoration: none; color: inherit } li { break-inside: avoid }
  .answer { break-inside: avoid } }
`;

const CLASSES: Record<Tone, string> = { alarm: 'alarm', risk: 'risk', fine: 'fine', plain: '' };

const CODE = /(`[^`]*`)/;

/** Words may hold commands in backticks. */
const words = (text: string): string =>
  text
    .split(CODE)
    .map((part) => (/^`[^`]*`$/.test(part) ? `<code>${escaped(part.slice(1, -1))}</code>` : escaped(part)))
    .join('');

function item({ tone, line, evidence }: Item, write: Write): string {
  const shown = evidence.map((one) => `<li>${typeof one === 'string' ? `<code>${escaped(write(one))}</code>` : words(write(one))}</li>`);
  const about = CLASSES[tone] === '' ? '' : ` class="${CLASSES[tone]}"`;
  return `<li${about}>${words(write(line))}${shown.length === 0 ? '' : `<ul class="evidence">${shown.join('')}</ul>`}</li>`;
}

function blockPart(block: Block, write: Write, put: Put): string {
  switch (block.is) {
    case 'text':
      return `<p>${words(write(block.line))}</p>`;
    case 'answer':
      return `<p class="answer ${CLASSES[block.tone]}">${words(write(block.line))}</p>`;
    case 'items':
      return `<ul class="items">${block.items.map((one) => item(one, write)).join('')}</ul>`;
    case 'table': {
      const heads = block.heads.map((head) => write(head));
      const body = block.rows.map((cells) => row(cells.map((one, at) => cell(words(write(one)), '', at === 0 ? '' : (heads[at] ?? '')))));
      return table(write(block.name), heads.map(escaped), body);
    }
    case 'ladders':
      return block.comparison.calls
        .map((call, at) => callPart({ ...call, notes: [] }, at, put, 3))
        .join('\n');
  }
}

/** What stands above it, in the reader's language. */
export interface Head {
  title: string;
  about: string;
  contents: string;
  /** As HTML names it. */
  language: string;
}

export function page({ title, about, contents, language }: Head, sections: readonly Section[], write: Write, put: Put): string {
  const parts = sections.map(
    ({ name, title: head, blocks }) =>
      `<section aria-labelledby="${name}"><h2 id="${name}">${words(write(head))}</h2>`
      + `${blocks.map((block) => blockPart(block, write, put)).join('\n')}</section>`,
  );
  const links = sections.map(({ name, title: head }) => `<li><a href="#${name}">${words(write(head))}</a></li>`);
  return `<!DOCTYPE html>
<html lang="${escaped(language)}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title><style>${STYLE}${MORE}</style></head><body>
<header><h1>${escaped(title)}</h1><p class="soft">${words(about)}</p></header>
<nav aria-label="${escaped(contents)}"><ul>${links.join('')}</ul></nav>
<main>
${parts.join('\n')}
</main></body></html>
`;
}
