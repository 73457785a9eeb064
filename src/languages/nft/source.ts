/**
 * What a hand-written nft file does with conntrack helpers: which objects it
 * declares, which it assigns, and which files it includes (nft(8), "LEXICAL
 * CONVENTIONS", "INCLUDE FILES", "SYMBOLIC VARIABLES"). Not a parser of the
 * language: it looks at the few words that matter, outside comments and strings,
 * and says so where a variable or a named map hides the name.
 */

export type SourceUse =
  /** `ct helper NAME { type "TYPE" ... }` */
  | { kind: 'declares'; line: number; text: string; name: string; type: string | null }
  /** `ct helper set ...`; `objects` are the names it may set, empty where they cannot be seen. */
  | { kind: 'assigns'; line: number; text: string; objects: string[] }
  | { kind: 'includes'; line: number; text: string; pattern: string };

interface Token {
  text: string;
  line: number;
  kind: 'word' | 'string' | 'mark' | 'newline';
}

function tokens(source: string): Token[] {
  const found: Token[] = [];
  let line = 1;
  const pattern = /#[^\n]*|\\\n|\n|"[^"\n]*"|'[^'\n]*'|[{};:,=]|[^\s{};:,="'#]+|["']/g;
  for (let match = pattern.exec(source); match; match = pattern.exec(source)) {
    const text = match[0];
    if (text === '\n') found.push({ text, line: line++, kind: 'newline' });
    else if (text === '\\\n') line++;
    else if (text.startsWith('#')) continue;
    else if (text.length > 1 && (text.startsWith('"') || text.startsWith("'")))
      found.push({ text: text.slice(1, -1), line, kind: 'string' });
    else found.push({ text, line, kind: /^[{};:,=]$/.test(text) ? 'mark' : 'word' });
  }
  return found;
}

/** Looks through a file; never refuses. */
export function scanSource(source: string): SourceUse[] {
  const lines = source.split('\n');
  const list = tokens(source);
  const uses: SourceUse[] = [];
  const defined = new Map<string, ReadonlySet<string>>();
  const is = (at: number, text: string): boolean => list[at]?.text === text && list[at]?.kind === 'word';
  const lineText = (line: number): string => (lines[line - 1] ?? '').trim().slice(0, 200);

  for (let at = 0; at < list.length; at++) {
    const { line } = list[at] as Token;
    if (is(at, 'include') && list[at + 1]?.kind === 'string') {
      uses.push({ kind: 'includes', line, text: lineText(line), pattern: (list[at + 1] as Token).text });
    } else if ((is(at, 'define') || is(at, 'redefine')) && list[at + 1]?.kind === 'word') {
      const rest = statement(list, at + 2);
      defined.set((list[at + 1] as Token).text, resolved(rest.filter(named), defined));
      at += 1 + rest.length; // here and below: nothing is read twice, even where a brace is never closed
    } else if (is(at, 'ct') && is(at + 1, 'helper')) {
      if (is(at + 2, 'set')) {
        const rest = statement(list, at + 3);
        uses.push({ kind: 'assigns', line, text: lineText(line), objects: assigned(rest, defined) });
        at += 2 + rest.length;
      } else {
        const open = list.slice(at + 2, at + 6).findIndex(({ text, kind }) => kind === 'mark' && text === '{');
        const name = open > 0 ? (list[at + 1 + open] as Token) : undefined;
        if (name && named(name)) {
          const inside = block(list, at + 3 + open);
          const type = inside.findIndex(({ text, kind }) => kind === 'word' && text === 'type');
          uses.push({
            kind: 'declares',
            line,
            text: lineText(line),
            name: name.text,
            type: type < 0 ? null : (inside[type + 1]?.text ?? null),
          });
          at += 2 + open + inside.length;
        }
      }
    }
  }
  return uses;
}

function named({ kind }: Token): boolean {
  return kind === 'word' || kind === 'string';
}

/** The tokens up to the end of a statement: a newline or ";" outside braces, or a brace that closes what is around. */
function statement(list: readonly Token[], from: number): Token[] {
  let depth = 0;
  for (let at = from; at < list.length; at++) {
    const { text, kind } = list[at] as Token;
    if (kind === 'mark' && text === '{') depth++;
    else if (kind === 'mark' && text === '}' && depth-- === 0) return list.slice(from, at);
    else if (depth === 0 && (kind === 'newline' || (kind === 'mark' && text === ';'))) return list.slice(from, at);
  }
  return list.slice(from);
}

/** The tokens inside braces, from behind the one that opens. */
function block(list: readonly Token[], from: number): Token[] {
  let depth = 0;
  for (let at = from; at < list.length; at++) {
    const { text, kind } = list[at] as Token;
    if (kind === 'mark' && text === '{') depth++;
    else if (kind === 'mark' && text === '}' && depth-- === 0) return list.slice(from, at);
  }
  return list.slice(from);
}

/** Names, and what variables among them stand for. */
function resolved(tokens: readonly Token[], defined: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const names = new Set<string>();
  for (const { kind, text } of tokens) {
    if (kind !== 'word' || !text.startsWith('$')) names.add(text);
    else for (const name of defined.get(text.slice(1)) ?? []) names.add(name);
  }
  return names;
}

function assigned(rest: readonly Token[], defined: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const first = rest[0];
  if (first === undefined) return [];
  if (first.kind === 'string') return [first.text];
  // A name may stand without quotes; what is no name begins a key, and a map follows it.
  const mapped = rest.some(({ kind, text }) => kind === 'word' && text === 'map');
  if (!mapped && first.kind === 'word' && /^[A-Za-z_]/.test(first.text)) return [first.text];
  const isName = (token: Token, at: number): boolean =>
    (token.kind === 'word' && token.text.startsWith('$')) || (named(token) && rest[at - 1]?.text === ':');
  return [...resolved(rest.filter(isName), defined)];
}
