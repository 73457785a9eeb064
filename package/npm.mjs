// npm run pack [-- FOLDER]: the two packages for npm, as folders and as the archives that `npm pack` makes of them, in
// dist/npm/ or in FOLDER. `sipalg` is the lone file for Node; `openwrt-ubus` is src/ubus/, compiled, with its types. Neither has
// a dependency or a script. provenance.json in each says what it was built from; the same commit gives the same bytes.
// With --stage the folders alone are written: what `npm pack` of the project itself begins with.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packLone } from '../build.mjs';
import { release } from './contents.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const readJson = (/** @type {string} */ path) => JSON.parse(readFileSync(root + path, 'utf8'));

/** @param {string} command @param {readonly string[]} words @param {string} cwd @returns {string} what it said */
function run(command, words, cwd) {
  const { error, status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8', timeout: 300_000 });
  if (error === undefined && status === 0) return stdout;
  throw new Error(`\`${[command, ...words].join(' ')}\` failed: ${error?.message ?? (stderr.trim() || stdout.trim()).slice(0, 2000)}`);
}

/** @param {readonly string[]} words @returns {string | null} null: this folder has no history */
function git(words) {
  if (!existsSync(root + '.git')) return null;
  const { status, stdout } = spawnSync('git', ['-c', 'safe.directory=*', '-C', root, ...words], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** @param {string} folder @returns {string[]} */
const under = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? under(`${folder}/${entry.name}`).map((path) => `${entry.name}/${path}`) : [entry.name]))
    .sort();

/**
 * What a package was built from.
 * @typedef {object} Provenance
 * @property {string} name
 * @property {string} version
 * @property {string | null} commit null: built from a folder without a history
 * @property {boolean | null} modified whether files differed from that commit
 * @property {string} date of the commit, or of SOURCE_DATE_EPOCH where that is set (ISO 8601, UTC)
 * @property {Record<string, string>} tools what it was built with, to the version
 * @property {Record<string, string>} files SHA-256, in hex, of every other file of the package but package.json
 */

/** @param {string} folder @param {{ name: string, version: string }} manifest @param {readonly string[]} tools @returns {Provenance} */
function provenance(folder, { name, version }, tools) {
  const status = git(['status', '--porcelain']);
  return {
    name,
    version,
    commit: git(['rev-parse', 'HEAD']),
    modified: status === null ? null : status !== '',
    date: new Date(release().time * 1000).toISOString(),
    tools: Object.fromEntries(tools.map((tool) => [tool, readJson(`node_modules/${tool}/package.json`).version])),
    files: Object.fromEntries(
      under(folder).map((path) => [
        path,
        createHash('sha256')
          .update(readFileSync(`${folder}/${path}`))
          .digest('hex'),
      ]),
    ),
  };
}

/**
 * The manifest that is published: what an installer and a reader need, and nothing of how it is built.
 * @param {Record<string, unknown>} manifest @param {Record<string, unknown>} more
 */
function published(manifest, more) {
  const { private: _private, scripts: _scripts, devDependencies: _devDependencies, files: _files, ...rest } = manifest;
  const gitHead = git(['rev-parse', 'HEAD']);
  return { ...rest, ...more, ...(gitHead === null ? {} : { gitHead }) };
}

/** @param {string} folder @param {Record<string, unknown> & { name: string, version: string }} manifest @param {readonly string[]} tools */
function finish(folder, manifest, tools) {
  const made = provenance(folder, manifest, tools);
  writeFileSync(`${folder}/provenance.json`, JSON.stringify(made, null, 2) + '\n');
  writeFileSync(`${folder}/package.json`, JSON.stringify(manifest, null, 2) + '\n');
}

/** @param {string} path @returns {string} the folder, made anew */
function emptied(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/**
 * Writes both packages as folders.
 * @param {string} folder
 * @returns {Promise<string[]>} their paths
 */
export async function stage(folder = `${root}dist/npm`) {
  const sipalg = emptied(`${folder}/sipalg`);
  await packLone(sipalg);
  rmSync(`${sipalg}/sipalg.qjs.js`); // For `qjs` on a router, which has no npm.
  for (const name of ['LICENSE', 'CHANGELOG.md']) copyFileSync(root + name, `${sipalg}/${name}`);
  copyFileSync(`${root}package/npm/README.md`, `${sipalg}/README.md`);
  finish(sipalg, published(readJson('package.json'), { bin: { sipalg: 'sipalg.js' } }), ['esbuild']);

  const ubus = emptied(`${folder}/openwrt-ubus`);
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  run(process.execPath, [tsc, '-p', `${root}src/ubus/tsconfig.json`, '--outDir', `${ubus}/dist`], root);
  for (const name of ['README.md', 'LICENSE']) copyFileSync(`${root}src/ubus/${name}`, `${ubus}/${name}`);
  finish(ubus, published(readJson('src/ubus/package.json'), {}), ['typescript']);
  return [sipalg, ubus];
}

/**
 * Packs folders as npm does.
 * @param {readonly string[]} folders @param {string} to
 * @returns {string[]} paths of the archives
 */
export function pack(folders, to) {
  return folders.map((folder) => {
    const said = run('npm', ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', to, folder], root);
    const [made] = JSON.parse(said);
    return `${to}/${made.filename}`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2).filter((word) => word !== '--stage');
  const folder = resolve(words[0] ?? `${root}dist/npm`);
  try {
    if (words.length > 1 || words[0]?.startsWith('-')) throw new Error(`"${words.join(' ')}": it is npm run pack [-- FOLDER].`);
    const folders = await stage(folder);
    if (process.argv.includes('--stage')) {
      for (const name of ['sipalg.js', 'provenance.json']) copyFileSync(`${folder}/sipalg/${name}`, `${root}dist/${name}`);
    } else for (const path of pack(folders, folder)) console.log(`${relative('', path)}  ${readFileSync(path).length} bytes`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
