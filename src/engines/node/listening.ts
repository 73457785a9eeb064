/** Sockets that wait for others, on Node 18 and later. */
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { networkTrouble } from '../../host/network.ts';
import type { Accepted, Listening } from '../../host/network.ts';

const datagrams: Listening['datagrams'] = (at, heard) =>
  new Promise((resolve, reject) => {
    // Both families are listened to, each by a socket of its own.
    const socket = createSocket(at.address.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
    const refuse = (error: Error): void => {
      socket.close();
      reject(new Error(networkTrouble(error)));
    };
    socket.once('error', refuse);
    socket.on('message', (bytes, from) => heard(bytes, { address: from.address, port: from.port }));
    socket.bind(at.port, at.address, () => {
      socket.off('error', refuse);
      socket.on('error', () => undefined); // what the network says of somebody's port ends no service
      const { address, port } = socket.address();
      // Nobody waits for an answer that could not be sent: who asked asks again.
      resolve({
        at: { address, port },
        send: (bytes, to) => socket.send(bytes, to.port, to.address, () => undefined),
        close: () => socket.close(),
      });
    });
  });

const connections: Listening['connections'] = (at, accepted) =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const connection: Accepted = {
        from: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
        waiting: () => socket.writableLength,
        send: (bytes) => void socket.write(bytes),
        close: () => void socket.destroy(),
        heard: () => undefined,
        ended: () => undefined,
      };
      socket.on('error', () => socket.destroy());
      if (!accepted(connection)) {
        socket.destroy();
        return;
      }
      socket.setNoDelay(true);
      socket.on('data', (bytes) => connection.heard(bytes));
      socket.on('close', () => connection.ended());
    });
    server.once('error', (error) => reject(new Error(networkTrouble(error))));
    server.listen({ host: at.address, port: at.port, ipv6Only: true }, () => {
      server.on('error', () => undefined);
      const address = server.address();
      const place = typeof address === 'object' && address !== null ? { address: address.address, port: address.port } : at;
      resolve({ at: place, close: () => server.close() });
    });
  });

export const nodeListening: Listening = {
  random: (size) => randomBytes(size),
  digest: (key, text) => createHmac('sha256', key).update(text).digest('hex'),
  datagrams,
  connections,
};
