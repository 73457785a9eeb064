/** The program on every Node it is for, asked what needs no look at a router; test/lab/engines has the rest. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const MAJORS = [18, 20, 22, 24];

interface Context {
  folder: string;
  program: string;
  node(major: number): string;
}

const bundle = suite<Context>('the bundle');

bundle.before(async (context) => {
  const { enginePath } = await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href);
  context.node = (major) => enginePath(`node-${major}`);
  // Alone in a folder, as on a router: no package.json and no node_modules above it to lean on.
  context.folder = mkdtempSync(join(tmpdir(), 'sipalg-engines-'));
  context.program = join(context.folder, 'sipalg.js');
  copyFileSync('dist/sipalg.js', context.program);
});

bundle.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

/** The three outputs of the program on that Node. */
function run({ folder, program, node }: Context, major: number, ...args: string[]) {
  const { error, status, stdout, stderr } = spawnSync(node(major), [program, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: process.env['PATH'] ?? '' },
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

for (const major of MAJORS) {
  bundle(`is tried on a Node ${major} that is one`, ({ node }) => {
    const { stdout } = spawnSync(node(major), ['--version'], { encoding: 'utf8' });
    assert.match(stdout, new RegExp(`^v${major}\\.`));
  });

  bundle(`says on Node ${major} what it is and what it can do`, (context) => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.equal(run(context, major, 'version'), { status: 0, stdout: `sipalg ${version}\n`, stderr: '' });
    const help = run(context, major, '--help');
    assert.equal([help.status, help.stderr], [0, '']);
    assert.match(help.stdout, /^sipalg finds the SIP ALG/);
  });

  bundle(`refuses on Node ${major} a command that is not there, naming it`, (context) => {
    const { status, stdout, stderr } = run(context, major, 'frobnicate');
    assert.is(status, 2);
    assert.is(stdout, '');
    assert.match(stderr, /frobnicate/);
    assert.is(/\bat .*:\d+:\d+/.test(stderr), false, `a sentence is wanted, not a stack: ${stderr}`);
  });
}

bundle.run();
