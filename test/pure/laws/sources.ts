/** The project's own files, and what imports what in them. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { build } from 'esbuild';

const FOREIGN = new Set(['node_modules', '.git', '.cache', 'dist']);

/** Every file of the project (what it was installed with or built to is not), as paths from the root, sorted. */
export function filesOf(folder = '.'): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : filesOf(path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

export function textOf(file: string): string {
  return readFileSync(join(process.cwd(), file), 'utf8');
}

/** The program's sources. */
export const sources = (): string[] => filesOf('src').filter((file) => file.endsWith('.ts'));

/** `from` names a file from the root; `to` too, or something outside the project as it is written. */
export interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

/**
 * The imports the packer sees, with every file as a way in: what main.ts does
 * not reach yet is held to the table too. Type-only imports do not appear.
 */
export async function packedImports(): Promise<Import[]> {
  const { metafile } = await build({
    entryPoints: sources(),
    outdir: 'nowhere',
    write: false,
    bundle: true,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    target: 'node18',
    logLevel: 'silent',
    external: ['qjs:*'],
    define: { SIPALG_VERSION: '""' },
  });
  return Object.entries(metafile.inputs).flatMap(([from, { imports }]) => imports.map(({ path }) => ({ from, to: path, typeOnly: false })));
}

/** `from '...'`, `import '...'`, `import('...')`, of code and of types, read off the text. */
const WRITTEN = /^\s*(import|export)\b(\s+type\b)?[^'";]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\b(?:import|require)\(\s*'([^']+)'/gm;

/** The imports a text holds, type-only ones included. */
export function writtenImports(from: string, text: string): Import[] {
  return [...text.matchAll(WRITTEN)].map((match) => {
    const named = match[3] ?? match[4] ?? match[5] ?? '';
    return { from, to: named.startsWith('.') ? posix.join(posix.dirname(from), named) : named, typeOnly: match[2] !== undefined };
  });
}
