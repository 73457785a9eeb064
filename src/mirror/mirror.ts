/**
 * The far end of a probe: says what of a question arrived. It answers where it was asked from and nowhere else, keeps nothing
 * of what it gets, and answers nothing that is no question of a probe's.
 */
import type { Clock } from '../host/clock.ts';
import type { Accepted, Listening, Peer } from '../host/network.ts';
import { bitsOf } from '../languages/address/prefixes.ts';
import { parseMessage } from '../languages/sip/message.ts';
import { bytesOf, latin1 } from '../languages/sip/text.ts';
import { ALL, Limits, SOURCE, STRANGER } from './limits.ts';
import { answersTo, cookieText, markOf, MOST_QUESTION } from './protocol.ts';

/** Milliseconds a cookie is good for, and as long again. */
const COOKIE_LIFE = 600_000;
/** An answer to a stranger is no longer than so many times the question: RFC 9000 §8.1 has the same number. */
const AMPLIFICATION = 3;
const MOST_CONNECTIONS = 256;
const MOST_OF_SOURCE = 16;
/** Milliseconds without a word, or all in all, until a connection is closed. */
const IDLE = 30_000;
const LONGEST = 600_000;
/** Bytes that the other side has not taken. */
const MOST_WAITING = 65_536;
/** Milliseconds between two lines of the log. */
const EVERY = 60_000;

export interface Counts {
  /** Questions answered, of them with a cookie alone. */
  mirrored: number;
  cookies: number;
  /** No probe, too long, or too many. */
  refused: number;
  limited: number;
}

export interface MirrorDoors {
  listening: Listening;
  clock: Clock;
  /** One line of the log. */
  say(line: string): void;
}

/** Who shares a limit: an IPv4 address, a /64 of IPv6, of which one customer has all. */
export function sourceOf(address: string): string {
  const bits = bitsOf(address);
  return bits === null ? address : bits.length === 8 ? bits : bits.slice(0, 16);
}

export class Mirror {
  readonly counts: Counts = { mirrored: 0, cookies: 0, refused: 0, limited: 0 };
  readonly #doors: MirrorDoors;
  readonly #key: Uint8Array;
  readonly #known: Limits;
  readonly #strangers: Limits;
  readonly #connections = new Map<string, number>();
  readonly #open = new Set<Accepted>();
  readonly #places: { close(): void }[] = [];
  #told = '';
  #quiet = (): void => undefined;

  constructor(doors: MirrorDoors) {
    this.#doors = doors;
    this.#key = doors.listening.random(32);
    const now = doors.clock.now();
    this.#known = new Limits(SOURCE, ALL, now);
    this.#strangers = new Limits(STRANGER, ALL, now);
    this.#later();
  }

  /** Listens at a place, over UDP and TCP. @throws Error as the door does */
  async listen(at: Peer): Promise<Peer> {
    const { listening } = this.#doors;
    const udp = await listening.datagrams(at, (bytes, from) => {
      for (const answer of this.#answers(bytes, from, false)) udp.send(bytesOf(answer), from);
    });
    this.#places.push(udp);
    this.#places.push(await listening.connections(udp.at, (connection) => this.#accept(connection)));
    return udp.at;
  }

  close(): void {
    this.#quiet();
    for (const place of this.#places) place.close();
    for (const connection of this.#open) connection.close();
  }

  /** What is answered to bytes from somebody. @param proven a connection stands, so they are where they say */
  #answers(bytes: Uint8Array, from: Peer, proven: boolean): string[] {
    // Nobody can be answered at port 0 (RFC 768). An answer is no question, so two mirrors never answer each other.
    if (bytes.length > MOST_QUESTION || from.port < 1) return this.#refuse();
    const text = latin1(bytes);
    const mark = markOf(text);
    if (mark === null) return this.#refuse();
    const now = this.#doors.clock.now();
    const known = proven || this.#cookies(from.address, now).includes(mark.cookie);
    if (!(known ? this.#known : this.#strangers).grants(sourceOf(from.address), now)) {
      this.counts.limited++;
      return [];
    }
    if (!known) {
      const cookie = cookieText(text, mark, from, this.#cookies(from.address, now)[0] as string);
      if (cookie.length > AMPLIFICATION * bytes.length) return this.#refuse();
      this.counts.cookies++;
      return [cookie];
    }
    const answers = answersTo(text, mark, from, proven);
    if (answers === null) return this.#refuse();
    this.counts.mirrored++;
    return answers;
  }

  #refuse(): [] {
    this.counts.refused++;
    return [];
  }

  /** The cookie of an address now, and the one before it. */
  #cookies(address: string, now: number): string[] {
    const window = Math.floor(now / COOKIE_LIFE);
    return [window, window - 1].map((each) => this.#doors.listening.digest(this.#key, `${address} ${each}`).slice(0, 32));
  }

  #accept(connection: Accepted): boolean {
    const source = sourceOf(connection.from.address);
    const many = this.#connections.get(source) ?? 0;
    if (this.#open.size >= MOST_CONNECTIONS || many >= MOST_OF_SOURCE) {
      this.counts.limited++;
      return false;
    }
    this.#connections.set(source, many + 1);
    this.#open.add(connection);
    const { clock } = this.#doors;
    let had = '';
    let idle = (): void => undefined;
    const rest = (): void => {
      idle();
      idle = clock.after(IDLE, () => connection.close());
    };
    const last = clock.after(LONGEST, () => connection.close());
    rest();
    connection.heard = (bytes) => {
      rest();
      had += latin1(bytes);
      for (let message = takeMessage(had); message !== null; message = takeMessage(had)) {
        had = had.slice(message.length);
        for (const answer of this.#answers(bytesOf(message), connection.from, true)) connection.send(bytesOf(answer));
      }
      if (had.length > MOST_QUESTION || connection.waiting() > MOST_WAITING) {
        this.counts.refused++;
        connection.close();
      }
    };
    connection.ended = () => {
      idle();
      last();
      this.#open.delete(connection);
      const left = (this.#connections.get(source) ?? 1) - 1;
      if (left > 0) this.#connections.set(source, left);
      else this.#connections.delete(source);
    };
    return true;
  }

  /** A line a minute at most, and none where nothing happened. */
  #later(): void {
    this.#quiet = this.#doors.clock.after(EVERY, () => {
      const words = this.words();
      if (words !== this.#told) this.#doors.say(words);
      this.#told = words;
      this.#later();
    });
  }

  words(): string {
    const { mirrored, cookies, refused, limited } = this.counts;
    return `${mirrored} questions mirrored, ${cookies} cookies given, ${refused} that are no probe's refused, ${limited} over the limits`;
  }
}

/** The first whole message of a stream; null where it is not complete. What is no message at all is handed on, to be refused. */
function takeMessage(had: string): string | null {
  const end = had.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const message = parseMessage(had);
  if ('refused' in message || message.declaredLength === null) return had.slice(0, end + 4);
  return message.body.end - message.body.start < message.declaredLength ? null : had.slice(0, message.body.end);
}
