// Packs src/main.ts into one file that runs alone, dist/sipalg.js, and the resident daemon into a second one that the
// first loads for `sipalg serve` alone, dist/sipalg-serve.js. The page's files are looked for in dist/page, beside them.
// `bundle()` and `serveBundle()` are also what the tests build with, so that they test what is shipped.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPage } from './package/page.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** @param {string} entry @param {string} outfile @param {string} banner */
async function packed(entry, outfile, banner) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    metafile: true,
    format: 'cjs',          // Node reads a lone .js outside any package as CommonJS
    platform: 'node',
    target: 'node18',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    define: { SIPALG_VERSION: JSON.stringify(version) },
    banner: { js: banner },
    logLevel: 'warning',
  });
  return metafile;
}

/**
 * @param {string} outfile where the bundle goes
 * @returns {Promise<import('esbuild').Metafile>} what went into it: the import graph the laws are held against
 */
export const bundle = (outfile = root + 'dist/sipalg.js') => packed('src/main.ts', outfile, '#!/usr/bin/env node');

/**
 * The resident daemon; it lies beside the other bundle and is started by it.
 * @param {string} outfile where it goes
 */
export const serveBundle = (outfile = root + 'dist/sipalg-serve.js') => packed('src/daemon/main.ts', outfile, '"use strict";');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const metafile of [await bundle(), await serveBundle(), ...await buildPage()]) {
    for (const [file, { bytes }] of Object.entries(metafile.outputs)) console.log(`${file}  ${bytes} bytes`);
  }
}
