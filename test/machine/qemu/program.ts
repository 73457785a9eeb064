/** The program as it is shipped; packed once for the sources there are. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { alone } from './alone.ts';
import { must } from './debian.ts';
import { CACHE, LOCK } from './kernels.ts';

/** All that decides what is packed. */
function fingerprint(): string {
  const sources = (readdirSync('src', { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${name}`)
    .sort();
  const hash = createHash('sha256');
  for (const path of [...sources, 'build.mjs', 'package.json', 'package-lock.json'])
    hash.update(`${path}\n`).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}

/** Its files by name. */
export function program(): Record<string, Buffer> {
  const folder = `${CACHE}/program-${fingerprint()}`;
  if (!existsSync(folder))
    alone(LOCK, () => {
      if (!existsSync(folder)) pack(folder);
    });
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)]));
}

function pack(folder: string): void {
  for (const name of readdirSync(CACHE)) if (name.startsWith('program-')) rmSync(`${CACHE}/${name}`, { recursive: true });
  mkdirSync(`${folder}.new`);
  // By a process of its own: a packed test cannot hold the packer.
  must(process.execPath, [
    '--input-type=module',
    '-e',
    `await (await import('./build.mjs')).packRouter(${JSON.stringify(`${process.cwd()}/${folder}.new`)})`,
  ]);
  renameSync(`${folder}.new`, folder);
}
