/** Commands that go on, through the doors of both engines: lines as they come, how they end, and that nothing is left running. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled } from '../../bundled.ts';
import { startOf } from '../start.ts';
import { ENGINES } from './remote.ts';

interface Ended {
  lines: string[];
  count: number;
  end: { state: string; command: string; code?: number; stderr?: string; because?: string };
}

for (const engine of ENGINES) {
  const following = suite<{ folder: string; run: (...words: string[]) => Ended }>(`following commands through ${engine}`);

  following.before(async (context) => {
    context.folder = mkdtempSync(join(tmpdir(), 'following-'));
    const file = join(context.folder, engine === 'node' ? 'drive.cjs' : 'drive.mjs');
    writeFileSync(file, await bundled(`test/engines/doors/following-${engine}.ts`, engine));
    const [program = '', ...flags] = await startOf(engine);
    context.run = (...words) => {
      const { status, stdout, stderr } = spawnSync(program, [...flags, file, ...words], { encoding: 'utf8', timeout: 60_000 });
      if (status !== 0 || stderr !== '') throw new Error(`ended with ${status}: ${stderr}`);
      return JSON.parse(stdout) as Ended;
    };
  });
  following.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

  following('hands over each line, also one that comes in pieces, and none without its end', ({ run }) => {
    const { lines, end } = run(
      '0',
      'sh',
      '-c',
      'echo one; printf tw; sleep 0.2; echo o; echo; printf "caf\\303\\251\\nrest"; echo hm >&2; exit 3',
    );
    assert.equal(lines, ['one', 'two', '', 'caf\u00c3\u00a9']);
    assert.equal([end.state, end.code, end.stderr], ['exited', 3, 'hm\n']);
  });

  following('takes much at once and loses none of it', ({ run }) => {
    assert.is(run('0', 'seq', '1', '100000').count, 100_000);
  });

  following('stops a command that goes on for ever, with what it has started', ({ run, folder }) => {
    const file = join(folder, 'pid');
    const { lines, end } = run('2', 'sh', '-c', `sh -c 'echo $$ > ${file}; exec sleep 600' & while :; do echo again; sleep 0.05; done`);
    assert.equal([lines.slice(0, 2), end.state], [['again', 'again'], 'stopped']);
    const pid = Number(readFileSync(file, 'utf8'));
    assert.ok(pid > 1);
    const runs = (): boolean => existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    for (let tries = 0; tries < 100 && runs(); tries++) spawnSync('sleep', ['0.05']);
    assert.not.ok(runs());
  });

  following('tells what is not installed, what may not be run and what was killed', ({ run }) => {
    assert.equal(run('0', 'sipalg-no-such-tool', '-E').end, { state: 'absent', command: 'sipalg-no-such-tool -E' });
    assert.equal(run('0', '/etc/passwd').end.state, 'failed');
    assert.is(run('0', 'sh', '-c', 'kill -9 $$').end.because, 'it was ended by SIGKILL');
  });

  following.run();
}
