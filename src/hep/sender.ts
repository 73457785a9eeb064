/** Messages of phones, as they are recorded at both sides of a router, on their way to a Homer server, which gets them by UDP. */
import { say, saidBy, Trouble } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { bitsOf } from '../languages/address/prefixes.ts';
import { TCP, UDP } from '../languages/hep/frame.ts';
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import type { Flow, Network, Peer } from '../host/network.ts';
import type { PhoneMessage } from '../probe/phones/sightings.ts';
import type { Questions } from '../voice/names/servers.ts';
import type { HepWish } from '../wish/wish.ts';
import { createHepExporter } from './exporter.ts';
import type { HepExporter } from './exporter.ts';
import type { HepCounts } from './queue.ts';

/** Where capture servers listen (sipcapture/homer). */
const PORT = 9060;
/** Milliseconds until a server that could not be reached is tried again; and for which an answer for its name holds. */
const AGAIN = 10_000;
const KNOWN_FOR = 900_000;
/** Between two questions whether a datagram has left, and for how long they are asked. */
const TURN = 5;
const LEAVES_WITHIN = 2000;

/** What became of the messages that were recorded. */
export interface Sent extends HepCounts {
  /** Of those sent or waiting: without their end, for no more of them was recorded. */
  cut: number;
  /** Recorded, and no message of SIP with a Call-ID as far as they were. */
  unread: number;
  /** They passed, and were not recorded: there was no room, or nobody read in time. */
  missed: number;
  waiting: number;
}

export interface SendingDoors {
  host: Host;
  network: Network;
  clock: Clock;
  /** Questions for the names of a moment; each answers once. */
  names(): Promise<Questions>;
}

/** A message of STUN: two bits of 0, and the cookie behind its type and length (RFC 8489 §5). */
const STUN = /^[\0-\x3f][^]{3}\x21\x12\xa4\x42/;

const bytesOf = (address: string): Uint8Array => {
  const bits = bitsOf(address) ?? '';
  return Uint8Array.from({ length: bits.length / 2 }, (_, at) => parseInt(bits.slice(at * 2, at * 2 + 2), 16));
};

const shown = ({ address, port }: Peer): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);

export class HepSender {
  readonly #doors: SendingDoors;
  readonly #server: NonNullable<HepWish['server']>;
  readonly #exporter: HepExporter;
  readonly #remark: (said: Said) => void;
  #flow: Flow | null = null;
  #peer: Peer | null = null;
  #opened = 0;
  #retryAt = -Infinity;
  #said = '';
  #cut = 0;
  #unread = 0;
  /** Those that the recorder knows of. */
  missed = 0;

  /**
   * @param remark is told, once, why nothing can be sent
   * @throws Error in a sentence where the wish names no server
   */
  constructor(doors: SendingDoors, wish: HepWish, remark: (said: Said) => void) {
    if (wish.server === null)
      throw new Trouble(
        say(
          'hep-no-server',
          'no Homer server is named; `uci set sipalg.hep=hep`, `uci set sipalg.hep.server=homer.example.com:9060` and '
            + '`uci commit sipalg` name one.',
        ),
      );
    this.#doors = doors;
    this.#server = wish.server;
    this.#remark = remark;
    this.#exporter = createHepExporter({ agent: wish.node, key: wish.password }, wish.calls);
  }

  /** The server as it is named, with its port. */
  get server(): string {
    const { port } = this.#server;
    return 'name' in this.#server ? `${this.#server.name}:${port ?? PORT}` : shown({ address: this.#server.address, port: port ?? PORT });
  }

