/** The program as it is shipped: exit code, standard output and standard error of dist/sipalg.js. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn, spawnSync } from 'node:child_process';
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

built('prints a whole JSON document into a pipe, and says the same by its exit code and in words', () => {
  const json = sipalg('status', '--json');
  const report = JSON.parse(json.stdout) as { verdict: { alg: string; text: string }; plan: object };
  assert.is(json.stderr, '');
  assert.ok(['rewriting', 'tracking', 'off', 'unknown'].includes(report.verdict.alg));
  const plain = sipalg('status');
  assert.is(plain.status, json.status);
  assert.is(plain.stdout.split('\n')[0], report.verdict.text);
  assert.is(sipalg('status').stdout, sipalg().stdout, 'status is what is meant where nothing is said');
});

built('is not troubled by a reader that goes away', async () => {
  const child = spawn('sh', ['-c', `${process.execPath} ${PROGRAM} status --json 2>&1 >&3 | cat`, 'x'], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  (child.stdio[3] as NodeJS.ReadableStream & { destroy(): void }).destroy();
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((ended) => {
    child.on('close', ended);
  });
  assert.is(said, '');
});

built.run();
