/**
 * Node's door to ubusd, and this package's front door: `connect`, and everything else.
 * The only file that knows sockets and timers. File descriptors, which ubus can
 * pass along with a message, are not supported: Node cannot receive them, and drops them.
 */
import { connect as dialSocket } from 'node:net';
import type { Socket } from 'node:net';
import { createClient } from './client.ts';
import type { Client, ClientOptions } from './client.ts';
import { Status, UbusError } from './status.ts';
import type { Door } from './transport.ts';

export { createClient } from './client.ts';
export type { CallOptions, Client, ClientOptions, ConnectionState, ObjectInfo, TimeoutOption } from './client.ts';
export type { EventListener } from './events.ts';
export type { Attributes } from './message.ts';
export type { Monitored } from './monitor.ts';
export type { Answer, Handler, IncomingRequest } from './objects.ts';
export type { Method, Methods, NotifyReply, Publication, PublishOptions } from './publication.ts';
export type { Arguments, Signature } from './signature.ts';
export { Status, statusText, UbusError } from './status.ts';
export type { SubscribeOptions, Subscription } from './subscription.ts';
export type { Door, Listening, Transport } from './transport.ts';
export { decodeTable, encodeTable, Typed, typed } from './value.ts';
export type { Table, TableLike, TypeName, Value } from './value.ts';

/** Where ubusd listens; up to OpenWrt 19.07 it was the second. */
export const sockets: readonly string[] = ['/var/run/ubus/ubus.sock', '/var/run/ubus.sock'];

export interface ConnectOptions extends ClientOptions {
  /** The socket of ubusd. Default: the first of {@link sockets} that can be opened. */
  path?: string | undefined;
}

/** A ubusd that takes nothing while this many bytes wait is given up. */
const MOST_WAITING = 16 * 1024 * 1024;

/** Connects. Rejects with UbusError CONNECTION_FAILED when the first attempt fails; after it, see `reconnect`. */
export function connect(options: ConnectOptions = {}): Promise<Client> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const client = open({
      ...options,
      onState(state) {
        if (!settled) {
          settled = true;
          if (state.state === 'connected') {
            resolve(client);
          } else {
            client.close();
            reject(new UbusError(Status.CONNECTION_FAILED, `no connection to ubusd: ${state.reason}`));
            return;
          }
        }
        options.onState?.(state);
      },
    });
  });
}

/** Makes a client at once, and keeps trying to connect; what it is asked waits until there is a connection. */
export function open(options: ConnectOptions = {}): Client {
  return createClient(nodeDoor(options.path === undefined ? sockets : [options.path]), options);
}

/** A door that tries each of `paths`. */
export function nodeDoor(paths: readonly string[]): Door {
  return {
    dial(listening) {
      const failures: string[] = [];
      let done = false;
      let socket = begin(0);

      function begin(at: number): Socket {
        const mine = dialSocket(paths[at]!);
        let open = false;
        let ended = false;
        const end = (reason: string) => {
          if (done || ended) return;
          ended = true;
          mine.destroy();
          failures.push(reason);
          if (!open && at + 1 < paths.length) {
            socket = begin(at + 1);
          } else {
            done = true;
            listening.closed(open ? reason : failures.join('; '));
          }
        };
        mine.on('connect', () => {
          open = true;
        });
        mine.on('data', (bytes) => {
          if (!done) listening.data(bytes);
        });
        mine.on('error', (error) => end(error.message));
        mine.on('close', () => end('ubusd closed the connection'));
        return mine;
      }

      return {
        send(bytes) {
          if (done) return;
          if (socket.writableLength + bytes.length <= MOST_WAITING) socket.write(bytes);
          else socket.destroy(new Error(`ubusd takes nothing: ${socket.writableLength} bytes wait`));
        },
        close() {
          if (done) return;
          done = true;
          // What waits to be sent is sent first, unless the other side is stuck.
          socket.end(() => socket.destroy());
          setTimeout(() => socket.destroy(), 1000).unref();
        },
      };
    },
    after(milliseconds, task) {
      // Longer delays than 2^31 - 1 ms would run at once.
      const timer = setTimeout(task, Math.min(milliseconds, 0x7fffffff));
      return () => clearTimeout(timer);
    },
    now: () => performance.now(),
  };
}
