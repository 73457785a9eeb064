/** Sockets to other machines, on Node 18 and later. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { NameServer } from '../../host/host.ts';
import { networkTrouble } from '../../host/network.ts';
import type { Network, Peer } from '../../host/network.ts';
import { nodeAsking } from './name-servers.ts';

/** Node gives `127.0.0.1`, `[::1]:5353`, `1.1.1.1:53`. */
function serverOf(text: string): NameServer {
  const [, bracketed, port6] = /^\[(.*)\](?::(\d+))?$/.exec(text) ?? [];
  if (bracketed !== undefined) return { address: bracketed, port: Number(port6 ?? 53) };
  const [, address = text, port] = /^([\d.]+)(?::(\d+))?$/.exec(text) ?? [];
  return { address, port: Number(port ?? 53) };
}

const family = ({ address }: Peer): 'udp4' | 'udp6' => (address.includes(':') ? 'udp6' : 'udp4');

export const datagrams: Network['datagrams'] = (to, port, heard, failed) =>
  new Promise((resolve, reject) => {
    const socket = createSocket(family(to));
    let open = true;
    const close = (): void => {
      if (open) socket.close();
      open = false;
    };
    const refuse = (error: Error): void => {
      close();
      reject(new Error(networkTrouble(error)));
    };
    socket.once('error', refuse);
    socket.on('message', (bytes) => {
      if (open) heard(bytes);
    });
    socket.bind(port, () => {
      // Connected: the kernel takes datagrams from that peer alone, and tells when nobody listens there.
      socket.connect(to.port, to.address, () => {
        socket.off('error', refuse);
        socket.on('error', (error) => {
          if (open) failed(networkTrouble(error));
        });
        const { address, port: local } = socket.address();
        resolve({
          local: { address, port: local },
          send: (bytes) => {
            if (!open) return;
            socket.send(bytes, (error) => {
              if (error && open) failed(networkTrouble(error));
            });
          },
          close,
        });
      });
    });
  });

/** By the name OpenSSL has for it. */
const FLAWS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody known has signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody known has signed it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody known has signed it',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet; is the clock right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is of another name',
};

/** What is wrong with a certificate, in words. */
const flaw = (socket: TLSSocket): string | null => {
  if (socket.authorized) return null;
  const error: unknown = socket.authorizationError;
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
  return Object.hasOwn(FLAWS, code) ? `${FLAWS[code]} (${code})` : code;
};

/** Names of hosts alone may stand in the indication of TLS (RFC 6066 §3). */
const indication = (name: string): { servername?: string } => (/^[\d.]+$|:/.test(name) ? {} : { servername: name });

export const stream: Network['stream'] = (over, to, name, timeout, heard, ended) =>
  new Promise((resolve, reject) => {
    const place = { host: to.address, port: to.port };
    let state: 'beginning' | 'open' | 'closed' = 'beginning';
    const timer = setTimeout(() => fail(new Error(`no connection within ${Math.round(timeout / 1000)} s`)), timeout);
    const socket: Socket =
      over === 'tcp' ? connect(place) : connectTls({ ...place, ...indication(name), rejectUnauthorized: false, minVersion: 'TLSv1' });
    function fail(error: Error): void {
      clearTimeout(timer);
      socket.destroy();
      if (state === 'beginning') {
        const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
        reject(Object.assign(new Error(networkTrouble(error)), { refused }));
      } else if (state === 'open') {
        ended(networkTrouble(error));
      }
      state = 'closed';
    }
    socket.setNoDelay(true);
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the other side closed the connection')));
    socket.on('data', (bytes) => {
      if (state === 'open') heard(bytes);
    });
    socket.once(over === 'tcp' ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      if (state !== 'beginning') return;
      state = 'open';
      resolve({
        local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
        ...(over === 'tls' ? { certificate: flaw(socket as TLSSocket) } : {}),
        send: (bytes) => {
          if (state === 'open') socket.write(bytes);
        },
        close: () => {
          state = 'closed';
          socket.destroy();
        },
      });
    });
  });

/** Sockets, through Node. */
export const nodeNetwork: Network = {
  asking: nodeAsking,
  nameServers: () => {
    try {
      return getServers().map(serverOf);
    } catch {
      return null;
    }
  },
  random: (size) => randomBytes(size),
  lacks: async () => null,
  datagrams,
  stream,
};
