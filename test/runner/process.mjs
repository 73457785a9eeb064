// Runs one command with a time limit and leaves nothing of it behind: neither its children, nor those that left
// its process group, nor those whose parent died.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

const MARK = 'SIPALG_TEST_RUN';
const OUTPUT_MOST = 1 << 20;

let count = 0;
let stopped = false;
/** @type {Set<(signal: NodeJS.Signals) => void>} */
const running = new Set();

/** A person or a supervisor ended the run: nothing more is started. */
export class Interrupted extends Error {}

/**
 * @typedef {object} Ended
 * @property {number | null} code     exit code, or null when a signal ended it
 * @property {string | null} signal
 * @property {boolean} late           it ran into the time limit
 * @property {string[]} leftovers     processes it left running, as 'name (pid)'; they have been killed
 * @property {string} output          standard output and standard error as they came
 * @property {number} ms
 */

/**
 * @param {string[]} argv
 * @param {{ cwd: string, limit: number, env?: Record<string, string> }} options `limit` in milliseconds
 * @returns {Promise<Ended>}
 */
export function runProcess([command, ...args], { cwd, limit, env = {} }) {
  if (stopped) return Promise.reject(new Interrupted());
  const outer = process.env[MARK];
  const mark = `${outer === undefined ? '' : outer + '/'}${process.pid}.${count++}`;
  const began = Date.now();
  const child = spawn(command, args, {
    cwd,
    detached: true, // a process group of its own, to be ended as one
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`, ...env, [MARK]: mark },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      if (output.length < OUTPUT_MOST) output += text;
    });
  }

  return new Promise((resolve, reject) => {
    let late = false;
    /** @type {Set<string>} */
    const known = new Set();
    /** Asks first, so that a test may put away what it set up. */
    const stop = (/** @type {NodeJS.Signals} */ signal) => {
      family(mark, child.pid, known); // while their parents still live and tell
      end(-child.pid, signal);
      setTimeout(() => {
        for (const { pid } of family(mark, child.pid, known)) end(pid, 'SIGKILL');
      }, 3000).unref();
    };
    running.add(stop);
    const timer = setTimeout(() => {
      late = true;
      stop('SIGTERM');
    }, limit);
    child.on('error', reject);
    child.on('exit', async (code, signal) => {
      clearTimeout(timer);
      running.delete(stop);
      // A child that was just told to end may take a moment.
      for (let wait = 10; wait < 1000 && family(mark, child.pid, known).length > 0; wait *= 2) await pause(wait);
      const leftovers = family(mark, child.pid, known);
      for (const { pid } of leftovers) end(pid, 'SIGKILL');
      // What left the family may still hold the pipes; nobody waits for that.
      await Promise.race([new Promise((closed) => child.on('close', closed)), pause(500)]);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, signal, late, leftovers: leftovers.map(({ name, pid }) => `${name} (${pid})`), output, ms: Date.now() - began });
    });
  });
}

/** Throws where the run was interrupted, also when nothing was left to be started. */
export function proceed() {
  if (stopped) throw new Interrupted();
}

/** Ends what is running, for a person who pressed Ctrl-C; what would follow is Interrupted. @param {NodeJS.Signals} signal */
export function stopAll(signal) {
  stopped = true;
  for (const stop of running) stop(signal);
}

const pause = (/** @type {number} */ ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** @param {number} pid @param {NodeJS.Signals} signal */
function end(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error; // ESRCH: it ended by itself
  }
}

/**
 * The processes that carry a run's mark in their environment, are of its group, descend from one that is, or were
 * seen to be one of them before.
 * @param {string} mark
 * @param {number} group
 * @param {Set<string>} known those seen, by id and time of birth; what is found is added
 */
function family(mark, group, known) {
  const seen = [];
  for (const name of process.platform === 'linux' ? readdirSync('/proc') : []) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = slurp(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // state, parent, group, ...
    if (stat === '' || fields[0] === 'Z') continue;
    const born = `${pid} ${fields[19]}`;
    seen.push({
      pid,
      born,
      name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      parent: Number(fields[1]),
      ours: known.has(born) || Number(fields[2]) === group || carries(slurp(`/proc/${pid}/environ`), mark),
    });
  }
  const ours = new Set(seen.filter((each) => each.ours).map((each) => each.pid));
  for (let size = -1; size !== ours.size;) {
    size = ours.size;
    for (const { pid, parent } of seen) if (ours.has(parent)) ours.add(pid);
  }
  const found = seen.filter(({ pid }) => ours.has(pid));
  for (const { born } of found) known.add(born);
  return found;
}

/** @param {string} environ @param {string} mark */
function carries(environ, mark) {
  return environ.split('\0').some((each) => each === `${MARK}=${mark}` || each.startsWith(`${MARK}=${mark}/`));
}

/** A file of /proc, or nothing where its process has ended or is somebody else's. @param {string} path */
function slurp(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
