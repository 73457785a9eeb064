/**
 * A document that mail servers and tickets take everywhere: what there is too much of is left out of it, in the page and in the text
 * alike, and each place says how much it leaves out. Pure.
 */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Block, Item, Section } from './document.ts';

/** How much there may be of each kind. */
export interface Most {
  /** Calls of a comparison that are drawn, and the messages of each. */
  calls: number;
  messages: number;
  /** Items of a list, lines of evidence of each, and rows of a table. */
  items: number;
  evidence: number;
  rows: number;
  /** Blocks of a section. */
  blocks: number;
  /** Characters of one line. */
  letters: number;
}

export const FIRST: Most = { calls: 6, messages: 40, items: 400, evidence: 40, rows: 200, blocks: 80, letters: 4000 };

/** Half of each, down to what still says what the document is of; null where there is no less. */
export function half(most: Most): Most | null {
  const least: Most = { calls: 0, messages: 5, items: 2, evidence: 1, rows: 2, blocks: 6, letters: 120 };
  const next = Object.fromEntries(
    Object.entries(most).map(([name, value]: [string, number]) => [name, Math.max(least[name as keyof Most], Math.floor(value / 2))]),
  ) as unknown as Most;
  return Object.keys(least).every((name) => next[name as keyof Most] === most[name as keyof Most]) ? null : next;
}

const left = (count: number): Said =>
  say('report-left-out', '{count} more {count:is|are} left out here, so that the document stays small.', { count });

/** @param more what stands in the place of those that are left out */
function cut<T>(all: readonly T[], most: number, more: (count: number) => T): T[] {
  return all.length <= most ? [...all] : [...all.slice(0, most), more(all.length - most)];
}

const text = (line: Said): Block => ({ is: 'text', line });

const item = (one: Item, most: Most): Item => ({ ...one, evidence: cut(one.evidence, most.evidence, left) });

function block(one: Block, most: Most): Block[] {
  switch (one.is) {
    case 'text':
    case 'answer':
      return [one];
    case 'items': {
      const more = (count: number): Item => ({ tone: 'plain', line: left(count), evidence: [] });
      return [{ ...one, items: cut(one.items, most.items, more).map((each) => item(each, most)) }];
    }
    case 'table': {
      const over = one.rows.length - most.rows;
      return over > 0 ? [{ ...one, rows: one.rows.slice(0, most.rows) }, text(left(over))] : [one];
    }
    case 'ladders': {
      const { calls } = one.comparison;
      const drawn = calls.slice(0, most.calls).map((call) => ({
        ...call,
        rows: call.rows.slice(0, most.messages),
        omitted: call.omitted + Math.max(0, call.rows.length - most.messages),
      }));
      const over = calls.length - drawn.length;
      const blocks: Block[] = drawn.length === 0 ? [] : [{ is: 'ladders', comparison: { ...one.comparison, calls: drawn } }];
      const more = say('report-calls-left', '{count} more {count:call is|calls are} not drawn here; `sipalg compare` shows them.', {
        count: over,
      });
      return over > 0 ? [...blocks, text(more)] : blocks;
    }
  }
}

export const bounded = (sections: readonly Section[], most: Most): Section[] =>
  sections.map((section) => ({
    ...section,
    blocks: cut(section.blocks, most.blocks, (count) => text(left(count))).flatMap((one) => block(one, most)),
  }));

/** Bytes of a text in UTF-8. */
export function bytesOf(written: string): number {
  let bytes = 0;
  for (let at = 0; at < written.length; at++) {
    const unit = written.charCodeAt(at);
    // Each half of a pair of surrogates is two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}
