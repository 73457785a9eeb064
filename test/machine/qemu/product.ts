/** The packages under test, made as `npm run package` makes them, and those an owner may come from or go on to. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { must } from './debian.ts';
import { openIpk, type Package } from './packages.ts';

let made: ReadonlyMap<string, Package> | undefined;

/** A package by its name; all are made once in a run, in a process of its own: a packed test cannot hold the packer. */
export function product(name = 'sipalg'): Package {
  made ??= make();
  const one = made.get(name);
  if (one === undefined) throw new Error(`\`npm run package\` wrote no ${name}; it wrote ${[...made.keys()].join(', ')}.`);
  return one;
}

function make(): ReadonlyMap<string, Package> {
  const folder = mkdtempSync(`${tmpdir()}/sipalg-product-`);
  try {
    must(process.execPath, ['package/build.mjs', folder]);
    const all = readdirSync(folder).filter((name) => name.endsWith('.ipk'));
    return new Map(all.map((name) => openIpk(readFileSync(`${folder}/${name}`))).map((one) => [one.name, one]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same package a version later: a program that does the same in other bytes. */
export function laterProduct(version: string, name = 'sipalg'): Package {
  const one = product(name);
  const later = ([path, bytes]: [string, string | Uint8Array]): [string, string | Uint8Array] => [
    path,
    path.endsWith('.mjs') ? `${Buffer.from(bytes).toString()}\n// ${version}\n` : bytes,
  ];
  return { ...one, version, files: Object.fromEntries(Object.entries(one.files).map(later)) };
}

/**
 * `sipalg` of 0.1.0-r1, the one package that held the daemon and its page too, started by the init script of the wish.
 * @param folder where the program lies in it: /usr/lib/node/sipalg before it ran on QuickJS
 */
export function wholeProduct(folder = '/usr/lib/sipalg'): Package {
  const own = product();
  const moved = (text: string): string => text.replaceAll('/usr/lib/sipalg', folder);
  const init = moved(readFileSync('test/fixtures/package/sipalg.init', 'utf8'));
  const files = Object.entries({ ...product('sipalg-calls').files, ...product('sipalg-daemon').files, ...own.files })
    .filter(([path]) => path !== '/etc/init.d/sipalg-daemon')
    .map(([path, bytes]): [string, string | Uint8Array] => [
      moved(path),
      own.programs?.includes(path) === true ? moved(Buffer.from(bytes).toString()) : bytes,
    ]);
  return {
    ...own,
    version: '0.1.0-r1',
    files: { ...Object.fromEntries(files), '/etc/init.d/sipalg': init },
    programs: own.programs?.map(moved) ?? [],
    scripts: { 'prerm-pkg': moved(own.scripts?.['prerm-pkg'] ?? '') },
  };
}
