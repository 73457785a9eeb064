import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** As test/runner/verdict.mjs describes it. */
interface Verdict {
  file: string;
  suites: number;
  passed: number;
  failed: number;
  skips: string[];
  problems: string[];
  output: string;
  ms: number;
}

// The runner is plain JavaScript (it runs before anything is installed), so it is loaded and not packed.
const runner = (file: string) => import(pathToFileURL(join(process.cwd(), 'test/runner', file)).href);

let folder = '';

/** Runs one file of that text as the test command would. */
async function verdict(source: string, limit = 20_000): Promise<Verdict> {
  const file = join(folder, 'small.test.ts');
  writeFileSync(file, source);
  const { runFiles } = await runner('files.mjs');
  const [only, ...more]: Verdict[] = await runFiles({ root: folder, files: [file], limit });
  assert.is(more.length, 0);
  assert.ok(only);
  return only;
}

const HEAD = `import { suite } from 'uvu'; import * as assert from 'uvu/assert'; const s = suite('small');\n`;
const GOOD = `s('holds', () => { assert.is(1, 1); });\n`;

const red = suite('a test file is red when');
const green = suite('a test file is green when');
const kept = suite('a test file');
const command = suite('npm test');

for (const each of [red, green, kept, command]) {
  each.before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sipalg-runner-'));
  });
  each.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
}

const CASES: { when: string; source: string; problem: RegExp; passed?: number; failed?: number; limit?: number }[] = [
  {
    when: 'a test fails',
    source: HEAD + GOOD + `s('fails', () => { assert.is(1, 2); }); s.run();`,
    problem: /^1 of 2 tests failed/,
    passed: 1,
  },
  {
    when: 'a test throws what is no Error',
    source: HEAD + GOOD + `s('throws', () => { throw undefined; }); s.run();`,
    problem: /^1 of 2 tests failed/,
    passed: 1,
  },
  {
    when: 'a test asserts nothing',
    source: HEAD + GOOD + `s('loops', () => { for (const each of []) assert.ok(each); }); s.run();`,
    problem: /^1 of 2 tests failed/,
    passed: 1,
  },
  { when: 'it registers no test', source: `import 'uvu'; console.log('nothing here');`, problem: /^No test was registered/ },
  { when: 'it does not even import uvu', source: `console.log('nothing here');`, problem: /^No test was registered/ },
  { when: 'its suite is never run', source: HEAD + GOOD, problem: /^1 of 1 tests never started/ },
  {
    when: 'its second suite is never run',
    passed: 1,
    source: HEAD + GOOD + `s.run(); const t = suite('forgotten'); t('is lost', () => {});`,
    problem: /^1 of 2 tests never started, the first of them 'is lost'/,
  },
  {
    when: 'an empty suite is never run',
    source: HEAD + GOOD + `s.run(); suite('forgotten');`,
    passed: 1,
    problem: /^Suite 'forgotten' is never run/,
  },
  {
    when: 'a suite holds no test',
    source: HEAD + GOOD + `s.run(); suite('empty').run();`,
    passed: 1,
    problem: /^Suite 'empty' holds no test/,
  },
  {
    when: 'a test is registered after its suite was run',
    source: HEAD + GOOD + `s.run(); s('late', () => {});`,
    passed: 1,
    problem: /^1 of 2 tests never started, the first of them 'late'/,
  },
  {
    when: 'suite.before throws',
    source: HEAD + GOOD + `s.before(() => { throw new Error('no ground'); }); s.run();`,
    problem: /^before of suite 'small' threw Error: no ground/,
  },
  {
    when: 'suite.before rejects',
    source: HEAD + GOOD + `s.before(async () => { throw new Error('no ground'); }); s.run();`,
    problem: /^before of suite 'small' threw Error: no ground/,
  },
  {
    when: 'suite.after throws',
    source: HEAD + GOOD + `s.after(() => { throw new Error('not clean'); }); s.run();`,
    passed: 1,
    problem: /^after of suite 'small' threw Error: not clean/,
  },
  {
    when: 'suite.before.each throws',
    source: HEAD + GOOD + `s.before.each(() => { throw new Error('no ground'); }); s.run();`,
    problem: /^before.each of suite 'small' threw Error: no ground/,
  },
  {
    when: 'suite.after.each throws',
    passed: 1,
    source: HEAD + GOOD + `s('is lost with it', () => {}); s.after.each(() => { throw new Error('not clean'); }); s.run();`,
    problem: /^after.each of suite 'small' threw Error: not clean/,
  },
  {
    when: 'a test is marked .only',
    source: HEAD + GOOD + `s.only('alone', () => { assert.ok(1); }); s.run();`,
    passed: 2,
    problem: /^\.only hides tests: suite 'small', 'alone'/,
  },
  {
    when: 'a test is marked .skip',
    source: HEAD + GOOD + `s.skip('not now', () => {}); s.run();`,
    passed: 1,
    problem: /^\.skip hides tests: suite 'small', 'not now'/,
  },
  {
    when: 'its process dies',
    source: HEAD + `s('dies', () => { process.kill(process.pid, 'SIGKILL'); });` + GOOD + `s.run();`,
    problem: /^'dies' began and never ended/,
    failed: 2,
  },
  {
    when: 'it exits 0 in the middle of a test',
    source: HEAD + GOOD + `s('leaves', () => { process.exit(0); }); s.run();`,
    problem: /^'leaves' began and never ended/,
    passed: 1,
  },
  { when: 'it exits 0 before the first test', source: HEAD + GOOD + `s.run(); process.exit(0);`, problem: /^1 of 1 tests never started/ },
  {
    when: "it exits 0 at a test's end, with others to come",
    passed: 1,
    source: HEAD + GOOD + `s.after.each(() => { process.reallyExit(0); }); s('is lost', () => {}); s.run();`,
    problem: /^1 of 2 tests never started, the first of them 'is lost'/,
  },
  {
    when: "a test's promise is never settled",
    source: HEAD + `s('waits', () => new Promise(() => {}));` + GOOD + `s.run();`,
    problem: /^'waits' began and never ended/,
    failed: 2,
  },
  {
    when: 'it sets an exit code after the last test',
    passed: 1,
    source: HEAD + GOOD + `s.run(); process.on('exit', () => { process.exitCode = 3; });`,
    problem: /^Its process exited with code 3/,
  },
  {
    when: 'it leaves a rejection unhandled',
    passed: 1,
    source: HEAD + `s('floats', () => { assert.ok(1); void Promise.reject(new Error('unseen')); }); s.run();`,
    problem: /^A rejection was handled by nobody: Error: unseen/,
  },
  {
    when: 'an exception is thrown outside of any test',
    source: HEAD + GOOD + `s.run(); throw new Error('early');`,
    problem: /^1 of 1 tests never started/,
  },
  {
    when: 'it hangs on after its tests',
    passed: 1,
    limit: 1500,
    source: HEAD + GOOD + `s.run(); setInterval(() => {}, 1000);`,
    problem: /^It did not end within its time limit/,
  },
  {
    when: 'a test never yields',
    limit: 1500,
    source: HEAD + `s('spins', () => { for (;;); }); s.run();`,
    problem: /^'spins' began and never ended/,
  },
  { when: 'it cannot be packed', source: HEAD + `s('is broken', () => {`, problem: /^It cannot be packed/ },
];

