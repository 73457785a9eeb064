// npm run package [-- FOLDER]: builds what is shipped and packs it as OpenWrt's package managers want it, without an SDK.
// In dist/, or in FOLDER: both packages as .ipk, the index (Packages, Packages.gz) that makes the folder a feed for opkg,
// and, where the tool `apk` of version 3 is at hand, both as .apk. The same sources give the same bytes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packAll } from '../build.mjs';
import { apk, findApk } from './apk.mjs';
import { packages, release } from './contents.mjs';
import { gzip, index, ipk } from './ipk.mjs';

/**
 * Packs what is built.
 * @param {string} folder where packages and index go @param {string} [built] the folder that stands for dist/
 */
export function pack(folder, built = folder) {
  mkdirSync(folder, { recursive: true });
  const write = (/** @type {string} */ file, /** @type {Buffer} */ bytes) => {
    writeFileSync(`${folder}/${file}`, bytes);
    console.log(`${relative('', `${folder}/${file}`)}  ${bytes.length} bytes`);
  };
  const about = release();
  const wanted = packages(built);
  const made = wanted.map((one) => ipk(one, about));
  for (const { file, bytes } of made) write(file, bytes);
  const text = Buffer.from(index([...made].sort((one, other) => (one.file < other.file ? -1 : 1))));
  write('Packages', text);
  write('Packages.gz', gzip(text));
  const tool = findApk();
  if ('path' in tool) for (const one of wanted) write(...apk(one, about, tool.path));
  else console.log(tool.because);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url)));
  await packAll(folder);
  pack(folder);
}
