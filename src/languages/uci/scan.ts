/**
 * The statements of a UCI configuration file and where they stand.
 *
 * Read as libuci reads (openwrt/uci file.c, strict mode), its corners included:
 * - a line is read at a time; white space is that of C's isspace();
 * - the word that opens a statement ends at a space or a tab, nothing else;
 * - `#` outside quotes opens a comment, even in the middle of a word;
 * - '...' holds anything, line ends included; in "..." and outside quotes a
 *   backslash makes the next character plain, or joins the next line;
 * - `;` ends a statement and another may follow on the line, but a `;` that
 *   touches a word written without quotes or backslashes swallows the rest of
 *   the line, and a `;` with nothing but the line's end behind it is an error;
 * - an empty word is as good as none.
 */

import { Refused, quote } from '../refused.ts';
import { linesOf } from './lines.ts';
import type { Lines } from './lines.ts';

/** One word of a statement. `end` is the offset just behind its last character, closing quote included. */
export interface Word {
  value: string;
  start: number;
  end: number;
}

export interface Statement {
  keyword: 'package' | 'config' | 'option' | 'list';
  /** The words behind the keyword: package name; section type and name; option name and value. */
  words: [Word, ...Word[]];
  /** Offset of the keyword. */
  start: number;
  /** Offset just behind the statement's last word. */
  end: number;
  /** Line of the keyword, counted from 1. */
  line: number;
}

const KEYWORDS: Readonly<Record<string, Statement['keyword']>> = {
  p: 'package',
  package: 'package',
  c: 'config',
  config: 'config',
  o: 'option',
  option: 'option',
  l: 'list',
  list: 'list',
};

/**
 * A line that is all of one statement as nearly every line of every file has it: a name, then at most one value, plain or
 * between single quotes. Its meaning needs no walk from character to character, which QuickJS takes a hundred times longer for
 * than its own search. Whatever else stands there is walked through.
 */
const PLAIN_LINE = /([ \t]*)(config|option|list)([ \t]+)([A-Za-z0-9_]+)(?:([ \t]+)(?:'([^'\n]*)'|([A-Za-z0-9_.:/-]+)))?[ \t]*\r?(?:\n|$)/y;
/** And one that says nothing. */
const NO_STATEMENT = /[ \t]*(?:#[^\n]*|\r)?(?:\n|$)/y;

/** May this stand as a section's or an option's name? */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9_]+$/.test(text);
}

