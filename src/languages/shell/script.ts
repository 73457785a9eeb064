/**
 * The commands of a shell script (POSIX sh; ash of BusyBox), as far as it shows which it runs: words with their quotes
 * taken off, lines joined, variables put in where they are set in the script itself. What a condition decides counts as
 * run, but for `false`; what is not known counts as open. Never refuses, and reads every character once.
 */

/** A word: the texts it may stand for; `open`: something in it is not known. */
export interface Word {
  texts: string[];
  open: boolean;
}

export interface ScriptCommand {
  /** Where it begins, from 1, and that line as it is written. */
  line: number;
  text: string;
  words: Word[];
  /** What is read from standard input: a here-document, or what an echo before a pipe says; null for none that shows. */
  input: string | null;
}

interface Part {
  text: string;
  /** The variable whose value stands here; '' for what no script shows ($(...), $1). */
  variable: string | null;
}

interface Token {
  kind: 'word' | 'operator' | 'newline';
  line: number;
  parts: Part[];
  operator: string;
}

/** So many values of one word are followed. */
const MOST = 16;

/** Blanks, comments, operators, quoted texts, expansions, and what is left: plain texts. */
const PATTERN = new RegExp(
  [
    /\\\n|[ \t\r]+|\n|#[^\n]*/,
    /&&|\|\||;;|<<-?|[<>]&?|[;|&()]/,
    /'[^']*'|"(?:[^"\\]|\\[^])*"/,
    /\$\{[^}\n]{0,200}\}|\$\([^()]*\)|`[^`]*`|\$[A-Za-z_]\w*|\$[^A-Za-z_]?/,
    /\\[^]|[^\s;|&()<>'"$`\\]+|[^]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** What stands between double quotes, or bare with a dollar: text and variables. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  for (const [piece, name, braced] of text.matchAll(
    /\$([A-Za-z_]\w*)|\$\{([^}\n]{0,200})\}|\$\([^()]*\)|\$[^A-Za-z_\s]|`[^`]*`|\\[^]|[^$`\\]+|[^]/g,
  )) {
    if (name !== undefined) parts.push({ text: '', variable: name });
    else if (braced !== undefined) parts.push({ text: '', variable: /^[A-Za-z_]\w*$/.test(braced) ? braced : '' });
    else if (piece.startsWith('$(') || piece.startsWith('`') || /^\$./.test(piece)) parts.push({ text: '', variable: '' });
    else parts.push({ text: piece.startsWith('\\') && piece.length > 1 ? piece.slice(1) : piece, variable: null });
  }
  return parts;
}

/** Adds a part to a word; what stands side by side and is of one kind is one part. */
function add(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (last === undefined || last.variable !== part.variable || (last.variable !== null && last.variable !== '')) parts.push({ ...part });
  else last.text += part.text;
}

/** A here-document from its first line on: its text, where the script goes on, and over how many lines it went. */
function documentAt(script: string, from: number, delimiter: string, strip: boolean): { text: string; behind: number; lines: number } {
  let lines = 0;
  for (let at = from; at < script.length; lines++) {
    const newline = script.indexOf('\n', at);
    const end = newline < 0 ? script.length : newline;
    const line = script.slice(at, end);
    const behind = Math.min(script.length, end + 1);
    if ((strip ? line.replace(/^\t+/, '') : line) === delimiter) return { text: script.slice(from, at), behind, lines: lines + 1 };
    at = behind;
  }
  return { text: script.slice(from), behind: script.length, lines };
}

/** @param bodies filled with the texts of here-documents, by the place of their operator among the tokens */
function tokensOf(script: string, bodies: Map<number, string>): Token[] {
  const tokens: Token[] = [];
  const waiting: { at: number; end: string | null; strip: boolean }[] = [];
  let line = 1;
  let word: Token | null = null;
  const end = (): void => {
    if (word !== null) tokens.push(word);
    word = null;
  };
  PATTERN.lastIndex = 0;
  for (let match = PATTERN.exec(script); match !== null; match = PATTERN.exec(script)) {
    const [piece] = match;
    const here = line;
    line += piece.split('\n').length - 1;
    if (piece === '\\\n' || /^[ \t\r]/.test(piece)) {
      if (piece !== '\\\n') end();
      continue;
    }
    if (piece.startsWith('#') && word === null) continue;
    if (piece === '\n') {
      end();
      const documents = waiting.splice(0);
      tokens.push({ kind: 'newline', line: here, parts: [], operator: '' });
      for (const { at, end: delimiter, strip } of documents) {
        const body = documentAt(script, PATTERN.lastIndex, delimiter ?? '', strip);
        bodies.set(at, body.text);
        PATTERN.lastIndex = body.behind;
        line += body.lines;
      }
      continue;
    }
    if (/^(?:&&|\|\||;;|<<-?|[<>]&?|[;|&()])$/.test(piece)) {
      end();
      if (piece.startsWith('<<')) waiting.push({ at: tokens.length, end: null, strip: piece === '<<-' });
      tokens.push({ kind: 'operator', line: here, parts: [], operator: piece });
      continue;
    }
    const parts =
      piece.startsWith("'") && piece.length > 1
        ? [{ text: piece.slice(1, -1), variable: null }]
        : partsOf(piece.replace(/^"([^]*)"$/, '$1'));
    word ??= { kind: 'word', line: here, parts: [], operator: '' };
    for (const part of parts) add(word.parts, part);
    const [document] = waiting.filter((one) => one.end === null);
    if (document !== undefined) document.end = parts.map(({ text }) => text).join('');
  }
  end();
  return tokens;
}

