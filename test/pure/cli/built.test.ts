/** The program as it is shipped, asked what needs no look at a router; test/lab/engines has the rest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const PROGRAM = 'dist/sipalg.js';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

function sipalg(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  assert.ok(existsSync(PROGRAM), `${PROGRAM} is not there; run npm run build`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return { status, stdout, stderr };
}

const built = suite('dist/sipalg.js');

built('answers what it was asked on standard output, with exit code 0', () => {
  assert.equal(sipalg('version'), { status: 0, stdout: `sipalg ${version}\n`, stderr: '' });
  const help = sipalg('--help');
  assert.equal([help.status, help.stderr], [0, '']);
  assert.match(help.stdout, /^sipalg finds the SIP ALG/);
});

built('answers wrong words on standard error, with exit code 2', () => {
  for (const [words, meant] of [
    [['stauts'], 'status'],
    [['disable', '--dryrun'], '--dry-run'],
    [['--jso'], '--json'],
  ] as const) {
    const { status, stdout, stderr } = sipalg(...words);
    assert.equal([status, stdout], [2, '']);
    assert.match(stderr, `Did you mean "${meant}"?`);
    assert.is(stderr.trimEnd().split('\n').length, 1);
  }
});

built.run();
