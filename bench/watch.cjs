// Looks over the program's shoulder (node --require): which commands it starts, and how much memory it took.
// Writes one JSON document to $SIPALG_BENCH_WATCH when the program ends.
const { ChildProcess } = require('node:child_process');
const { writeFileSync } = require('node:fs');

/** @type {string[][]} */
const started = [];
const { spawn } = ChildProcess.prototype;

/** @this {import('node:child_process').ChildProcess} */
ChildProcess.prototype.spawn = function (options) {
  const result = spawn.call(this, options);
  // A command that is not installed has no process, and costs none.
  if (this.pid !== undefined) started.push([options.file, ...options.args.slice(1)]);
  return result;
};

process.on('exit', () => {
  const { maxRSS } = process.resourceUsage(); // kilobytes
  writeFileSync(process.env.SIPALG_BENCH_WATCH, JSON.stringify({ started, memory: maxRSS * 1024 }));
});