/** All cases are run together: each starts a process, and some wait for their limit. Index in CASES to what came of it. */
let ran: Promise<Verdict[]> | undefined;

async function runAll(): Promise<Verdict[]> {
  const { runFiles } = await runner('files.mjs');
  const files = CASES.map(({ source }, index) => {
    const file = join(folder, `case-${index}.test.ts`);
    writeFileSync(file, source);
    return file;
  });
  const verdicts: Verdict[] = [];
  const onVerdict = (each: Verdict): void => {
    verdicts[Number(/\d+/.exec(each.file)?.[0])] = each;
  };
  const groups = [...new Set(CASES.map(({ limit }) => limit))];
  await Promise.all(
    groups.map((limit) => {
      const mine = files.filter((_, index) => CASES[index]?.limit === limit);
      return runFiles({ root: folder, files: mine, limit: limit ?? 20_000, pool: 4, onVerdict });
    }),
  );
  return verdicts;
}

for (const [index, { when, problem, passed = 0, failed = 1 }] of CASES.entries()) {
  red(when, async () => {
    const seen = (await (ran ??= runAll()))[index];
    assert.ok(seen, when);
    assert.ok(
      seen.problems.some((each) => problem.test(each)),
      `${problem} is not among ${JSON.stringify(seen)}`,
    );
    assert.equal({ passed: seen.passed, failed: seen.failed }, { passed, failed });
  });
}

