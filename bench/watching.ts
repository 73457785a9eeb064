/**
 * What `watch` costs while fifty calls go on: node bench/watching.mjs, as root. Phones and provider are agents of the lab; signalling is
 * as in life, a call of three minutes each and a registration of five, and the packets of audio are sent at a tenth of their rate,
 * for what is measured looks at counters and not at packets.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { going } from '../test/lab/watch/watched.ts';
import { openLab } from '../test/lab/lab.ts';
import type { Engine } from '../test/bundled.ts';

const CALLS = 50;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 60);
const TICKS = 100; // sysconf(_SC_CLK_TCK) of every Linux

/** Seconds of processor of a process and of all that it has waited for (proc_pid_stat(5), fields 14 to 17). */
function spent(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS;
}

const children = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );

/** With those that still run: conntrack. */
const spentByAll = (pid: number): number =>
  spent(pid)
  + children(pid).reduce((sum, child) => {
    try {
      return sum + spentByAll(child);
    } catch {
      return sum; // it has ended meanwhile, and is counted with its parent
    }
  }, 0);

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

const AGENT = `
const { createSocket } = require('node:dgram');
const [own, far, calls, begin, farBegin] = process.argv.slice(1);
const sockets = Array.from({ length: Number(calls) }, (_, index) => {
  const socket = createSocket('udp4');
  socket.bind(Number(begin) + index * 2, own);
  return socket;
});
let at = 0;
const one = () => {
  const index = at++ % sockets.length;
  sockets[index].send(Buffer.alloc(172), Number(farBegin) + index * 2, far);
};
setTimeout(() => setInterval(() => { for (let each = 0; each < 10; each++) one(); }, 16), 1000);
`;

const SIGNALLING = `
const { createSocket } = require('node:dgram');
const [own, far] = process.argv.slice(1);
const answers = own.startsWith('203');
const socket = createSocket('udp4');
socket.bind(5060, own);
const CRLF = '\\r\\n';
socket.on('message', (bytes, from) => {
  const text = bytes.toString('latin1');
  if (!answers || text.startsWith('SIP') || text.startsWith('ACK')) return;
  const lines = text.split(CRLF).filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  const reply = (code) => socket.send(['SIP/2.0 ' + code, ...lines, 'Content-Length: 0', '', ''].join(CRLF), from.port, from.address);
  if (text.startsWith('INVITE')) { reply('180 Ringing'); setTimeout(reply, 300, '200 OK'); } else reply('200 OK');
});
let count = 0;
function send(method, id) {
  const sdp = method !== 'INVITE' ? '' : ['v=0', 'o=a 1 1 IN IP4 ' + own, 's=-', 'c=IN IP4 ' + own, 't=0 0', 'm=audio 16384 RTP/AVP 8', ''].join(CRLF);
  socket.send([method + ' sip:b@' + far + ' SIP/2.0', 'Via: SIP/2.0/UDP ' + own + ':5060;branch=z9hG4bK' + ++count + ';rport',
    'Max-Forwards: 70', 'From: <sip:a@' + far + '>;tag=' + id, 'To: <sip:b@' + far + '>', 'Call-ID: ' + id, 'CSeq: ' + count + ' ' + method,
    'Contact: <sip:a@' + own + ':5060>', 'Expires: 300', 'User-Agent: ' + 'x'.repeat(200), 'Content-Length: ' + sdp.length, '', sdp].join(CRLF), 5060, far);
}
// 50 calls of 180 s, each with its INVITE, ACK and BYE; 50 registrations of 300 s.
if (!answers) {
  let call = 0;
  setInterval(() => { const id = 'c' + ++call; send('INVITE', id); setTimeout(send, 900, 'ACK', id); setTimeout(send, 3000, 'BYE', id); }, 3600);
  setInterval(() => send('REGISTER', 'r'), 6000);
}
`;

/** Percent of a core. */
async function measured(engine: Engine, words: readonly string[]): Promise<number> {
  const lab = await openLab({ ruleset: 'stock-alg-absent', engine });
  try {
    await lab.router.must(['sysctl', '-w', 'net.netfilter.nf_conntrack_acct=1']);
    const run = (member: typeof lab.phone, text: string, ...rest: string[]) => member.spawn([process.execPath, '-e', text, ...rest]);
    run(lab.provider, SIGNALLING, '203.0.113.10', '203.0.113.20');
    run(lab.provider, AGENT, '203.0.113.10', '203.0.113.20', String(CALLS), '20000', '16384');
    run(lab.phone, SIGNALLING, '192.168.1.10', '203.0.113.10');
    run(lab.phone, AGENT, '192.168.1.10', '203.0.113.10', String(CALLS), '16384', '20000');
    const watch = await going(lab, engine, ['watch', ...words]);
    // Its start is no part of what it costs to go on.
    await pause(15_000);
    const [inside] = children(watch.process.child.pid as number);
    const pid = inside ?? (watch.process.child.pid as number);
    const [before, began] = [spentByAll(pid), Date.now()];
    await pause(SECONDS * 1000);
    const percent = ((spentByAll(pid) - before) / ((Date.now() - began) / 1000)) * 100;
    watch.process.signal('SIGINT');
    await watch.process.ended;
    if (!watch.said().includes('audio goes both ways'))
      throw new Error(`${engine} saw no audio: ${watch.said().slice(-2000)} ${watch.complained()}`);
    return percent;
  } finally {
    await lab.close();
  }
}

export async function rows(): Promise<object[]> {
  const all: object[] = [];
  for (const engine of ['node', 'quickjs'] as const)
    for (const words of [['--no-record'], []]) {
      const value = await measured(engine, words);
      const how = words.length === 0 ? 'with messages recorded' : 'flows alone';
      all.push({ what: `watch of ${CALLS} calls, ${how}`, seen: engine, value, limit: 1, unit: '% of a core' });
    }
  return all;
}
