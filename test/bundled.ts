/** Packs a script of the tests into one text that a bare engine runs. */
import { createRequire } from 'node:module';
import type * as Esbuild from 'esbuild';

export type Engine = 'node' | 'quickjs';

const packed = new Map<string, Promise<string>>();

/**
 * @param file a script of test/, from the project's root; packed once in a run
 * @returns CommonJS for Node, a module for QuickJS, whose own modules have a prefix in the sources (as in build.mjs)
 */
export function bundled(file: string, engine: Engine = 'node'): Promise<string> {
  const key = `${engine} ${file}`;
  const known = packed.get(key);
  if (known) return known;
  // Not imported: the packer cannot be packed itself, and this file is part of every packed test.
  const { build } = createRequire(`${process.cwd()}/package.json`)('esbuild') as typeof Esbuild;
  const text = build({
    absWorkingDir: process.cwd(),
    entryPoints: [file],
    bundle: true,
    write: false,
    format: engine === 'node' ? 'cjs' : 'esm',
    platform: 'node',
    target: 'node18',
    charset: 'utf8',
    logLevel: 'silent',
    plugins: [
      {
        name: 'modules of QuickJS',
        setup({ onResolve }) {
          onResolve({ filter: /^qjs:/ }, ({ path }) => ({ path: path.slice('qjs:'.length), external: true }));
        },
      },
    ],
  }).then((result) => result.outputFiles[0]!.text);
  packed.set(key, text);
  return text;
}
