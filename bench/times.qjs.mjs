// Times commands in turn on QuickJS, which is small: a command that a large process starts takes longer to begin.
// qjs -m bench/times.qjs.mjs FILE, a JSON document { rounds, commands: { NAME: [PROGRAM, ARGUMENT...] }, watched: [NAME...] }.
// Prints { times: { NAME: [MILLISECONDS...] }, own: { NAME: [{ memory, processor }...] } }: kilobytes, nanoseconds.
import * as os from 'os';
import * as std from 'std';

/* global scriptArgs */
const { rounds, commands, watched } = JSON.parse(std.loadFile(scriptArgs[1]));
const nowhere = os.open('/dev/null', os.O_RDWR);
const environment = { ...std.getenviron(), LC_ALL: 'C' };

/** @param {string[]} argv @param {boolean} block */
const start = (argv, block) => os.exec(argv, { block, stdin: nowhere, stdout: nowhere, stderr: nowhere, env: environment });

/** @param {string[]} argv */
function time(argv) {
  const began = os.now();
  const code = start(argv, true);
  const took = os.now() - began;
  if (code < 0 || code === 127) throw new Error(`'${argv.join(' ')}' ended with ${code}`);
  return took;
}

const buffer = new ArrayBuffer(4096);

/** @param {string} path of a small file */
function text(path) {
  const fd = os.open(path, os.O_RDONLY);
  const got = fd < 0 ? 0 : os.read(fd, buffer, 0, buffer.byteLength);
  if (fd >= 0) os.close(fd);
  return String.fromCharCode(...new Uint8Array(buffer, 0, Math.max(0, got)));
}

/**
 * What a process itself took, asked for until it has ended: the most it was ever resident, in kilobytes (proc_pid_status(5),
 * VmHWM), and nanoseconds on a processor (schedstat). @param {string[]} argv
 */
function taken(argv) {
  const pid = start(argv, false);
  const most = { memory: 0, processor: 0 };
  while (os.waitpid(pid, os.WNOHANG)[0] !== pid) {
    most.memory = Math.max(most.memory, Number(/^VmHWM:\s+(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1] ?? 0));
    most.processor = Math.max(most.processor, Number(text(`/proc/${pid}/schedstat`).split(' ')[0]));
  }
  return most;
}

const names = Object.keys(commands);
for (const name of names) time(commands[name]);
/** @type {Record<string, number[]>} */
const times = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < rounds; round++) for (const name of names) times[name].push(time(commands[name]));
const own = Object.fromEntries(watched.map((/** @type {string} */ name) => [name, Array.from({ length: 5 }, () => taken(commands[name]))]));
std.out.puts(JSON.stringify({ times, own }));
std.out.flush();
