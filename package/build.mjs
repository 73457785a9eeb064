// npm run package: builds what is shipped and packs it as OpenWrt's package managers want it, without an SDK. In dist/:
// both packages as .ipk, the index (Packages, Packages.gz) that makes the folder a feed for opkg, and, where the tool
// `apk` of version 3 is at hand, both as .apk. The same sources give the same bytes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundles } from '../build.mjs';
import { apk, findApk } from './apk.mjs';
import { packages, release } from './contents.mjs';
import { gzip, index, ipk } from './ipk.mjs';
import { buildPage } from './page.mjs';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

mkdirSync(dist, { recursive: true });
await bundles();
await buildPage();

/** @param {string} file @param {Buffer} bytes */
function write(file, bytes) {
  writeFileSync(dist + file, bytes);
  console.log(`dist/${file}  ${bytes.length} bytes`);
}

const about = release();
const wanted = packages();
const made = wanted.map((one) => ipk(one, about));
for (const { file, bytes } of made) write(file, bytes);
const text = Buffer.from(index([...made].sort((one, other) => one.file < other.file ? -1 : 1)));
write('Packages', text);
write('Packages.gz', gzip(text));

const tool = findApk();
if ('path' in tool) for (const one of wanted) write(...apk(one, about, tool.path));
else console.log(tool.because);
