// What the daemon holds after many calls: node bench/resident.mjs PROGRAM [CALLS]. In a network namespace of its own, as root.
// Private memory, which is what a router has less of for it; pages of node's own file are shared with every other program.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

const [program = '', calls = '1000'] = process.argv.slice(2);
const PORT = 18_061;
/** As /usr/sbin/sipalg starts it. */
const FLAGS = '--optimize-for-size --expose-gc --v8-pool-size=0 --max-lazy --no-opt --no-sparkplug'
  .split(' ')
  .concat('--max-semi-space-size=1', '--max-old-space-size=96');

const daemon = spawn(process.execPath, [...FLAGS, program, 'serve', '--listen', `127.0.0.1:${PORT}`], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
let said = '';
daemon.stderr.setEncoding('utf8').on('data', (text) => {
  said += text;
});
const wait = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
const agent = new Agent({ keepAlive: true });

/**
 * @param {string} method @param {string} path @param {Record<string, string>} headers @param {string} body
 * @returns {Promise<import('node:http').IncomingMessage>}
 */
function ask(method, path, headers = {}, body = '') {
  return new Promise((resolve, reject) => {
    const asking = request({ agent, host: '127.0.0.1', port: PORT, method, path, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

/** @returns {{ private: number, resident: number }} megabytes */
function held() {
  const text = readFileSync(`/proc/${daemon.pid}/smaps_rollup`, 'utf8');
  const of = (/** @type {string} */ name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024;
  return { private: of('Private_Clean') + of('Private_Dirty'), resident: of('Rss') };
}

try {
  for (let n = 0; n < 200 && !/\(its link/.test(said); n++) await wait(50);
  const token = /token=(\S+)/.exec(readFileSync('/var/run/sipalg.link', 'utf8'))?.[1];
  if (token === undefined) throw new Error(`The daemon gave no link: ${said}`);
  const cookie = String((await ask('GET', `/?token=${token}`)).headers['set-cookie']).split(';')[0] ?? '';
  const headers = { cookie, origin: `http://127.0.0.1:${PORT}`, 'x-sipalg': '1', 'content-type': 'application/json' };
  // Each of these looks; replies to `status` are shared for two seconds.
  const call = async () => {
    const { statusCode } = await ask('POST', '/call', headers, '{"method":"plan"}');
    if (statusCode !== 200) throw new Error(`A call was answered with ${statusCode}.`);
  };
  const half = Math.ceil(Number(calls) / 2);
  for (let n = 0; n < half; n++) await call();
  await wait(5000);
  const first = held();
  for (let n = 0; n < half; n++) await call();
  await wait(5000);
  const second = held();
  const mb = (/** @type {number} */ value) => `${value.toFixed(1)} MB`;
  console.log(
    JSON.stringify([
      {
        what: `private memory of the daemon after ${calls} calls`,
        seen: `resident ${mb(second.resident)}`,
        value: second.private,
        limit: 20,
        unit: 'MB',
      },
      {
        what: 'the same, more than after half of them',
        seen: `${mb(second.private)} - ${mb(first.private)}`,
        value: second.private - first.private,
        limit: 1.5,
        unit: 'MB',
      },
    ]),
  );
} finally {
  daemon.kill('SIGTERM');
}
