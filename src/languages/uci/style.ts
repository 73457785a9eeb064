/** How a file writes its statements, so that a new one looks as if its owner had written it. */

import { Refused, quote } from '../refused.ts';
import type { Lines } from './lines.ts';
import { isName } from './scan.ts';
import type { Statement, Word } from './scan.ts';

type Quoting = "'" | '"' | '';

export interface Style {
  indent: string;
  /** Between the keyword and the name. */
  afterKeyword: string;
  /** Between the name and the value. */
  afterName: string;
  nameQuoting: Quoting;
  valueQuoting: Quoting;
}

/** What `uci` itself writes. */
const PLAIN: Style = { indent: '\t', afterKeyword: ' ', afterName: ' ', nameQuoting: '', valueQuoting: "'" };

/** A value as `uci` writes it: between single quotes, each ' in it written '\''. */
export function renderValue(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** A value in a quoting, or in single quotes when it cannot be written without any. */
export function renderAs(quoting: Quoting, value: string): string {
  if (quoting === '"') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (quoting === '' && /^[\x21-\x7e]+$/.test(value) && !/['"\\#;]/.test(value)) return value;
  return renderValue(value);
}

/** How a word is quoted: by its first character. */
export function quotingOf(text: string, word: Word): Quoting {
  const first = text.charAt(word.start);
  return first === "'" || first === '"' ? first : '';
}

/**
 * The style to write a new statement in: that of `models`, the nearest first.
 * Gaps that are columns (tabs) become one tab, any other one space.
 */
export function styleOf(text: string, lines: Lines, models: readonly Statement[]): Style {
  const model = models.find((statement) => statement.keyword === 'option' || statement.keyword === 'list');
  const name = model?.words[0];
  if (model === undefined || name === undefined) return PLAIN;
  const value = model.words[1];
  const indent = text.slice(lines.start(model.start), model.start);
  const gap = value === undefined ? '' : text.slice(name.end, value.start);
  return {
    indent: /^[ \t]*$/.test(indent) ? indent : PLAIN.indent,
    afterKeyword: ' ',
    afterName: gap.includes('\t') ? '\t' : ' ',
    nameQuoting: quotingOf(text, name),
    valueQuoting: value === undefined ? PLAIN.valueQuoting : quotingOf(text, value),
  };
}

/** The statement, without indentation and line end. */
export function renderStatement(style: Style, kind: 'option' | 'list', name: string, value: string): string {
  const word = renderAs(style.nameQuoting, name);
  return kind + style.afterKeyword + word + style.afterName + renderAs(style.valueQuoting, value);
}

/** The line end in use at an offset, or in the text's first line. */
export function lineBreak(text: string, lines: Lines, offset: number): string {
  const line = text.slice(lines.start(offset), lines.end(offset));
  if (line.endsWith('\n')) return line.endsWith('\r\n') ? '\r\n' : '\n';
  return text.slice(0, lines.end(0)).endsWith('\r\n') ? '\r\n' : '\n';
}

/** @throws Refused for what cannot be an option's name or value */
export function checkOption(name: string, value: string): void {
  if (!isName(name)) {
    throw new Refused(`${quote(name)} cannot name an option; a name holds letters of ASCII, digits and _`);
  }
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f]/.test(value)) {
    throw new Refused(`the value ${quote(value)} of ${name} holds a control character, which UCI does not take`);
  }
}
