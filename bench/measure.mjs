// Times commands against each other.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {string[]} argv @returns {Promise<number>} milliseconds from start to end; what it prints goes nowhere */
function time([command, ...args]) {
  const began = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal !== null) reject(new Error(`'${command} ${args.join(' ')}' was ended by ${signal}.`));
      else resolve(Number(process.hrtime.bigint() - began) / 1e6);
    });
  });
}

/**
 * Runs commands in turn, round by round, so that whatever else the machine does falls on all of them alike.
 * @template {string} Name
 * @param {Record<Name, string[]>} commands
 * @param {number} rounds
 * @returns {Promise<Record<Name, number>>} the median of each, in milliseconds
 */
export async function inTurn(commands, rounds) {
  /** @type {[Name, string[]][]} */
  const rows = /** @type {any} */ (Object.entries(commands));
  for (const [, argv] of rows) await time(argv); // once to warm the page cache
  const times = new Map(rows.map(([name]) => [name, /** @type {number[]} */ ([])]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, argv] of rows) times.get(name)?.push(await time(argv));
  }
  return /** @type {any} */ (Object.fromEntries([...times].map(([name, all]) => [name, median(all)])));
}

/**
 * Runs the program once, watched.
 * @param {string[]} argv its command line after `node`
 * @param {string} notes  a file to write to
 * @returns {{ started: string[][], memory: number, report: any }} commands it started; most bytes it held; what it printed
 */
export function watch(argv, notes) {
  const { error, status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', new URL('watch.cjs', import.meta.url).pathname, ...argv],
    { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, SIPALG_BENCH_WATCH: notes } },
  );
  if (error !== undefined) throw error;
  if (stderr !== '') throw new Error(`The program complained (exit code ${status}): ${stderr}`);
  return { ...JSON.parse(readFileSync(notes, 'utf8')), report: JSON.parse(stdout) };
}
