/** What anybody on this machine can do to the daemon's page before logging in: connections that ask much, read nothing, or say nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { eventually, openResident } from '../daemon/resident.ts';
import type { Resident } from '../daemon/resident.ts';

interface Context {
  all: Resident;
  url: string;
  link: string;
  /** Resident memory of the daemon in MB. */
  resident: () => number;
  /** Sockets the daemon has open. */
  sockets: () => number;
}

/** Opens connections, sends a text so many times on each, reads nothing, and stays. Prints how many it opened. */
const ATTACK = `
const net = require('node:net');
const { connections, text, times } = JSON.parse(process.argv[1]);
let open = 0;
for (let n = 0; n < connections; n++) {
  const socket = net.connect(8061, '127.0.0.1', () => {
    open += 1;
    const again = (left) => {
      if (left === 0 || socket.destroyed) return;
      socket.write(text, () => again(left - 1));
    };
    if (text !== '') again(times);
  });
  socket.pause();
  socket.on('error', () => {});
}
setInterval(() => console.log(open), 200);
`;

interface Attack {
  opened: () => number;
  stop: () => Promise<unknown>;
}

function attack(all: Resident, connections: number, text: string, times: number): Attack {
  const process = all.lab.router.spawn(['node', '-e', ATTACK, JSON.stringify({ connections, text, times })]);
  let said = '';
  process.child.stdout.on('data', (data: Buffer) => {
    said += data;
  });
  return {
    opened: () => Number(said.split('\n').at(-2) ?? 0),
    stop() {
      process.signal('SIGKILL');
      return process.ended;
    },
  };
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const attacks = suite<Context>('the page, attacked by who has not logged in');

attacks.before(async (context) => {
  const all = (context.all = await openResident());
  all.lab.files.write('/usr/lib/sipalg/page/page.js', `// ${'x'.repeat(31_000)}\n`);
  const daemon = all.start(['--listen', '127.0.0.1:8061']);
  context.link = await daemon.link();
  context.url = context.link.slice(0, context.link.indexOf('?'));
  await daemon.said(/ubus: not connected/);
  const { stdout } = await all.lab.router.run(['pgrep', '-f', 'sipalg.mjs serve']);
  const pid = Number(stdout.split('\n')[0]);
  const proc = `/proc/${all.lab.router.pid}/root/proc/${pid}`;
  context.resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) / 1024;
  context.sockets = () =>
    readdirSync(`${proc}/fd`).filter((fd) => {
      try {
        return readlinkSync(`${proc}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  await all.http('GET', context.url); // what it needs for the first request is there
});
attacks.after(({ all }) => all.close());

attacks(
  'requests sent without reading the answers cost next to no memory, and the page is served meanwhile',
  async ({ all, url, resident }) => {
    const before = resident();
    const { opened, stop } = attack(all, 20, 'GET /page.js HTTP/1.1\r\nHost: 127.0.0.1:8061\r\n\r\n'.repeat(500), 40);
    let most = 0;
    for (let n = 0; n < 15; n++) {
      await wait(200);
      most = Math.max(most, resident());
      if (n % 5 === 2) assert.is((await all.http('GET', url)).status, 200);
    }
    assert.is(opened(), 20);
    await stop();
    assert.ok(most - before < 16, `${before.toFixed(1)} MB became ${most.toFixed(1)} MB`);
  },
);

attacks('two requests in one breath are answered one after the other', async ({ all }) => {
  const text =
    'GET /session HTTP/1.1\r\nHost: 127.0.0.1:8061\r\n\r\nGET /page.js HTTP/1.1\r\nHost: 127.0.0.1:8061\r\nConnection: close\r\n\r\n';
  const script =
    'let s="";const c=require("node:net").connect(8061,"127.0.0.1",()=>c.write(process.argv[1]));c.on("data",(d)=>{s+=d});c.on("close",()=>console.log(s))';
  const said = await all.lab.router.must(['node', '-e', script, text]);
  const [first, second] = said.split('HTTP/1.1 200 OK').slice(1);
  assert.match(first ?? '', /"rights"/);
  assert.match(second ?? '', /\/\/ xxx/);
});

attacks('connections that say nothing, or ask and never read, keep nobody out', async ({ all, url, sockets }) => {
  for (const text of ['', 'GET /page.js HTTP/1.1\r\nHost: 127.0.0.1:8061\r\n\r\n', 'GET / HTTP/1.1\r\nHost: 127']) {
    const { opened, stop } = attack(all, 200, text, 1);
    await wait(1000);
    assert.is(opened(), 200);
    for (let n = 0; n < 3; n++) assert.is((await all.http('GET', url)).status, 200, JSON.stringify(text));
    assert.ok(sockets() < 100, `${sockets()} sockets are open`);
    await stop();
  }
});

attacks('who asks and does not read is let go of within some seconds', async ({ all, sockets }) => {
  // Two large answers, which nobody takes: the kernel holds what it can of them, and the rest would wait here.
  all.lab.files.write('/usr/lib/sipalg/page/page.js', 'x'.repeat(260_000));
  let before = sockets();
  for (let last = Infinity; before < last; before = sockets()) {
    last = before; // those of the attacks before are still being let go of
    await wait(6000);
  }
  const { stop } = attack(all, 1, 'GET /page.js HTTP/1.1\r\nHost: 127.0.0.1:8061\r\n\r\n', 2);
  await eventually('the connection', () => (sockets() > before ? true : undefined));
  await eventually('its end', () => (sockets() <= before ? true : undefined), 15_000);
  await stop();
});

attacks("another site's guesses and a local user's do not lock the one-time link", async ({ all, url, link }) => {
  for (let n = 0; n < 4; n++) await all.http('GET', `${url}?token=guess${n}`, { 'sec-fetch-site': 'cross-site' });
  for (let n = 0; n < 3; n++) await all.http('GET', `${url}?token=guess${n}`);
  assert.is((await all.http('GET', link)).status, 303);
});

attacks.run();
