/** Packs a script of the lab into one text that a bare node runs. */
import { createRequire } from 'node:module';
import type * as Esbuild from 'esbuild';

const packed = new Map<string, Promise<string>>();

/** @param file a script of test/lab, from the project's root; packed once in a run */
export function bundled(file: string): Promise<string> {
  const known = packed.get(file);
  if (known) return known;
  // Not imported: the packer cannot be packed itself, and this file is part of every packed test.
  const { build } = createRequire(`${process.cwd()}/package.json`)('esbuild') as typeof Esbuild;
  const text = build({
    absWorkingDir: process.cwd(),
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node18',
    charset: 'utf8',
    logLevel: 'silent',
  }).then((result) => result.outputFiles[0]!.text);
  packed.set(file, text);
  return text;
}
