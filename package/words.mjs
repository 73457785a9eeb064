// The words of the program: what is said in src/, and a language of it from package/luci-app-sipalg/po/LANGUAGE/sipalg.po.
// A translation is kept by the English sentence, as gettext has it; it is looked up by the sentence's code.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { entries } from './lmo.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export const PO = 'package/luci-app-sipalg/po';

/** Every language there is: each is a folder with one file, named as gettext names languages (`de`, `pt_BR`, `zh_Hans`). */
export function languages() {
  const names = readdirSync(root + PO)
    .filter((name) => name !== 'templates')
    .sort();
  for (const name of names)
    if (!/^[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?$/.test(name))
      throw new Error(`${PO}/${name} is no language's name as gettext writes it, such as de, pt_BR or zh_Hans; rename the folder.`);
  return names;
}

/** Names that LuCI has from before it took those of gettext: LUCI_LC_ALIAS in luci.mk (openwrt/luci, since 2020). */
const OF_OLD = /** @type {Readonly<Record<string, string>>} */ ({
  bn_BD: 'bn',
  nb_NO: 'no',
  pt_BR: 'pt-br',
  zh_Hans: 'zh-cn',
  zh_Hant: 'zh-tw',
});

/**
 * A language as LuCI and packages call it: `sipalg.pt-br.lmo`, `luci-i18n-sipalg-pt-br`. LuCI seeks a browser's `xx-YY` as xx-yy
 * (determine_request_language() of luci-base's dispatcher.uc), and package managers take no capitals.
 * @param {string} language
 */
export const codeOf = (language) => OF_OLD[language] ?? language.toLowerCase().replaceAll('_', '-');

export const catalogOf = (/** @type {string} */ language) => readFileSync(`${root}${PO}/${language}/sipalg.po`, 'utf8');

// A text of several lines stands in backticks, and holds nothing that is worked out.
const STRING = String.raw`(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\`(?:[^\`\\$]|\\.)*\`)`;
const STRINGS = String.raw`(?:${STRING}[\s+]*)+`;

/** What stands for a character in a string of source, and of a .po. @param {string} text */
export const unescaped = (text) => text.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char));

/** Strings as source has them, put together -> the text. @param {string} source */
export const joined = (source) =>
  [...source.matchAll(/(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)].map(([, , text = '']) => unescaped(text)).join('');

/**
 * Every sentence of the program by its code, and where it is said.
 * @returns {{ code: string, text: string, file: string }[]} in the order of files and lines
 */
export function said() {
  const files = /** @type {string[]} */ (readdirSync(`${root}src`, { recursive: true }))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('page/'))
    .map((file) => `src/${file}`)
    .sort();
  const call = new RegExp(String.raw`\bsay\(\s*(${STRING}),\s*(${STRINGS})(?=[,)])`, 'g');
  return files.flatMap((file) =>
    [...readFileSync(root + file, 'utf8').matchAll(call)].map(([, code = '', text = '']) => ({
      code: joined(code),
      text: joined(text),
      file,
    })),
  );
}

/** What is said on a terminal or in a document alone, or comes to the page with its words (src/object/catalog.ts). @param {string} file */
const onPaper = (file) => /^src\/(cli|report|compare|diagnose|probe|watch)\//.test(file);

/**
 * What is said of calls, and in the help of one command: a part of a language of its own, which `status` has no use for.
 * @param {string} file
 */
const ofCalls = (file) =>
  /^src\/(compare|diagnose|hep|mirror|probe|report|watch)\//.test(file)
  || /^src\/cli\/(compare|diagnos|fleet|help|hep|metrics|mirror|phones|policy|probe|report|serve|watch)[\w-]*\.ts$/.test(file);

/** The parts of a language, each loaded by whoever says what is in it. */
export const PARTS = /** @type {const} */ (['plain', 'calls', 'page']);

/** @typedef {typeof PARTS[number]} Part */

/** The name of a part of a language among the packer's modules. @param {string} language @param {Part} part */
export const moduleOf = (language, part) => `${PO}/${language}/${language}-${part}`;

/** How a number chooses the form of a word: the expression of the header, in one spelling. @param {string} po */
export function plural(po) {
  const expression = /Plural-Forms:[^"\\]*\bplural=([^;"\\]+)/.exec(po)?.[1] ?? 'n != 1';
  return expression
    .trim()
    .replace(/^\((.*)\)$/, '$1')
    .trim();
}

/**
 * What a language is, by what it is asked for: `sipalg CODE`. A sentence without a translation is not in it.
 * @param {string} po @param {{ page?: true, calls?: boolean }} [which] page: what LuCI's page shows alone; calls: only what is said of
 *   calls, or only the rest
 * @returns {[key: string, text: string][]}
 */
