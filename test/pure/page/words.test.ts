import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fill, wordsIn } from '../../../src/page/words.ts';

/** package/page.mjs finds the project by its own place, so it is loaded from there and not packed. */
const packer = () =>
  import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href) as Promise<{
    template(): string;
    sentences(): { text: string }[];
    TEMPLATE: string;
    LUCI_APP: string;
  }>;

/** Every text of a tree of words. */
function textsOf(words: unknown): string[] {
  return typeof words === 'string' ? [words] : Object.values(words as object).flatMap(textsOf);
}

const words = suite("the page's words");

words('all pass the translation', () => {
  assert.equal(
    textsOf(wordsIn((text) => `<${text}>`)).filter((text) => !/^<.+>$/s.test(text)),
    [],
  );
});

words('stand in the template, all of them, and it is up to date (node package/page.mjs template)', async () => {
  const { template, sentences, TEMPLATE } = await packer();
  assert.is(readFileSync(TEMPLATE, 'utf8'), template());
  const known = new Set(sentences().map(({ text }) => text));
  assert.equal(
    textsOf(wordsIn((text) => text)).filter((text) => !known.has(text)),
    [],
  );
  assert.ok(known.size > 80);
});

/** The strings of a source that read like words: a capital and a small letter, or two words. Attributes and names do not. */
function proseIn(source: string): string[] {
  const code = source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/ \/\/ .*$/gm, '')
    .replace(/^import .*$/gm, '')
    .replace(/^export type [\s\S]*?;$/gm, '');
  return [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'/g)]
    .map((match) => match[1] ?? '')
    .filter((text) => /^[A-Z][a-z]+ |[a-z]{2,} [a-z]+.*[.:?]$|\.\.\.$/.test(text));
}

words('stand in words.ts alone', () => {
  const sources = (readdirSync('src/page', { recursive: true }) as string[]).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('words.ts'),
  );
  assert.ok(sources.length > 8);
  assert.equal(
    sources.flatMap((file) => proseIn(readFileSync(join('src/page', file), 'utf8')).map((text) => `${file}: ${text}`)),
    [],
  );
  assert.equal(proseIn(`h('p', {}, 'Switch it off now'); x = 'it has failed.'; y = 'btn cbi-button'; z = 'no answer';`), [
    'Switch it off now',
    'it has failed.',
  ]);
});

words('are filled in order, and a value is no pattern', () => {
  assert.is(fill('%s of %s', '%s $& ', 2), '%s $&  of 2');
  assert.is(fill('nothing'), 'nothing');
});

/** What gettext writes of a quote, a backslash and a new line. */
const unquoted = (text: string): string => text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));

const catalogs = suite('a translation');

catalogs('has the sentences of the template, each with as many values', async () => {
  const { sentences, LUCI_APP } = await packer();
  const known = new Set(sentences().map(({ text }) => text));
  const folders = readdirSync(`${LUCI_APP}/po`).filter((name) => name !== 'templates');
  for (const folder of folders) {
    const text = readFileSync(`${LUCI_APP}/po/${folder}/sipalg.po`, 'utf8');
    const pairs = [...text.matchAll(/^msgid "(.+)"\nmsgstr "(.*)"$/gm)].map(
      ([, id = '', said = '']) => [unquoted(id), unquoted(said)] as const,
    );
    assert.equal(
      pairs.filter(([id]) => !known.has(id)),
      [],
      folder,
    );
    assert.equal(
      [...known].filter((one) => !pairs.some(([id, said]) => id === one && said !== '')),
      [],
      folder,
    );
    assert.equal(
      pairs.filter(([id, said]) => id.split('%s').length !== said.split('%s').length),
      [],
      folder,
    );
  }
});

words.run();
catalogs.run();
