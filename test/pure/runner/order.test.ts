import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

// The runner is plain JavaScript (it runs before anything is installed), so it is loaded and not packed.
const runner = (file: string) => import(pathToFileURL(join(process.cwd(), 'test/runner', file)).href);

type Layer = { readonly name: string; readonly pool: number; readonly takes?: (file: string) => number };

const order = suite('the order of test files');

order('holds every file of a layer once, those that take long before the others, and names none that is not there', async () => {
  const { findTests, inOrder, layerOf, LAYERS, LONG, MACHINES } = await runner('files.mjs');
  const found: string[] = findTests(join(process.cwd(), 'test')).map((file: string) => relative(process.cwd(), file));
  for (const { name, pool, takes } of LAYERS as Layer[]) {
    const files = found.filter((file) => layerOf(file) === name);
    const long: string[] = LONG[name] ?? [];
    const ordered: string[] = inOrder(name, files);
    assert.equal([...ordered].sort(), [...files].sort(), name);
    assert.equal(ordered.slice(0, long.length), long, name);
    for (const file of files) assert.ok((takes?.(file) ?? 1) <= pool, file);
  }
  assert.equal(
    Object.keys(MACHINES).filter((file) => !found.includes(file)),
    [],
  );
  assert.equal(inOrder('lab', ['b', LONG.lab[1], 'a', LONG.lab[0]]), [LONG.lab[0], LONG.lab[1], 'b', 'a'], 'of a part, too');
});

order('never lets more run than the pool holds; what does not fit in waits, and what does goes before it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-order-'));
  try {
    const log = join(folder, 'log');
    const shares: Record<string, number> = { two: 2, all: 9, one: 1, last: 1 };
    const files = Object.keys(shares).map((name) => {
      const path = join(folder, `${name}.test.ts`);
      const say = (what: string): string => `appendFileSync(${JSON.stringify(log)}, '${what} ${name}\\n');`;
      writeFileSync(
        path,
        `import { test } from 'uvu'; import * as assert from 'uvu/assert'; import { appendFileSync } from 'node:fs';
         test('runs', async () => { ${say('+')} await new Promise((go) => setTimeout(go, 300)); assert.ok(true); ${say('-')} }); test.run();`,
      );
      return path;
    });
    const { runFiles } = await runner('files.mjs');
    const takes = (file: string): number => shares[file.replace('.test.ts', '')]!;
    const verdicts: { passed: number }[] = await runFiles({ root: folder, files, pool: 3, takes });
    assert.equal(
      verdicts.map(({ passed }) => passed),
      [1, 1, 1, 1],
    );
    const seen = readFileSync(log, 'utf8').trim().split('\n');
    const running = new Set<string>();
    for (const line of seen) {
      const name = line.slice(2);
      if (line.startsWith('+')) running.add(name);
      else running.delete(name);
      assert.ok(!running.has('all') || running.size === 1, seen.join());
      assert.ok([...running].reduce((sum, each) => sum + shares[each]!, 0) <= 3 || running.has('all'), seen.join());
    }
    assert.equal(seen.slice(-2), ['+ all', '- all']);
    assert.ok(seen.indexOf('+ one') < seen.indexOf('- two') || seen.indexOf('+ two') < seen.indexOf('- one'), `side by side: ${seen.join()}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

order.run();
