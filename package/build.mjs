// npm run package [-- [--key FILE] [--usign-key FILE] [FOLDER]]: builds what is shipped and packs it as OpenWrt's package managers want it,
// without an SDK or any of their tools. In dist/, or in FOLDER: every package as .ipk and as .apk, and both indexes
// (Packages and Packages.gz for opkg, packages.adb for apk), so that the folder is a feed for either. The same sources give
// the same bytes. --key, or the environment variable SIPALG_APK_KEY, names a private key that signs every .apk and packages.adb;
// --usign-key, or SIPALG_USIGN_KEY, one that signs Packages for opkg (Packages.sig).
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
import { usignKey } from './usign.mjs';

/** What a router has to have in /etc/apk/keys, and what `opkg-key add` takes there. */
const PUBLIC_KEY = 'sipalg-apk.pem';
const OPKG_PUBLIC_KEY = 'sipalg-opkg.pub';

/** @typedef {import('./adb-signature.mjs').SigningKey} SigningKey @typedef {import('./usign.mjs').UsignKey} UsignKey */

const saidBy = (/** @type {unknown} */ error) => (error instanceof Error ? error.message : String(error));

/**
 * The keys that sign, undefined where none is given: for apk, for opkg. The environment says what the command line does not.
 * @param {{ key?: string | undefined, usignKey?: string | undefined }} [paths] of private keys
 * @returns {{ key: SigningKey | undefined, usign: UsignKey | undefined }}
 */
export function readKeys({ key = process.env['SIPALG_APK_KEY'], usignKey: usign = process.env['SIPALG_USIGN_KEY'] } = {}) {
  return { key: readKey(key, signingKey), usign: readKey(usign, usignKey) };
}

/** @template Key @param {string | undefined} path @param {(bytes: Buffer) => Key} understood @returns {Key | undefined} */
function readKey(path, understood) {
  if (path === undefined || path === '') return undefined;
  try {
    return understood(readFileSync(path));
  } catch (error) {
    throw new Error(`Nothing was packed, for "${path}" cannot sign: ${saidBy(error)}`, { cause: error });
  }
}

const byName = (/** @type {{ file: string }} */ one, /** @type {{ file: string }} */ other) => (one.file < other.file ? -1 : 1);

/**
 * Packs what is built.
 * @param {string} folder where packages and indexes go @param {string} [built] the folder that stands for dist/
 * @param {Partial<ReturnType<typeof readKeys>>} [keys] who signs
 */
export function pack(folder, built = folder, { key, usign } = {}) {
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
  if (usign !== undefined) {
    write('Packages.sig', usign.sign(text));
    write(OPKG_PUBLIC_KEY, usign.publicFile);
  }
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
  const { values, positionals } = parseArgs({ args: words, options: { 'key': { type: 'string' }, 'usign-key': { type: 'string' } }, allowPositionals: true });
  if (positionals.length > 1) throw new Error(`"${positionals[1]}" is one word too many: npm run package -- [--key FILE] [--usign-key FILE] [FOLDER]`);
  const folder = resolve(positionals[0] ?? fileURLToPath(new URL('../dist', import.meta.url)));
  return { folder, paths: { key: values.key, usignKey: values['usign-key'] } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { folder, paths } = asked(process.argv.slice(2));
    const keys = readKeys(paths);
    await packAll(folder);
    pack(folder, folder, keys);
  } catch (error) {
    console.error(saidBy(error));
    process.exitCode = 1;
  }
}
