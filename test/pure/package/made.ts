/** The packages as `npm run package` makes them, by a process of its own, in a folder of their own. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** One of package/*.mjs. They find the project by their own place, so they are loaded from there and not packed. */
export const packer = async <T>(name: string): Promise<T> =>
  (await import(pathToFileURL(join(process.cwd(), 'package', `${name}.mjs`)).href)) as T;

export interface Made {
  /** What was said on standard output. */
  said: string;
  /** What was made for package managers, by name. */
  files: Record<string, Buffer>;
}

interface Options {
  cwd?: string;
  /** In octal. */
  umask?: string;
  /** Besides the environment at hand. */
  env?: Record<string, string>;
  /** A folder where all is built already: then it is only packed. */
  built?: string;
  /** Private keys' files, as the options that name them. */
  key?: string;
  usignKey?: string;
}

export function make(folder: string, { cwd = process.cwd(), umask = '022', env = {}, built, key, usignKey }: Options = {}): Made {
  const program = join(process.cwd(), 'package/build.mjs');
  const words =
    built === undefined
      ? [program, ...(key === undefined ? [] : ['--key', key]), ...(usignKey === undefined ? [] : ['--usign-key', usignKey]), folder]
      : [
          '--input-type=module',
          '-e',
          `
    const { pack, readKeys } = await import(${JSON.stringify(pathToFileURL(program).href)});
    pack(${JSON.stringify(folder)}, ${JSON.stringify(built)}, readKeys());`,
        ];
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `umask ${umask}; exec "$0" "$@"`, process.execPath, ...words], {
    cwd,
    encoding: 'utf8',
    timeout: 55_000,
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`npm run package ended with ${status}: ${stderr}`);
  const names = readdirSync(folder)
    .filter((name) => /\.(ipk|apk|adb|pem|pub)$|^Packages/.test(name))
    .sort();
  return { said: stdout, files: Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))])) };
}
