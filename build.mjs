// Packs the program. src/main.ts becomes one file that runs alone, dist/sipalg.js; what most runs have no need of lies
// beside it in parts that it loads where they are asked for: dist/sipalg-serve.js (the resident daemon) and
// dist/sipalg-policy.js (the voice firewall rules). A part brings along what is its own and uses the rest of the program
// that loads it (package/parts.mjs). The page goes to dist/page, for our own mount, and to dist/luci, for LuCI.
import { fileURLToPath } from 'node:url';
import { buildPage } from './package/page.mjs';
import { pack, PARTS } from './package/parts.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * @param {string} outfile where the program goes
 * @param {readonly (keyof typeof PARTS)[]} parts what is to lie beside it
 * @returns {Promise<import('esbuild').Metafile>} what went into the program: the import graph the laws are held against
 */
export async function bundle(outfile = root + 'dist/sipalg.js', parts = []) {
  return (await pack(outfile, parts)).program;
}

/** Everything a router needs, in dist/. Metafiles by what they are of. */
export const bundles = (outfile = root + 'dist/sipalg.js') => pack(outfile, Object.keys(PARTS));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const metafile of [...Object.values(await bundles()), ...await buildPage()]) {
    for (const [file, { bytes }] of Object.entries(metafile.outputs)) console.log(`${file}  ${bytes} bytes`);
  }
}
