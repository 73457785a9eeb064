/** The door to HTTP on Node, by real sockets and a clock that is moved by hand: a client that does not read what it has asked for. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listen } from '../../../src/engines/node/http-server.ts';
import type { Listening } from '../../../src/http/listener.ts';
import { MOST_BODY } from '../../../src/http/message.ts';
import { TAKEN_WITHIN } from '../../../src/http/waiting.ts';
import { handClock, settle, type HandClock } from '../../pure/daemon/hand.ts';

/** More than the kernel holds of a connection whose other end does not read (tcp_wmem and tcp_rmem, 4 and 6 MiB). */
const LARGE = 24 << 20;

type Scene = { clock: HandClock; server: Listening; asked: () => number };

const door = suite<Scene>('the door to HTTP, asked by who does not read');

door.before.each(async (context) => {
  context.clock = handClock();
  let asked = 0;
  context.asked = () => asked;
  const body = 'x'.repeat(LARGE);
  const handle = async ({ target }: { target: string }) => {
    asked += 1;
    return { status: 200, headers: {}, body: target === '/large' ? body : 'small' };
  };
  context.server = await listen({ address: '127.0.0.1', port: 0 }, handle, (error) => console.error(error), null, context.clock);
});
door.after.each(({ server }) => server.close(0));

type Client = { socket: Socket; ended: Promise<void>; isOpen: () => boolean };

async function ask({ server, asked }: Scene, target: string): Promise<Client> {
  const before = asked();
  const socket = connect(server.place.port, '127.0.0.1');
  let open = true;
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void ended.then(() => (open = false));
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  while (asked() === before) await settle();
  return { socket, ended, isOpen: () => open };
}

/** The other end is gone before it has sent all, as a client sees it that reads what is left. */
async function end(client: Client): Promise<void> {
  client.socket.resume();
  await client.ended;
  assert.ok(client.socket.bytesRead < LARGE, `${client.socket.bytesRead} bytes have come`);
}

door('is let go of when nothing is taken for some seconds', async (scene) => {
  const client = await ask(scene, '/large');
  await scene.clock.pass(TAKEN_WITHIN - 1);
  assert.is(client.isOpen(), true);
  await scene.clock.pass(1);
  await end(client);
  assert.is(scene.clock.waiting(), 0);
});

door('has its reply ended when more than 4 MiB wait of all, the oldest first; who comes then is answered', async (scene) => {
  const first = await ask(scene, '/large');
  const second = await ask(scene, '/large');
  await end(first);
  assert.is(second.isOpen(), true);
  const third = await ask(scene, '/small');
  const said = once(third.socket, 'data');
  third.socket.resume();
  assert.match(String(await said), 'HTTP/1.1 200 OK');
  assert.is(second.isOpen(), true, 'small ones end none');
  await scene.clock.pass(TAKEN_WITHIN);
  await end(second);
  third.socket.destroy();
});

const bodies = suite('a large body at the door to HTTP');

bodies('is read of who may bring one, one at a time, and of nobody else', async () => {
  const held: (() => void)[] = [];
  const most = ({ target }: { target: string }): number => (target === '/may' ? 100_000 : MOST_BODY);
  const handle = Object.assign(
    async ({ body }: { body: string | null }) => {
      await new Promise<void>((resolve) => held.push(resolve));
      return { status: 200, headers: {}, body: String(body?.length) };
    },
    { most },
  );
  const server = await listen({ address: '127.0.0.1', port: 0 }, handle, (error) => console.error(error));
  try {
    /** @returns what comes of it, and a promise that it was heard */
    const post = (target: string, bytes: number): Promise<string> =>
      fetch(`http://127.0.0.1:${server.place.port}${target}`, { method: 'POST', body: 'x'.repeat(bytes) }).then(
        async (response) => `${response.status} ${(await response.text()).slice(0, 80)}`,
      );
    const begun = async (count: number): Promise<void> => {
      while (held.length < count) await settle();
    };
    const first = post('/may', 100_000);
    await begun(1);
    assert.match(await post('/may', MOST_BODY + 1), '503 {"error":"Another large change of the configuration is being taken');
    const small = post('/may', MOST_BODY);
    await begun(2);
    held.splice(0).forEach((go) => go());
    assert.equal([await first, await small], ['200 100000', `200 ${MOST_BODY}`]);
    const again = post('/may', 90_000);
    await begun(1);
    held.splice(0).forEach((go) => go());
    assert.is(await again, '200 90000', 'the place is free again');
    assert.match(await post('/may', 100_001), '413 {"error":"This is more than can be taken at once (100000 bytes)');
    assert.match(await post('/else', MOST_BODY + 1), `413 {"error":"This is more than can be taken at once (${MOST_BODY} bytes)`);
    const last = post('/may', 100_000);
    await begun(1);
    held.splice(0).forEach((go) => go());
    assert.is(await last, '200 100000', 'also after one that was too large');
  } finally {
    await server.close(0);
  }
});

door.run();
bodies.run();