export function byCode(po, { page, calls } = {}) {
  const all = said();
  // What is said in both parts is in that of the rest.
  const plain = new Set(all.filter(({ file }) => !ofCalls(file)).map(({ code }) => code));
  const translated = new Map(entries(po).filter(([, text]) => text !== ''));
  /** @type {Map<string, string>} */
  const keys = new Map([['sipalg plural', plural(po)]]);
  for (const { code, text, file } of all)
    if ((!page || !onPaper(file)) && (calls === undefined || plain.has(code) !== calls)) {
      const found = translated.get(text);
      if (found !== undefined) keys.set(`sipalg ${code}`, found);
    }
  return [...keys];
}

/** The page's own sentences, which are asked for as they are in English. */
export const PAGE_WORDS = ['src/page/words.ts', 'src/page/diagnosis-words.ts'];

/** @returns {{ text: string, file: string }[]} */
export function ofPage() {
  const call = new RegExp(String.raw`\b_\(\s*(${STRINGS}),?\s*\)`, 'g');
  return PAGE_WORDS.flatMap((file) =>
    [...readFileSync(root + file, 'utf8').matchAll(call)].map(([, strings = '']) => ({ text: joined(strings), file })),
  );
}

/**
 * All that a language is: the page's own sentences as they are, and the program's by their codes.
 * @param {string} language @param {{ page?: true }} [which] @returns {[string, string][]}
 */
export function wordsOf(language, which) {
  const po = catalogOf(language);
  const own = new Set([...ofPage().map(({ text }) => text), ...(which?.page ? OF_LUCI() : [])]);
  const words = [...entries(po).filter(([text, translation]) => own.has(text) && translation !== ''), ...byCode(po, which)];
  return named(language, words, which?.page ? ['en'] : ['en', 'sipalg language']);
}

/**
 * A language says its own name (as HTML has it in `lang`), however little of it is translated: by that, programs are asked to speak it.
 * @param {string} language @param {[string, string][]} words @param {string[]} keys of the name @returns {[string, string][]}
 */
const named = (language, words, keys) => [
  ...keys.map((key) => /** @type {[string, string]} */ ([key, language.replaceAll('_', '-')])),
  ...words.filter(([key]) => !keys.includes(key)),
];

/** A part of a language. @param {string} language @param {Part} part @returns {[string, string][]} */
export function partOf(language, part) {
  const po = catalogOf(language);
  if (part !== 'page') return named(language, byCode(po, { calls: part === 'calls' }), part === 'calls' ? ['sipalg language'] : []);
  const own = new Set(ofPage().map(({ text }) => text));
  const words = entries(po).filter(([text, translation]) => own.has(text) && translation !== '');
  return named(language, words, ['en']);
}

/** What a language calls itself, as LuCI lists it: the header `X-Language-Name`. @param {string} language */
export const nameOf = (language) => /X-Language-Name: ([^"\\]+)/.exec(catalogOf(language))?.[1]?.trim() ?? language;

/** What LuCI itself shows of us: the menu and the rights. */
export const OF_LUCI = () =>
  ['menu.d', 'acl.d'].flatMap((kind) => {
    const place = kind === 'menu.d' ? 'luci/menu.d' : 'rpcd/acl.d';
    const json = JSON.parse(readFileSync(`${root}package/luci-app-sipalg/root/usr/share/${place}/luci-app-sipalg.json`, 'utf8'));
    return Object.values(json).map(({ title, description }) => title ?? description);
  });

/**
 * Fills src/words/languages.ts: each part of a language is a file of its own, which is loaded when somebody reads it.
 * @type {import('esbuild').Plugin}
 */
export const translations = {
  name: 'languages',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /[/\\]src[/\\]words[/\\]languages\.ts$/ }, () => ({
      contents: `export const LANGUAGES = {${languages()
        .map((name) => {
          const parts = PARTS.map((part) => `${part}: () => import(${JSON.stringify(`sipalg-words:${moduleOf(name, part)}`)})`);
          return `${JSON.stringify(name)}: { ${parts.join(', ')} }`;
        })
        .join(',')}};`,
      loader: 'js',
    }));
    onResolve({ filter: /^sipalg-words:/ }, ({ path }) => ({ path: path.slice('sipalg-words:'.length), namespace: 'words' }));
    onLoad({ filter: /.*/, namespace: 'words' }, ({ path }) => {
      const [language = '', name = ''] = path.slice(PO.length + 1).split('/');
      const part = /** @type {Part} */ (name.slice(language.length + 1));
      return { contents: `export default ${JSON.stringify(Object.fromEntries(partOf(language, part)))};`, loader: 'js' };
    });
  },
};
