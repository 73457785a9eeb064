/** A network of a test's own: a host behind a router, and a server that answers as RFC 3261 and RFC 3581 have it. No socket is opened. */
import type { Flow, Network, Peer } from '../../../src/host/network.ts';
import type { QuestionType } from '../../../src/languages/dns/message.ts';
import { bytesOf, latin1 } from '../../../src/languages/sip/text.ts';
import type { Questions, Result } from '../../../src/voice/names/servers.ts';
import { handClock } from '../daemon/hand.ts';
import type { HandClock } from '../daemon/hand.ts';

export const LOCAL = '192.168.1.10';
export const PUBLIC = '203.0.113.20';
export const SERVER = '198.51.100.5';

export type Over = 'udp' | 'tcp' | 'tls';

export interface Sent {
  at: number;
  over: Over;
  to: Peer;
  from: Peer;
  text: string;
}

interface Bound {
  heard(text: string): void;
  last: number;
}

const shown = ({ address, port }: Peer): string => `${address}:${port}`;

export class World {
  readonly clock: HandClock = handClock();
  readonly sent: Sent[] = [];
  /** What the router makes of a socket's place; null: it leads nowhere. */
  translate: (local: Peer) => Peer | null = ({ port }) => ({ address: PUBLIC, port });
  /** Edits a message on the way out; null: it is dropped. */
  there: (text: string, local: Peer, outside: Peer, over: Over) => string | null = (text) => text;
  back: (text: string, local: Peer, outside: Peer, over: Over) => string | null = (text) => text;
  /** The server's answer; null: it says nothing. */
  serve: (text: string, from: Peer, over: Over) => { text: string; to: Peer; more?: readonly string[] } | null = answering();
  /** The port to which the router's ALG sends an answer, by what was asked; null: where it belongs. */
  forced: (text: string) => number | null = () => null;
  /** Milliseconds a silent way back lives. */
  life = Infinity;
  /** What a connection meets; null: it stands. */
  connect: (over: 'tcp' | 'tls', to: Peer) => { because: string; refused?: boolean } | null = () => null;
  /** A message of the network in place of an answer. */
  icmp: ((text: string) => string | null) | null = null;
  certificate: string | null = null;
  lacking: (over: Over) => string | null = () => null;
  local = LOCAL;
  /** Of sockets that speak IPv6, which nobody translates. */
  local6 = '2001:db8:1::10';
  /** What the system says to who wants a socket to there; null: it gives one. */
  refuse: (to: Peer) => string | null = () => null;
  goOn = true;
  open = 0;
  #port = 40_000;
  #random = 0;
  readonly #bound = new Map<string, Bound>();
  /** Sockets by their local port, whether anything was sent from them or not. */
  readonly #sockets = new Map<number, (text: string) => void>();

  readonly network: Network = {
    asking: null,
    nameServers: () => null,
    random: (size) => Uint8Array.from({ length: size }, (_, at) => (at === 0 ? ++this.#random : at)),
    lacks: async (over) => this.lacking(over),
    datagrams: async (to, port, heard, failed) => this.#flow('udp', to, port, heard, failed),
    stream: async (over, to, _name, _timeout, heard) => {
      const trouble = this.connect(over, to);
      if (trouble !== null) throw Object.assign(new Error(trouble.because), { refused: trouble.refused === true });
      const flow = this.#flow(over, to, 0, heard, () => undefined);
      return over === 'tls' ? { ...flow, certificate: this.certificate } : flow;
    },
  };

  #flow(over: Over, to: Peer, port: number, heard: (bytes: Uint8Array) => void, failed: (because: string) => void): Flow {
    const isSix = to.address.includes(':');
    const refused = this.refuse(to);
    if (refused !== null) throw new Error(refused);
    const local = { address: isSix ? this.local6 : this.local, port: port || this.#port++ };
    let open = true;
    this.open++;
    const outside = isSix ? local : this.translate(local);
    this.#sockets.set(local.port, (answer) => {
      if (open) heard(bytesOf(answer));
    });
    const send = (bytes: Uint8Array): void => {
      const text = latin1(bytes);
      this.sent.push({ at: this.clock.now(), over, to, from: local, text });
      if (outside === null || !open) return;
      const trouble = this.icmp?.(text) ?? null;
      if (trouble !== null) {
        failed(trouble);
        return;
      }
      const key = `${over} ${shown(outside)} ${shown(to)}`;
      this.#bound.set(key, {
        last: this.clock.now(),
        heard: (answer) => {
          const came = over === 'tls' ? answer : this.back(answer, local, outside, over);
          if (came !== null && open) heard(bytesOf(came));
        },
      });
      const arrived = over === 'tls' ? text : this.there(text, local, outside, over);
      if (arrived === null) return;
      const answer = this.serve(arrived, outside, over);
      if (answer === null) return;
      // By the way that belongs to where it is sent: another socket's, if Via says so.
      const way = this.#bound.get(`${over} ${shown(answer.to)} ${shown(to)}`);
      if (way === undefined || this.clock.now() - way.last > this.life) return;
      way.last = this.clock.now();
      const port = this.forced(text);
      const hear = port === null ? way.heard : this.#sockets.get(port);
      for (const each of [answer.text, ...(answer.more ?? [])]) this.clock.after(20, () => hear?.(each));
    };
    return {
      local,
      send,
      close: () => {
        if (open) this.open--;
        open = false;
      },
    };
  }
}

