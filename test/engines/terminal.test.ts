/** What a person's terminal shows, on both engines: a real one (bsdutils' `script`), with widths, colours and kinds as they are met. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../bundled.ts';
import { recordedRouter } from '../routers.ts';
import { reportOf } from '../survey.ts';
import { startOf } from './start.ts';

interface Context {
  folder: string;
}

const ENGINES: readonly Engine[] = ['node', 'quickjs'];
const PROGRAM: Record<Engine, string> = { node: 'dist/router/sipalg.mjs', quickjs: 'dist/router/sipalg.qjs.mjs' };

const terminals = suite<Context>('a terminal');

terminals.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'terminal-'));
  const { facts } = await reportOf(recordedRouter('stock-alg-on'));
  writeFileSync(join(context.folder, 'facts.json'), JSON.stringify(facts));
});

terminals.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

interface Traits {
  columns: number;
  TERM?: string;
  NO_COLOR?: string;
  /** What follows the program's words, for the shell: a pipe, a file. */
  then?: string;
}

/** What came on the terminal, with the ends of lines of a file. `status --from` of a router whose ALG is on, by default. */
async function shown(
  { folder }: Context,
  engine: Engine,
  { columns, TERM = 'xterm-256color', NO_COLOR = '', then = '' }: Traits,
  words: readonly string[] = ['status', '--from', join(folder, 'facts.json')],
): Promise<string> {
  const command = [...(await startOf(engine)), PROGRAM[engine], ...words].map((word) => `'${word}'`).join(' ');
  // `script` takes its terminal's size from its own input, which is none here: the shell within sets it.
  const { error, stdout } = spawnSync('script', ['-qec', `stty cols ${columns} rows 40; ${command} ${then}`, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, TERM, NO_COLOR, LC_ALL: '', LC_MESSAGES: '', LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  if (error !== undefined) throw error;
  return stdout.replaceAll('\r\n', '\n');
}

const plain = (text: string): string => text.replace(/\x1b\[[\d;]*m/g, '');
const linesOf = (text: string): string[] => plain(text).split('\n');
const squeezed = (text: string): string => plain(text).replace(/\s+/g, ' ');

for (const engine of ENGINES) {
  terminals(`on ${engine}: colours are there, and say nothing that the signs do not`, async (context) => {
    const text = await shown(context, engine, { columns: 80 });
    assert.match(text, /^ {2,4}\x1b\[1;31m!\x1b\[0m /m);
    const without = await shown(context, engine, { columns: 80, NO_COLOR: '1' });
    assert.is(without, plain(text));
    assert.is(await shown(context, engine, { columns: 80, TERM: 'dumb' }), without);
    assert.is(await shown(context, engine, { columns: 80, then: '| cat' }), without, 'what goes into a pipe has none, on a terminal too');
  });

  terminals(`on ${engine}: lines are folded at the width there is, and no word is lost`, async (context) => {
    const texts = await Promise.all([60, 80, 132].map(async (columns) => [columns, await shown(context, engine, { columns })] as const));
    const [[, narrow], [, common], [, wide]] = texts as [(typeof texts)[0], (typeof texts)[0], (typeof texts)[0]];
    // A rule of the firewall's is quoted in one line on each of them, and so is what is to be typed.
    const quoted = linesOf(wide).filter((line) => /ct helper set|^ +\[#\]/.test(line));
    assert.ok(quoted.length > 0);
    for (const [columns, text] of texts)
      assert.equal(
        linesOf(text).filter((line) => line.length > columns && !quoted.includes(line) && !/^ *`[^`]+`\.?$/.test(line)),
        [],
        `${columns} columns`,
      );
    assert.ok(
      linesOf(wide).some((line) => line.length > 80 && !quoted.includes(line)),
      'a wide one is used',
    );
    assert.is(squeezed(narrow), squeezed(common));
    assert.is(squeezed(wide), squeezed(common));
  });

  terminals(`on ${engine}: JSON is JSON there too`, async (context) => {
    const text = await shown(context, engine, { columns: 60 }, ['status', '--json', '--from', join(context.folder, 'facts.json')]);
    assert.is((JSON.parse(text) as { verdict: { alg: string } }).verdict.alg, 'rewriting');
  });
}

terminals('is the same on both engines', async (context) => {
  const [onNode, onQuickjs] = await Promise.all(ENGINES.map((engine) => shown(context, engine, { columns: 72 })));
  assert.is(onQuickjs, onNode);
});

terminals.run();
