/** Saved routers, judged by the built program. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exitCode } from '../../../src/survey/survey.ts';
import { recordedRouter } from '../../routers.ts';
import { reportOf } from '../../survey.ts';

const built = suite('the built program');

built('judges a saved router, and may read nothing but itself and the document', async () => {
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

built.run();
