// Packs one test file into one that Node runs, with the counting uvu in uvu's place, and its assertions counted.
import { build } from 'esbuild';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const counting = root + 'test/counting.ts';
const asserting = root + 'test/asserting.ts';
const require = createRequire(import.meta.url);

/** @type {import('esbuild').Plugin} */
const resolving = {
  name: "the project's own packages",
  setup({ onResolve, resolve }) {
    // From here and not from the file that imports: test files may lie outside the project (test/runner does so).
    onResolve({ filter: /^uvu(\/\w+)?$/ }, ({ path, kind, importer, pluginData }) => {
      if (pluginData === 'real') return undefined;
      if (path === 'uvu' && importer !== counting) return { path: counting };
      if (path === 'uvu/assert' && importer !== asserting) return { path: asserting };
      return resolve(path, { kind, resolveDir: root, pluginData: 'real' });
    });
    // The packer finds its own binary by its place, so it is left where it is.
    onResolve({ filter: /^esbuild$/ }, () => ({ path: require.resolve('esbuild'), external: true }));
  },
};

/**
 * @param {string} file absolute path of the test file
 * @param {string} outfile
 * @returns {Promise<string | undefined>} what is wrong with the file, if it cannot be packed
 */
export async function pack(file, outfile) {
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [file],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node18',
      sourcemap: 'inline',
      sourcesContent: false,
      define: { SIPALG_VERSION: '"0.0.0-test"' },
      plugins: [resolving],
      logLevel: 'silent',
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message;
  }
}
