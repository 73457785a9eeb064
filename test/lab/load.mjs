// The lab for a plain node script: packs a TypeScript file of test/ in memory and imports it, leaving no file.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @param {string} file from the project's root
 * @returns {Promise<any>} what it exports
 */
export async function load(file) {
  process.chdir(root); // the lab finds its files from the project's root
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node18',
    logLevel: 'warning',
  });
  return import('data:text/javascript;base64,' + Buffer.from(outputFiles[0].contents).toString('base64'));
}
