/** The door to HTTP on Node, by real sockets and a clock that is moved by hand: a client that does not read what it has asked for. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listen } from '../../../src/engines/node/http-server.ts';
import type { Listening } from '../../../src/http/listener.ts';
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

door.run();
