/** dist/sipalg.js alone, on every Node it is for, on a router with the real ALG. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab, type Lab } from '../lab.ts';
import type { Ran } from '../member.ts';

const MAJORS = [18, 20, 22, 24];
const PROGRAM = '/opt/sipalg.js';

interface Context {
  lab: Lab;
  node(major: number): string;
}

interface Report {
  version: string;
  facts: object;
  verdict: { alg: string; text: string; findings: { code: string; evidence: string[] }[] };
  plan: { towards: string; steps: { why: string }[] };
}

const versions = suite<Context>('dist/sipalg.js on a router');
versions.before(async (context) => {
  const { enginePath } = await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href);
  context.node = (major) => enginePath(`node-${major}`);
  context.lab = await openLab({ ruleset: 'stock-alg-on' });
  // Alone, below no package.json, as one that was copied there by hand.
  context.lab.files.write(PROGRAM, readFileSync('dist/sipalg.js'));
});
versions.after(({ lab }) => lab.close());

const run = ({ lab, node }: Context, major: number, ...words: string[]): Promise<Ran> =>
  lab.router.run([node(major), PROGRAM, ...words], { timeout: 60_000 });

for (const major of MAJORS) {
  versions(`finds the ALG with Node ${major}, and says the same in JSON, in words and by the exit code`, async (context) => {
    const json = await run(context, major, 'status', '--json');
    assert.equal([json.status, json.stderr], [1, '']);
    const report = JSON.parse(json.stdout) as Report;
    assert.equal(Object.keys(report).sort(), ['facts', 'plan', 'verdict', 'version']);
    assert.is(report.version, JSON.parse(readFileSync('package.json', 'utf8')).version);
    assert.is(report.verdict.alg, 'rewriting');
    assert.ok(report.verdict.findings.some(({ code, evidence }) => code === 'nft-assignment' && evidence.length === 1));
    const plain = await run(context, major, 'status');
    assert.equal([plain.status, plain.stderr], [1, '']);
    assert.is(plain.stdout.split('\n')[0], report.verdict.text);
    assert.is((await run(context, major)).stdout, plain.stdout, 'status is what is meant where nothing is said');
  });
}

versions('finds and plans the same with every Node', async (context) => {
  const [first, ...others] = await Promise.all(
    MAJORS.map(async (major) => {
      const { facts, verdict, plan } = JSON.parse((await run(context, major, 'status', '--json')).stdout) as Report;
      return { facts: Object.keys(facts), verdict, plan };
    }),
  );
  assert.ok(first !== undefined && first.plan.steps.length > 0);
  assert.is(others.length, 3);
  for (const other of others) assert.equal(other, first);
});

for (const major of MAJORS) {
  versions(`switches it off and gives it back with Node ${major}`, async (context) => {
    const { lab } = context;
    const before = lab.files.read('/etc/modules.conf');
    assert.is((await run(context, major, 'disable')).status, 0);
    assert.not.match(JSON.stringify(await lab.ruleset()), '"type":"sip"');
    const off = await run(context, major, 'status', '--json');
    assert.is(off.status, 0);
    assert.is((JSON.parse(off.stdout) as Report).verdict.alg, 'off');
    assert.is((await run(context, major, 'enable')).status, 0);
    assert.match(JSON.stringify(await lab.ruleset()), '"type":"sip"');
    assert.is(lab.files.read('/etc/modules.conf'), before);
  });
}

versions('is not troubled by a reader that goes away', async ({ lab }) => {
  const script = `{ '${process.execPath}' ${PROGRAM} status --json 2>/tmp/said; echo $? >/tmp/ended; } | true`;
  assert.is((await lab.router.run(['sh', '-c', script])).timedOut, false);
  assert.is(lab.files.read('/tmp/said'), '');
  assert.match(lab.files.read('/tmp/ended'), /^\d+\n$/);
});

versions.run();
