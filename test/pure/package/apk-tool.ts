/** The real apk of version 3 (apk-tools), where it is in PATH: it makes of a case what our writer makes of it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Contents } from './apk-library.ts';

/** Its first line, `apk-tools 3.0.6, compiled for x86_64.`; undefined where there is none. */
export function apkAtHand(): string | undefined {
  const { error, stdout } = spawnSync('apk', ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return error === undefined && /^apk-tools 3\./.test(stdout) ? stdout.split('\n')[0] : undefined;
}

/** Runs it as root: owners are packed by name, and whoever is not root is, for as long as that takes. What it said. */
export function apk(words: readonly string[], time?: number): string {
  const [command = '', ...rest] = process.getuid?.() === 0 ? ['apk', ...words] : ['unshare', '--map-root-user', 'apk', ...words];
  const { error, status, stdout, stderr } = spawnSync(command, rest, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, SOURCE_DATE_EPOCH: time === undefined ? '' : String(time) },
  });
  if (error !== undefined || status !== 0) throw new Error(`apk ${words.join(' ')}: ${error?.message ?? stderr + stdout}`);
  return stdout;
}

function lay(root: string, files: Exclude<Contents['files'], undefined>): void {
  mkdirSync(root);
  for (const [path, entry] of files) {
    const place = join(root, path);
    mkdirSync(entry.type === 'folder' ? place : dirname(place), { recursive: true });
    if (entry.type === 'link') symlinkSync(entry.target, place);
    else if (entry.type !== 'folder') writeFileSync(place, entry.bytes);
    if (process.getuid?.() === 0) lchownSync(place, 0, 0);
    if (entry.type !== 'link') chmodSync(place, entry.mode ?? 0o755);
  }
}

const LISTS = new Set(['depends', 'provides', 'replaces', 'installIf', 'recommends', 'tags']);

/** The package that `apk mkpkg` makes of it, uncompressed unless something else is asked for. */
export function mkpkg({ info, files, scripts = {}, triggers = [], replacesPriority, time }: Contents, compression = 'none'): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'k-'));
  const umask = process.umask(0o022);
  try {
    const words = ['mkpkg', '--compression', compression, '--output', join(folder, 'apk')];
    for (const [field, value] of Object.entries(info)) {
      const text = LISTS.has(field) ? (value as string[]).join(' ') : String(value);
      words.push('--info', `${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}:${text}`);
    }
    if (replacesPriority !== undefined) words.push('--info', `replaces-priority:${replacesPriority}`);
    for (const [moment, text] of Object.entries(scripts)) {
      writeFileSync(join(folder, moment), text);
      words.push('--script', `${moment}:${join(folder, moment)}`);
    }
    for (const one of triggers) words.push('--trigger', one);
    if (files !== undefined) {
      lay(join(folder, 'root'), files);
      words.push('--files', join(folder, 'root'));
    }
    apk(words, time);
    return readFileSync(join(folder, 'apk'));
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The index that `apk mkndx` makes of them, in their order. */
export function mkndx(packages: readonly Buffer[], more: readonly string[] = []): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'k-'));
  try {
    const paths = packages.map((bytes, at) => {
      const path = join(folder, `${at}.apk`);
      writeFileSync(path, bytes);
      return path;
    });
    apk(['mkndx', '--allow-untrusted', '--compression', 'none', '--output', join(folder, 'index'), ...more, ...paths]);
    return readFileSync(join(folder, 'index'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
