// The bench: npm run bench [-- --against DIST]. Ratios, measured side by side in one run, each with its limit; with DIST, the
// folder of another build, also this build against that one. Needs root: it measures in a network namespace of its own, which
// it takes away again.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need } from '../test/setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const TABLE_SIZE = '/proc/sys/net/netfilter/nf_conntrack_max'; // the machine's, for all its namespaces
const TABLE_NEEDED = 80_000;

const at = process.argv.indexOf('--against');
/** The folder of another build. */
const against = at < 0 ? undefined : (process.argv[at + 1] ?? '');

process.env.PATH += ':/usr/local/sbin:/usr/sbin:/sbin';
const missing = await need(['npm', 'namespaces', 'alg', 'engines']);
for (const { reason } of missing) console.error(reason);
if (missing.length > 0) process.exit(1);

const folder = mkdtempSync(join(tmpdir(), 'sipalg-bench-'));
const namespace = `sipalg-bench-${process.pid}`;
/** @type {(() => void)[]} */
const undo = [() => rmSync(folder, { recursive: true, force: true })];
/** @type {import('node:child_process').ChildProcess | undefined} */
let inside;
const cleanUp = () => {
  for (let act = undo.pop(); act !== undefined; act = undo.pop()) act();
};
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    inside?.kill('SIGKILL');
    cleanUp();
    process.exit(130);
  });
}

/** @param {string[]} args */
function ip(...args) {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`'ip ${args.join(' ')}' failed: ${stderr.trim()}`);
}

/** Room for all the flows; the machine's own limit comes back at the end. */
function makeRoom() {
  const before = readFileSync(TABLE_SIZE, 'utf8').trim();
  if (Number(before) >= TABLE_NEEDED) return;
  console.error(`bench: ${TABLE_SIZE} is ${before}; it is ${TABLE_NEEDED} while this runs`);
  undo.push(() => writeFileSync(TABLE_SIZE, before));
  writeFileSync(TABLE_SIZE, String(TABLE_NEEDED));
}

/**
 * `limit` null: a number to know, that nothing is held to.
 * @typedef {{ what: string, seen: string, value: number, limit: number | null, unit: string }} Row
 */

/** @param {string[]} argv a program that prints rows @returns {Promise<Row[]>} */
function measure([command, ...args]) {
  inside = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  inside.stdout?.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    inside?.on('error', reject);
    inside?.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`The measuring ended with exit code ${code}.`));
    });
  });
}

let failed = false;
try {
  const product = join(folder, 'router');
  const program = join(product, 'sipalg.mjs');
  await (await import('../build.mjs')).packRouter(product);
  const size = readdirSync(product).reduce((sum, name) => sum + statSync(join(product, name)).size, 0);
  makeRoom();
  ip('netns', 'add', namespace);
  undo.push(() => ip('netns', 'delete', namespace));
  const rows = await measure(['ip', 'netns', 'exec', namespace, process.execPath, 'bench/inside.mjs', program, folder]);
  console.error('bench: what the daemon holds after a thousand calls');
  rows.push(...(await measure(['ip', 'netns', 'exec', namespace, process.execPath, 'bench/resident.mjs', program])));
  console.error('bench: how soon the ALG is gone again when the firewall brings it back');
  const { pack } = await import('../test/runner/pack.mjs');
  const broken = await pack(join(root, 'bench/watch-return.ts'), join(folder, 'watch-return.cjs'));
  if (broken !== undefined) throw new Error(broken);
  rows.push(...(await measure([process.execPath, join(folder, 'watch-return.cjs')])));
  for (const [name, what, ...more] of [
    ...(against === undefined ? [] : [['against', `commands against ${against}`, resolve(against)]]),
    ['quickjs', 'QuickJS beside the tools it starts'],
    ['forwarding', 'what the voice rules cost a packet'],
    ['networks', 'how long ten thousand networks take'],
  ]) {
    console.error(`bench: ${what}`);
    const packed = await pack(join(root, `bench/${name}.ts`), join(folder, `${name}.cjs`));
    if (packed !== undefined) throw new Error(packed);
    rows.push(...(await measure([process.execPath, join(folder, `${name}.cjs`), product, ...more])));
  }
  rows.push({ what: 'size of the program on a router, all chunks', unit: 'kB', limit: null, value: size / 1000, seen: `${size} bytes` });

  const line = (/** @type {string[]} */ [verdict, what, value, limit, seen]) =>
    console.log(`${verdict.padEnd(5)} ${what.padEnd(66)} ${value.padStart(9)} ${limit.padStart(9)}   ${seen}`);
  line(['', `Node ${process.version}`, 'measured', 'at most', 'from']);
  for (const { what, seen, value, limit, unit } of rows) {
    const over = limit !== null && !(value <= limit);
    failed ||= over;
    line([over ? 'OVER' : limit === null ? '' : 'ok', what, `${value.toFixed(2)} ${unit}`, limit === null ? '' : `${limit} ${unit}`, seen]);
  }
} catch (error) {
  failed = true;
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
} finally {
  cleanUp();
}
process.exitCode = failed ? 1 : 0;
