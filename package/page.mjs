// Packs the page: dist/page (the program's own mount) and dist/luci (files of the package luci-app-sipalg, path here =
// path there). By hand, `node package/page.mjs template` writes the translation template anew from the source.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lmo } from './lmo.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export const LUCI_APP = 'package/luci-app-sipalg';
export const VIEW = 'htdocs/luci-static/resources/view/sipalg/overview.js';
export const TEMPLATE = `${LUCI_APP}/po/templates/sipalg.pot`;

const OPTIONS = /** @type {const} */ ({
  absWorkingDir: root,
  bundle: true,
  minify: true,
  metafile: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2018',
  legalComments: 'none',
  charset: 'ascii',
  logLevel: 'warning',
  write: true,
});

/**
 * Both mounts.
 * @param {string} [folder] where they go, absolute
 * @returns {Promise<import('esbuild').Metafile[]>}
 */
export async function buildPage(folder = `${root}dist`) {
  const own = await build({ ...OPTIONS, entryPoints: ['src/page/dom/own.ts'], outfile: `${folder}/page/page.js` });
  for (const name of ['index.html', 'page.css']) {
    mkdirSync(`${folder}/page`, { recursive: true });
    writeFileSync(`${folder}/page/${name}`, readFileSync(`${root}src/page/${name}`));
  }
  const luci = await build({
    ...OPTIONS,
    entryPoints: ['src/page/dom/luci.ts'],
    outfile: `${folder}/luci/${VIEW}`,
    globalName: 'page',
    // The loader reads these off the text, up to the first string that is neither; then it wraps the text in a
    // function, so it ends with what that returns, and (by the packer) the end of its line.
    banner: { js: "'use strict';\n'require view';\n'require rpc';\n'require poll';" },
    footer: { js: 'return page.default;' },
  });
  mkdirSync(`${folder}/luci/i18n`, { recursive: true });
  for (const language of readdirSync(`${root}${LUCI_APP}/po`).filter((name) => name !== 'templates')) {
    writeFileSync(
      `${folder}/luci/i18n/luci-app-sipalg.${language}.lmo`,
      lmo(readFileSync(`${root}${LUCI_APP}/po/${language}/sipalg.po`, 'utf8')),
    );
  }
  return [own.metafile, luci.metafile];
}

/** A string in single quotes as source has it -> its text. @param {string} source */
const unquoted = (source) => source.replace(/\\(.)/g, '$1');

/** A text as gettext writes it. @param {string} text */
const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * Every sentence that can be translated, and where it stands.
 * @returns {{ text: string, files: string[] }[]} in the order of their first place
 */
export function sentences() {
  const found = new Map();
  const add = (/** @type {string} */ text, /** @type {string} */ file) => {
    found.set(text, [...new Set([...(found.get(text) ?? []), file])]);
  };
  const words = 'src/page/words.ts';
  // A sentence may be put together of several strings.
  const calls = readFileSync(root + words, 'utf8').matchAll(/\b_\(\s*((?:(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")[\s+]*)+),?\s*\)/g);
  for (const [, strings = ''] of calls)
    add([...strings.matchAll(/(['"])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, , text = '']) => unquoted(text)).join(''), words);
  const menu = `${LUCI_APP}/root/usr/share/luci/menu.d/luci-app-sipalg.json`;
  for (const { title } of Object.values(JSON.parse(readFileSync(root + menu, 'utf8')))) add(title, menu);
  const acl = `${LUCI_APP}/root/usr/share/rpcd/acl.d/luci-app-sipalg.json`;
  for (const { description } of Object.values(JSON.parse(readFileSync(root + acl, 'utf8')))) add(description, acl);
  return [...found].map(([text, files]) => ({ text, files }));
}

/** The translation template. */
export function template() {
  const entries = sentences().map(({ text, files }) => `${files.map((file) => `#: ${file}\n`).join('')}msgid ${quoted(text)}\nmsgstr ""\n`);
  return ['msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n', ...entries].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'template') writeFileSync(root + TEMPLATE, template());
  else await buildPage();
}
