/**
 * The storm: for some minutes everything that has ever gone wrong goes wrong at random, on a router of the lab with the real
 * helper. Each round begins in a clean state, has its trouble, and must then come to a clean state again by `sipalg enable`.
 * Prints a table: tried, held, lost. By hand: npm run storm [-- MINUTES [SEED]]
 */
import { seeded } from '../seeded.ts';
import { differences, JOURNAL, openRouter, WISH } from './apply/router.ts';
import type { Router, State } from './apply/router.ts';

const [minutes = 10, seed = Date.now() % 100_000] = process.argv.slice(2).map(Number);
const random = seeded(seed);

interface Kind {
  name: string;
  /** The trouble; a sentence where something is not as it must be already, null otherwise. */
  trouble(router: Router): Promise<string | null>;
}

const between = (least: number, most: number): number => least + random.below(most - least + 1);

/** A run may fail, in sentences, and may not crash or hang. */
function crashed({ status, stderr }: { status: number | null; stderr: string }): string | null {
  if (status === null) return `it was ended or did not end: ${stderr.slice(-300)}`;
  return /\n {4}at |within sipalg itself|TypeError|RangeError/.test(stderr) ? `it crashed: ${stderr.slice(0, 300)}` : null;
}

const driven =
  (way: string) =>
  async (router: Router): Promise<string | null> => {
    const told = await router.sipalg([random.pick(['disable', 'disable', 'apply'])], `${way}:${between(1, 6)}`);
    await router.quiet();
    return way.startsWith('kill') ? null : crashed(told);
  };

const FLOOD = `
const { createSocket } = require('node:dgram');
const socket = createSocket({ type: 'udp4', lookup: (name, options, found) => found(null, name, 4) });
const end = Date.now() + Number(process.argv[1]);
let n = 0;
const more = () => {
  for (let each = 0; each < 64; each++, n++) socket.send('flood', 5060, '127.' + (n >> 16 & 255 | 1) + '.' + (n >> 8 & 255) + '.' + (n & 255));
  if (Date.now() < end) setTimeout(more, 5); else socket.close();
};
socket.bind(0, '127.0.0.1', more);`;

const HELPED = `table inet storm {
  ct helper storm { type "sip" protocol udp; }
  chain output { type filter hook output priority -150; ip saddr 127.0.0.1 udp dport 5060 ct helper set "storm"; }
  chain input { type filter hook input priority 0; iif lo udp dport 5060 drop; }
}`;

const SILENT = `
const net = require('node:net');
for (let n = 0; n < 150; n++) {
  const socket = net.connect(8061, '127.0.0.1', () => socket.write(process.argv[1]));
  socket.on('error', () => {});
  socket.pause();
}
setTimeout(() => process.exit(0), 4000);`;

const ASK = `
const request = require('node:http').get('http://127.0.0.1:8061/session', { timeout: 3000 }, (response) => { console.log(response.statusCode); response.resume(); });
request.on('timeout', () => request.destroy());
request.on('error', (error) => console.log(error.message));`;

