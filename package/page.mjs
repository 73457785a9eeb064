// Packs the page: dist/page (the program's own mount) and dist/luci (files of the package luci-app-sipalg, path here =
// path there). By hand, `node package/page.mjs template` writes the translation template anew from the source.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lmoOf } from './lmo.mjs';
import { codeOf, languages, nameOf, ofPage, PAGE_WORDS, PO, said, wordsOf } from './words.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export const LUCI_APP = 'package/luci-app-sipalg';
export const VIEW = 'htdocs/luci-static/resources/view/sipalg/overview.js';
export const TILE = 'htdocs/luci-static/resources/view/status/include/70_sipalg.js';
export const TEMPLATE = `${PO}/templates/sipalg.pot`;

const OPTIONS = /** @type {const} */ ({
  absWorkingDir: root,
  bundle: true,
  minify: true,
  metafile: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2018',
  define: { SIPALG_LANGUAGES: JSON.stringify(languages()) },
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
    banner: { js: "'use strict';\n'require view';\n'require rpc';\n'require poll';\n'require ui';\n'require form';\n'require uci';" },
    footer: { js: 'return page.default;' },
  });
  const tile = await build({
    ...OPTIONS,
    entryPoints: ['src/page/dom/tile.ts'],
    outfile: `${folder}/luci/${TILE}`,
    globalName: 'tile',
    banner: { js: "'use strict';\n'require baseclass';\n'require rpc';" },
    footer: { js: 'return tile.default;' },
  });
  for (const kind of ['i18n', 'uci-defaults']) mkdirSync(`${folder}/luci/${kind}`, { recursive: true });
  for (const language of languages()) {
    const code = codeOf(language);
    writeFileSync(`${folder}/luci/i18n/sipalg.${code}.lmo`, lmoOf(wordsOf(language, { page: true })));
    // As luci.mk has it: LuCI lists a language that something is translated into.
    const listed = `uci set luci.languages.${code.replaceAll('-', '_')}='${nameOf(language).replaceAll("'", '')}'; uci commit luci\n`;
    writeFileSync(`${folder}/luci/uci-defaults/luci-i18n-sipalg-${code}`, listed);
  }
  return [own.metafile, luci.metafile, tile.metafile];
}

/** A text as gettext writes it. @param {string} text */
const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;

/**
 * Every sentence that can be translated, and where it stands: the page's own, then the program's, with their codes.
 * @returns {{ text: string, files: string[], code?: string[] }[]} in the order of their first place
 */
export function sentences() {
  /** @type {Map<string, { files: Set<string>, codes: Set<string> }>} */
  const found = new Map();
  const add = (/** @type {string} */ text, /** @type {string} */ file, /** @type {string} */ code = '') => {
    const { files, codes } = found.get(text) ?? { files: new Set(), codes: new Set() };
    found.set(text, { files: files.add(file), codes: code === '' ? codes : codes.add(code) });
  };
  for (const { text, file } of ofPage()) add(text, file);
  const menu = `${LUCI_APP}/root/usr/share/luci/menu.d/luci-app-sipalg.json`;
  for (const { title } of Object.values(JSON.parse(readFileSync(root + menu, 'utf8')))) add(title, menu);
  const acl = `${LUCI_APP}/root/usr/share/rpcd/acl.d/luci-app-sipalg.json`;
  for (const { description } of Object.values(JSON.parse(readFileSync(root + acl, 'utf8')))) add(description, acl);
  for (const { code, text, file } of said()) add(text, file, code);
  return [...found].map(([text, { files, codes }]) => ({
    text,
    files: [...files],
    // A sentence of the page that is the program's too is asked for in both ways.
    ...(codes.size === 0 || PAGE_WORDS.some((file) => files.has(file)) ? {} : { code: [...codes] }),
  }));
}

/** The translation template. */
export function template() {
  const entries = sentences().map(
    ({ text, files, code = [] }) =>
      `${code.map((one) => `#. ${one}\n`).join('')}${files.map((file) => `#: ${file}\n`).join('')}msgid ${quoted(text)}\nmsgstr ""\n`,
  );
  return ['msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8"\n', ...entries].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'template') writeFileSync(root + TEMPLATE, template());
  else await buildPage();
}