const KEYWORDS: readonly string[] = [
  'then',
  'do',
  'else',
  'elif',
  'while',
  'until',
  'if',
  '!',
  '{',
  '}',
  'fi',
  'done',
  'esac',
  'time',
  'command',
  'exec',
];

/** Reads a script. */
export function commandsOf(script: string): ScriptCommand[] {
  const bodies = new Map<number, string>();
  const tokens = tokensOf(script, bodies);
  const lines = script.split('\n');
  const values = new Map<string, Word>();
  const commands: ScriptCommand[] = [];
  /** One entry for each `if`: its branch is never run. */
  const dead: boolean[] = [];
  let depth = 0;
  let skipped = false;
  let said: string | null = null;

  const expand = ({ parts }: Token): Word =>
    parts.reduce<Word>(
      (word, part) => {
        const value: Word =
          part.variable === null ? { texts: [part.text], open: false } : (values.get(part.variable) ?? { texts: [''], open: true });
        const texts = [...new Set(word.texts.flatMap((before) => value.texts.map((after) => before + after)))].slice(0, MOST);
        return { texts, open: word.open || value.open };
      },
      { texts: [''], open: false },
    );
  const assign = (name: string, word: Word): void => {
    const known = values.get(name) ?? { texts: [], open: false };
    values.set(name, { texts: [...new Set([...known.texts, ...word.texts])].slice(0, MOST), open: known.open || word.open });
  };

  for (let at = 0; at < tokens.length;) {
    const from = at;
    while (at < tokens.length && (tokens[at]?.kind === 'word' || /^[<>]/.test(tokens[at]?.operator ?? ''))) at++;
    const separator = tokens[at]?.operator ?? '';
    const own = tokens.slice(from, at);
    at++;
    const plain = (token: Token | undefined): string =>
      token?.kind === 'word' && token.parts.every(({ variable }) => variable === null) ? token.parts.map(({ text }) => text).join('') : '';
    let begin = 0;
    let opened = false;
    for (; KEYWORDS.includes(plain(own[begin])); begin++) {
      const word = plain(own[begin]);
      if (word === 'if') {
        dead.push(false);
        opened = true;
      } else if (word === 'elif' || word === 'else') dead[dead.length - 1] = false;
      else if (word === 'fi') dead.pop();
      if (word === 'if' || word === 'do' || word === '{') depth++;
      if (word === 'fi' || word === 'done' || word === '}') depth--;
    }
    const words = own.slice(begin);
    const first = words[0];
    if (first === undefined) {
      if (separator === '' || separator === ';') skipped = false;
      continue;
    }
    const line = first.line;
    if (plain(first) === 'for' && plain(words[2]) === 'in') {
      for (const one of words.slice(3)) assign(plain(words[1]), expand(one));
      continue;
    }
    const arguments_: Word[] = [];
    let input: string | null = said;
    let assigning = true;
    for (let place = 0; place < words.length; place++) {
      const token = words[place] as Token;
      if (token.kind === 'operator') {
        if (token.operator.startsWith('<<')) input = bodies.get(from + begin + place) ?? '';
        else if (token.operator === '<') arguments_.push({ texts: ['<'], open: false });
        else place++;
        if (token.operator.startsWith('<<')) place++;
        continue;
      }
      const [, name, value] = /^([A-Za-z_]\w*)=([^]*)$/.exec(token.parts[0]?.text ?? '') ?? [];
      if (name !== undefined && (assigning || /^(export|local|readonly)$/.test(arguments_[0]?.texts[0] ?? ''))) {
        assign(name, expand({ ...token, parts: [{ text: value ?? '', variable: null }, ...token.parts.slice(1)] }));
        continue;
      }
      assigning = false;
      const word = expand(token);
      const bare = token.parts.length === 1 && token.parts[0]?.variable !== null;
      // `$IPT -A ...`: a bare variable is split at its blanks.
      if (bare && word.texts.length === 1)
        arguments_.push(...(word.texts[0] as string).split(/\s+/).map((text) => ({ texts: [text], open: word.open })));
      else arguments_.push(word);
    }
    const command = arguments_[0]?.texts[0] ?? '';
    const runs = !skipped && !dead.includes(true);
    if (opened && command === 'false') dead[dead.length - 1] = true;
    skipped = separator === '&&' ? skipped || (command === 'false' && !opened) : separator === '||' ? false : skipped && separator === '|';
    said =
      separator === '|' && /^(echo|printf|cat)$/.test(command)
        ? (input
          ?? arguments_
            .slice(1)
            .flatMap(({ texts }) => texts)
            .join(' '))
        : null;
    if (arguments_.length === 0 || !runs) continue;
    commands.push({ line, text: (lines[line - 1] ?? '').trim().slice(0, 200), words: arguments_, input });
    if (
      (command === 'exit' || command === 'return')
      && depth === 0
      && separator !== '&&'
      && separator !== '||'
      && tokens[from - 1]?.kind !== 'operator'
    )
      break;
  }
  return commands;
}