red('it leaves processes running, which are ended, whatever they did to hide', async () => {
  const pids = join(folder, 'pids');
  const seen = await verdict(
    HEAD +
      `
    import { spawn } from 'node:child_process';
    import { appendFileSync } from 'node:fs';
    s('starts what outlives it', () => {
      const sleep = (options) => {
        const child = spawn('sleep', ['60'], { stdio: 'ignore', ...options });
        appendFileSync(${JSON.stringify(pids)}, child.pid + '\\n');
        child.unref();
      };
      sleep({});
      sleep({ detached: true });
      sleep({ env: { PATH: process.env.PATH } });
    });
    s.run();`,
  );
  assert.match(seen.problems.join(), /left processes running: sleep \(\d+\), sleep \(\d+\), sleep \(\d+\)/);
  const started = readFileSync(pids, 'utf8').trim().split('\n');
  assert.is(started.length, 3);
  await new Promise((resolve) => {
    setTimeout(resolve, 200);
  });
  assert.equal(
    started.filter((pid) => existsSync(`/proc/${pid}/exe`)),
    [],
  );
});

red('it hangs together with its children, and all are ended', async () => {
  const pids = join(folder, 'hung');
  const seen = await verdict(
    HEAD +
      `
    import { spawn } from 'node:child_process';
    import { appendFileSync } from 'node:fs';
    s('waits for a child that never ends', () => new Promise((resolve) => {
      const child = spawn('sh', ['-c', 'trap "" TERM; sleep 60 & sleep 60; wait'], { stdio: 'inherit', detached: true, env: { PATH: process.env.PATH } });
      appendFileSync(${JSON.stringify(pids)}, String(child.pid));
      child.on('exit', resolve);
    }));
    s.run();`,
    1500,
  );
  assert.match(seen.problems.join(), /did not end within its time limit/);
  assert.is(existsSync(`/proc/${readFileSync(pids, 'utf8')}/exe`), false);
});

green('its tests pass, and they are counted', async () => {
  const seen = await verdict(
    HEAD +
      GOOD +
      `s('holds too', async () => { assert.not(0); }); s.run(); const t = suite('other'); t('holds', () => { assert.is.not(1, 2); }); t.run();`,
  );
  assert.equal(
    { ...seen, output: '', ms: 0 },
    { file: 'small.test.ts', suites: 2, passed: 3, failed: 0, skips: [], problems: [], output: '', ms: 0 },
  );
});

green('it uses the suite without a name', async () => {
  const seen = await verdict(
    `import { test } from 'uvu'; import * as assert from 'uvu/assert'; test('holds', () => { assert.ok(1); }); test.run();`,
  );
  assert.equal([seen.passed, seen.failed, seen.suites], [1, 0, 1]);
});

green('hooks share the context with the tests', async () => {
  const seen = await verdict(
    HEAD +
      `s.before((c) => { c.n = 1; }); s.before.each((c) => { c.n++; });
    s('sees 2', (c) => { assert.is(c.n, 2); }); s('sees 3', (c) => { assert.is(c.n, 3); }); s.after((c) => { assert.is(c.n, 3); }); s.run();`,
  );
  assert.equal([seen.passed, seen.failed, seen.problems], [2, 0, []]);
});

green('it announces what this machine cannot run, with a reason', async () => {
  const layer = JSON.stringify(join(process.cwd(), 'test/layer.ts'));
  const seen = await verdict(`import { announceSkip } from ${layer}; announceSkip('No moon tonight.');`);
  assert.equal([seen.passed, seen.failed, seen.skips, seen.problems], [0, 0, ['No moon tonight.'], []]);
});

kept('takes its temporary files along when it ends', async () => {
  const seen = await verdict(
    HEAD +
      `import { mkdtempSync, writeFileSync } from 'node:fs'; import { tmpdir } from 'node:os'; import { join } from 'node:path';
    s('leaves a file', () => { const f = mkdtempSync(join(tmpdir(), 'x-')) + '/f'; writeFileSync(f, ''); console.log('made ' + f); });
    s('fails', () => { assert.is(1, 2); }); s.run();`,
  );
  const made = /made (\S+)/.exec(seen.output)?.[1] ?? '';
  assert.match(made, /\/f$/);
  assert.is(existsSync(made), false);
});

kept('names the line of its source where it fails', async () => {
  const seen = await verdict(HEAD + `\n\ns('fails', () => { assert.is(1, 2); }); s.run();`);
  assert.match(seen.output, /small\.test\.ts:4:/);
});

