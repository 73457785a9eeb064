/** The way to other machines: sockets, as an engine hands them in. Doors of their own, for few runs need them. */
import { inWords } from './errno.ts';
import type { Asking, NameServer } from './host.ts';

const TROUBLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no way to that network',
  EADDRINUSE: 'the port is in use already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EMSGSIZE: 'it is larger than the network takes',
  EPERM: 'the firewall of this machine does not let it out',
  EACCES: 'permission denied; ports below 1024 need root',
  EPIPE: 'the other side closed the connection',
};

/** What the network said, in words. */
export function networkTrouble(error: unknown): string {
  const { code } = error as { code?: string };
  const words = code !== undefined && Object.hasOwn(TROUBLE, code) ? TROUBLE[code] : undefined;
  return words ?? inWords(error);
}

/** An IP address, IPv6 without brackets, and a port. */
export interface Peer {
  address: string;
  port: number;
}

/** This machine's end of a flow to one peer. */
export interface Flow {
  /** As the system chose it. */
  readonly local: Peer;
  send(bytes: Uint8Array): void;
  /** Datagrams that have not left yet; absent where none waits. */
  waiting?(): number;
  /** May be called twice; nothing is heard after it. */
  close(): void;
}

/** A flow over TLS that stands, with what is known of the other end's certificate. */
export interface Secured {
  /** null: it is good for the name that was asked for; else why not, without a final dot. */
  readonly certificate: string | null;
}

export interface Network {
  /** null: this engine has no sockets of its own for it, names are asked for by OpenWrt's nslookup. */
  readonly asking: Asking | null;
  /** What the system asks; null where only files say. */
  nameServers(): NameServer[] | null;
  /** Bytes nobody can guess. */
  random(size: number): Uint8Array;
  /** What is to be installed for a transport that this engine does not have here, as a sentence; null: it has it. */
  lacks(over: 'udp' | 'tcp' | 'tls'): Promise<string | null>;
  /**
   * A UDP socket that speaks with one peer alone: what others send is not heard.
   * @param port  the local one; 0: any that is free
   * @param failed what the network says of it (an ICMP error); the socket stays. In words, without a final dot.
   * @throws Error whose message is a sentence without its final dot
   */
  datagrams(to: Peer, port: number, heard: (bytes: Uint8Array) => void, failed: (because: string) => void): Promise<Flow>;
  /**
   * A connection. A certificate that is not good ends nothing: nothing secret is sent.
   * @param name    whom the certificate is to be of, for TLS
   * @param timeout milliseconds until it must stand
   * @param ended   once it is closed by the other side, or breaks; not by `close`
   * @throws Error whose message is a sentence without its final dot; `refused` of it is true where nobody listens there
   */
  stream(
    over: 'tcp' | 'tls',
    to: Peer,
    name: string,
    timeout: number,
    heard: (bytes: Uint8Array) => void,
    ended: (because: string) => void,
  ): Promise<Flow & Partial<Secured>>;
}

/** A connection that somebody made to us. */
export interface Accepted {
  readonly from: Peer;
  /** Bytes that wait for the other side to take them. */
  readonly waiting: () => number;
  send(bytes: Uint8Array): void;
  close(): void;
  /** Called once what goes on here is known. */
  heard: (bytes: Uint8Array) => void;
  ended: () => void;
}

/** Sockets that wait for others. */
export interface Listening {
  random(size: number): Uint8Array;
  /** HMAC-SHA-256 of a text, in hexadecimal. */
  digest(key: Uint8Array, text: string): string;
  /** @throws Error whose message is a sentence without its final dot */
  datagrams(
    at: Peer,
    heard: (bytes: Uint8Array, from: Peer) => void,
  ): Promise<{ readonly at: Peer; send(bytes: Uint8Array, to: Peer): void; close(): void }>;
  /** @param accepted takes the connection; false: it is closed at once. Throws as `datagrams`. */
  connections(at: Peer, accepted: (connection: Accepted) => boolean): Promise<{ readonly at: Peer; close(): void }>;
}
