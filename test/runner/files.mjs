// Finds the test files, sorts them into layers, runs them, each in a process of its own.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { pack } from './pack.mjs';
import { runProcess } from './process.mjs';
import { judge } from './verdict.mjs';

/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/**
 * What a file of test/machine takes of that layer's pool: a machine keeps one processor busy but for its pauses, so three share two.
 * Most boot one of each kernel side by side (USUAL_MACHINES), these one at a time; and where milliseconds are looked at, nothing is beside.
 */
export const MACHINES = /** @type {Readonly<Record<string, number>>} */ ({
  ...Object.fromEntries(['images', 'loader', 'packages-apk', 'packages-opkg', 'readme', 'readme-apk'].map((name) => [machine(name), 1])),
  [machine('offload')]: 3,
});
const USUAL_MACHINES = 2;

/** @param {string} name */
function machine(name) {
  return `test/machine/${name}.test.ts`;
}

/**
 * Files that take long, the longest first: they begin first, so that no processor is idle while the last of them ends.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const LONG = {
  lab: ['apply/kills', 'apply/faults', 'voice/iptables', 'apply/again', 'voice/stays', 'voice/inbound', 'fleet/prometheus', 'voice/storms']
    .concat(['voice/attempts', 'voice/voice', 'fleet/ansible', 'watch/watch', 'package/life', 'diagnose/matrix', 'apply/policy-kills'])
    .map((name) => `test/lab/${name}.test.ts`),
  machine: ['offload', 'power', 'owners', 'packages-opkg', 'packages-apk', 'modules', 'images', 'storm', 'loader', 'readme'].map(machine),
};

/**
 * Layers in the order they run. A layer is a folder of test/: what setup.mjs is asked for, how long one file may take
 * (milliseconds), how many files run at a time, and whether a test that asserts nothing fails. Two at a time, but the lab, whose
 * files wait for most of their time, and the browser, which is to be quick. `takes`: how much of the pool one file takes; 1 if not given.
 * `again`: a file that failed has a second try (again.mjs).
 * @type {readonly { name: string, needs: string[], limit: number, pool: number, demanding: boolean, again?: true, takes?: (file: string) => number }[]}
 */
export const LAYERS = [
  { name: 'pure', needs: [], limit: 180_000, pool: 2, demanding: true },
  { name: 'engines', needs: ['engines'], limit: 600_000, pool: 2, demanding: true },
  { name: 'lab', needs: ['namespaces', 'alg', 'sip-tools', 'fleet', 'shell', 'page', 'engines'], limit: 720_000, pool: 3, demanding: false, again: true },
  {
    name: 'machine',
    needs: ['vm', 'engines'],
    limit: 1_500_000,
    pool: 3,
    demanding: false,
    again: true,
    takes: (file) => MACHINES[file] ?? USUAL_MACHINES,
  },
  { name: 'page', needs: ['page'], limit: 180_000, pool: 1, demanding: true, again: true },
];

/**
 * @param {string} layer
 * @param {readonly string[]} files of that layer, from the root
 * @returns {string[]} the same in the order they begin
 */
export function inOrder(layer, files) {
  const long = (LONG[layer] ?? []).filter((file) => files.includes(file));
  return [...long, ...files.filter((file) => !long.includes(file))];
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
 * Runs test files, at a time as many as the pool holds: in turn, but where one does not fit in beside what runs, the next that does
 * goes before it.
 * @param {object} task
 * @param {string} task.root        where they run, and what their names are told relative to
 * @param {string[]} task.files     absolute paths
 * @param {number} [task.limit]     milliseconds for one file
 * @param {number} [task.pool]      how many run at a time
 * @param {(file: string) => number} [task.takes] how much of the pool a file takes, by its path from the root; more than the pool is all of it
 * @param {boolean} [task.demanding] whether a test that asserts nothing fails
 * @param {(verdict: Verdict) => void} [task.onVerdict]
 * @returns {Promise<Verdict[]>} one for each file
 */
export async function runFiles({
  root,
  files,
  limit = USUAL.limit,
  pool = USUAL.pool,
  takes = () => 1,
  demanding = USUAL.demanding,
  onVerdict = () => {},
}) {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-test-'));
  /** @type {Verdict[]} */
  const verdicts = [];
  const rest = [...files];
  let free = pool;
  const share = (/** @type {string} */ file) => Math.min(pool, takes(relative(root, file)));
  /** @type {Promise<void>[]} */
  const running = [];
  const begin = () => {
    for (let at = 0; at < rest.length && free > 0;) {
      const file = /** @type {string} */ (rest[at]);
      if (share(file) > free) at++;
      else {
        rest.splice(at, 1);
        running.push(work(file));
      }
    }
  };
  const work = async (/** @type {string} */ file) => {
    free -= share(file);
    const verdict = await runFile(file, { root, limit, folder, demanding });
    free += share(file);
    verdicts.push(verdict);
    onVerdict(verdict);
    begin();
  };
  try {
    begin();
    // Not Promise.all: when one is interrupted the others are still putting things away. Each that ends may have begun another.
    const ends = [];
    while (ends.length < running.length) ends.push(...(await Promise.allSettled(running.slice(ends.length))));
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
