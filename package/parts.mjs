// One program in several files, none of which holds anything twice. The program hands each part it loads the values of
// its own modules that the part imports: in the program they stand in one list (src/core.ts, filled here), and in the
// part each is read from that list by its number. Parts and program know each other by a fingerprint of their sources:
// an upgrade replaces files under a daemon that runs.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minify } from 'terser';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const CORE = 'src/core.ts';

/** The parts, and their ways in. */
export const PARTS = { serve: 'src/engines/node/serve.ts', policy: 'src/engines/node/voice.ts' };

/** @typedef {import('esbuild').Plugin} Plugin @typedef {import('esbuild').Metafile} Metafile */

/** @type {import('esbuild').BuildOptions} */
const COMMON = {
  absWorkingDir: root,
  bundle: true,
  metafile: true,
  write: false,
  format: 'cjs',          // Node reads a lone .js outside any package as CommonJS
  platform: 'node',
  target: 'node18',
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
};

/** What each of these sources exports at run time: types are gone. @param {readonly string[]} files @returns {Promise<Map<string, string[]>>} */
async function exportsOf(files) {
  const { metafile } = await build({ absWorkingDir: root, entryPoints: [...files], outdir: 'dist', bundle: false, metafile: true, write: false, format: 'esm' });
  return new Map(Object.values(metafile.outputs).map(({ entryPoint = '', exports }) => [entryPoint, exports]));
}

/** One value of the program that a part uses. @typedef {{ file: string, name: string }} Shared */

/**
 * In a part: a module of the program is what the program hands over.
 * @param {Map<string, string[]>} program its sources and what they export
 * @param {(shared: Shared) => number} numberOf @returns {Plugin}
 */
const handedOver = (program, numberOf) => ({
  name: 'handed over',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer, namespace }) => {
      const file = namespace === 'file' ? relative(root, resolve(dirname(importer), path)) : '';
      return program.has(file) ? { path: file, namespace: 'program', sideEffects: false } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'program' }, ({ path }) => ({
      contents: (program.get(path) ?? []).map((name) => `export const ${name} = /* @__PURE__ */ core(${numberOf({ file: path, name })});`).join('\n'),
    }));
  },
});

/** In the program: the list of what its parts use. @param {readonly Shared[]} list @returns {Plugin} */
const sharing = (list) => ({
  name: 'sharing',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]core\.ts$/ }, () => ({
      resolveDir: join(root, 'src'),
      contents: `${list.map(({ file, name }, index) => `import { ${name} as v${index} } from './${relative('src', file)}';`).join('\n')}
export const core = [${list.map((_, index) => `v${index}`).join(', ')}];`,
    }));
  },
});

/**
 * Squeezes what the packer has written, which is worth a twentieth of a router's flash, and writes it.
 * @param {import('esbuild').BuildResult} built @param {string} before @param {string} after
 */
export async function squeeze({ metafile, outputFiles = [] }, before, after) {
  const [file] = outputFiles;
  if (file === undefined || metafile === undefined) throw new Error('the packer wrote nothing');
  const { code } = await minify(before + file.text + after, { ecma: 2020, toplevel: true, compress: { passes: 3, ecma: 2020 }, format: { ecma: 2020 } });
  mkdirSync(dirname(file.path), { recursive: true });
  writeFileSync(file.path, code + '\n');
  for (const output of Object.values(metafile.outputs)) output.bytes = Buffer.byteLength(code + '\n');
  return metafile;
}

/**
 * Packs the program and the parts named into the program's folder.
 * @param {string} outfile the program @param {readonly string[]} parts
 * @returns {Promise<Record<string, Metafile>>} by `program` and the parts' names
 */
export async function pack(outfile, parts) {
  const names = /** @type {(keyof typeof PARTS)[]} */ (Object.keys(PARTS));
  const define = { SIPALG_VERSION: JSON.stringify(version), SIPALG_BUILD: '""' };
  const beside = (/** @type {string} */ name) => join(dirname(outfile), `${basename(outfile, '.js')}-${name}.js`);
  const alone = await build({ ...COMMON, entryPoints: ['src/engines/node/main.ts'], outfile, plugins: [sharing([])], define });
  const program = await exportsOf(Object.keys(alone.metafile.inputs).filter((file) => file.startsWith('src/') && file !== 'src/engines/node/main.ts' && file !== CORE));

  // First with every number there could be, to see which are used; then with those alone.
  /** @type {Shared[]} */
  const all = [...program].flatMap(([file, exported]) => exported.map((name) => ({ file, name })));
  const index = new Map(all.map(({ file, name }, at) => [`${file} ${name}`, at]));
  const used = new Set();
  const fingerprint = createHash('sha256').update(version);
  for (const name of names) {
    const { outputFiles, metafile } = await build({
      ...COMMON, entryPoints: [PARTS[name]], outfile: beside(name), define, plugins: [handedOver(program, ({ file, name }) => index.get(`${file} ${name}`) ?? -1)],
    });
    for (const [, number] of (outputFiles[0]?.text ?? '').matchAll(/\bcore\((\d+)\)/g)) used.add(Number(number));
    for (const file of [...Object.keys(metafile.inputs), ...Object.keys(alone.metafile.inputs)].filter((one) => one.startsWith('src/')).sort()) fingerprint.update(readFileSync(join(root, file)));
  }
  const list = all.filter((_, at) => used.has(at));
  const places = new Map(list.map(({ file, name }, at) => [`${file} ${name}`, at]));
  define.SIPALG_BUILD = JSON.stringify(fingerprint.digest('hex').slice(0, 12));

  /** @type {Record<string, Metafile>} */
  const metafiles = {};
  const built = await build({ ...COMMON, entryPoints: ['src/engines/node/main.ts'], outfile, plugins: [sharing(list)], define });
  metafiles['program'] = await squeeze(built, '#!/usr/bin/env node\n', '');
  for (const name of parts) {
    const part = await build({
      ...COMMON, entryPoints: [PARTS[/** @type {keyof typeof PARTS} */ (name)]], outfile: beside(name), define,
      plugins: [handedOver(program, ({ file, name }) => places.get(`${file} ${name}`) ?? -1)],
    });
    metafiles[name] = await squeeze(part, `"use strict";exports.build=${define.SIPALG_BUILD};exports.open=(core,require)=>{const module={exports:{}};`, 'return module.exports};');
  }
  return metafiles;
}
