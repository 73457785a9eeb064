import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { createClient, connect, nodeDoor, open, Status, UbusError } from '../../../src/ubus/connection.ts';
import type { Client } from '../../../src/ubus/connection.ts';
import { startUbusd } from '../../lab/ubusd.ts';

const run = promisify(execFile);

interface Place {
  folder: string;
  socket: string;
}

const connection = suite<Place>('a client on a real socket');

connection.before.each((place) => {
  place.folder = mkdtempSync(`${tmpdir()}/ubus-`);
  place.socket = `${place.folder}/ubus.sock`;
});
connection.after.each(({ folder }) => rmSync(folder, { recursive: true }));

async function rejection(promise: Promise<unknown>): Promise<UbusError> {
  const error: unknown = await promise.then(
    () => assert.unreachable('it was to be rejected'),
    (thrown) => thrown,
  );
  assert.instance(error, UbusError);
  return error as UbusError;
}

/** Waits until something is so, for at most five seconds. */
async function until(so: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !so(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(so());
}

connection('calls, publishes, notifies and listens', async ({ socket }) => {
  const ubusd = await startUbusd(socket);
  const [a, b] = [await connect({ path: socket }), await connect({ path: socket })];
  const object = await a.publish('o', { echo: async (args) => args });
  const heard: string[] = [];
  await b.subscribe('o', (_data, { method }) => void heard.push(method));
  await b.listen('e', (event) => void heard.push(event));
  const text = 'x'.repeat(1_000_000);
  const answers = await Promise.all([b.call('o', 'echo', { text }), b.call('o', 'echo', { n: 2n ** 60n })]);
  assert.ok(answers[0]['text'] === text);
  assert.is(answers[1]['n'], 2n ** 60n);
  object.notify('n');
  await a.send('e');
  await until(() => heard.length === 2);
  assert.equal(heard, ['n', 'e']);
  a.close();
  b.close();
  await until(() => ubusd.counts().clients === 0);
  await ubusd.stop();
});

connection('rejects with the reason where nobody listens', async ({ socket, folder }) => {
  const error = await rejection(connect({ path: socket }));
  assert.is(error.status, Status.CONNECTION_FAILED);
  assert.match(error.message, /no connection to ubusd: connect ENOENT .*ubus\.sock/);
  const both = createClient(nodeDoor([`${folder}/one`, `${folder}/two`]), { reconnect: false, timeout: 2000 });
  assert.match((await rejection(both.ready())).message, /ENOENT .*one; connect ENOENT .*two/);
});

connection('takes the second socket where the first is not there', async ({ socket, folder }) => {
  const ubusd = await startUbusd(socket);
  const client = createClient(nodeDoor([`${folder}/none`, socket]));
  assert.equal(await client.lookup(), []);
  client.close();
  await ubusd.stop();
});

connection('opens before ubusd is there, and comes back after each restart of it', async ({ socket }) => {
  const publisher = open({ path: socket, pause: 20, longestPause: 40 });
  const publishing = publisher.publish('o', { n: () => ({ n: 1 }) });
  const user: Client = open({ path: socket, pause: 20, longestPause: 40 });
  const heard: string[] = [];
  for (let restart = 0; restart < 3; restart += 1) {
    const ubusd = await startUbusd(socket);
    await publishing;
    await user.waitFor('o', { timeout: 5000 });
    if (restart === 0) await user.listen('tick', (event) => void heard.push(event));
    await until(() => ubusd.counts().patterns === 2);
    assert.equal(await user.call('o', 'n'), { n: 1 });
    await publisher.send('tick');
    await until(() => heard.length === restart + 1);
    await ubusd.stop();
    await until(() => user.id === 0 && publisher.id === 0);
  }
  publisher.close();
  user.close();
});

connection('sends what was said before close', async ({ socket }) => {
  const ubusd = await startUbusd(socket);
  const [a, b] = [await connect({ path: socket }), await connect({ path: socket })];
  const object = await a.publish('o', {});
  const heard: string[] = [];
  await b.subscribe('o', (_data, { method }) => void heard.push(method));
  object.notify('last words');
  await a.ping();
  a.close();
  await until(() => heard.length === 1);
  b.close();
  await ubusd.stop();
});

connection('gives up a ubusd that takes nothing', async ({ socket }) => {
  const peers: Socket[] = [];
  const server = createServer((peer) => {
    peers.push(peer);
    peer.write(Buffer.from('000000000001000000000004', 'hex'));
    peer.pause();
    peer.on('error', () => peer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const reasons: string[] = [];
  const client = open({
    path: socket,
    pause: 60000,
    onState: (state) => state.state === 'disconnected' && reasons.push(state.reason),
  });
  await client.ready();
  const text = 'x'.repeat(1_000_000);
  const waiting = Array.from({ length: 40 }, () => rejection(client.call(0x10000, 'm', { text })));
  for (const error of await Promise.all(waiting)) assert.is(error.status, Status.CONNECTION_FAILED);
  assert.match(reasons[0]!, /ubusd takes nothing: \d+ bytes wait/);
  client.close();
  for (const peer of peers) peer.destroy();
  await new Promise((resolve) => server.close(resolve));
});

connection('runs the example of its README, and prints what the README says', async ({ socket, folder }) => {
  const readme = readFileSync('src/ubus/README.md', 'utf8');
  const [, example] = /```js\n([^]*?)```/.exec(readme) ?? [];
  const [, printed] = /```\n\n```\n([^]*?)```/.exec(readme) ?? [];
  assert.ok(example && printed);
  writeFileSync(`${folder}/example.mjs`, example);
  await build({
    entryPoints: [`${folder}/example.mjs`],
    outfile: `${folder}/packed.mjs`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { 'openwrt-ubus': `${process.cwd()}/src/ubus/connection.ts` },
    logLevel: 'silent',
  });
  const ubusd = await startUbusd(socket);
  const { stdout, stderr } = await run(process.execPath, [`${folder}/packed.mjs`, socket], { timeout: 20000 });
  await ubusd.stop();
  assert.is(stderr, '');
  assert.is(stdout, printed);
});

connection('is a package that can be built and used alone', async ({ socket, folder }) => {
  const { compilerOptions } = JSON.parse(readFileSync('src/ubus/tsconfig.json', 'utf8'));
  assert.is(compilerOptions.rewriteRelativeImportExtensions, true);
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'src/ubus', '--outDir', `${folder}/dist`]);
  const { exports } = JSON.parse(readFileSync('src/ubus/package.json', 'utf8'));
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
  writeFileSync(
    `${folder}/use.js`,
    `
    import { connect } from '${exports['.'].default}';
    import { createClient } from '${exports['./client'].default}';
    const client = await connect({ path: process.argv[2] });
    console.log(typeof createClient, JSON.stringify(await client.lookup()));
    client.close();
  `,
  );
  const ubusd = await startUbusd(socket);
  const { stdout } = await run(process.execPath, [`${folder}/use.js`, socket], { timeout: 20000 });
  await ubusd.stop();
  assert.is(stdout, 'function []\n');
});

connection.run();
