// Records routers with voice rules anew: node test/record.mjs [NAME...]. Needs root, and dist/router as built last.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from './runner/pack.mjs';

const folder = mkdtempSync(join(tmpdir(), 'sipalg-record-'));
try {
  const packed = join(folder, 'record.cjs');
  const broken = await pack('test/lab/voice/record.ts', packed);
  if (broken !== undefined) throw new Error(broken);
  execFileSync(process.execPath, [packed, ...process.argv.slice(2)], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