/** May this stand as a section's type? */
export function isType(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/**
 * Every statement of `text`, in order.
 * @throws Refused where libuci would refuse the file, and for a NUL character
 */
export function scan(text: string, lines: Lines = linesOf(text)): Statement[] {
  const statements: Statement[] = [];
  let pos = 0;
  /** End of what may still be read of the line; a comment pulls it in. */
  let limit = 0;
  /** End of the line. */
  let next = 0;
  let start = 0;

  const refuse = (message: string): never => {
    throw new Refused(`${message}, in ${quote(text.slice(start, lines.end(start)).trim())}`, lines.number(start));
  };
  const nextLine = (): void => {
    pos = next;
    next = lines.end(pos);
    limit = next;
  };
  const at = (offset: number): string => (offset < limit ? text.charAt(offset) : '');
  const isSpace = (char: string): boolean => char !== '' && ' \t\n\v\f\r'.includes(char);
  const skipSpace = (): void => {
    while (isSpace(at(pos))) pos += 1;
  };
  /** Stands on a backslash. True: the character behind it is plain. False: the next line was joined. */
  const backslash = (): boolean => {
    pos += 1;
    const char = at(pos);
    if (char === '' || char === '\n' || (char === '\r' && at(pos + 1) === '\n')) {
      nextLine();
      return false;
    }
    return true;
  };

  const singleQuoted = (): string => {
    const close = text.indexOf("'", pos + 1);
    if (close < 0) refuse(`a ' is opened and never closed`);
    const value = text.slice(pos + 1, close);
    pos = close + 1;
    if (pos > next) limit = next = lines.end(close);
    return value;
  };

  const doubleQuoted = (): string => {
    const pieces: string[] = [];
    let from = (pos += 1);
    for (;;) {
      const char = at(pos);
      if (char === '') {
        pieces.push(text.slice(from, pos));
        nextLine();
        from = pos;
        if (at(pos) === '') refuse('a " is opened and never closed');
      } else if (char === '"') {
        pieces.push(text.slice(from, pos));
        pos += 1;
        return pieces.join('');
      } else if (char === '\\') {
        pieces.push(text.slice(from, pos));
        const plain = backslash();
        from = pos;
        if (plain) pos += 1;
      } else {
        pos += 1;
      }
    }
  };

  /** Reads one word; null at the end of the statement. */
  const word = (): Word | null => {
    skipSpace();
    if (at(pos) === ';') {
      pos += 1;
      return null;
    }
    const begin = pos;
    const pieces: string[] = [];
    let plain = true;
    let end = pos;
    let from = pos;
    const flush = (): void => {
      if (pos > from) pieces.push(text.slice(from, pos));
    };
    do {
      const char = at(pos);
      if (char === "'" || char === '"') {
        flush();
        plain = false;
        pieces.push(char === "'" ? singleQuoted() : doubleQuoted());
        from = end = pos;
      } else if (char === '#') {
        limit = pos;
        break;
      } else if (char === '') {
        break;
      } else if (char === ';') {
        if (plain) limit = pos;
        break;
      } else if (char === '\\') {
        flush();
        plain = false;
        const literal = backslash();
        from = pos;
        if (literal) pos += 1;
        end = pos;
      } else {
        pos += 1;
        end = pos;
      }
    } while (at(pos) !== '' && !isSpace(at(pos)));
    flush();
    if (at(pos) !== '' && at(pos) !== ';') pos += 1;
    const value = pieces.join('');
    return end === begin ? null : { value, start: begin, end };
  };

  const named = (what: string, allowed: (text: string) => boolean, chars: string): Word => {
    const found = word();
    if (found === null || found.value === '') return refuse(`${what} is missing`);
    if (!allowed(found.value)) refuse(`${what} is ${quote(found.value)}; it may hold ${chars}`);
    return found;
  };
  const NAME = 'letters of ASCII, digits and _';

  const statement = (keyword: Statement['keyword']): void => {
    const words: [Word, ...Word[]] =
      keyword === 'package'
        ? [named('the package name', (name) => /^[A-Za-z0-9_-]+$/.test(name), `${NAME} and -`)]
        : keyword === 'config'
          ? [named('the section type', isType, 'visible ASCII characters')]
          : [named(`the name of the ${keyword}`, isName, NAME)];
    if (keyword !== 'package') {
      const second = word();
      if (second !== null) words.push(second);
      if (keyword === 'config' && second !== null && second.value !== '' && !isName(second.value)) {
        refuse(`the section name is ${quote(second.value)}; it may hold ${NAME}`);
      }
    }
    const extra = word();
    if (extra !== null && extra.value !== '') {
      refuse(`${quote(extra.value)} is one word too many; a value with spaces needs quotes`);
    }
    const last = extra ?? words[words.length - 1] ?? words[0];
    statements.push({ keyword, words, start, end: last.end, line: lines.number(start) });
  };

  const zero = text.indexOf('\0');
  if (zero >= 0) throw new Refused('a NUL character has no place in a UCI file', lines.number(zero));

  /** Takes a line that is plain. @returns false where it has to be walked through; nothing is taken then */
  const plainLine = (): boolean => {
    PLAIN_LINE.lastIndex = next;
    const found = PLAIN_LINE.exec(text);
    if (found === null) {
      NO_STATEMENT.lastIndex = next;
      if (!NO_STATEMENT.test(text)) return false;
      next = NO_STATEMENT.lastIndex;
      return true;
    }
    const [, indent = '', keyword, afterKeyword = '', name = '', afterName, quoted, plain] = found;
    const begin = next + indent.length;
    const nameStart = begin + (keyword as string).length + afterKeyword.length;
    const nameEnd = nameStart + name.length;
    const words: [Word, ...Word[]] = [{ value: name, start: nameStart, end: nameEnd }];
    let end = nameEnd;
    if (afterName !== undefined) {
      const value = quoted ?? plain ?? '';
      if (keyword === 'config' && value !== '' && !isName(value)) return false;
      const from = nameEnd + afterName.length;
      end = from + value.length + (quoted === undefined ? 0 : 2);
      words.push({ value, start: from, end });
    }
    statements.push({ keyword: keyword as Statement['keyword'], words, start: begin, end, line: lines.number(begin) });
    next = PLAIN_LINE.lastIndex;
    return true;
  };

  while (next < text.length) {
    if (plainLine()) continue;
    nextLine();
    skipSpace();
    for (;;) {
      while (at(pos) === ' ' || at(pos) === '\t') pos += 1;
      const first = at(pos);
      if (first === '' || first === '#') break;
      start = pos;
      while (at(pos) !== '' && at(pos) !== ' ' && at(pos) !== '\t') pos += 1;
      const opener = text.slice(start, pos);
      const trimmed = opener.trimEnd();
      const keyword = Object.hasOwn(KEYWORDS, opener) ? KEYWORDS[opener] : undefined;
      if (trimmed === '') refuse('nothing stands behind a ; that ends the line');
      if (at(pos) === '' && Object.hasOwn(KEYWORDS, trimmed)) refuse(`nothing stands behind ${quote(trimmed)}`);
      if (keyword === undefined) {
        return refuse(`${quote(trimmed)} opens no statement; package, config, option and list do`);
      }
      pos += 1;
      statement(keyword);
    }
  }
  return statements;
}
