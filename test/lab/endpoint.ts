/**
 * A sender and receiver of UDP and TCP that runs in a member of the lab: commands come in as JSON lines, one
 * answer or event goes out per line. It ends with its standard input.
 *
 *   in   { id, open: 'udp' | 'tcp' | 'listen', socket, address, port, to? }   { id, send, socket, to? }   { id, close: socket }
 *   out  { id, done: true } or { id, error }   { socket, received, from: { address, port } }
 *
 * `send` and `received` are base64. `listen` answers on the connection that spoke last.
 */
import { createSocket, type Socket as Udp } from 'node:dgram';
import { createServer, connect, type Server, type Socket as Tcp } from 'node:net';
import { createInterface } from 'node:readline';

type To = { readonly address: string; readonly port: number };
type Command = {
  readonly id: number;
  readonly open?: 'udp' | 'tcp' | 'listen';
  readonly socket: string;
  readonly address?: string;
  readonly port?: number;
  readonly to?: To;
  readonly send?: string;
  readonly close?: string;
};
type Open = { readonly send: (bytes: Buffer, to: To | undefined) => Promise<void>; readonly close: () => void };

const open = new Map<string, Open>();
const say = (line: unknown): void => {
  process.stdout.write(JSON.stringify(line) + '\n');
};

function heard(socket: string, bytes: Buffer, from: To): void {
  say({ socket, received: bytes.toString('base64'), from });
}

function openUdp(name: string, address: string, port: number): Promise<Open> {
  const socket: Udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => heard(name, bytes, { address: from.address, port: from.port }));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () =>
      resolve({
        send: (bytes, to) =>
          new Promise((sent, failed) => {
            socket.send(bytes, to!.port, to!.address, (error) => (error ? failed(error) : sent()));
          }),
        close: () => socket.close(),
      }),
    );
  });
}

function speak(name: string, socket: Tcp): Open {
  socket.setNoDelay(true);
  socket.on('data', (bytes) => heard(name, bytes, { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }));
  socket.on('error', (error) => say({ socket: name, broken: error.message }));
  return {
    send: (bytes) =>
      new Promise((sent, failed) => {
        socket.write(bytes, (error) => (error ? failed(error) : sent()));
      }),
    close: () => socket.resetAndDestroy(),
  };
}

function openTcp(name: string, address: string, port: number, to: To): Promise<Open> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to.address, port: to.port, localAddress: address, localPort: port });
    socket.once('error', reject);
    socket.once('connect', () => resolve(speak(name, socket)));
  });
}

function listen(name: string, address: string, port: number): Promise<Open> {
  let last: Open | undefined;
  const all: Open[] = [];
  const server: Server = createServer((socket) => {
    last = speak(name, socket);
    all.push(last);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () =>
      resolve({
        send: (bytes) => (last ? last.send(bytes, undefined) : Promise.reject(new Error('nobody has connected'))),
        close: () => {
          for (const one of all) one.close();
          server.close();
        },
      }),
    );
  });
}

async function obey(command: Command): Promise<void> {
  const { address = '0.0.0.0', port = 0 } = command;
  switch (command.open) {
    case 'udp':
      open.set(command.socket, await openUdp(command.socket, address, port));
      return;
    case 'tcp':
      open.set(command.socket, await openTcp(command.socket, address, port, command.to!));
      return;
    case 'listen':
      open.set(command.socket, await listen(command.socket, address, port));
      return;
    case undefined:
  }
  const socket = open.get(command.close ?? command.socket);
  if (!socket) throw new Error(`no socket is called ${command.close ?? command.socket}`);
  if (command.close !== undefined) {
    socket.close();
    open.delete(command.close);
  } else {
    await socket.send(Buffer.from(command.send ?? '', 'base64'), command.to);
  }
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const command = JSON.parse(line) as Command;
  obey(command).then(
    () => say({ id: command.id, done: true }),
    (error: Error) => say({ id: command.id, error: error.message }),
  );
});
input.on('close', () => process.exit(0));
