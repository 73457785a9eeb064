// npm run package [-- [--key FILE] [FOLDER]]: builds what is shipped and packs it as OpenWrt's package managers want it,
// without an SDK or any of their tools. In dist/, or in FOLDER: every package as .ipk and as .apk, and both indexes
// (Packages and Packages.gz for opkg, packages.adb for apk), so that the folder is a feed for either. The same sources give
// the same bytes. FILE, or that in the environment variable SIPALG_APK_KEY, is a private key that signs every .apk and packages.adb.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packAll } from '../build.mjs';
import { signingKey } from './adb-signature.mjs';
import { writeIndex } from './apk.mjs';
import { packages, release } from './contents.mjs';
import { gzip, index, ipk } from './ipk.mjs';
import { apk } from './openwrt-apk.mjs';

/** What a router has to have in /etc/apk/keys. */
const PUBLIC_KEY = 'sipalg-apk.pem';

const saidBy = (/** @type {unknown} */ error) => (error instanceof Error ? error.message : String(error));

/**
 * @param {string} [path] of a private key @returns {import('./adb-signature.mjs').SigningKey | undefined} undefined where none is given
 */
export function readKey(path = process.env['SIPALG_APK_KEY']) {
  if (path === undefined || path === '') return undefined;
  try {
    return signingKey(readFileSync(path));
  } catch (error) {
    throw new Error(`Nothing was packed, for "${path}" cannot sign: ${saidBy(error)}`, { cause: error });
  }
}

const byName = (/** @type {{ file: string }} */ one, /** @type {{ file: string }} */ other) => (one.file < other.file ? -1 : 1);

/**
 * Packs what is built.
 * @param {string} folder where packages and indexes go @param {string} [built] the folder that stands for dist/
 * @param {import('./adb-signature.mjs').SigningKey} [key] who signs for apk
 */
export function pack(folder, built = folder, key) {
  mkdirSync(folder, { recursive: true });
  const write = (/** @type {string} */ file, /** @type {string | Buffer} */ bytes) => {
    writeFileSync(`${folder}/${file}`, bytes);
    console.log(`${relative('', `${folder}/${file}`)}  ${bytes.length} bytes`);
  };
  const about = release();
  const wanted = packages(built);
  const forOpkg = wanted.map((one) => ipk(one, about));
  for (const { file, bytes } of forOpkg) write(file, bytes);
  const text = Buffer.from(index([...forOpkg].sort(byName)));
  write('Packages', text);
  write('Packages.gz', gzip(text));
  const options = { keys: key === undefined ? [] : [key] };
  const forApk = wanted.map((one) => apk(one, about, options));
  for (const { file, bytes } of forApk) write(file, bytes);
  write(
    'packages.adb',
    writeIndex(
      [...forApk].sort(byName).map(({ bytes }) => bytes),
      options,
    ),
  );
  if (key !== undefined) write(PUBLIC_KEY, key.publicPem);
}

/** @param {string[]} words what follows `npm run package --` */
function asked(words) {
  const { values, positionals } = parseArgs({ args: words, options: { key: { type: 'string' } }, allowPositionals: true });
  if (positionals.length > 1) throw new Error(`"${positionals[1]}" is one word too many: npm run package -- [--key FILE] [FOLDER]`);
  const folder = resolve(positionals[0] ?? fileURLToPath(new URL('../dist', import.meta.url)));
  return { folder, path: values.key };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { folder, path } = asked(process.argv.slice(2));
    const key = readKey(path);
    await packAll(folder);
    pack(folder, folder, key);
  } catch (error) {
    console.error(saidBy(error));
    process.exitCode = 1;
  }
}
