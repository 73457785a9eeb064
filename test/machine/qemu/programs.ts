/** Programs of this machine, with the libraries they need, put into another root file system. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where a command is; an error that names the Debian package where it is nowhere. */
export function programPath(command: string, debianPackage: string): string {
  const path = FOLDERS.map((folder) => `${folder}/${command}`).find((each) => existsSync(each));
  if (path === undefined) throw new Error(`There is no '${command}' here; Debian has it in ${debianPackage}.`);
  return realpathSync(path);
}

/** The shared libraries a program or library names, as the loader finds them; none for a static one. */
export function librariesOf(path: string): string[] {
  const { stdout } = spawnSync('ldd', [path], { encoding: 'utf8', timeout: 20_000 });
  return [...stdout.matchAll(/(?:=> |^\s)(\/\S+) \(0x/gm)].map((found) => found[1]!);
}

/**
 * Copies a file and its libraries into a root.
 * @param at where it is to be in that root; where it is here if not given
 */
export function place(root: string, path: string, at = path): void {
  copy(path, root + at);
  for (const library of librariesOf(path)) copy(realpathSync(library), root + library);
}

/** Copies every plug-in of a folder (a program loads them by name, so its own libraries do not tell). */
export function placeFolder(root: string, folder: string): void {
  for (const name of readdirSync(folder)) {
    if (/\.so(\.|$)/.test(name)) place(root, realpathSync(`${folder}/${name}`), `${folder}/${name}`);
  }
}

function copy(from: string, to: string): void {
  if (existsSync(to)) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
