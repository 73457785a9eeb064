// Loaded by `node --require`: at the end writes what the process used, its threads included, to the file SIPALG_BENCH_USED names.
const { writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const file = process.env.SIPALG_BENCH_USED;
if (isMainThread && file !== undefined) process.on('exit', () => writeFileSync(file, JSON.stringify(process.resourceUsage())));
