// How quickly captures are read: src/languages/pcap on Node and, where there is one, on `qjs`, beside capinfos, tshark and
// sngrep, on a generated file of both legs of calls; and `sipalg compare` of the same file, as `npm run build` has made it:
// with --rewrite 0 every pair is unchanged, with 100 (default) every one is changed.
//
//     node bench/capture-speed.mjs [--size BYTES] [--rounds N] [--rewrite PERCENT] [--fill BYTES] [--format pcap|pcapng] [--json]
//     node bench/capture-speed.mjs --write FILE [--calls N | --size BYTES] [--side both|lan|wan] …
//
// With --json it prints rows as the other files of bench/ do. Memory is the most that was resident, as /proc tells it.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QJS, which } from '../test/setup.mjs';
import { median } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const NUMBERS = ['calls', 'size', 'rewrite', 'fill', 'rounds'];
const FLAGS = ['json'];
const TEXTS = ['write', 'side', 'format'];
const FIELDS = ['sip.Method', 'sip.Status-Code', 'sip.Call-ID', 'sip.Via', 'sip.Contact'];

/** @returns {Record<string, any>} */
function options() {
  /** @type {Record<string, any>} */
  const found = {};
  const words = process.argv.slice(2);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const name = word.replace(/^--/, '');
    if (FLAGS.includes(name)) found[name] = true;
    else if (NUMBERS.includes(name) && Number.isFinite(Number(words[0]))) found[name] = Number(words.shift());
    else if (TEXTS.includes(name) && words[0] !== undefined) found[name] = words.shift();
    else {
      const known = [...FLAGS, ...NUMBERS, ...TEXTS].map((each) => `--${each}`).join(', ');
      console.error(`'${word}' is no option, or lacks its value; there are ${known}.`);
      process.exit(2);
    }
  }
  return found;
}

/** @param {string} source @param {string} outfile @param {Partial<import('esbuild').BuildOptions>} more */
async function pack(source, outfile, more) {
  await build({
    stdin: { contents: source, resolveDir: join(root, 'bench'), loader: 'ts' }, outfile, bundle: true, minify: true, target: 'es2022',
    logLevel: 'warning', ...more,
  });
}

/** As /usr/sbin/sipalg starts it on a router. */
const NODE_OPTIONS = ['--max-semi-space-size=1', '--max-old-space-size=96'];

const ON_NODE = `import { openSync, readSync } from 'node:fs';
import { decode } from './decode.ts';
const file = openSync(process.argv[2], 'r');
console.log(JSON.stringify(decode((buffer) => readSync(file, buffer, 0, buffer.length, null))));`;

const ON_QJS = `import * as os from 'os';
import { decode } from './decode.ts';
const file = os.open(scriptArgs[1], os.O_RDONLY);
console.log(JSON.stringify(decode((buffer) => os.read(file, buffer.buffer, 0, buffer.length), 65536)));`;

/** What a process has used so far: its most resident memory in MB, and seconds of processor. @param {number | undefined} pid */
function used(pid) {
  try {
    const memory = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, '').split(' ');
    return memory === null ? undefined : { memory: Number(memory[1]) / 1024, cpu: (Number(fields[12]) + Number(fields[13])) / 100 };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;

/** @param {string[]} argv @returns {Promise<{ seconds: number, memory: number, cpu: number, output: string }>} */
function run([command, ...args]) {
  const began = process.hrtime.bigint();
  let last = { memory: 0, cpu: 0 };
  let output = '';
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LC_ALL: 'C', TERM: 'xterm' } });
    running = child;
    const look = setInterval(() => { last = used(child.pid) ?? last; }, 10);
    child.stdout.on('data', (data) => { if (output.length < 10_000) output += data; });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(look);
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      // 1: `sipalg compare` has found changes.
      if (code === 0 || (code === 1 && args.includes('compare'))) resolve({ seconds, ...last, output });
      else reject(new Error(`'${command} ${args.join(' ')}' ended with ${code ?? signal}.`));
    });
  });
}

