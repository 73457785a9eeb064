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

  bundle(`answers 'status --json' on Node ${major} with one report and nothing else`, (context) => {
    const { status, stdout, stderr } = run(context, major, 'status', '--json');
    assert.is(stderr, '');
    const report = JSON.parse(stdout);
    assert.equal(Object.keys(report).sort(), ['facts', 'plan', 'verdict', 'version']);
    const version: unknown = JSON.parse(readFileSync('package.json', 'utf8')).version;
    assert.is(report.version, version);
    assert.ok(['rewriting', 'tracking', 'off', 'unknown'].includes(report.verdict.alg));
    // grep's and diff's codes: 0 off and staying so, 1 on or coming back, 2 unknown
    const expected = report.verdict.alg === 'unknown' ? [2] : report.verdict.alg === 'off' ? [0, 1] : [1];
    assert.ok(expected.includes(status ?? -1), `${report.verdict.alg} came with exit code ${status}`);
  });

  bundle(`speaks to a person on Node ${major}`, (context) => {
    const { status, stdout, stderr } = run(context, major, 'status');
    assert.ok(status === 0 || status === 1 || status === 2);
    assert.is(stderr, '');
    assert.ok(stdout.length > 40);
    assert.throws(() => JSON.parse(stdout));
  });

  bundle(`refuses on Node ${major} a command that is not there, naming it`, (context) => {
    const { status, stdout, stderr } = run(context, major, 'frobnicate');
    assert.is(status, 2);
    assert.is(stdout, '');
    assert.match(stderr, /frobnicate/);
    assert.is(/\bat .*:\d+:\d+/.test(stderr), false, `a sentence is wanted, not a stack: ${stderr}`);
  });
}

bundle('finds the same on every Node', (context) => {
  const [first, ...others] = MAJORS.map((major) => {
    const { status, stdout } = run(context, major, 'status', '--json');
    const { facts, verdict, plan } = JSON.parse(stdout);
    return { status, facts: Object.keys(facts), alg: verdict.alg, plan };
  });
  for (const other of others) assert.equal(other, first);
});

bundle.run();
