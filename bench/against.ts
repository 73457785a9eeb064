/**
 * This build against another one, command by command, pair by pair in one run: node against.cjs DIST BASELINE. Prints
 * JSON rows. Each is a folder with sipalg.mjs or sipalg.js in it; both stand on one router of the lab.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { openLab } from '../test/lab/lab.ts';

const [mine = 'dist/router', theirs = ''] = process.argv.slice(2);
const ROUNDS = 31;
/** At most so much slower. */
const LIMIT = 1.03;

/** Runs both in turn, the first of a pair changing each round, and prints every pair's times in milliseconds. */
const SCRIPT = `
const { spawnSync } = require('node:child_process');
const [rounds, node, programs, words, before] = JSON.parse(process.argv[1]);
const run = (program, args) => {
  const { status, stderr } = spawnSync(node, [program, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status === 2) throw new Error(program + ' ' + args.join(' ') + ': ' + stderr);
};
const time = (program) => {
  for (const args of before) run(program, args);
  const began = process.hrtime.bigint();
  run(program, words);
  return Number(process.hrtime.bigint() - began) / 1e6;
};
programs.forEach(time);
const pairs = [];
for (let round = 0; round < rounds; round++) {
  const times = [0, 0];
  for (const at of round % 2 ? [1, 0] : [0, 1]) times[at] = time(programs[at]);
  pairs.push(times);
}
console.log(JSON.stringify(pairs));
`;

const median = (values: number[]): number => values.sort((one, other) => one - other)[values.length >> 1] as number;

async function main(): Promise<void> {
  const lab = await openLab({ ruleset: 'stock-alg-on', product: mine });
  try {
    const entry = ['sipalg.mjs', 'sipalg.js'].find((name) => existsSync(`${theirs}/${name}`));
    if (entry === undefined) throw new Error(`There is no sipalg.mjs and no sipalg.js in "${theirs}"; name the folder of another build.`);
    for (const name of readdirSync(theirs).filter((one) => /\.m?js$/.test(one))) {
      lab.files.write(`/usr/lib/baseline/${name}`, readFileSync(`${theirs}/${name}`));
    }
    const programs = ['/usr/lib/sipalg/sipalg.mjs', `/usr/lib/baseline/${entry}`];
    const rows = [];
    for (const [what, words, before] of [
      ['status --json', ['status', '--json'], []],
      ['disable', ['disable'], [['enable']]],
      ['apply, when all is as wished', ['apply'], []],
    ] as const) {
      process.stderr.write(`bench: ${what}, against ${theirs}\n`);
      const stdout = await lab.router.must(['node', '-e', SCRIPT, JSON.stringify([ROUNDS, process.execPath, programs, words, before])], {
        timeout: 300_000,
      });
      const pairs = JSON.parse(stdout) as [number, number][];
      const value = median(pairs.map(([here, there]) => here / there));
      const [here, there] = [0, 1].map((at) => median(pairs.map((pair) => pair[at] as number)));
      rows.push({
        what: `${what}, against the other build`,
        unit: 'x',
        limit: LIMIT,
        value,
        seen: `${here?.toFixed(1)} / ${there?.toFixed(1)} ms, ${ROUNDS} pairs`,
      });
    }
    console.log(JSON.stringify(rows));
  } finally {
    await lab.close();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
});
