/**
 * Changes to UCI files: text in, text out. Only the bytes of the statements in
 * question change; a new line is written the way its neighbours are.
 *
 * Each result is read again before it is given out: when it does not mean
 * exactly what was asked for, and everything else what it meant before, the
 * change is refused (a file that packs statements into one line can bring that
 * about), never handed over.
 */

import { Refused, quote } from '../refused.ts';
import { additions, change, meaningOf, neighbours, openFile, placeOf, removal, sharesLine, statementOf } from './change.ts';
import type { Desk, Edit, Meaning } from './change.ts';
import { settingsOf } from './parse.ts';
import type { Placed, Stretch, UciPackage, UciSection } from './parse.ts';
import { isName, isType } from './scan.ts';
import { checkOption, lineBreak, quotingOf, renderAs, renderStatement, renderValue, styleOf } from './style.ts';

export { renderValue };

/**
 * Sets an option: the statement in force gets the new value in place; a list
 * in force becomes one option, in its first place; a name that is not set is
 * added behind the section's last statement. '' takes the option out, as
 * `uci set` does. Statements that are not in force stay as they are.
 * @throws Refused for a name or value UCI does not take, or when it cannot be done safely
 */
export function setOption(pkg: UciPackage, section: UciSection, name: string, value: string): string {
  checkOption(name, value);
  if (value === '') return deleteOption(pkg, section, name);
  const { desk, placed, at } = find(pkg, section);
  const setting = settingsOf(placed.section).get(name);
  if (setting?.kind === 'option' && setting.values[0] === value) return pkg.text;
  const wish = (meaning: Meaning): void => {
    meaning[at]?.set.set(name, { kind: 'option', values: [value] });
  };
  const append = additions(desk, placed, null, 'option', name, [value]);
  if (setting === undefined) return change(desk, append, wish);
  const inPlace = (): Edit[] => {
    const [kept, ...gone] = setting.statements.map((option) => statementOf(desk, option));
    const word = kept?.words[1];
    if (kept === undefined || word === undefined) return [];
    const written = renderAs(quotingOf(desk.text, word), value);
    const edits = [{ start: word.start, end: word.end, text: written }, ...removal(desk, gone)];
    if (kept.keyword === 'option') return edits;
    const short = !desk.text.startsWith('list', kept.start);
    return [{ start: kept.start, end: kept.start + (short ? 1 : 4), text: short ? 'o' : 'option' }, ...edits];
  };
  return change(desk, [inPlace, ...append], wish);
}

/**
 * Takes out all statements of a name, those not in force too.
 * @throws Refused when it cannot be done safely
 */
export function deleteOption(pkg: UciPackage, section: UciSection, name: string): string {
  const { desk, placed, at } = find(pkg, section);
  const gone = placed.section.options.filter((option) => option.name === name);
  return change(
    desk,
    [
      () =>
        removal(
          desk,
          gone.map((option) => statementOf(desk, option)),
        ),
    ],
    (meaning) => {
      meaning[at]?.set.delete(name);
    },
  );
}

/**
 * Adds values to a list, behind its last one; an option of that name becomes the list's first value.
 * @throws Refused for a name or value UCI does not take, or when it cannot be done safely
 */
export function addToList(pkg: UciPackage, section: UciSection, name: string, ...added: readonly string[]): string {
  for (const value of added) checkOption(name, value);
  if (added.length === 0) return pkg.text;
  const { desk, placed, at } = find(pkg, section);
  const setting = settingsOf(placed.section).get(name);
  const last = setting?.statements.at(-1);
  const behind = last === undefined ? null : statementOf(desk, last);
  return change(desk, additions(desk, placed, behind, 'list', name, added), (meaning) => {
    meaning[at]?.set.set(name, { kind: 'list', values: [...(setting?.values ?? []), ...added] });
  });
}

/**
 * Takes every occurrence of values (compared exactly) out of a list. What is not a list is left alone.
 * @throws Refused when it cannot be done safely
 */
export function removeFromList(pkg: UciPackage, section: UciSection, name: string, ...removed: readonly string[]): string {
  const { desk, placed, at } = find(pkg, section);
  const setting = settingsOf(placed.section).get(name);
  const these = new Set(removed);
  if (setting?.kind !== 'list' || !setting.values.some((value) => these.has(value))) return pkg.text;
  const same = placed.section.options.filter((option) => option.name === name);
  // A list may have grown from an option. Without that one, whatever it had replaced would be in force again.
  const base = setting.statements.find((option) => option.kind === 'option' && these.has(option.value));
  const upTo = base === undefined ? -1 : same.indexOf(base);
  const gone = same.filter((option, nth) => nth <= upTo || (option.kind === 'list' && these.has(option.value)));
  const values = setting.values.filter((value) => !these.has(value));
  return change(
    desk,
    [
      () =>
        removal(
          desk,
          gone.map((option) => statementOf(desk, option)),
        ),
    ],
    (meaning) => {
      if (values.length === 0) meaning[at]?.set.delete(name);
      else meaning[at]?.set.set(name, { kind: 'list', values });
    },
  );
}

