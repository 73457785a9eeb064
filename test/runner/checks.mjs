// What is counted besides the test files: that the program packs, and that the compiler has nothing to say.
import { join } from 'node:path';
import { runProcess } from './process.mjs';

/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/**
 * @param {{ root: string, types: boolean, onVerdict: (verdict: Verdict) => void }} task
 */
export async function checks({ root, types, onVerdict }) {
  onVerdict(await check('npm run build', root, [process.execPath, 'build.mjs']));
  if (!types) return;
  const tsc = [process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p'];
  onVerdict(await check('tsc -p tsconfig.json', root, [...tsc, 'tsconfig.json']));
  onVerdict(await check('tsc -p src/tsconfig.json', root, [...tsc, 'src/tsconfig.json']));
  onVerdict(await check('tsc -p src/page/dom/tsconfig.json', root, [...tsc, 'src/page/dom/tsconfig.json']));
}

/**
 * @param {string} name
 * @param {string} root
 * @param {string[]} argv
 * @returns {Promise<Verdict>}
 */
async function check(name, root, argv) {
  const { code, late, output, ms } = await runProcess(argv, { cwd: root, limit: 120_000 });
  const problems = code === 0 ? [] : [late ? 'It took more than 120 s.' : `It exited with code ${code}.`];
  return { file: name, suites: 0, passed: 1 - problems.length, failed: problems.length, skips: [], problems, output, ms };
}
