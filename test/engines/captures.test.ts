import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { outline } from './captures.ts';

const captures = suite('captures');

captures('are read on QuickJS as they are on Node', async () => {
  const { QJS } = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as { QJS: string };
  const {
    outputFiles: [file],
  } = await build({
    entryPoints: ['test/engines/captures.ts'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'packed',
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'silent',
  });
  const folder = mkdtempSync(join(tmpdir(), 'captures-'));
  const script = join(folder, 'captures.js');
  writeFileSync(script, `${file?.text}; print(packed.outline())`);
  const { status, stdout, stderr } = spawnSync(QJS, ['--script', script], { encoding: 'utf8', maxBuffer: 64 << 20, timeout: 60_000 });
  rmSync(folder, { recursive: true });
  assert.equal([status, stderr], [0, '']);
  const here = outline();
  assert.ok(here.length > 5000 && here.includes('gap') && here.includes('cut-short'));
  assert.is(stdout, `${here}\n`);
});

captures.run();
