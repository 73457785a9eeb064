/** A small ubusd for tests, on a unix socket (the bus itself: test/ubus/bus.ts). */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { createUbusd } from '../pure/ubus/bus.ts';
import type { Bus, UbusdOptions } from '../pure/ubus/bus.ts';

export interface Ubusd extends Bus {
  readonly path: string;
  /** Hangs up on everybody and removes the socket. */
  stop(): Promise<void>;
}

/** Starts a bus on a unix socket; an old socket file there is removed, as ubusd does. */
export function startUbusd(path: string, options: UbusdOptions = {}): Promise<Ubusd> {
  const bus = createUbusd(options);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const peer = bus.attach(
      (frame) => socket.write(frame),
      () => socket.destroy(),
    );
    socket.on('data', (bytes) => peer.data(bytes));
    // A client that dies is gone as one that leaves.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      peer.close();
    });
  });
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () =>
      resolve({
        ...bus,
        path,
        stop: () =>
          new Promise((done) => {
            server.close(() => done());
            for (const socket of sockets) socket.destroy();
          }),
      }),
    );
  });
}
