/** Runs the router's scripts in shells of this machine, over a folder that stands for the router's root. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';

/** OpenWrt's shell, and one that is strict in other places. */
export const SHELLS: readonly (readonly string[])[] = [
  ['busybox', 'sh'],
  ['bash', '--norc', '--posix'],
];

/** Every script of the overlay, path in the project: what has a shell's first line. */
export function scripts(folder = 'files'): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return scripts(path);
      return readFileSync(path, 'latin1').startsWith('#!/bin/sh') ? [path] : [];
    })
    .sort();
}

export type Root = {
  readonly path: string;
  write(path: string, text: string, mode?: number): void;
  /** The names below a folder; none where it is not there. */
  list(path: string): string[];
  /** Runs a text in a shell. Variables as given, and SIPALG_ROOT. */
  run(shell: readonly string[], text: string, env?: Readonly<Record<string, string>>): { status: number | null; said: string };
  close(): void;
};

export function openRoot(): Root {
  const path = mkdtempSync(`${tmpdir()}/root-`);
  return {
    path,
    write(file, text, mode = 0o644) {
      mkdirSync(dirname(path + file), { recursive: true });
      writeFileSync(path + file, text);
      chmodSync(path + file, mode);
    },
    list(folder) {
      try {
        return readdirSync(path + folder).sort();
      } catch {
        return [];
      }
    },
    run([program = '', ...args], text, env = {}) {
      const { status, stdout, stderr, error } = spawnSync(program, [...args, '-c', text], {
        encoding: 'utf8',
        timeout: 20_000,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], ...env, SIPALG_ROOT: path },
      });
      if (error) throw error;
      return { status, said: stdout + stderr };
    },
    close: () => rmSync(path, { recursive: true, force: true }),
  };
}
