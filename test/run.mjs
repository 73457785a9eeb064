// The test command: npm test [-- WORD...]. Installs what is lacking, builds what is shipped, checks types, runs every
// test/**/*.test.ts in a process of its own, and counts. With words, runs the files whose path holds one of them.
import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';
import { need } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
const inCI = process.env.CI === 'true';

const lacking = await need(['npm']);
for (const { reason } of lacking) console.error(reason);
if (lacking.length > 0) process.exit(1);

// Only now: these need what was just installed.
const { findTests, layerOf, LAYERS, PURE, runFiles, skipped } = await import('./runner/files.mjs');
const { checks } = await import('./runner/checks.mjs');
const { Interrupted, proceed, stopAll } = await import('./runner/process.mjs');
const { line, summary } = await import('./runner/words.mjs');

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    console.error(`\n${signal}: ending what is running`);
    stopAll(signal);
  });
}

const found = findTests(root + 'test');
const files = words.length === 0 ? found : found.filter((file) => words.some((word) => relative(root, file).includes(word)));
if (files.length === 0) {
  console.error(words.length === 0 ? 'There is no test/**/*.test.ts.'
    : `None of the ${found.length} test files has ${words.map((word) => `'${word}'`).join(' or ')} in its path.`);
  process.exit(1);
}
if (words.length > 0) console.log(`only ${files.length} of ${found.length} test files, and no type check: those with ${words.join(' or ')} in their path`);

/** @type {import('./runner/verdict.mjs').Verdict[]} */
const verdicts = [];
const onVerdict = (/** @type {import('./runner/verdict.mjs').Verdict} */ verdict) => {
  verdicts.push(verdict);
  console.log(line(verdict, { skipFails: inCI }));
};

try {
  await checks({ root, types: words.length === 0, onVerdict });
  await runFiles({ root, files: files.filter((file) => layerOf(relative(root, file)) === undefined), ...PURE, onVerdict });
  for (const layer of LAYERS) {
    const mine = files.filter((file) => layerOf(relative(root, file)) === layer);
    if (mine.length === 0) continue;
    const missing = await need(layer.needs);
    if (missing.length === 0) await runFiles({ root, files: mine, limit: layer.limit, pool: layer.pool, onVerdict });
    else for (const file of mine) onVerdict(skipped(relative(root, file), missing.map(({ reason }) => reason).join(' ')));
  }
  proceed();
} catch (error) {
  if (!(error instanceof Interrupted)) throw error;
  console.error('The run was interrupted; what had begun is put away.');
  process.exit(130);
}

const { text, failed } = summary(verdicts, { skipFails: inCI });
console.log(text);
process.exitCode = failed ? 1 : 0;
