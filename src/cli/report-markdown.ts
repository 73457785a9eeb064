/** A document as Markdown (CommonMark, with the tables of GitHub's): to be read as it is, too. */
import type { Block, Item, Section, Tone } from '../report/document.ts';
import type { Line } from '../words/say.ts';
import type { Put } from '../words/english.ts';
import { callLines } from './compare-text.ts';

/** What writes a line: in the reader's language, and without what strangers need not see. */
export type Write = (line: Line) => string;

const SIGNS: Record<Tone, string> = { alarm: '**!** ', risk: '**\\*** ', fine: '', plain: '' };

/** Text of anybody's making: nothing of it is markup, and no line of it begins another. */
const plain = (text: string): string =>
  text
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/[\n\t]+/g, ' ')
    .replace(/([\\*[\]<>|#~])|(?<!\w)_|_(?!\w)/g, '\\$&');

/** Somebody else's text as code, whatever stands in it. */
function code(text: string): string {
  const line = text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
  const fence = '`'.repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length)) + 1);
  return `${fence}${fence.length > 1 ? ' ' : ''}${line}${fence.length > 1 ? ' ' : ''}${fence}`;
}

const inTable = (text: string): string => text.replace(/(?<!\\)\|/g, '\\|');

/** Words may hold commands in backticks, and what stands in those is code already. */
const words = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 === 1 ? part : plain(part)))
    .join('');

const item = ({ tone, line, evidence }: Item, write: Write): string[] => [
  `- ${SIGNS[tone]}${words(write(line))}`,
  ...evidence.map((one) => `  - ${typeof one === 'string' ? code(write(one)) : words(write(one))}`),
];

function blockLines(block: Block, write: Write, put: Put): string[] {
  switch (block.is) {
    case 'text':
      return [words(write(block.line))];
    case 'answer':
      return [`**${words(write(block.line))}**`];
    case 'items':
      return block.items.flatMap((one) => item(one, write));
    case 'table': {
      const cells = (row: readonly Line[]): string => `| ${row.map((one) => inTable(words(write(one)))).join(' | ')} |`;
      return [cells(block.heads), `|${block.heads.map(() => ' --- |').join('')}`, ...block.rows.map(cells)];
    }
    case 'ladders': {
      const shown = block.comparison.calls.map((call) => ({ ...call, notes: [] }));
      const lines = shown.flatMap((call, at) => callLines(call, at, shown.length, put));
      return lines.length === 0 ? [] : ['````', ...lines.map((line) => line.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ')), '````'];
    }
  }
}

export function markdown(title: string, about: string, sections: readonly Section[], write: Write, put: Put): string {
  const parts = sections.flatMap(({ title: name, blocks }) => [
    `## ${words(write(name))}`,
    ...blocks.map((block) => blockLines(block, write, put).join('\n')),
  ]);
  return `${[`# ${words(title)}`, words(about), ...parts].filter((part) => part !== '').join('\n\n')}\n`;
}
