/**
 * The door to name servers, on Node 18 and later: one message out, one back. It knows nothing of what is in them,
 * but for the length that stands before a message on TCP (RFC 1035 §4.2.2).
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { inWords } from '../../host/errno.ts';
import type { Asking, NameServer } from '../../host/host.ts';

type Ask = (
  server: NameServer,
  message: Uint8Array,
  fits: (reply: Uint8Array) => boolean,
  done: (reply: Uint8Array) => void,
  fail: (error: Error) => void,
) => () => void;

// Connected: the kernel takes datagrams from that server alone, and tells when nobody listens there.
const datagram: Ask = ({ address, port }, message, fits, done, fail) => {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', fail);
  socket.on('message', (reply) => {
    if (fits(reply)) done(reply);
  });
  socket.connect(port, address, () =>
    socket.send(message, (error) => {
      if (error) fail(error);
    }),
  );
  return () => socket.close();
};

const stream: Ask = ({ address, port }, message, fits, done, fail) => {
  const socket = connect({ host: address, port });
  let had = Buffer.alloc(0);
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('it closed the connection')));
  socket.on('data', (data) => {
    had = Buffer.concat([had, data]); // 64 KiB and what came with the last piece: there is nothing to read behind one message
    if (had.length < 2 || had.length < 2 + had.readUInt16BE()) return;
    const reply = had.subarray(2, 2 + had.readUInt16BE());
    if (fits(reply)) done(reply);
    else fail(new Error('it sent something else'));
  });
  socket.write(Uint8Array.from([message.length >> 8, message.length & 255, ...message]));
  return () => socket.destroy();
};

/** Name servers, through Node. */
export const nodeAsking: Asking = {
  id: () => randomInt(65536),
  ask: (server, message, over, timeout, fits) =>
    new Promise((resolve, reject) => {
      let close = (): void => undefined;
      const who = `${server.address}${server.port === 53 ? '' : ` port ${server.port}`}`;
      const timer = setTimeout(() => fail(new Error(`no answer within ${timeout} ms`)), timeout);
      const end = (): void => {
        clearTimeout(timer);
        close();
        close = () => undefined;
      };
      const fail = (error: Error): void => {
        end();
        reject(new Error(`${who}: ${inWords(error)}`));
      };
      try {
        close = (over === 'datagram' ? datagram : stream)(
          server,
          message,
          fits,
          (reply) => {
            end();
            resolve(reply);
          },
          fail,
        );
      } catch (error) {
        fail(error as Error);
      }
    }),
};
