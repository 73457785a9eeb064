/**
 * UCI configuration files (/etc/config/*), read as libuci reads them: what a
 * file means, and where each thing that means something stands in its text.
 *
 * A `config` with the explicit name of an earlier section is the same section
 * again: it is shown once, where it was first opened, and its `options` holds
 * the statements of every stretch in the order of the file. `start` and `end`
 * are those of the first stretch.
 */

import { Refused, quote } from '../refused.ts';
import { linesOf } from './lines.ts';
import type { Lines } from './lines.ts';
import { scan } from './scan.ts';
import type { Statement } from './scan.ts';

export interface UciPackage {
  text: string;
  sections: UciSection[];
}

export interface UciSection {
  type: string;
  /** The explicit name; null when the section is anonymous. */
  name: string | null;
  /** Place among the sections of its type, from 0, as in firewall.@zone[0]. */
  index: number;
  /** Line of its (first) `config` statement, counted from 1. */
  line: number;
  /** Offset of the line of its `config` statement (of the statement when another one stands before it). */
  start: number;
  /** Offset where the next `config` starts, or the end of the text. */
  end: number;
  options: UciOption[];
}

/** One `option` or `list` statement, as written; see `optionOf` and `listOf` for what is in force. */
export interface UciOption {
  kind: 'option' | 'list';
  name: string;
  value: string;
  /** Line of the statement, counted from 1. */
  line: number;
  /** Offset of its line, or of the statement itself when it shares its line with another. */
  start: number;
  /** Offset behind its last line, line end included; behind its last word when it shares its line. */
  end: number;
}

/** What a name is set to: by which statements, and whether uci calls it an option or a list. */
export interface Setting {
  kind: 'option' | 'list';
  values: string[];
  statements: UciOption[];
}

/** A stretch of statements from a `config` up to the next one. */
export interface Stretch {
  start: number;
  end: number;
  /** Its `config` statement first. */
  statements: Statement[];
}

/** A section together with the stretches of text it is written in. */
export interface Placed {
  section: UciSection;
  stretches: Stretch[];
}

/**
 * Reads a UCI file. `package` lines are checked and otherwise ignored, as libuci does for a file in /etc/config.
 * @throws Refused naming the line and quoting it, where libuci (strict, as uci and fw4 use it) refuses the file
 */
export function parseUci(text: string): UciPackage {
  return { text, sections: place(text).sections.map((placed) => placed.section) };
}

/** All that was found in a text. */
export interface Places {
  lines: Lines;
  statements: Statement[];
  sections: Placed[];
}

/** How many texts are remembered: one look asks eight times for the same few files, and a change reads again what it has made. */
const MOST_REMEMBERED = 4;
const remembered = new Map<string, Places>();

/** As `parseUci`, with every statement and every stretch. Nobody changes what it gives: the next one gets the same. */
export function place(text: string): Places {
  const found = remembered.get(text) ?? placesIn(text);
  remembered.delete(text);
  remembered.set(text, found);
  if (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
  return found;
}

function placesIn(text: string): Places {
  const lines = linesOf(text);
  const statements = scan(text, lines);
  const sections: Placed[] = [];
  const byName = new Map<string, Placed>();
  const counts = new Map<string, number>();
  let current: Placed | undefined;
  let stretch: Stretch | undefined;
  let total = 0;

  statements.forEach((statement, at) => {
    const before = statements[at - 1];
    const after = statements[at + 1];
    const sharesBefore = before !== undefined && lines.end(before.end) > statement.start;
    const sharesAfter = after !== undefined && lines.end(statement.end) > after.start;
    const first = statement.words[0];
    const second = statement.words[1]?.value ?? '';
    if (statement.keyword === 'package') return;
    if (statement.keyword === 'config') {
      const start = sharesBefore ? statement.start : lines.start(statement.start);
      if (stretch !== undefined) stretch.end = start;
      stretch = { start, end: text.length, statements: [statement] };
      const type = first.value;
      current = second === '' ? undefined : byName.get(second);
      if (current !== undefined) {
        if (current.section.type !== type) {
          throw new Refused(
            `section ${quote(second)} is opened as ${quote(type)} and was ${quote(current.section.type)} on line `
              + `${current.section.line}; a name belongs to one type`,
            statement.line,
          );
        }
        current.stretches.push(stretch);
        return;
      }
      const index = counts.get(type) ?? 0;
      counts.set(type, index + 1);
      total += 1;
      const name = second === '' ? null : second;
      const section = { type, name, index, line: statement.line, start, end: text.length, options: [] };
      current = { section, stretches: [stretch] };
      sections.push(current);
      const called = name ?? generatedName(total, type);
      if (!byName.has(called)) byName.set(called, current);
      return;
    }
    if (current === undefined || stretch === undefined) {
      throw new Refused(`${statement.keyword} ${quote(first.value)} stands before the first section`, statement.line);
    }
    const shares = sharesBefore || sharesAfter;
    stretch.statements.push(statement);
    current.section.options.push({
      kind: statement.keyword,
      name: first.value,
      value: second,
      line: statement.line,
      start: shares ? statement.start : lines.start(statement.start),
      end: shares ? statement.end : lines.end(statement.end),
    });
  });
  for (const placed of sections) placed.section.end = placed.stretches[0]?.end ?? text.length;
  return { lines, statements, sections };
}

/**
 * The name libuci gives to the nth section of a package (from 1) when it has
 * none: a later `config` can open it again by that name (openwrt/uci list.c).
 */
function generatedName(nth: number, type: string): string {
  let hash = 5381;
  for (let at = 0; at < type.length; at++) hash = (Math.imul(hash, 33) + type.charCodeAt(at)) | 0;
  return `cfg${nth.toString(16).padStart(2, '0')}${(hash & 0xffff).toString(16).padStart(4, '0')}`;
}

/**
 * What each name of a section is set to, as libuci ends up with: a later
 * `option` replaces what was there, a `list` adds to it (and makes a list of an
 * option that was there), an `option` with an empty value changes nothing.
 */
export function settingsOf(section: UciSection): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const option of section.options) {
    const known = settings.get(option.name);
    if (option.kind === 'list') {
      if (known === undefined) {
        settings.set(option.name, { kind: 'list', values: [option.value], statements: [option] });
      } else {
        known.kind = 'list';
        known.values.push(option.value);
        known.statements.push(option);
      }
    } else if (option.value !== '') {
      settings.set(option.name, { kind: 'option', values: [option.value], statements: [option] });
    }
  }
  return settings;
}

/**
 * The value of an option; null when it is not set, or set to nothing, or is a
 * list (`listOf` reads that), even a list of one.
 */
export function optionOf(section: UciSection, name: string): string | null {
  const setting = settingsOf(section).get(name);
  return setting === undefined || setting.kind === 'list' ? null : (setting.values[0] ?? null);
}

/**
 * The values of a list; empty when it is not set. An option gives its one
 * value, not split at spaces: whether to split is the reader's rule, not UCI's.
 */
export function listOf(section: UciSection, name: string): string[] {
  return settingsOf(section).get(name)?.values ?? [];
}

/** A section as `uci show` names it: firewall.lan, or firewall.@zone[0] when it has no name. */
export function describeSection(section: UciSection, pkg: string): string {
  return `${pkg}.${section.name ?? `@${section.type}[${section.index}]`}`;
}
