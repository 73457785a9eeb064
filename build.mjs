// Packs the program, with esbuild alone. dist/router/ is what lies on a router: sipalg.mjs and, with hashes in their names,
// the chunks it loads by import() when a command needs them; an upgrade that replaces the folder under a running daemon
// mixes no builds. dist/sipalg.js (Node) and dist/sipalg.qjs.js (QuickJS) are lone files, to try the program without
// installing it: they hold everything but the page's files. The page goes to dist/page, for our own mount, and to dist/luci, for LuCI.
import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPage } from './package/page.mjs';

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
  plugins: [quickjs],
  define: { SIPALG_VERSION: JSON.stringify(version) },
};

/**
 * The program as one file for each engine: CommonJS for Node, which takes a lone .js for that; a module for QuickJS.
 * @param {string} folder
 * @returns {Promise<Metafile[]>}
 */
export async function packLone(folder = root + 'dist') {
  const node = { entryPoints: [NODE], outfile: `${folder}/sipalg.js`, format: /** @type {const} */ ('cjs'), banner: { js: '#!/usr/bin/env node' } };
  const qjs = { entryPoints: [QUICKJS], outfile: `${folder}/sipalg.qjs.js`, format: /** @type {const} */ ('esm') };
  return Promise.all([node, qjs].map(async (one) => (await build({ ...COMMON, ...one })).metafile));
}

/**
 * The program as it lies on a router. The folder is emptied first, for the names of chunks change with what they hold.
 * @param {string} folder
 * @returns {Promise<Metafile>} what went where: what the laws and the figures of size are held against
 */
export async function packRouter(folder = root + 'dist/router') {
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    ...COMMON,
    entryPoints: { 'sipalg': NODE, 'sipalg.qjs': QUICKJS },
    outdir: folder,
    format: 'esm',
    splitting: true,
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' }, // Node takes a lone .js for CommonJS
  });
  return metafile;
}

/**
 * Everything that is shipped.
 * @param {string} folder what stands for dist/
 * @returns {Promise<Metafile[]>}
 */
export async function packAll(folder = root + 'dist') {
  return [...(await packLone(folder)), await packRouter(`${folder}/router`), ...(await buildPage(folder))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { outputs } of await packAll())
    for (const [file, { bytes }] of Object.entries(outputs)) console.log(`${file}  ${bytes} bytes`);
}
