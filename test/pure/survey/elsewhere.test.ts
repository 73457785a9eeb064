/** Every recorded router, judged where nothing of it is: in another process, and by the built program. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cli } from '../../../src/cli/cli.ts';
import { createSurveyor, exitCode } from '../../../src/survey/survey.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { bundled } from '../../lab/bundled.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { reportOf, surveyor, VERSION } from '../../survey.ts';
import type { Said } from './elsewhere.ts';

const elsewhere = suite('a router judged elsewhere');
const WAYS = [['status', '--json'], ['status'], ['plan'], ['policy']];

/** What the program says on the router itself. */
async function live(name: string, words: readonly string[]): Promise<Said> {
  const said: Said = { code: -1, out: '', err: '' };
  const broken = createSurveyor(VERSION, () => Promise.reject(new Error('this program was put together without it')));
  const host = recordedRouter(name);
  said.code = await cli(
    words,
    { host, surveyor: name === 'policy-part-missing' ? broken : surveyor },
    {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      input: async () => ({ state: 'absent', source: 'standard input' }),
      goOn: () => true,
    },
  );
  assert.equal(host.unanswered, []);
  return said;
}

elsewhere(
  'says the same of every recorded router, from its report and from its facts alone, in a process that has nothing of it',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sipalg-elsewhere-'));
    try {
      const program = join(folder, 'elsewhere.cjs');
      writeFileSync(program, await bundled('test/pure/survey/elsewhere.ts'));
      const names = routerNames();
      assert.ok(names.filter((name) => name.startsWith('voice-')).length >= 5);
      const here: Said[][] = [];
      for (const name of names) here.push(await Promise.all(WAYS.map((way) => live(name, way))));
      const reports = here.map(([json]) => json?.out ?? '');
      const documents = [...reports, ...reports.map((text) => JSON.stringify((JSON.parse(text) as Report).facts))];
      const ran = spawnSync(process.execPath, [program], {
        cwd: folder,
        env: {},
        encoding: 'utf8',
        input: JSON.stringify({ version: VERSION, documents, ways: WAYS }),
        maxBuffer: 1 << 28,
        timeout: 50_000,
      });
      assert.equal([ran.status, ran.stderr], [0, '']);
      const there = JSON.parse(ran.stdout) as Said[][];
      names.forEach((name, at) => {
        assert.equal(there[at], here[at], name);
        assert.equal(there[names.length + at], here[at], `${name}, its facts alone`);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

elsewhere('is judged by the built program, which may read nothing but itself and the document', async () => {
  const { packLone } = (await import(pathToFileURL(join(process.cwd(), 'build.mjs')).href)) as {
    packLone(folder: string): Promise<unknown>;
  };
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-built-'));
  try {
    const program = join(folder, 'sipalg.js');
    await packLone(dirname(program));
    // Node 20 and later can keep a program from everything else; on an older one it runs as it is.
    const permission = ['--permission', '--experimental-permission'].find((option) => process.allowedNodeEnvironmentFlags.has(option));
    const guard = permission === undefined ? [] : [permission, `--allow-fs-read=${folder}/*`, '--no-warnings'];
    const run = (words: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [...guard, program, ...words], { cwd: folder, env: {}, encoding: 'utf8', input, timeout: 30_000 });
    const version = /^sipalg (\S+)\n$/.exec(run(['version']).stdout)?.[1] ?? '';
    const file = join(folder, 'router.json');
    for (const name of ['voice-missing', 'voice-fw3-changed', 'voice-stale-names', 'stock-alg-on']) {
      const report = { ...(await reportOf(recordedRouter(name))), version };
      const text = `${JSON.stringify(report, null, 2)}\n`;
      writeFileSync(file, text);
      const said = run(['status', '--json', '--from', file]);
      assert.equal([said.stderr, said.status], ['', exitCode(report)], name);
      assert.equal(JSON.parse(said.stdout), JSON.parse(text), name);
      const piped = run(['status', '--json', '--from', '-'], JSON.stringify(report.facts));
      assert.equal([piped.status, piped.stdout], [said.status, said.stdout], `${name}, facts alone, on standard input`);
      assert.is(run(['plan', '--from', '-'], text).status, said.status);
    }
    const refused = (words: readonly string[], input?: string): string => {
      const { status, stdout, stderr } = run(words, input);
      assert.equal([status, stdout], [2, ''], words.join(' '));
      assert.match(stderr, /^sipalg: [^\n]+\.\n$/);
      return stderr;
    };
    const whole = JSON.stringify({ ...(await reportOf(recordedRouter('voice-changed'))), version });
    assert.match(refused(['status', '--from', join(folder, 'none.json')]), /There is no \S+none\.json; save one with/);
    assert.match(refused(['status', '--from', '-'], ''), 'standard input is empty; save one with');
    assert.match(refused(['plan', '--from', '-'], whole.slice(0, 9000)), 'standard input ends in the middle of the document');
    assert.match(
      refused(['policy', '--from', '-'], whole.replace(`"version":"${version}"`, '"version":"9.1.0"')),
      'was saved by sipalg 9.1.0',
    );
    assert.match(refused(['status', '--from', '-'], '{}'), 'no document of sipalg');
    assert.match(
      refused(['status', '--from', '-'], whole.replace('"shape":', '"shade":')),
      'the facts lack "policy.value.inForce.all.value.shape"',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

elsewhere.run();
