/** How iptables puts words on a line and takes them off again (libxtables/xtables.c, iptables/xshared.c). */
import { Refused, quote } from '../refused.ts';

/**
 * `text` as `xtables_save_string` writes it: bare where it is letters, digits,
 * `_` and `-` alone, else between double quotes with `"`, `\` and `'` escaped.
 *
 * @throws Refused for a newline or NUL, which iptables-restore cannot carry
 */
export function quoteArgument(text: string): string {
  if (/[\n\0]/.test(text)) {
    throw new Refused(`${quote(text)} cannot be an argument of iptables-restore; it must hold no newline and no NUL`);
  }
  if (/^[A-Za-z0-9_-]+$/.test(text)) return text;
  return `"${text.replace(/["\\']/g, '\\$&')}"`;
}

/**
 * The words of a line, as iptables-restore's `add_param_to_argv` takes them: a
 * closing quote ends the word even where no space follows, an opening one does
 * not start a new word, and a backslash means something only between quotes.
 *
 * @throws Refused for a quote that is never closed
 */
export function splitArguments(text: string, line = 0): string[] {
  const args: string[] = [];
  let word = '';
  for (let at = 0; at < text.length;) {
    const char = text[at] as string;
    if (char === '"') {
      const [inside, after] = readQuoted(text, at + 1, line);
      args.push(word + inside);
      word = '';
      at = after;
    } else if (char === ' ' || char === '\t') {
      if (word !== '') args.push(word);
      word = '';
      at++;
    } else {
      const end = plainEnd(text, at);
      word += text.slice(at, end);
      at = end;
    }
  }
  if (word !== '') args.push(word);
  return args;
}

/** What stands between the quotes from `from`, and the place after the closing one. */
function readQuoted(text: string, from: number, line: number): [string, number] {
  const parts: string[] = [];
  let start = from;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') {
      parts.push(text.slice(start, at));
      return [parts.join(''), at + 1];
    }
    if (text[at] === '\\') {
      parts.push(text.slice(start, at));
      at++;
      start = at;
    }
  }
  throw new Refused(`a quote is never closed in ${quote(text)}`, line);
}

function plainEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '"' && text[at] !== ' ' && text[at] !== '\t') at++;
  return at;
}