const { write, rounds = 3, json = false, ...wanted } = options();
const folder = mkdtempSync(join(tmpdir(), 'sipalg-captures-'));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    running?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  });
}
try {
  await pack('export { writeCapture } from \'./captures.ts\';', join(folder, 'captures.cjs'), { platform: 'node', format: 'cjs' });
  const { writeCapture } = createRequire(import.meta.url)(join(folder, 'captures.cjs'));
  if (write !== undefined) {
    console.log(JSON.stringify(writeCapture(write, wanted)));
  } else {
    await measure(writeCapture);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param {(file: string, options: object) => { calls: number, packets: number, bytes: number }} writeCapture */
async function measure(writeCapture) {
  const file = join(folder, 'both.pcap');
  const about = writeCapture(file, { size: 200_000_000, ...wanted });
  await pack(ON_NODE, join(folder, 'node.cjs'), { platform: 'node', format: 'cjs' });
  await pack(ON_QJS, join(folder, 'qjs.mjs'), { platform: 'neutral', format: 'esm', external: ['os'] });
  /** @type {Record<string, string[]>} */
  const programs = { 'sipalg on Node': [process.execPath, join(folder, 'node.cjs'), file] };
  const qjs = which('qjs') ?? (existsSync(QJS) ? QJS : undefined);
  if (qjs !== undefined) programs['sipalg on qjs'] = [qjs, '-m', join(folder, 'qjs.mjs'), file];
  programs['compare on Node'] = [process.execPath, ...NODE_OPTIONS, join(root, 'dist/sipalg.js'), 'compare', file];
  if (qjs !== undefined) {
    programs['compare on qjs'] = [qjs, '--no-unhandled-rejection', '-m', join(root, 'dist/sipalg.qjs.js'), 'compare', file];
  }
  if (which('capinfos') !== undefined) programs.capinfos = ['capinfos', file];
  if (which('tshark') !== undefined) programs.tshark = ['tshark', '-n', '-r', file, '-T', 'fields',
    ...FIELDS.flatMap((field) => ['-e', field])];
  // Without a screen; it is given no file to write, which would cost it a tenth more.
  if (which('sngrep') !== undefined) programs.sngrep = ['sngrep', '-N', '-q', '-I', file];
  /** @type {Record<string, Awaited<ReturnType<typeof run>>[]>} */
  const runs = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  await run([process.execPath, join(folder, 'node.cjs'), file]); // the file into the page cache
  for (let round = 0; round < rounds; round++) for (const [name, argv] of Object.entries(programs)) runs[name]?.push(await run(argv));
  for (const name of ['sipalg on Node', 'sipalg on qjs']) {
    const read = runs[name]?.[0] && JSON.parse(runs[name][0].output);
    if (read !== undefined && (read.datagrams !== about.packets || read.bytes !== about.bytes || read.problems.length > 0)) {
      throw new Error(`${name} read ${read.datagrams} datagrams of ${about.packets}: ${read.problems.join(' ')}`);
    }
  }
  const figures = Object.entries(runs).map(([name, all]) => ({
    name, seconds: median(all.map(({ seconds }) => seconds)), cpu: median(all.map(({ cpu }) => cpu)),
      memory: Math.max(...all.map(({ memory }) => memory)),
  }));
  if (json) console.log(JSON.stringify(rows(figures)));
  else print(about, figures);
}

/** @typedef {{ name: string, seconds: number, cpu: number, memory: number }} Figure */

/** @param {{ calls: number, packets: number, bytes: number }} about @param {Figure[]} figures */
function print({ calls, packets, bytes }, figures) {
  console.log(`${bytes} bytes, ${packets} packets, ${calls} calls, both legs; median of ${rounds} rounds, side by side`);
  for (const { name, seconds, cpu, memory } of figures) {
    console.log(`${name.padEnd(16)} ${seconds.toFixed(2).padStart(7)} s  ${(bytes / seconds / 1e6).toFixed(0).padStart(5)} MB/s  `
      + `cpu ${cpu.toFixed(2).padStart(6)} s  ${memory.toFixed(1).padStart(6)} MB`);
  }
}

/** What is held to a limit: times as a part of another program's, memory in MB. @param {Figure[]} figures */
function rows(figures) {
  const by = new Map(figures.map((each) => [each.name, each]));
  const [node, qjs, capinfos, tshark, sngrep, compare, onQjs] = ['sipalg on Node', 'sipalg on qjs', 'capinfos', 'tshark', 'sngrep',
    'compare on Node', 'compare on qjs'].map((name) => by.get(name));
  const row = (/** @type {string} */ what, /** @type {number} */ value, /** @type {number} */ limit, /** @type {string} */ unit) =>
    ({ what, seen: value.toFixed(3), value, limit, unit });
  return [
    ...(node && capinfos ? [row('reading a capture on Node, as a part of capinfos\' time', node.seconds / capinfos.seconds, 1,
      'times')] : []),
    ...(node && tshark ? [row('reading a capture on Node, as a part of tshark\'s time', node.seconds / tshark.seconds, 1 / 20,
      'times')] : []),
    ...(compare && tshark ? [row('comparing both legs on Node, as a part of tshark\'s time', compare.seconds / tshark.seconds, 1 / 20,
      'times')] : []),
    ...(compare && sngrep ? [row('comparing both legs on Node, as a part of sngrep\'s time', compare.seconds / sngrep.seconds, 1 / 5,
      'times')] : []),
    ...(onQjs && tshark ? [row('comparing both legs on qjs, as a part of tshark\'s time', onQjs.seconds / tshark.seconds, 1,
      'times')] : []),
    ...(onQjs ? [row('memory while both legs are compared on qjs', onQjs.memory, 16, 'MB')] : []),
    ...(compare ? [row('memory while both legs are compared on Node', compare.memory, 64, 'MB')] : []),
    ...(node ? [row('memory while a capture is read on Node', node.memory, 64, 'MB')] : []),
    ...(qjs && tshark ? [row('reading a capture on qjs, as a part of tshark\'s time', qjs.seconds / tshark.seconds, 1 / 2, 'times')] : []),
    ...(qjs ? [row('memory while a capture is read on qjs', qjs.memory, 16, 'MB')] : []),
  ];
}
