// node bench/fleet.mjs [--rounds N]: documents of ten thousand routers, and of thirty thousand, judged by `sipalg status --from -`.
// By the processor's time, which says the same on a busy machine as on an idle one: routers in a second on two cores, beside what
// parsing the same lines takes alone; and the memory that was held, which must not grow with them. Needs dist/ (npm run build).
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);
const CORES = 2;
const WANTED = 2000;
/** Twice the documents more may hold so much more: the collector's chance. */
const GROWTH = 1.2;

const folder = mkdtempSync(join(tmpdir(), 'sipalg-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/**
 * @typedef {{ cpu: number, wall: number, memory: number }} Used seconds, seconds, bytes
 * @param {string[]} argv after `node` @param {string | null} from @param {string} to
 * @returns {Promise<Used>}
 */
async function run(argv, from, to = '/dev/null') {
  const notes = join(folder, 'used.json');
  const began = process.hrtime.bigint();
  const child = spawn(process.execPath, ['--require', join(root, 'bench/used.cjs'), ...argv], {
    cwd: root,
    stdio: [from === null ? 'ignore' : 'pipe', 'pipe', 'inherit'],
    env: { ...process.env, SIPALG_BENCH_USED: notes },
  });
  if (from !== null && child.stdin !== null) createReadStream(from).pipe(child.stdin);
  child.stdout?.pipe(createWriteStream(to));
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const wall = Number(process.hrtime.bigint() - began) / 1e9;
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(notes, 'utf8'));
  return { cpu: (userCPUTime + systemCPUTime) / 1e6, wall, memory: maxRSS * 1024 };
}

/** @param {number} routers */
async function documents(routers) {
  const file = join(folder, `${routers}.jsonl`);
  await run(['fleet/simulate.mjs', '--routers', String(routers)], null, file);
  return file;
}

const [few, many] = [await documents(10_000), await documents(30_000)];
const judge = ['dist/sipalg.js', 'status', '--from', '-'];
const parse = ['-e', "require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => JSON.parse(line))"];
/** @type {Record<'judged' | 'more' | 'parsed', Used[]>} */
const used = { judged: [], more: [], parsed: [] };
for (let round = 0; round < rounds; round++) {
  used.judged.push(await run(judge, few));
  used.more.push(await run(judge, many));
  used.parsed.push(await run(parse, few));
}
/** @param {Used[]} all @param {keyof Used} what */
const of = (all, what) => median(all.map((one) => one[what]));
const rate = (10_000 * CORES) / of(used.judged, 'cpu');
const growth = of(used.more, 'memory') / of(used.judged, 'memory');
const mega = (/** @type {number} */ bytes) => `${Math.round(bytes / 1e6)} MB`;
console.log(
  [
    `10,000 routers: ${of(used.judged, 'cpu').toFixed(1)} s of the processor, ${of(used.judged, 'wall').toFixed(1)} s here and now`,
    `by that ${Math.round(rate)} routers a second on ${CORES} cores; ${WANTED} are wanted`,
    `${(of(used.judged, 'cpu') / of(used.parsed, 'cpu')).toFixed(2)} times what parsing the same lines takes (${of(used.parsed, 'cpu').toFixed(1)} s)`,
    `memory: ${mega(of(used.judged, 'memory'))}; of 30,000 routers ${mega(of(used.more, 'memory'))}, ${growth.toFixed(2)} times (${GROWTH} at most)`,
  ].join('\n'),
);
process.exitCode = rate >= WANTED && growth <= GROWTH ? 0 : 1;
