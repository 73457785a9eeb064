// The test command: npm test [-- --layer LAYER] [WORD...]. Installs what is lacking, builds what is shipped, checks types,
// runs every test/LAYER/**/*.test.ts in a process of its own, and counts. With words, runs the files whose path holds one
// of them.
import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';
import { need } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const inCI = process.env.CI === 'true';

const lacking = await need(['npm']);
for (const { reason } of lacking) console.error(reason);
if (lacking.length > 0) process.exit(1);

// Only now: these need what was just installed.
const { findTests, inOrder, layerOf, LAYERS, runFiles, skipped } = await import('./runner/files.mjs');
const { asked } = await import('./runner/asked.mjs');
const { MOST_TRIED_AGAIN, tryAgain } = await import('./runner/again.mjs');
const { checks } = await import('./runner/checks.mjs');
const { Interrupted, proceed, stopAll } = await import('./runner/process.mjs');
const { line, slowest, spent, summary } = await import('./runner/words.mjs');

const names = LAYERS.map(({ name }) => name);
const wish = asked(process.argv.slice(2), names);
if ('wrong' in wish) {
  console.error(wish.wrong);
  process.exit(2);
}
const { layer: only, words } = wish;

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    console.error(`\n${signal}: ending what is running`);
    stopAll(signal);
  });
}

const found = findTests(root + 'test');
const lost = found.filter((file) => !names.includes(layerOf(relative(root, file))));
if (lost.length > 0) {
  console.error(
    `${lost.map((file) => relative(root, file)).join(', ')}: lies in no layer, and nothing would run it. Layers are the folders ${names.map((name) => `test/${name}`).join(', ')}.`,
  );
  process.exit(1);
}
const files = found
  .filter((file) => only === undefined || layerOf(relative(root, file)) === only)
  .filter((file) => words.length === 0 || words.some((word) => relative(root, file).includes(word)));
if (files.length === 0) {
  const where = only === undefined ? '' : ` of the layer ${only}`;
  console.error(
    words.length === 0
      ? `There is no test file${where}.`
      : `None of the ${found.length} test files${where} has ${words.map((word) => `'${word}'`).join(' or ')} in its path.`,
  );
  process.exit(1);
}
const part = words.length > 0 || only !== undefined;
if (part) console.log(`only ${files.length} of ${found.length} test files, and no type check`);

/** @typedef {import('./runner/verdict.mjs').Verdict} Verdict */
/** @type {Verdict[]} */
const verdicts = [];
const tell = (/** @type {Verdict} */ verdict) => console.log(line(verdict, { skipFails: inCI }));
const onVerdict = (/** @type {Verdict} */ verdict) => {
  verdicts.push(verdict);
  tell(verdict);
};

/** Seconds by layer, for the last lines. @type {Map<string, number>} */
const durations = new Map();

try {
  await checks({ root, types: !part, onVerdict });
  for (const layer of LAYERS) {
    const mine = files.filter((file) => layerOf(relative(root, file)) === layer.name);
    if (mine.length === 0) continue;
    const missing = await need(layer.needs);
    const began = Date.now();
    const paths = mine.map((file) => relative(root, file));
    if (missing.length > 0) for (const path of paths) onVerdict(skipped(path, missing.map(({ reason }) => reason).join(' ')));
    else {
      const run = (/** @type {string[]} */ some, pool = layer.pool) =>
        runFiles({ ...layer, root, files: some.map((path) => root + path), pool, onVerdict: tell });
      const ran = await run(inOrder(layer.name, paths));
      // Not where a part was asked for: whoever works on a test wants to see what it does.
      const failed = layer.again && !part ? ran.filter((each) => each.failed > 0) : [];
      const left = MOST_TRIED_AGAIN - verdicts.filter((each) => each.again !== undefined).length;
      if (failed.length > 0 && failed.length <= left) console.log(`trying again: ${failed.map(({ file }) => file).join(', ')}`);
      const last = await tryAgain({ failed, left, run: async (file) => /** @type {Verdict} */ ((await run([file], 1))[0]) });
      verdicts.push(...ran.filter((each) => !failed.includes(each)), ...last);
    }
    durations.set(layer.name, (Date.now() - began) / 1000);
  }
  proceed();
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.error('The run was interrupted; what had begun is put away.');
  process.exit(130);
}

const { text, failed } = summary(verdicts, { skipFails: inCI });
console.log(`\n${[...slowest(verdicts), spent(durations)].join('\n')}`);
console.log(text);
process.exitCode = failed ? 1 : 0;
