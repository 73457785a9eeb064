// npm run storm [-- MINUTES [SEED]]: ten minutes of trouble at random in the lab, and a table of what held. Needs root.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const missing = await need(['npm', 'namespaces', 'alg', 'shell']);
for (const { reason } of missing) console.error(reason);
if (missing.length > 0) process.exit(1);

const folder = mkdtempSync(join(tmpdir(), 'sipalg-storm-'));
try {
  const { packRouter } = await import('../build.mjs');
  await packRouter(); // the lab's router runs it
  const { pack } = await import('./runner/pack.mjs');
  const broken = await pack(join(root, 'test/lab/storm.ts'), join(folder, 'storm.cjs'));
  if (broken !== undefined) throw new Error(broken);
  const storm = spawn(process.execPath, [join(folder, 'storm.cjs'), ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  process.on('SIGINT', () => undefined); // the storm itself ends in order
  process.exitCode = await new Promise((resolve) => storm.on('close', (code) => resolve(code ?? 1)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
