/** Sentences in the source: what is said to a person stands in `say`, so that it has a code and can be put into another language. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Rooms that speak, with files that are no part of it: `observe`, `judge` and the others are held to it by what a person reads of
 * recorded routers (words.test.ts); doors and languages say why something could not be read, which is told by its text
 * (words/reasons.ts).
 */
const ROOMS = ['cli', 'compare', 'diagnose', 'mirror', 'probe', 'report', 'survey', 'watch'];

/** What is no sentence to a person, though it reads like one. */
const SPARED: readonly (readonly [file: RegExp, text: RegExp, because: string])[] = [
  [/html\.ts$/, /[{}<>]/, 'styles and tags'],
  [/help\.ts$/, /^sipalg /, 'a line to type'],
  [/fleet-status\.ts$/, /^judge-lines answers/, 'an error of the program itself'],
  [/probe\/replies\.ts$/, /^OPTIONS whose Via|^control before/, 'the name of a message, which is looked for'],
  [/record\/made\.ts$|record\/recorder\.ts$|pair\.ts$|macvlan\.ts$/, /./, 'told by its text, as what a door says (words/reasons.ts)'],
  [/record\/taps\.ts$|probe\/write\.ts$/, /^\$\{\}|^A frame/, 'an error of the program itself'],
  [/survey\/(report|survey|voice)\.ts$/, /./, 'told by its text (words/reasons.ts), or of a build that lacks a part of itself'],
  [/rpcd\.ts$/, /^sipalg: `sipalg rpcd`/, 'to who calls what is internal'],
  [/mirror\/mirror\.ts$/, /questions mirrored/, 'a line of a log'],
  [/mirror\.ts$/, /^no such address$/, 'compared with what a door says'],
  [/compare\/(difference|secrets)\.ts$/, /./, 'a name of a field, and the size of what was taken out, as values'],
  [/probe\/probe\.ts$/, /^process /, 'the holder of a lock, as a value'],
  [/watch\/sources\.ts$/, /./, 'what is looked for in a file, and the end of a sentence of a reading'],
  [/./, /^(lost by growth|here or beyond|on the way|address outside the LAN|not as wished)$/, 'a value of --json'],
  [/./, /^(uci|nft) |^ip protocol|^\s*(meta|type filter|chain|udp length|\$\{\} meta)|^set -e/, 'a command or a rule'],
];

/** Fields of a cause that nobody is shown (`source` stays as it is: names of files and of RFCs). */
const NOT_SHOWN = /\b(observable|source|made|tests):\s*$/;

/** Three words of prose in a row. */
const PROSE = /\b[A-Za-z]?[a-z]{2,},? [a-z]{1,},? [a-z]{2,}\b/;

interface Literal {
  at: number;
  text: string;
}

/** The strings of a source outside of comments and of calls of `say`, each with where it stands. */
function literalsOf(source: string): Literal[] {
  const found: Literal[] = [];
  let before = '';
  let isShown = true;
  for (let at = 0; at < source.length; at++) {
    const char = source[at] as string;
    if (source.startsWith('//', at)) at = source.indexOf('\n', at) < 0 ? source.length : source.indexOf('\n', at);
    else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 1;
    else if (char === '/' && /[(,=:[!&|?{;\n>]$/.test(before.trimEnd() || '\n')) at = endOfPattern(source, at);
    else if (char === "'" || char === '"' || char === '`') {
      const end = endOfString(source, at);
      const text = source.slice(at + 1, end);
      // What is worked out in a template is looked at by itself.
      if (char === '`') found.push(...workedOut(text).map((one) => ({ at: at + 1 + one.at, text: one.text })));
      const ahead = source.slice(Math.max(0, at - 60), at);
      // What goes on with `+` is shown as little as what it goes on.
      if (!/['"`]\s*\+\s*$/.test(ahead)) isShown = !NOT_SHOWN.test(ahead);
      if (!isSaid(source, at) && isShown)
        found.push({ at, text: char === '`' ? withoutWorked(text) : text });
      at = end;
      before = "'";
      continue;
    }
    before = (before + (source[at] ?? '')).slice(-20);
  }
  return found;
}

function endOfPattern(source: string, from: number): number {
  let within = false;
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '[') within = true;
    else if (source[at] === ']') within = false;
    else if (source[at] === '/' && !within) return at;
  }
  throw new Error('A pattern has no end.');
}

/** Of a template, all of it: what is worked out in it holds strings of its own, which are part of its sentence. */
function endOfString(source: string, from: number): number {
  const mark = source[from] as string;
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (mark === '`' && source.startsWith('${', at)) at = endOfWorked(source, at + 2);
    else if (source[at] === mark) return at;
  }
  throw new Error('A string has no end.');
}

function endOfWorked(source: string, from: number): number {
  for (let at = from, depth = 1; at < source.length; at++) {
    const char = source[at] as string;
    if (char === "'" || char === '"' || char === '`') at = endOfString(source, at);
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at;
  }
  throw new Error('What is worked out has no end.');
}

/** Where a template works something out: from behind `${` to before `}`. */
function workedSpans(text: string): [number, number][] {
  const spans: [number, number][] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text.startsWith('${', at)) {
      const end = endOfWorked(text, at + 2);
      spans.push([at + 2, end]);
      at = end;
    }
  }
  return spans;
}

const workedOut = (text: string): Literal[] =>
  workedSpans(text).flatMap(([from, to]) => literalsOf(text.slice(from, to)).map((one) => ({ at: from + one.at, text: one.text })));

const withoutWorked = (text: string): string =>
  workedSpans(text).reduceRight((left, [from, to]) => `${left.slice(0, from)}${left.slice(to)}`, text);

/** Whether a string is the second argument of `say`, or a piece of it. */
const isSaid = (source: string, at: number): boolean =>
  /\bsay\(\s*'[\w-]+',(?:\s|\+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\/\/.*\n)*$/.test(source.slice(Math.max(0, at - 2000), at));

const law = suite('a sentence in the source');

law('has a code, wherever it reaches a person', () => {
  const files = ROOMS.flatMap((room) =>
    (readdirSync(join('src', room), { recursive: true }) as string[])
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join('src', room, file)),
  );
  assert.ok(files.length > 100);
  const left = files.flatMap((file) => {
    const source = readFileSync(file, 'utf8');
    return literalsOf(source)
      .filter(({ text }) => PROSE.test(text))
      .filter(({ text }) => !SPARED.some(([where, what]) => where.test(file) && what.test(text)))
      .map(({ at, text }) => `${file}:${source.slice(0, at).split('\n').length}: ${text.slice(0, 80)}`);
  });
  assert.equal(left, []);
});

law('is found where it has none', () => {
  const source =
    "x = say('code', 'a sentence in order' + 'and its second half'); throw new Error(`it could not be ${'a' + b} read`); // not this one here";
  assert.equal(
    literalsOf(source)
      .map(({ text }) => text)
      .filter((text) => PROSE.test(text)),
    ['it could not be ${} read'],
  );
});

law.run();