/**
 * Adds a section at the end of the file, a blank line before it. An option with an empty value is left out: to UCI it is none.
 * @throws Refused for a type, name or value UCI does not take, or a name that is taken
 */
export function addSection(
  pkg: UciPackage,
  type: string,
  name: string | null,
  options: readonly { kind: 'option' | 'list'; name: string; value: string }[],
): string {
  if (!isType(type) || /['"\\#;]/.test(type)) {
    throw new Refused(`${quote(type)} cannot be a section type; it holds visible ASCII characters but no ' " \\ # ;`);
  }
  if (name !== null && !isName(name)) {
    throw new Refused(`${quote(name)} cannot name a section; a name holds letters of ASCII, digits and _`);
  }
  if (name !== null && pkg.sections.some((section) => section.name === name)) {
    throw new Refused(`a section ${quote(name)} is there already; set its options instead`);
  }
  for (const option of options) checkOption(option.name, option.value);
  const desk = openFile(pkg);
  const { text, lines } = desk;
  const style = styleOf(text, lines, [...desk.statements].reverse());
  const written = options.filter((option) => option.kind === 'list' || option.value !== '');
  const rows = [
    `config ${type}${name === null ? '' : ` ${renderValue(name)}`}`,
    ...written.map((option) => style.indent + renderStatement(style, option.kind, option.name, option.value)),
  ];
  const eol = lineBreak(text, lines, Math.max(0, text.length - 1));
  const ended = text === '' || text.endsWith('\n') ? '' : eol;
  const blank = text === '' || /(^|\n)\r?\n$/.test(text) ? '' : eol;
  const edit = { start: text.length, end: text.length, text: ended + blank + rows.map((row) => row + eol).join('') };
  return change(desk, [() => [edit]], (meaning) => {
    const place = { line: 0, start: 0, end: 0 };
    const section = { type, name, index: 0, ...place, options: written.map((option) => ({ ...option, ...place })) };
    meaning.push(...meaningOf([section]));
  });
}

/**
 * Takes a section out: its lines from each `config` to its last statement, and
 * the blank lines behind. Comments behind its last statement stay: they may
 * speak of what follows.
 * @throws Refused when it cannot be done safely
 */
export function deleteSection(pkg: UciPackage, section: UciSection): string {
  const { desk, placed, at } = find(pkg, section);
  return change(desk, [() => placed.stretches.map((stretch) => without(desk, stretch))], (meaning) => {
    meaning.splice(at, 1);
  });
}

function without(desk: Desk, stretch: Stretch): Edit {
  const { text, lines } = desk;
  const first = stretch.statements[0];
  const last = stretch.statements.at(-1);
  if (first === undefined || last === undefined) return { start: stretch.start, end: stretch.start, text: '' };
  const [before] = neighbours(desk, first);
  const [, next] = neighbours(desk, last);
  if (next !== undefined && sharesLine(desk, last, next)) return { start: first.start, end: next.start, text: '' };
  if (before !== undefined && sharesLine(desk, before, first)) return { start: before.end, end: last.end, text: '' };
  let start = lines.start(first.start);
  let end = lines.end(last.end);
  const blankBefore = /(?:^|\n)(\r?\n)$/.exec(text.slice(Math.max(0, start - 3), start))?.[1];
  const atStart = start === 0;
  let blanks = 0;
  for (const blank = /[ \t]*\r?\n/y; blankBefore !== undefined || atStart; blanks++) {
    blank.lastIndex = end;
    if (!blank.test(text)) break;
    end = blank.lastIndex;
  }
  // The last section takes the blank line before it along.
  if (end === text.length && blanks === 0 && blankBefore !== undefined) start -= blankBefore.length;
  return { start, end, text: '' };
}

function find(pkg: UciPackage, section: UciSection): { desk: Desk; placed: Placed; at: number } {
  const desk = openFile(pkg);
  const at = placeOf(desk, section);
  const placed = desk.sections[at];
  if (placed === undefined) throw new Refused(`the section on line ${section.line} is not one of this file`);
  return { desk, placed, at };
}
