/** The making of a change to a UCI file: which bytes go, which come, and proof that nothing else changes its meaning. */

import { Refused } from '../refused.ts';
import { place, settingsOf } from './parse.ts';
import type { Placed, Places, UciOption, UciPackage, UciSection } from './parse.ts';
import type { Statement } from './scan.ts';
import { lineBreak, renderStatement, styleOf } from './style.ts';

/** Characters `start` to `end` become `text`. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A file opened for a change. */
export interface Desk extends Places {
  text: string;
}

/** What a file means: its sections in order, and what each name in them is set to. */
export type Meaning = {
  type: string;
  name: string | null;
  set: Map<string, { kind: 'option' | 'list'; values: string[] }>;
}[];

export function openFile(pkg: UciPackage): Desk {
  return { text: pkg.text, ...place(pkg.text) };
}

/** The place of a section among those of its file. @throws Refused when it is not one of them */
export function placeOf(desk: Desk, section: UciSection): number {
  const at = desk.sections.findIndex((placed) => placed.section.start === section.start);
  const found = desk.sections[at]?.section;
  if (found === undefined || found.type !== section.type || found.name !== section.name) {
    throw new Refused(`the section of type ${section.type} on line ${section.line} is not one of this file`);
  }
  return at;
}

/** The index of the first statement that begins at `offset` or behind it. */
function indexAt(desk: Desk, offset: number): number {
  let low = 0;
  let high = desk.statements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((desk.statements[middle]?.start ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The statement before another one, and the one behind it. */
export function neighbours(desk: Desk, statement: Statement): [Statement | undefined, Statement | undefined] {
  const at = indexAt(desk, statement.start);
  return [desk.statements[at - 1], desk.statements[at + 1]];
}

/** The statement behind an option of the file. */
export function statementOf(desk: Desk, option: UciOption): Statement {
  const found = desk.statements[indexAt(desk, option.start)];
  if (found === undefined) throw new Refused(`the ${option.kind} ${option.name} on line ${option.line} is not there`);
  return found;
}

export function meaningOf(sections: readonly UciSection[]): Meaning {
  return sections.map((section) => {
    const set: Meaning[number]['set'] = new Map();
    for (const [name, { kind, values }] of settingsOf(section)) set.set(name, { kind, values });
    return { type: section.type, name: section.name, set };
  });
}

/**
 * Tries each way in turn and gives out the first text that, read again, means
 * what the file meant with `wish` done to it.
 * @throws Refused when none does
 */
export function change(desk: Desk, ways: readonly (() => Edit[])[], wish: (meaning: Meaning) => void): string {
  const wished = meaningOf(desk.sections.map((placed) => placed.section));
  wish(wished);
  const wanted = fingerprint(wished);
  for (const way of ways) {
    const text = edited(desk.text, way());
    if (means(text, wanted)) return text;
  }
  throw new Refused(
    'this change cannot be made without touching what stands next to it: statements share a line; put each on a line of its own',
  );
}

function means(text: string, wanted: string): boolean {
  try {
    return fingerprint(meaningOf(place(text).sections.map((placed) => placed.section))) === wanted;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

function fingerprint(meaning: Meaning): string {
  return JSON.stringify(meaning.map(({ type, name, set }) => [type, name, [...set].sort(([one], [two]) => (one < two ? -1 : 1))]));
}

/** The text with all edits done; edits that overlap are one. */
function edited(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let done = 0;
  for (const edit of [...edits].sort((one, two) => one.start - two.start || one.end - two.end)) {
    if (edit.start > done) pieces.push(text.slice(done, edit.start));
    pieces.push(edit.text);
    done = Math.max(done, edit.end);
  }
  pieces.push(text.slice(done));
  return pieces.join('');
}

/** Does the next statement begin on the line on which this one ends? */
export function sharesLine(desk: Desk, statement: Statement | undefined, next: Statement | undefined): boolean {
  return statement !== undefined && next !== undefined && desk.lines.end(statement.end) > next.start;
}

/** What takes statements out: their lines, or their part of a line that holds others too. */
export function removal(desk: Desk, gone: readonly Statement[]): Edit[] {
  const { statements, lines } = desk;
  const going = new Set(gone);
  return gone.map((statement) => {
    const at = indexAt(desk, statement.start);
    const next = statements[at + 1];
    if (next !== undefined && sharesLine(desk, statement, next)) {
      return { start: statement.start, end: next.start, text: '' };
    }
    let first = at;
    while (sharesLine(desk, statements[first - 1], statements[first])) {
      const before = statements[first - 1];
      if (before !== undefined && !going.has(before)) return { start: before.end, end: statement.end, text: '' };
      first -= 1;
    }
    return { start: lines.start(statements[first]?.start ?? statement.start), end: lines.end(statement.end), text: '' };
  });
}

/**
 * The ways to add a statement for each value behind another one of its section (null: its last): on lines of their own, on the
 * same line.
 */
export function additions(
  desk: Desk,
  placed: Placed,
  behind: Statement | null,
  kind: 'option' | 'list',
  name: string,
  values: readonly string[],
): (() => Edit[])[] {
  const { text, lines } = desk;
  const own = placed.stretches.flatMap((stretch) => stretch.statements);
  const filled = [...placed.stretches].reverse().find((stretch) => stretch.statements.length > 1) ?? placed.stretches[0];
  const previous = behind ?? filled?.statements.at(-1);
  if (previous === undefined) throw new Refused(`the section on line ${placed.section.line} has no statement`);
  const near = own.slice(0, own.indexOf(previous) + 1).reverse();
  const models = [...near.filter((one) => one.keyword === kind), ...near, ...own, ...desk.statements];
  const style = styleOf(text, lines, models);
  const statements = values.map((value) => renderStatement(style, kind, name, value));
  const [, next] = neighbours(desk, previous);
  const sameLine = (): Edit[] => [
    { start: previous.end, end: previous.end, text: statements.map((statement) => ` ; ${statement}`).join('') },
  ];
  if (sharesLine(desk, previous, next)) return [sameLine];
  const at = lines.end(previous.end);
  const eol = lineBreak(text, lines, previous.end);
  const rows = statements.map((statement) => style.indent + statement).join(eol);
  const ownLine = (): Edit[] => [{ start: at, end: at, text: text.charAt(at - 1) === '\n' ? rows + eol : eol + rows }];
  return [ownLine, sameLine];
}
