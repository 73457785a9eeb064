/** As many flows under the helper as a table holds: what looking costs, what ending them costs, and what else is ended. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import type { Report } from '../../../src/survey/survey.ts';
import type { Lab } from '../lab.ts';
import { openLab } from '../lab.ts';
import { comparable } from '../listing.ts';

interface Context {
  lab: Lab;
  most: number;
}

const FLOWS = 65_536;

/** Flows of loopback to port 5060 are under the real helper; `plain` ones are not, and nobody answers any of them. */
const RULES = `table inet many {
  ct helper many { type "sip" protocol udp; }
  chain output { type filter hook output priority -150; ct state new ip saddr 127.0.0.1 udp dport 5060 ct helper set "many"; }
  chain input { type filter hook input priority 0; ct state new udp dport { 53, 5060 } drop; }
}`;

/** One datagram to each of so many addresses: COUNT PORT SOURCE. */
const SEND = `
const { createSocket } = require('node:dgram');
const [count, port, source] = [Number(process.argv[1]), Number(process.argv[2]), process.argv[3]];
(async () => {
  for (let first = 0; first < count; first += 512) {
    const socket = createSocket({ type: 'udp4', lookup: (name, options, found) => found(null, name, 4) });
    await new Promise((done) => socket.bind(20000 + first / 512, source, done));
    await Promise.all(Array.from({ length: Math.min(512, count - first) }, (_, n) =>
      new Promise((done) => socket.send('hello', port, '127.1.' + (n >> 8) + '.' + (n & 255), done))));
    socket.close();
  }
})();`;

/** The most memory that a program held, in MB, on the last line of standard error: the kernel's own count at its end. */
const MEASURED = `
process.on('exit', () => {
  const [, kb] = /VmHWM:\\s+(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'));
  require('node:fs').writeSync(2, 'held ' + kb + '\\n');
});`;

const SIPALG = [
  'node',
  '--max-semi-space-size=1',
  '--max-old-space-size=96',
  '--require',
  '/tmp/measured.cjs',
  '/usr/lib/sipalg/sipalg.mjs',
];

const held = (stderr: string): number => Number(/held (\d+)/.exec(stderr)?.[1]) / 1024;

const many = suite<Context>('flows under the helper, as many as there can be');

many.before(async (context) => {
  const lab = (context.lab = await openLab({ ruleset: 'stock-alg-on' }));
  await lab.router.must(['nft', '-f', '-'], { input: RULES });
  lab.files.write('/tmp/measured.cjs', MEASURED);
  const most = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));
  context.most = Math.min(FLOWS, Math.floor(most * 0.9));
  await lab.router.must(['sh', '-c', 'echo 3600 > /proc/sys/net/netfilter/nf_conntrack_udp_timeout']);
});
many.after(({ lab }) => lab.close());

const send = (lab: Lab, count: number, port: number, source: string): Promise<string> =>
  lab.router.must(['node', '-e', SEND, String(count), String(port), source], { timeout: 120_000 });

async function count(lab: Lab, ...words: string[]): Promise<number> {
  const { stdout } = await lab.router.run([
    'sh',
    '-c',
    `conntrack -L 2>/dev/null | grep -F ${words.map((word) => `-e '${word}'`).join(' ')} | wc -l`,
  ]);
  return Number(stdout);
}

many('are counted, and only some hundred of them held', async ({ lab, most }) => {
  await send(lab, 40, 5060, '127.0.0.2'); // SIP's, and not under the helper
  await send(lab, 40, 53, '127.0.0.1');
  await send(lab, most, 5060, '127.0.0.1');
  assert.is(await count(lab, 'helper=sip'), most);
  const { stdout, stderr, status } = await lab.router.run([...SIPALG, 'status', '--json'], { timeout: 120_000 });
  assert.is(status, 1);
  const { facts, verdict } = JSON.parse(stdout) as Report;
  assert.ok(facts.flows.state === 'present');
  if (facts.flows.state !== 'present') return;
  const { flows, beyond = 0 } = facts.flows.value;
  assert.is(flows.length + beyond, most);
  assert.ok(flows.length <= 500);
  assert.match(verdict.findings.find(({ code }) => code === 'flow-under-helper')?.text ?? '', new RegExp(`^${most} live flows are under`));
  assert.ok(held(stderr) < 75, `${held(stderr).toFixed(1)} MB`);
  console.log(`status with ${most} flows: ${held(stderr).toFixed(1)} MB`);
});

many('a wish to stop is heeded while they are ended, and all is taken back', async ({ lab }) => {
  const before = comparable(await lab.ruleset());
  const run = lab.router.spawn([...SIPALG, 'disable']);
  let said = '';
  await new Promise<void>((found) => {
    run.child.stderr.on('data', (data: Buffer) => {
      said += data;
      if (/conntrack -D/.test(said)) found();
    });
    void run.ended.then(() => found());
  });
  const began = Date.now();
  run.signal('SIGTERM');
  const { status } = await run.ended;
  console.log(`stopped after ${Date.now() - began} ms`);
  assert.is(status, 2, said);
  assert.match(said, /interrupted/);
  assert.equal(comparable(await lab.ruleset()), before);
});

many('are ended in bulk, and no other flow with them', async ({ lab, most }) => {
  await send(lab, most, 5060, '127.0.0.1');
  const began = Date.now();
  const { status, stderr } = await lab.router.run([...SIPALG, 'disable'], { timeout: 180_000 });
  const seconds = (Date.now() - began) / 1000;
  console.log(`disable with ${most} flows: ${seconds.toFixed(1)} s, ${held(stderr).toFixed(1)} MB`);
  assert.is(status, 0, stderr);
  assert.is(await count(lab, 'helper=sip'), 0);
  assert.is(await count(lab, 'src=127.0.0.2 '), 40, 'SIP flows that were never under it');
  assert.is(await count(lab, 'dport=53 '), 40);
  assert.ok(stderr.split('\n').filter((line) => /conntrack -D/.test(line)).length <= 25, stderr);
  assert.ok(seconds < 60, `${seconds} s`);
});

many.run();