const KINDS: readonly Kind[] = [
  { name: 'killed before a change', trouble: driven('kill-before') },
  { name: 'killed in the middle of a change', trouble: driven('kill-middle') },
  { name: 'killed after a change', trouble: driven('kill-after') },
  { name: 'a tool that fails', trouble: driven('fail') },
  { name: 'a tool that fails after its work', trouble: driven('fail-after') },
  { name: 'Ctrl-C', trouble: driven('interrupt') },
  {
    name: 'the firewall loads all the while',
    async trouble(router) {
      const loads = (async () => {
        for (let n = 0; n < 3; n++) await router.lab.router.run(['fw4', 'reload'], { timeout: 60_000 });
      })();
      const told = await router.sipalg(['disable']);
      await loads;
      return crashed(told);
    },
  },
  {
    name: 'two at once, in two directions',
    async trouble(router) {
      const [one, other] = await Promise.all(
        ['disable', 'enable'].map((word) => router.lab.router.run(['sipalg', word], { timeout: 90_000 })),
      );
      return crashed(one!) ?? crashed(other!);
    },
  },
  {
    name: 'a full disk',
    async trouble(router) {
      const full =
        'mkdir -p /tmp/full; mount -t tmpfs -o size=200k full /tmp/full; cp -a /etc/. /tmp/full/ 2>/dev/null; '
        + 'mkdir -p /tmp/config; mount -t tmpfs -o size=64k config /tmp/config; cp -a /etc/config/. /tmp/config/; '
        + 'dd if=/dev/zero of=/tmp/config/.fill bs=1k 2>/dev/null; mount --bind /tmp/config /etc/config; umount /tmp/full';
      await router.lab.router.run(['sh', '-c', full]);
      const told = await router.sipalg(['disable']);
      const text = router.lab.files.read('/etc/config/firewall');
      await router.lab.router.must(['sh', '-ec', 'umount /etc/config; umount /tmp/config']);
      if (text !== router.lab.files.read('/etc/config/firewall') && told.status === 2) return 'a file was left half written on a full disk';
      return crashed(told);
    },
  },
  {
    name: 'a flood of flows under the helper',
    async trouble(router) {
      await router.lab.router.must(['nft', '-f', '-'], { input: HELPED });
      const flood = router.lab.router.spawn(['node', '-e', FLOOD, '4000']);
      const told = await router.lab.router.run(['sipalg', 'disable'], { timeout: 90_000 });
      await flood.ended;
      const left = await router.flows();
      await router.lab.router.run(['sipalg', 'enable'], { timeout: 90_000 });
      await router.lab.router.must(['nft', 'delete', 'table', 'inet', 'storm']);
      return crashed(told) ?? (told.status === 0 && left > 0 ? `"off", and ${left} flows are under the helper` : null);
    },
  },
  {
    name: 'the page besieged',
    async trouble(router) {
      const daemon = router.lab.router.spawn(['sipalg', 'serve', '--listen', '127.0.0.1:8061']);
      let said = '';
      daemon.child.stderr.on('data', (data: Buffer) => (said += data));
      for (let n = 0; n < 100 && !said.includes('page: http'); n++) await new Promise((done) => setTimeout(done, 100));
      const request = random.pick(['', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(2000), 'GET / HTTP/1.1\r\nHo']);
      const siege = router.lab.router.spawn(['node', '-e', SILENT, request]);
      await new Promise((done) => setTimeout(done, 1500));
      const { stdout } = await router.lab.router.run(['node', '-e', ASK]);
      siege.signal('SIGKILL');
      await siege.ended;
      daemon.signal('SIGTERM');
      const { status } = await daemon.ended;
      if (stdout.trim() !== '200') return `the page did not answer: ${stdout.trim()}`;
      return status === 0 ? null : `the daemon ended with ${status}: ${said.slice(-300)}`;
    },
  },
];

const tried = new Map(KINDS.map(({ name }) => [name, { tried: 0, held: 0, lost: [] as string[] }]));

/** Back to a clean state; a sentence where that is not reached. */
async function mend(router: Router, before: State): Promise<string | null> {
  if (random.next() < 0.5) await router.lab.router.run(['sipalg', 'apply'], { timeout: 120_000 });
  const told = await router.lab.router.run(['sipalg', 'enable'], { timeout: 120_000 });
  if (told.status !== 0) return `enable ended with ${told.status}: ${told.stderr.trim().slice(-300)}`;
  const left = differences(before, await router.state(), [WISH]);
  if (left.length > 0) return `not as before: ${left.slice(0, 3).join('; ')}`;
  return router.lab.files.exists(JOURNAL) ? 'the journal is still there' : null;
}

async function storm(): Promise<void> {
  console.log(`${minutes} minutes, seed ${seed}`);
  const end = Date.now() + minutes * 60_000;
  let router = await openRouter({ ruleset: 'set-helper-rule', crowd: true });
  let before = await router.state();
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  for (let round = 0; Date.now() < end && !interrupted; round++) {
    const kind = KINDS[round < KINDS.length ? round : random.below(KINDS.length)]!;
    const row = tried.get(kind.name)!;
    row.tried += 1;
    let lost: string | null;
    try {
      await router.call();
      lost = (await kind.trouble(router)) ?? (await mend(router, before));
    } catch (error) {
      lost = (error as Error).message.slice(0, 400);
    }
    router.lab.files.remove(WISH);
    if (lost === null) {
      row.held += 1;
      continue;
    }
    row.lost.push(`round ${round + 1}: ${lost}`);
    // The next rounds are not to suffer from this one.
    await router.close();
    router = await openRouter({ ruleset: 'set-helper-rule', crowd: true });
    before = await router.state();
  }
  await router.close();

  const width = Math.max(...KINDS.map(({ name }) => name.length));
  console.log(`${''.padEnd(width)}  tried  held  lost`);
  for (const [name, { tried: all, held, lost }] of tried)
    console.log(`${name.padEnd(width)}  ${String(all).padStart(5)} ${String(held).padStart(5)} ${String(lost.length).padStart(5)}`);
  for (const [name, { lost }] of tried) for (const sentence of lost) console.log(`LOST ${name}, ${sentence}`);
  process.exitCode = [...tried.values()].some(({ lost }) => lost.length > 0) ? 1 : 0;
}

void storm();
