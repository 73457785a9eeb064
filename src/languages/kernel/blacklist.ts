/**
 * What OpenWrt's kmodloader must not load: `/etc/modules.conf`, read as kmodloader
 * itself reads it (ubox since 2022, kmodloader.c: `load_options`). It documents two
 * forms of line and does not check for others, some of which it does not survive; so
 * whatever is neither is `dangerous` here, and nothing is added to such a file.
 */
import { Refused, quote } from '../refused.ts';

/** `/etc/modules.conf`, nothing lost: the lines' texts, joined, are `text`. */
export interface ModulesConf {
  text: string;
  lines: ConfLine[];
}

/** One line: its number from 1, its text with its newline if it has one, and what kmodloader makes of it. */
export type ConfLine = { line: number; text: string } & (
  | { kind: 'blank' }
  | { kind: 'comment' }
  | { kind: 'blacklist'; module: string }
  | { kind: 'options'; module: string; args: string }
  /** None of the documented forms: `because` says what it lacks. A loader that stumbles over it loads no module at all. */
  | { kind: 'dangerous'; because: string }
);

type Meaning = ConfLine extends infer L ? (L extends ConfLine ? Omit<L, 'line' | 'text'> : never) : never;

/** The longest line, in bytes of UTF-8, its newline included. kmodloader (`fgets`) takes what follows for a line of its own. */
export const LONGEST = 511;

/**
 * `/etc/modules.conf`: `blacklist NAME`, `options NAME ARGS`; `#` starts a comment
 * anywhere in a line. A blacklisted name must be the `.ko` file's stem exactly.
 *
 * @throws Refused for a NUL
 */
export function parseModulesConf(text: string): ModulesConf {
  const lines: ConfLine[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline + 1;
    const written = text.slice(start, end);
    const line = lines.length + 1;
    if (written.includes('\0')) {
      throw new Refused(`line ${line} holds a NUL character: ${quote(written)}; /etc/modules.conf is text`, line);
    }
    lines.push({ line, text: written, ...meaningOf(written) });
    start = end;
  }
  return { text, lines };
}

const FORMS = 'it is neither "blacklist NAME" nor "options NAME ARGUMENT..."';

function meaningOf(written: string): Meaning {
  if (written.length > LONGEST || bytesOf(written) > LONGEST) return { kind: 'dangerous', because: `it is longer than ${LONGEST} bytes` };
  const hash = written.indexOf('#');
  const rest = trimSpace(hash < 0 ? written : written.slice(0, hash));
  if (rest === '') return hash < 0 ? { kind: 'blank' } : { kind: 'comment' };
  const [command, afterCommand] = cutWord(rest);
  const [module, args] = cutWord(afterCommand ?? '');
  if (command === 'blacklist' && module !== '') return { kind: 'blacklist', module };
  if (command === 'options' && args !== null) return { kind: 'options', module, args };
  return { kind: 'dangerous', because: FORMS };
}

/** What C's isspace() takes for space. */
const SPACE = ' \t\n\v\f\r';

/** The first word and what follows it; null where nothing follows. Words end at a space or a tab (`strsep`). */
function cutWord(text: string): [string, string | null] {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === ' ' || text[at] === '\t') return [text.slice(0, at), trimSpace(text.slice(at + 1))];
  }
  return [text, null];
}

function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.includes(text[start] as string)) start++;
  while (end > start && SPACE.includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

function bytesOf(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) bytes += widthAt(text, at);
  return bytes;
}

/** Bytes of UTF-8 that one UTF-16 unit stands for (half a pair counts two of its four). */
function widthAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code >= 0xd800 && code < 0xe000 ? 2 : 3;
}

/**
 * `conf` with a block at its end: the comment `# MARK` and one `blacklist` line
 * for each of `modules` that is not blacklisted yet. Where none is missing the
 * text comes back as it is. A last line without a newline gets one first.
 *
 * @throws Refused for a mark of more than one line, or a name that is no module's
 */
export function addBlacklist(conf: ModulesConf, modules: readonly string[], mark: string): string {
  checkMark(mark);
  const listed = new Set(conf.lines.flatMap((line) => (line.kind === 'blacklist' ? [line.module] : [])));
  const missing = [...new Set(modules)].filter((module) => !listed.has(checkModule(module)));
  if (missing.length === 0) return conf.text;
  const mended = conf.text === '' || conf.text.endsWith('\n') ? conf.text : conf.text + '\n';
  return mended + `# ${mark}\n` + missing.map((module) => `blacklist ${module}\n`).join('');
}

/**
 * `conf` without what {@link addBlacklist} wrote: each comment `# MARK` and the
 * lines `blacklist X` right after it, X in `modules` and each X once. A newline
 * that was mended stays: whoever must give back every byte keeps the old text.
 *
 * @throws Refused for a mark of more than one line, or a name that is no module's
 */
export function removeMarked(conf: ModulesConf, modules: readonly string[], mark: string): string {
  checkMark(mark);
  modules.forEach(checkModule);
  const kept: string[] = [];
  let open: Set<string> | null = null;
  for (const line of conf.lines) {
    const bare = line.text.endsWith('\n') ? line.text.slice(0, -1) : line.text;
    if (bare === `# ${mark}`) {
      open = new Set(modules);
      continue;
    }
    const written = line.kind === 'blacklist' && bare === `blacklist ${line.module}` ? line.module : null;
    if (open !== null && written !== null && open.delete(written)) continue;
    open = null;
    kept.push(line.text);
  }
  return kept.join('');
}

function checkMark(mark: string): void {
  if (mark === '' || mark.length > 200 || !/^[\x20-\x7e]+$/.test(mark)) {
    throw new Refused(`${quote(mark)} cannot mark a block in /etc/modules.conf; ` + 'a mark is one line of 1 to 200 ASCII characters');
  }
}

function checkModule(module: string): string {
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(module)) {
    throw new Refused(`${quote(module)} is not a module's name; it is 1 to 63 letters, digits, "_" or "-"`);
  }
  return module;
}
