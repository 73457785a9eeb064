/** Every recorded router, judged in a process where nothing of it is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from '../../../src/cli/cli.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { bundled } from '../../bundled.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { surveyor, VERSION } from '../../survey.ts';
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

elsewhere.run();
