// Packs src/main.ts into one file that runs alone: dist/sipalg.js.
// `bundle()` is also what the tests build with, so that they test what is shipped.
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/**
 * @param {string} outfile where the bundle goes
 * @returns {Promise<import('esbuild').Metafile>} what went into it: the import graph the laws are held against
 */
export async function bundle(outfile = root + 'dist/sipalg.js') {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
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
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  return metafile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const metafile = await bundle();
  for (const [file, { bytes }] of Object.entries(metafile.outputs)) console.log(`${file}  ${bytes} bytes`);
}
