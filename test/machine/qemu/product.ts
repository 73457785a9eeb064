/** The package under test, made as `npm run package` makes it. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { must } from './debian.ts';
import { openIpk, type Package } from './packages.ts';

let made: Package | undefined;

/** The sipalg package; made once in a run, in a process of its own: a packed test cannot hold the packer. */
export function product(): Package {
  if (made) return made;
  const folder = mkdtempSync(`${tmpdir()}/sipalg-product-`);
  try {
    must(process.execPath, ['package/build.mjs', folder]);
    const file = readdirSync(folder).find((name) => /^sipalg_.*\.ipk$/.test(name));
    if (file === undefined) throw new Error('`npm run package` wrote no sipalg_*.ipk.');
    made = openIpk(readFileSync(`${folder}/${file}`));
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same package a version later: another program, which does the same. */
export function laterProduct(version: string): Package {
  const one = product();
  return {
    ...one,
    version,
    files: Object.fromEntries(
      Object.entries(one.files).map(([path, bytes]) => [
        path,
        path.endsWith('/sipalg.mjs') ? `${Buffer.from(bytes).toString()}\n// ${version}\n` : bytes,
      ]),
    ),
  };
}
