import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { outline } from './captures.ts';

/** The little that is used of quickjs-emscripten. */
interface Quickjs {
  newContext(): { evalCode(code: string): { value?: unknown; error?: unknown }; dump(value: unknown): unknown };
}

const captures = suite('captures');

captures('are read on QuickJS as they are on Node', async () => {
  const { enginePath } = await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href);
  const { default: { getQuickJS } } = await import(pathToFileURL(enginePath('quickjs')).href);
  const { outputFiles: [file] } = await build({
    entryPoints: ['test/engines/captures.ts'], bundle: true, write: false, format: 'iife', globalName: 'packed', platform: 'neutral',
    target: 'es2022', logLevel: 'silent',
  });
  const context = (await getQuickJS() as Quickjs).newContext();
  const result = context.evalCode(`${file?.text}; packed.outline()`);
  if (result.error !== undefined) throw new Error(`QuickJS: ${JSON.stringify(context.dump(result.error))}`);
  const here = outline();
  assert.ok(here.length > 5000 && here.includes('gap') && here.includes('cut-short'));
  assert.is(context.dump(result.value), here);
});

captures.run();
