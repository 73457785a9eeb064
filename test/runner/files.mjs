// Finds the test files, sorts them into layers, runs them, each in a process of its own.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { pack } from './pack.mjs';
import { runProcess } from './process.mjs';
import { judge } from './verdict.mjs';

/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/**
 * Files of test/machine that boot one virtual machine at a time, which keeps one processor busy. The others boot one of
 * each kernel side by side.
 */
const ONE_MACHINE = ['images', 'loader', 'packages', 'readme', 'readme-apk'].map((name) => `test/machine/${name}.test.ts`);

/**
 * Layers in the order they run. A layer is a folder of test/: what setup.mjs is asked for, how long one file may take
 * (milliseconds), how many files run at a time, and whether a test that asserts nothing fails. Two at a time, but what keeps
 * two processors busy by itself, and the browser, which is to be quick; `beside` are the files of such a layer that go in pairs.
 * `again`: a file that failed has a second try (again.mjs).
 * @type {readonly { name: string, needs: string[], limit: number, pool: number, demanding: boolean, again?: true, beside?: string[] }[]}
 */
export const LAYERS = [
  { name: 'pure', needs: [], limit: 180_000, pool: 2, demanding: true },
  { name: 'engines', needs: ['engines'], limit: 600_000, pool: 2, demanding: true },
  { name: 'lab', needs: ['namespaces', 'alg', 'sip-tools', 'fleet', 'shell', 'page', 'engines'], limit: 720_000, pool: 2, demanding: false, again: true },
  { name: 'machine', needs: ['vm', 'engines'], limit: 1_500_000, pool: 1, demanding: false, again: true, beside: ONE_MACHINE },
  { name: 'page', needs: ['page'], limit: 180_000, pool: 1, demanding: true, again: true },
];

/**
 * @param {(typeof LAYERS)[number]} layer
 * @param {string[]} files of that layer, from the root
 * @returns {{ pool: number, files: string[] }[]} what runs at a time, in turn; every file once
 */
export function turnsOf({ pool, beside = [] }, files) {
  const [pairs, others] = [files.filter((file) => beside.includes(file)), files.filter((file) => !beside.includes(file))];
  return [
    { pool: 2, files: pairs },
    { pool, files: others },
  ].filter((turn) => turn.files.length > 0);
}

/** What a file is given where nothing else is said. */
const USUAL = { limit: 60_000, pool: 2, demanding: true };

/**
 * @param {string} file its path from the root, such as test/lab/wan.test.ts
 * @returns {string} the layer it belongs to: the folder of test/ it lies in
 */
export const layerOf = (file) => file.split('/')[1] ?? '';

/**
 * @param {string} folder
 * @returns {string[]} the test files under it, absolute, sorted
 */
export function findTests(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return findTests(path);
      return entry.name.endsWith('.test.ts') ? [path] : [];
    })
    .sort();
}

/**
 * Runs test files.
 * @param {object} task
 * @param {string} task.root        where they run, and what their names are told relative to
 * @param {string[]} task.files     absolute paths
 * @param {number} [task.limit]     milliseconds for one file
 * @param {number} [task.pool]      how many run at a time
 * @param {boolean} [task.demanding] whether a test that asserts nothing fails
 * @param {(verdict: Verdict) => void} [task.onVerdict]
 * @returns {Promise<Verdict[]>} one for each file
 */
export async function runFiles({ root, files, limit = USUAL.limit, pool = USUAL.pool, demanding = USUAL.demanding, onVerdict = () => {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-test-'));
  /** @type {Verdict[]} */
  const verdicts = [];
  const rest = [...files];
  const work = async () => {
    for (let file = rest.shift(); file !== undefined; file = rest.shift()) {
      const verdict = await runFile(file, { root, limit, folder, demanding });
      verdicts.push(verdict);
      onVerdict(verdict);
    }
  };
  try {
    // Not Promise.all: when one is interrupted the others are still putting things away.
    const ends = await Promise.allSettled(Array.from({ length: pool }, work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    clear(folder);
  }
  if (verdicts.length !== files.length) throw new Error(`${files.length} test files were found but ${verdicts.length} were run.`);
  return verdicts;
}

/** Removes a folder, unless something is mounted below it: that would be somebody's files. @param {string} folder */
function clear(folder) {
  const mounts = process.platform === 'linux' ? readFileSync('/proc/self/mountinfo', 'utf8') : '';
  const point = mounts
    .split('\n')
    .map((line) => line.split(' ')[4])
    .find((path) => path?.startsWith(folder + '/'));
  if (point === undefined) rmSync(folder, { recursive: true, force: true });
  else console.error(`${folder} was not removed: ${point} is still mounted. Unmount it, then remove the folder.`);
}

/** @param {string} file @param {{ root: string, limit: number, folder: string, demanding: boolean }} task */
async function runFile(file, { root, limit, folder, demanding }) {
  const name = relative(root, file);
  const stem = join(folder, name.split(sep).join('__'));
  // What a test puts among temporary files goes away with it, also when it is killed. Short: sockets have short names.
  const temporary = mkdtempSync(join(folder, 't'));
  const broken = await pack(file, `${stem}.cjs`);
  if (broken !== undefined) return failure(name, 'It cannot be packed.', broken);
  const journal = `${stem}.journal`;
  writeFileSync(journal, '');
  const ended = await runProcess([process.execPath, '--enable-source-maps', `${stem}.cjs`], {
    cwd: root,
    limit,
    env: { SIPALG_TEST_JOURNAL: journal, SIPALG_TEST_DEMANDING: demanding ? '1' : '', TMPDIR: temporary },
  });
  return judge(name, readFileSync(journal, 'utf8'), ended);
}

/** @param {string} file @param {string} problem @param {string} output @returns {Verdict} */
export function failure(file, problem, output) {
  return { file, suites: 0, passed: 0, failed: 1, skips: [], problems: [problem], output, ms: 0 };
}

/** @param {string} file @param {string} reason @returns {Verdict} */
export function skipped(file, reason) {
  return { file, suites: 0, passed: 0, failed: 0, skips: [reason], problems: [], output: '', ms: 0 };
}
