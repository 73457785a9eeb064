// Packs the program, with esbuild alone. dist/router/ is what lies on a router: sipalg.mjs and, with hashes in their names,
// the chunks it loads by import() when a command needs them; an upgrade that replaces the folder under a running daemon
// mixes no builds. dist/packages/ is the same, sorted by the package each file goes into. dist/sipalg.js (Node) and
// dist/sipalg.qjs.js (QuickJS) are lone files, to try the program without installing it: they hold everything but the page's
// files. The page goes to dist/page, for our own mount, and to dist/luci, for LuCI.
import { build } from 'esbuild';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACKAGES } from './package/contents.mjs';
import { buildPage } from './package/page.mjs';
import { translations } from './package/words.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const { version } = JSON.parse(readFileSync(root + 'package.json', 'utf8'));
const NODE = 'src/engines/node/main.ts';
const QUICKJS = 'src/engines/quickjs/main.ts';

/** @typedef {import('esbuild').Metafile} Metafile */

/**
 * QuickJS's modules are imported under names of their own (src/engines/quickjs/modules.d.ts).
 * @type {import('esbuild').Plugin}
 */
const quickjs = {
  name: 'modules of QuickJS',
  setup({ onResolve }) {
    onResolve({ filter: /^qjs:/ }, ({ path }) => ({ path: path.slice('qjs:'.length), external: true }));
  },
};

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  absWorkingDir: root,
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node18',
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
  plugins: [quickjs, translations],
  define: { SIPALG_VERSION: JSON.stringify(version) },
};

/**
 * The program as one file for each engine: CommonJS for Node, which takes a lone .js for that; a module for QuickJS.
 * @param {string} folder
 * @returns {Promise<Metafile[]>}
 */
export async function packLone(folder = root + 'dist') {
  const node = {
    entryPoints: [NODE],
    outfile: `${folder}/sipalg.js`,
    format: /** @type {const} */ ('cjs'),
    banner: { js: '#!/usr/bin/env node' },
  };
  const qjs = { entryPoints: [QUICKJS], outfile: `${folder}/sipalg.qjs.js`, format: /** @type {const} */ ('esm') };
  return Promise.all([node, qjs].map(async (one) => (await build({ ...COMMON, ...one })).metafile));
}

/**
 * The program as it lies on a router. What is there already stays as it is, so that who runs it meanwhile misses nothing; what is
 * there no more goes, for the names of chunks change with what they hold.
 * @param {string} folder
 * @returns {Promise<Metafile>} what went where: what the laws and the figures of size are held against
 */
export async function packRouter(folder = root + 'dist/router') {
  const { metafile, outputFiles } = await build({
    ...COMMON,
    write: false,
    entryPoints: { sipalg: NODE, 'sipalg.qjs': QUICKJS },
    outdir: folder,
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' }, // Node takes a lone .js for CommonJS
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles)
    if (!existsSync(path) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
  const names = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const name of readdirSync(folder)) if (!names.has(name)) rmSync(`${folder}/${name}`, { recursive: true });
  return metafile;
}

/**
 * Which package each file of the program goes into: that of the only optional command that loads it, else `sipalg`, without
 * which none of the others can be installed.
 * @param {Metafile} metafile of packRouter
 * @returns {Map<string, string>} path from the project's root to name of the package
 */
export function sorted({ outputs }) {
  const optional = PACKAGES.filter(({ program = [] }) => program.length > 0);
  const beginning = new Map(optional.flatMap(({ name, program = [] }) => program.map((source) => [source, name])));
  const files = Object.keys(outputs);
  const beginningOf = (/** @type {string} */ file) => beginning.get(outputs[file]?.entryPoint ?? '');
  for (const source of beginning.keys())
    if (!files.some((file) => outputs[file]?.entryPoint === source))
      throw new Error(`${source} is to begin a part of the program, but nothing loads it by import(): package/contents.mjs names it.`);
  /** All that is loaded from there on, without other packages. @param {string[]} from @param {string} [within] */
  const loaded = (from, within) => {
    const found = new Set(from);
    // A set goes on to what is added while it is walked.
    for (const file of found)
      for (const { path, external } of outputs[file]?.imports ?? [])
        if (!external && [undefined, within].includes(beginningOf(path))) found.add(path);
    return found;
  };
  const all = loaded(files.filter((file) => /\/sipalg(\.qjs)?\.mjs$/.test(file)));
  /** @type {Map<string, string>} */
  const sortedInto = new Map([...all].map((file) => [file, 'sipalg']));
  for (const { name } of optional)
    for (const file of loaded(
      files.filter((one) => beginningOf(one) === name),
      name,
    ))
      if (!all.has(file)) sortedInto.set(file, sortedInto.has(file) ? 'sipalg' : name);
  return sortedInto;
}

/** Copies the program of packRouter into a folder for each package. @param {Metafile} metafile @param {string} folder */
export function sortRouter(metafile, folder = root + 'dist/packages') {
  rmSync(folder, { recursive: true, force: true });
  for (const [file, name] of sorted(metafile)) {
    mkdirSync(`${folder}/${name}`, { recursive: true });
    copyFileSync(resolve(root, file), `${folder}/${name}/${basename(file)}`);
  }
}

/**
 * Everything that is shipped.
 * @param {string} folder what stands for dist/
 * @returns {Promise<Metafile[]>}
 */
export async function packAll(folder = root + 'dist') {
  const router = await packRouter(`${folder}/router`);
  sortRouter(router, `${folder}/packages`);
  return [...(await packLone(folder)), router, ...(await buildPage(folder))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { outputs } of await packAll())
    for (const [file, { bytes }] of Object.entries(outputs)) console.log(`${file}  ${bytes} bytes`);
}
