/** The door to HTTP on Node with a certificate: real TLS, and who speaks something else to the same port. */
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as secure } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { certificate } from '../../../src/engines/node/certificate.ts';
import { listen } from '../../../src/engines/node/http-server.ts';
import type { Answer, Asked } from '../../../src/http/message.ts';
import type { Listening } from '../../../src/http/listener.ts';
import { derOf, EC, RSA } from '../../certificates.ts';

type Scene = { server: Listening; asked: Asked[] };

const door = suite<Scene>('the door to HTTP with a certificate');

door.before.each(async (context) => {
  const asked: Asked[] = (context.asked = []);
  const handle = async (one: Asked) => {
    asked.push(one);
    return { status: 200, headers: {}, body: `${one.method} ${one.body}` };
  };
  context.server = await listen({ address: '127.0.0.1', port: 0 }, handle, (error) => console.error(error), EC);
});
door.after.each(({ server }) => server.close(0));

/** Everything that comes until the other end closes. */
async function all(socket: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

async function handshake({ server }: Scene, ca = [EC.cert]): Promise<TLSSocket> {
  const socket = secure({ port: server.place.port, host: '127.0.0.1', ca, servername: 'router.lab' });
  await once(socket, 'secureConnect');
  return socket;
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n';

door('speaks TLS: a request with a body, and another on the same connection', async (scene) => {
  const socket = await handshake(scene);
  assert.is(socket.authorized, true);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello');
  const [first] = await once(socket, 'data');
  assert.match(String(first), /^HTTP\/1\.1 200 OK\r\n[^]*POST hello$/);
  socket.write(`${GET}Connection: close\r\n\r\n`);
  assert.match(await all(socket), /GET $/);
  assert.equal(
    scene.asked.map(({ secure: over, address }) => [over, address]),
    [
      [true, '127.0.0.1'],
      [true, '127.0.0.1'],
    ],
  );
});

door('hears plain HTTP, however it is cut, and says that it came without TLS', async (scene) => {
  const socket = connect(scene.server.place.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setNoDelay(true);
  socket.write('G');
  await new Promise((done) => setImmediate(done));
  socket.write(`${GET.slice(1)}Connection: close\r\n\r\n`);
  assert.match(await all(socket), /^HTTP\/1\.1 200 OK/);
  assert.equal(
    scene.asked.map(({ secure: over }) => over),
    [false],
  );
});

door('ends what is neither, and a handshake that is none, and serves on', async (scene) => {
  for (const bytes of ['\x16\x03\x01\x00\x05hello', `\x16\x03\x01\x00\x80${'x'.repeat(200)}`]) {
    const socket = connect(scene.server.place.port, '127.0.0.1');
    socket.write(Buffer.from(bytes, 'latin1'));
    await all(socket);
  }
  const garbage = connect(scene.server.place.port, '127.0.0.1');
  garbage.write('\0\0\r\n\r\n');
  assert.match(await all(garbage), /^HTTP\/1\.1 400 .*This is no HTTP request\./s);
  const socket = await handshake(scene);
  socket.write(`${GET}Connection: close\r\n\r\n`);
  assert.match(await all(socket), /^HTTP\/1\.1 200 OK/);
});

door('ends a connection that holds many requests at once, inside of TLS too', async (scene) => {
  const socket = await handshake(scene);
  socket.write(`${GET}\r\n`.repeat(100));
  assert.is(await all(socket), '');
  assert.is(scene.asked.length, 0);
});

door('a 65th connection ends the one that has been quiet longest, a handshake not begun among them', async (scene) => {
  const quiet = connect(scene.server.place.port, '127.0.0.1');
  await once(quiet, 'connect');
  const others = [];
  for (let n = 0; n < 64; n++) {
    const one = connect(scene.server.place.port, '127.0.0.1');
    await once(one, 'connect');
    others.push(one);
  }
  assert.is(await all(quiet), '');
  const socket = await handshake(scene);
  socket.write(`${GET}Connection: close\r\n\r\n`);
  assert.match(await all(socket), /^HTTP\/1\.1 200 OK/);
  for (const one of others) one.destroy();
});

const files = suite<{ folder: string; put: (name: string, bytes: string | Buffer) => string }>('a certificate and its key');

files.before.each((context) => {
  const folder = (context.folder = mkdtempSync(join(tmpdir(), 'sipalg-tls-')));
  context.put = (name, bytes) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
});
files.after.each(({ folder }) => rmSync(folder, { recursive: true }));

files('are read as px5g and openssl write them: PEM, DER, a mixture, RSA and EC; or both in one file', async ({ put }) => {
  const der = (pem: string, type: 'pkcs1' | 'sec1' | 'pkcs8'): Buffer => createPrivateKey(pem).export({ format: 'der', type });
  const ways: [string | Buffer, string | Buffer][] = [
    [EC.cert, EC.key],
    [RSA.cert, RSA.key],
    [derOf(RSA.cert), der(RSA.key, 'pkcs1')],
    [derOf(EC.cert), der(EC.key, 'sec1')],
    [derOf(RSA.cert), RSA.key],
    [derOf(EC.cert), der(EC.key, 'pkcs8')],
  ];
  for (const [one, other] of ways) {
    const read = await certificate({ cert: put('crt', one), key: put('key', other), named: false });
    assert.is(read.state, 'present');
    if (read.state !== 'present') continue;
    const handle = async (): Promise<Answer> => ({ status: 204, headers: {}, body: '' });
    const server = await listen({ address: '127.0.0.1', port: 0 }, handle, console.error, read.pair);
    const socket = await handshake({ server, asked: [] }, [EC.cert, RSA.cert]);
    assert.is(socket.authorized, true);
    socket.destroy();
    await server.close(0);
  }
  const both = put('both.pem', EC.cert + EC.key);
  assert.is((await certificate({ cert: both, key: both, named: true })).state, 'present');
});

files('that cannot be used are named, each with why', async ({ put, folder }) => {
  const [cert, key] = [put('crt', EC.cert), put('key', EC.key)];
  const absent = join(folder, 'none');
  const because = async (paths: { cert: string; key: string; named?: true }): Promise<string> => {
    const read = await certificate({ named: false, ...paths });
    return read.state === 'failed' ? read.because.replaceAll(folder, '') : read.state;
  };
  assert.is(await because({ cert: absent, key: absent }), 'absent');
  assert.is(await because({ cert: absent, key: absent, named: true }), '/none is not there');
  assert.is(await because({ cert, key: absent }), '/none is not there');
  assert.is(await because({ cert: absent, key }), '/none is not there');
  assert.is(await because({ cert, key: put('empty', '') }), '/empty is empty');
  assert.is(await because({ cert: folder, key }), ' could not be read: it is a directory (EISDIR)');
  assert.is(await because({ cert, key: put('odd', 'no key') }), '/odd holds no private key that can be read without a passphrase');
  assert.is(await because({ cert, key: put('rsa', RSA.key) }), 'the key /rsa does not belong to the certificate /crt');
  assert.match(await because({ cert: put('bad', 'no certificate'), key }), /^\/bad is no certificate that a TLS server can use \(.+\)$/);
  const marks = await Promise.all([cert, put('other', EC.cert + '\n')].map((one) => certificate({ cert: one, key, named: false })));
  assert.is.not((marks[0] as { mark: string }).mark, (marks[1] as { mark: string }).mark);
});

door.run();
files.run();