  take(messages: readonly PhoneMessage[]): void {
    for (const { at, recorded, text, whole, transport } of messages) {
      const { from, to } = recorded;
      // A keep-alive (RFC 5626 §3.5) is nothing that could be lost; what we send ourselves is not sent again.
      if (/^[\0\r\n ]*$/.test(text) || STUN.test(text) || text.startsWith('HEP3')) continue;
      const taken = this.#exporter.take({
        source: bytesOf(from.address),
        destination: bytesOf(to.address),
        sourcePort: from.port,
        destinationPort: to.port,
        protocol: transport === 'tcp' ? TCP : UDP,
        seconds: Math.floor(at / 1000),
        microseconds: (at % 1000) * 1000,
        text,
      });
      if (taken === 'unread') this.#unread++;
      if (taken === 'taken' && !whole) this.#cut++;
    }
  }

  /** Sends what waits, as far as the server can be reached. Never throws, and may be called while it runs. */
  async flush(): Promise<void> {
    if (this.#exporter.queue.waiting === 0) return;
    const isOld = 'name' in this.#server && this.#doors.clock.now() - this.#opened > KNOWN_FOR;
    if (isOld) this.#close();
    await this.#exporter.queue.drain(async (frame) => {
      const flow = this.#flow ?? (await this.#open());
      if (flow === null) return 'later';
      flow.send(frame);
      await this.#left(flow);
      return undefined;
    });
  }

  async #left(flow: Flow): Promise<void> {
    const { clock } = this.#doors;
    const turn = (): Promise<void> => new Promise((resolve) => clock.after(TURN, resolve));
    for (const end = clock.now() + LEAVES_WITHIN; (flow.waiting?.() ?? 0) > 0 && this.#flow === flow && clock.now() < end; ) await turn();
  }

  async #open(): Promise<Flow | null> {
    const { clock, network } = this.#doors;
    if (clock.now() < this.#retryAt) return null;
    this.#retryAt = clock.now() + AGAIN;
    try {
      // `lacks` names this transport's only reason: an engine without sockets, and no tool in their stead.
      if ((await network.lacks('udp')) !== null)
        throw new Trouble(say('hep-no-sockets', 'QuickJS has no sockets of its own; install socat (`apk add socat`)'));
      const peer = await this.#locate();
      let flow: Flow | null = null;
      flow = await network.datagrams(
        peer,
        0,
        () => undefined,
        (because) => {
          if (flow === null || this.#flow !== flow) return; // Of one that was given up already.
          this.#exporter.queue.cameBack();
          this.#close();
          this.#cannot(because);
        },
      );
      this.#opened = clock.now();
      this.#peer = peer;
      this.#said = '';
      this.#flow = flow;
      return flow;
    } catch (error) {
      this.#cannot(saidBy(error as Error));
      return null;
    }
  }

  async #locate(): Promise<Peer> {
    const port = this.#server.port ?? PORT;
    if (!('name' in this.#server)) return { address: this.#server.address, port };
    const { name } = this.#server;
    const ask = await this.#doors.names();
    const because: string[] = [];
    for (const type of ['A', 'AAAA'] as const) {
      const result = await ask(type, name);
      const [first] = result.state === 'found' ? result.records : [];
      if (first !== undefined) return { address: first.address, port };
      if (result.state !== 'found') because.push(result.because);
    }
    // A name that was known once goes on: its name server may be away for a while.
    if (this.#peer !== null) return this.#peer;
    throw new Error(because[0] ?? name);
  }

  #cannot(because: Line): void {
    this.#retryAt = this.#doors.clock.now() + AGAIN;
    const said = say('hep-cannot', 'nothing can be sent to the Homer server {server}: {because}. It is tried again.', {
      server: this.server,
      because,
    });
    if (said.text !== this.#said) this.#remark(said);
    this.#said = said.text;
  }

  #close(): void {
    const flow = this.#flow;
    this.#flow = null;
    flow?.close();
  }

  get counts(): Sent {
    const { queue } = this.#exporter;
    return { ...queue.counts, cut: this.#cut, unread: this.#unread, missed: this.missed, waiting: queue.waiting };
  }

  /** Sends what still waits, and ends. */
  async close(): Promise<void> {
    this.#retryAt = -Infinity;
    await this.flush();
    if (this.#flow !== null) await this.#left(this.#flow);
    this.#close();
  }
}