/** The test command as a person starts it. */
function npmTest(...words: string[]) {
  return spawnSync(process.execPath, ['test/run.mjs', ...words], { encoding: 'utf8' });
}

command('is red when no file has the word in its path', () => {
  const { status, stderr } = npmTest('no-such-room');
  assert.is(status, 1);
  assert.match(stderr, /^None of the \d+ test files has 'no-such-room' in its path\.\n$/);
});

command('is ended by Ctrl-C together with what it runs, and leaves nothing behind', async () => {
  const files = join(process.cwd(), 'test/runner/files.mjs');
  const file = join(folder, 'slow.test.ts');
  const pids = join(folder, 'pids');
  writeFileSync(
    file,
    HEAD +
      `
    import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs'; import { tmpdir } from 'node:os';
    s('is slow', () => new Promise((resolve) => {
      const child = spawn('sleep', ['60'], { detached: true });
      writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid + ' ' + tmpdir());
      child.on('exit', resolve);
    })); s.run();`,
  );
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    import { runFiles } from ${JSON.stringify(files)};
    import { Interrupted, stopAll } from ${JSON.stringify(join(process.cwd(), 'test/runner/process.mjs'))};
    process.once('SIGINT', () => stopAll('SIGINT'));
    const file = ${JSON.stringify(file)};
    try { await runFiles({ root: ${JSON.stringify(folder)}, files: [file, file], pool: 1 }); }
    catch (error) { process.exit(error instanceof Interrupted ? 130 : 1); }`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise((resolve) => {
    child.on('exit', resolve);
  });
  for (let turn = 0; turn < 200 && !existsSync(pids); turn++)
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  child.kill('SIGINT');
  assert.is(await ended, 130);
  const [test = '', sleep = '', temporary = ''] = readFileSync(pids, 'utf8').split(' ');
  assert.equal([`/proc/${test}/exe`, `/proc/${sleep}/exe`, temporary].filter(existsSync), []);
});

const end = suite('a run ends with');

const held: Verdict = { file: 'a.test.ts', suites: 1, passed: 2, failed: 0, skips: [], problems: [], output: '', ms: 1 };
const broken: Verdict = { ...held, file: 'b.test.ts', failed: 1, problems: ['1 of 3 tests failed.'] };
const unable: Verdict = { ...held, file: 'c.test.ts', passed: 0, skips: ['Needs root.'] };

end('the counts alone on the last line', async () => {
  const { summary } = await runner('words.mjs');
  assert.equal(summary([held, held], { skipFails: false }), { text: '\n\n4 passed, 0 failed', failed: false });
});

end('the files that failed, and red', async () => {
  const { summary } = await runner('words.mjs');
  assert.equal(summary([broken, held], { skipFails: true }), {
    text: '\nfailed: b.test.ts: 1 of 3 tests failed.\n\n4 passed, 1 failed',
    failed: true,
  });
});

end('the skips and their reasons', async () => {
  const { summary } = await runner('words.mjs');
  assert.equal(summary([held, unable], { skipFails: false }), {
    text: '\nskipped: c.test.ts: Needs root.\n\n2 passed, 0 failed, 1 skipped',
    failed: false,
  });
});

end('red for a skip where CI=true', async () => {
  const { summary } = await runner('words.mjs');
  const { text, failed } = summary([held, unable], { skipFails: true });
  assert.is(failed, true);
  assert.match(text, /\nCI=true: a skip is a failure here\.\n\n2 passed, 1 failed, 1 skipped$/);
});

end('the ten files that took longest, where there are more', async () => {
  const { slowest } = await runner('words.mjs');
  const took = (ms: number) => ({ ...held, file: `${ms}.test.ts`, ms });
  const few = Array.from({ length: 10 }, (_, index) => took(1000 * index));
  assert.equal(slowest(few), []);
  const lines: string[] = slowest([...few, took(312_400)]);
  assert.equal([lines.length, lines[0], lines[1], lines.at(-1)], [11, 'slowest:', '   312 s  312400.test.ts', '     1 s  1000.test.ts']);
});

end('how long each layer took', async () => {
  const { spent } = await runner('words.mjs');
  assert.is(
    spent(
      new Map([
        ['pure', 41.4],
        ['lab', 600],
      ]),
    ),
    'took: pure 41 s, lab 600 s',
  );
});

red.run();
green.run();
kept.run();
command.run();
end.run();