const line = (text: string, name: string): string => new RegExp(`^${name}: (.*)\\r$`, 'im').exec(text)?.[1] ?? '';

export interface Habit {
  status?: string;
  /** It says where it saw a question come from: always, only where RFC 3261 has it, never. */
  received?: 'always' | 'rfc3261' | 'never';
  rport?: boolean;
  /** Answers go to where a question came from, whatever Via says. */
  force?: boolean;
  /** What it sees in place of the true source: a load balancer's address. */
  sees?: (from: Peer) => Peer;
  more?: readonly string[];
  edit?: (answer: string) => string;
}

/** A server. */
export function answering(habit: Habit = {}): World['serve'] {
  const { status = '404 Not Found', received = 'always', rport = true, force = false, more = [], edit = (text) => text } = habit;
  return (text, from) => {
    const via = line(text, 'Via');
    const [, host = '', port = '5060'] = /^SIP\/2\.0\/\w+ ([^:;]+)(?::(\d+))?/.exec(via) ?? [];
    const seen = habit.sees?.(from) ?? from;
    const asked = rport && /;rport(;|$)/.test(via);
    let out = asked ? via.replace(';rport', `;rport=${seen.port}`) : via;
    if (received === 'always' || (received === 'rfc3261' && host !== seen.address)) out += `;received=${seen.address}`;
    const answer = [
      `SIP/2.0 ${status}`,
      `Via: ${out}`,
      `From: ${line(text, 'From')}`,
      `To: ${line(text, 'To')};tag=server`,
      `Call-ID: ${line(text, 'Call-ID')}`,
      `CSeq: ${line(text, 'CSeq')}`,
      'Server: test',
      ...more,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    const to = asked || force ? from : { address: from.address, port: Number(port) };
    return { text: edit(answer), to };
  };
}

/** What the kernel's ALG does: literals of the flow's own place, in Via (top), From, To and Contact, and back again. */
export function kernelAlg(world: World, over: readonly Over[] = ['udp']): void {
  const map = (text: string, from: string, to: string, names: string): string =>
    text.replace(new RegExp(`^(${names}): .*$`, 'gim'), (one) => one.split(from).join(to));
  world.there = (text, local, outside, by) => (over.includes(by) ? map(text, shown(local), shown(outside), 'Via|From|To|Contact') : text);
  world.back = (text, local, outside, by) => {
    if (!over.includes(by)) return text;
    const via = line(text, 'Via');
    const mapped = map(text, shown(outside), shown(local), 'Via|From|To|Contact');
    // received= and rport= only where the top Via itself was its own.
    return via.includes(` ${shown(outside)}`) ? mapped.replace(`;received=${outside.address}`, `;received=${local.address}`) : mapped;
  };
}

/** Names by a table: `SRV _sip._udp.example.com` to records. */
export function namesOf(table: Readonly<Record<string, readonly object[] | string>>): Questions & { asked: string[] } {
  const asked: string[] = [];
  const ask = async <T extends QuestionType>(type: T, name: string): Promise<Result<T>> => {
    asked.push(`${type} ${name}`);
    const found = table[`${type} ${name}`];
    if (typeof found === 'string') return { state: 'failed', because: found };
    if (found === undefined) return { state: 'nothing', because: `${name} has no ${type} record`, ttl: 60 };
    return { state: 'found', ttl: 60, records: found.map((one) => ({ name, ttl: 60, type, ...one })) } as unknown as Result<T>;
  };
  return Object.assign(ask, { asked });
}

/** Lets a promise come to its end while time passes. */
export async function through<T>(world: World, promise: Promise<T>, most = 3_600_000, step = 250): Promise<T> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  for (let passed = 0; !done && passed < most; passed += step) await world.clock.pass(step);
  return promise;
}
