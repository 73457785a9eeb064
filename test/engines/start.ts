/** How an engine is started in the tests. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Engine } from '../bundled.ts';

/** The words before the path of a program: this Node, or Debian's `qjs` with the flags of /usr/sbin/sipalg. */
export async function startOf(engine: Engine): Promise<string[]> {
  if (engine === 'node') return [process.execPath];
  const { QJS } = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as { QJS: string };
  return [QJS, '--no-unhandled-rejection', '--strip-source', '-m'];
}
