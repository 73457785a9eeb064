import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answers, decodeAnswer, encodeQuery } from '../../../src/languages/dns/message.ts';
import type { Question } from '../../../src/languages/dns/message.ts';
import { nodeAsking } from '../../../src/engines/node/name-servers.ts';
import { nameServer } from '../../lab/name-server.ts';
import type { Zone } from '../../lab/name-server.ts';

const HOME = '127.0.0.1';
const A: Question = { name: 'sip.example', type: 'A' };
const many = Array.from({ length: 250 }, (_, at) => [`192.0.2.${at}`]);

const asking = suite('asking a name server through Node');

async function ask(zone: Zone, over: 'datagram' | 'stream', timeout = 1000): Promise<string[]> {
  const server = await nameServer(HOME, 0, zone);
  try {
    const id = nodeAsking.id();
    const reply = await nodeAsking.ask({ address: HOME, port: server.port }, encodeQuery(id, A), over, timeout, (bytes) =>
      answers(bytes, id),
    );
    return decodeAnswer(reply, id, A).records.flatMap((record) => ('address' in record ? [record.address] : []));
  } finally {
    server.close();
  }
}

async function complaint(act: Promise<unknown>): Promise<string> {
  const error: unknown = await act.then(
    () => {
      throw new Error('it worked');
    },
    (thrown) => thrown,
  );
  assert.instance(error, Error);
  return (error as Error).message;
}

asking('brings the answer, as a datagram and as a stream', async () => {
  assert.equal(await ask({ 'A sip.example': { ttl: 60, data: [['192.0.2.1']] } }, 'datagram'), ['192.0.2.1']);
  assert.is((await ask({ 'A sip.example': { ttl: 60, data: many } }, 'stream')).length, 250);
});

asking('passes over what does not fit', async () => {
  assert.equal(await ask({ 'A sip.example': { bad: 'forged', ttl: 60, data: [['192.0.2.1']] } }, 'datagram'), ['192.0.2.1']);
});

asking('waits no longer than it may, and says so', async () => {
  assert.match(
    await complaint(ask({ 'A sip.example': { bad: 'silent' } }, 'datagram', 200)),
    /^127\.0\.0\.1 port \d+: no answer within 200 ms$/,
  );
});

asking('says when nobody listens, or hangs up', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, HOME, resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  for (const over of ['datagram', 'stream'] as const) {
    assert.match(await complaint(nodeAsking.ask({ address: HOME, port }, encodeQuery(1, A), over, 1000, () => true)), /ECONNREFUSED/, over);
  }
  assert.match(await complaint(ask({ 'A sip.example': { bad: 'silent' } }, 'stream')), /closed the connection/);
});

asking('says what is wrong with an address', async () => {
  for (const over of ['datagram', 'stream'] as const) {
    assert.match(
      await complaint(nodeAsking.ask({ address: '2001:db8::53%nothing0', port: 53 }, encodeQuery(1, A), over, 300, () => true)),
      /^2001:db8::53%nothing0: /,
      over,
    );
  }
});

asking('leaves no socket behind', async () => {
  const { getActiveResourcesInfo } = process as typeof process & { getActiveResourcesInfo(): string[] };
  const open = (): number => getActiveResourcesInfo().filter((each) => /UDP|TCP/.test(each)).length;
  const before = open();
  for (const bad of ['silent', 'garbage'] as const)
    await ask({ 'A sip.example': { bad } }, 'datagram', 50).catch(() => undefined); // how it fails is told above
  await ask({ 'A sip.example': { ttl: 60, data: [['192.0.2.1']] } }, 'stream');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(open() <= before, `${open()} sockets, ${before} before`);
});

asking.run();
