/** The test's side of an endpoint (endpoint.ts): sockets in a member, their bytes in and out. */
import { createInterface } from 'node:readline';
import { bundled } from '../bundled.ts';
import type { Member } from './member.ts';

export type Peer = { readonly address: string; readonly port: number };
export type Received = { readonly bytes: Buffer; readonly from: Peer };

export type Socket = {
  send(bytes: Uint8Array, to?: Peer): Promise<void>;
  /** The next thing received, also one that came earlier and was not taken; undefined after `timeout` ms. */
  next(timeout?: number): Promise<Received | undefined>;
  close(): Promise<void>;
};

export type Talker = {
  udp(address: string, port: number): Promise<Socket>;
  tcp(address: string, port: number, to: Peer): Promise<Socket>;
  listen(address: string, port: number): Promise<Socket>;
};

type Said = { id?: number; error?: string; socket?: string; received?: string; from?: Peer };

/** Starts an endpoint in a member; it ends with the member. */
export async function talkerIn(member: Member): Promise<Talker> {
  const process_ = member.spawn([process.execPath, '-e', await bundled('test/lab/endpoint.ts')]);
  const answers = new Map<number, (said: Said) => void>();
  const queues = new Map<string, Received[]>();
  const waiting = new Map<string, (received: Received) => void>();
  let complained = '';
  let gone = false;
  let ids = 0;
  process_.child.stderr.on('data', (data: Buffer) => {
    complained += data;
  });
  createInterface({ input: process_.child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as Said;
    if (said.id !== undefined) {
      answers.get(said.id)?.(said);
      answers.delete(said.id);
    } else if (said.received !== undefined) {
      const received = { bytes: Buffer.from(said.received, 'base64'), from: said.from! };
      const taker = waiting.get(said.socket!);
      waiting.delete(said.socket!);
      if (taker) taker(received);
      else queues.get(said.socket!)?.push(received);
    }
  });
  const end = (): void => {
    gone = true;
    for (const answer of answers.values()) answer({ error: `the endpoint in ${member.name} is gone ${complained}` });
    answers.clear();
  };
  process_.ended.then(end, end);

  async function tell(command: object): Promise<void> {
    const id = ++ids;
    const said = await new Promise<Said>((resolve) => {
      if (gone) {
        resolve({ error: `the endpoint in ${member.name} is gone ${complained}` });
        return;
      }
      answers.set(id, resolve);
      process_.child.stdin.write(JSON.stringify({ id, ...command }) + '\n');
    });
    if (said.error !== undefined) throw new Error(`${member.name}: ${said.error}`);
  }

  async function socket(open: 'udp' | 'tcp' | 'listen', address: string, port: number, to?: Peer): Promise<Socket> {
    const name = `${open}-${++ids}`;
    queues.set(name, []);
    await tell({ open, socket: name, address, port, to });
    return {
      send: (bytes, peer) => tell({ socket: name, send: Buffer.from(bytes).toString('base64'), to: peer }),
      next(timeout = 1000) {
        const first = queues.get(name)?.shift();
        if (first) return Promise.resolve(first);
        return new Promise((resolve) => {
          const timer = setTimeout(() => {
            waiting.delete(name);
            resolve(undefined);
          }, timeout);
          waiting.set(name, (received) => {
            clearTimeout(timer);
            resolve(received);
          });
        });
      },
      async close() {
        queues.delete(name);
        await tell({ close: name });
      },
    };
  }

  return {
    udp: (address, port) => socket('udp', address, port),
    tcp: (address, port, to) => socket('tcp', address, port, to),
    listen: (address, port) => socket('listen', address, port),
  };
}
