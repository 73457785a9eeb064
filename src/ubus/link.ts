/**
 * One connection to ubusd, kept: dialled, greeted by HELLO, dialled again with
 * growing pauses when it is lost. Requests find their answers by `seq`.
 */
import { createFrames } from './frames.ts';
import { decodeHeader, decodeMessage, encodeMessage, HEADER, MessageType } from './message.ts';
import type { Attributes, Message } from './message.ts';
import { sentence, Status, statusText, UbusError } from './status.ts';
import type { Door, Transport } from './transport.ts';

export interface LinkOptions {
  /** Dial again when the connection is lost or cannot be had. */
  reconnect: boolean;
  /** Milliseconds before the first new attempt; each pause after it is twice as long, */
  pause: number;
  /** and at most this long. */
  longestPause: number;
}

/** Whom a link tells. */
export interface LinkEvents {
  /** ubusd said HELLO. */
  up(): void;
  /** The connection is lost or could not be had; `again`: milliseconds until the next attempt, if there is one. */
  down(reason: string, again: number | undefined): void;
  /** A message that answers no request of ours. */
  message(message: Message): void;
  /** The inside of a MONITOR message, whose attributes are of another kind. Throws UbusError when it is damaged. */
  monitored(bytes: Uint8Array): void;
  /** A message whose attributes cannot be read, and that answers no request of ours; it is dropped. */
  damaged(header: { type: number; seq: number; peer: number }, error: UbusError): void;
}

/** A request to be sent. */
export interface Request {
  type: number;
  /** The object it is for; 0 is ubusd. */
  peer: number;
  attributes: Attributes;
  /** Begins the sentence of every error: `call system.board`. */
  what: string;
  /** The moment (`now`) at which to give up. */
  deadline: number;
  /**
   * Takes each answer; true ends the request, a throw ends it badly. Called also
   * for answers that come after the request was given up (`late`).
   * Default: the first STATUS ends it, and badly unless it is 0.
   */
  receive?: (answer: Message, late: boolean) => boolean;
  /** An answer may come from this peer. Default: from the one it was sent to. */
  accepts?: (peer: number) => boolean;
}

export interface Link {
  /** The id ubusd gave this client; 0 while there is no connection. */
  id(): number;
  /** Another number for each connection; 0 while there is none. */
  connection(): number;
  closed(): boolean;
  now(): number;
  after: Door['after'];
  /** Resolves when there is a connection; rejects with CONNECTION_FAILED at the deadline or after `close`. */
  ready(what: string, deadline: number): Promise<void>;
  /** Sends a request at once and resolves when its answer is complete; rejects with UbusError. */
  request(request: Request): Promise<void>;
  /** Sends a message that nothing answers. Does nothing while there is no connection. */
  post(type: number, seq: number, peer: number, attributes: Attributes): void;
  /** The next free `seq`. */
  seq(): number;
  close(reason?: string): void;
}

interface Pending extends Request {
  late: boolean;
  end(error?: UbusError): void;
}

/** ubusd greets at once; one that does not in this time is none. Milliseconds. */
const HELLO_WITHIN = 5000;
/** A connection that held this long was a good one: the pauses begin small again. Milliseconds. */
const GOOD_AFTER = 10000;
/** How many unanswered requests keep their seq from being used again. */
const MOST_LATE = 1000;

export function createLink(door: Door, options: LinkOptions, events: LinkEvents): Link {
  const pending = new Map<number, Pending>();
  const waiting = new Set<(error?: UbusError) => void>();
  let transport: Transport | undefined;
  let dialled = 0;
  let id = 0;
  let lastSeq = 0;
  let late = 0;
  let pause = options.pause;
  let stopTimer = () => {};
  let over = false;
  let lost = 'not connected yet';

  function dial(): void {
    const mine = ++dialled;
    const frames = createFrames();
    stopTimer = door.after(HELLO_WITHIN, () => drop(`no greeting within ${HELLO_WITHIN} ms`));
    transport = door.dial({
      data(bytes) {
        try {
          frames.push(bytes, (frame) => {
            if (mine === dialled) take(frame);
          });
        } catch (error) {
          if (mine === dialled) drop(`what it sends is not ubus: ${sentence(error)}`);
        }
      },
      closed(reason) {
        if (mine === dialled) drop(reason);
      },
    });
  }

  function drop(reason: string): void {
    transport?.close();
    transport = undefined;
    dialled += 1;
    id = 0;
    late = 0;
    lost = reason;
    stopTimer();
    const again = options.reconnect && !over ? pause : undefined;
    if (again === undefined) {
      over = true;
    } else {
      stopTimer = door.after(again, dial);
      pause = Math.min(pause * 2, options.longestPause);
    }
    const unanswered = [...pending.values()];
    pending.clear();
    for (const one of unanswered) one.end(failed(one.what));
    if (over) {
      for (const end of [...waiting]) end(failed('ubus'));
    }
    events.down(reason, again);
  }

  function failed(what: string): UbusError {
    return new UbusError(Status.CONNECTION_FAILED, `${what}: no connection to ubusd: ${lost}`);
  }

  function take(frame: Uint8Array): void {
    const header = decodeHeader(frame);
    if (id === 0) {
      if (header.type !== MessageType.HELLO || header.peer === 0) return drop('it does not begin with a greeting');
      id = header.peer;
      stopTimer();
      stopTimer = door.after(GOOD_AFTER, () => {
        pause = options.pause;
      });
      for (const end of [...waiting]) end();
      return events.up();
    }
    const answer = header.type === MessageType.STATUS || header.type === MessageType.DATA;
    const found = answer ? pending.get(header.seq) : undefined;
    const mine = found && (found.accepts?.(header.peer) ?? header.peer === found.peer) ? found : undefined;
    let message: Message;
    try {
      if (header.type === MessageType.MONITOR) return events.monitored(frame.subarray(HEADER));
      message = decodeMessage(frame);
    } catch (error) {
      if (mine === undefined) return events.damaged(header, error as UbusError);
      return settle(header.seq, mine, new UbusError(Status.PARSE_ERROR, `${mine.what}: ${sentence(error)}`));
    }
    if (mine === undefined) {
      if (!answer) events.message(message);
      return;
    }
    try {
      if ((mine.receive ?? plainAnswer)(message, mine.late)) settle(header.seq, mine);
    } catch (error) {
      const status = error instanceof UbusError ? error.status : Status.UNKNOWN_ERROR;
      settle(header.seq, mine, new UbusError(status, `${mine.what}: ${sentence(error)}`));
    }
  }

  function settle(seq: number, one: Pending, error?: UbusError): void {
    if (one.late) late -= 1;
    pending.delete(seq);
    one.end(error);
  }

  /** Gives a request up. Its seq stays taken, so that a late answer is not taken for another's. */
  function giveUp(one: Pending): void {
    one.late = true;
    late += 1;
    one.end(new UbusError(Status.TIMEOUT, `${one.what}: no answer in time`));
    if (late <= MOST_LATE) return;
    for (const [seq, old] of pending) {
      if (old.late) return settle(seq, old);
    }
  }

  function nextSeq(): number {
    do lastSeq = (lastSeq + 1) & 0xffff;
    while (pending.has(lastSeq) && pending.size <= 0xffff);
    return lastSeq;
  }

  const link: Link = {
    id: () => id,
    connection: () => (id === 0 ? 0 : dialled),
    closed: () => over,
    now: door.now,
    after: door.after,
    seq: nextSeq,
    ready(what, deadline) {
      if (id !== 0) return Promise.resolve();
      if (over) return Promise.reject(failed(what));
      return new Promise((resolve, reject) => {
        const end = (error?: UbusError) => {
          stop();
          waiting.delete(end);
          if (error === undefined) resolve();
          else reject(failed(what));
        };
        const stop = timer(deadline, () => end(failed(what)));
        waiting.add(end);
      });
    },
    request(request) {
      return new Promise((resolve, reject) => {
        if (id === 0) return reject(failed(request.what));
        if (pending.size > 0xff00) {
          return reject(new UbusError(Status.NO_MEMORY, `${request.what}: ${pending.size} requests already wait for an answer`));
        }
        const seq = nextSeq();
        let frame: Uint8Array;
        try {
          frame = encodeMessage({ type: request.type, seq, peer: request.peer, attributes: request.attributes });
        } catch (error) {
          return reject(error);
        }
        const one: Pending = {
          ...request,
          late: false,
          end(error) {
            stop();
            if (error === undefined) resolve();
            else reject(error);
          },
        };
        const stop = timer(request.deadline, () => giveUp(one));
        pending.set(seq, one);
        transport?.send(frame);
      });
    },
    post(type, seq, peer, attributes) {
      if (id !== 0) transport?.send(encodeMessage({ type, seq, peer, attributes }));
    },
    close(reason = 'closed by this program') {
      if (over) return;
      over = true;
      drop(reason);
    },
  };

  function timer(deadline: number, task: () => void): () => void {
    return deadline === Infinity ? () => {} : door.after(Math.max(0, deadline - door.now()), task);
  }

  dial();
  return link;
}

function plainAnswer({ type, attributes }: Message): boolean {
  if (type !== MessageType.STATUS) return false;
  const status = attributes.status ?? Status.INVALID_ARGUMENT;
  if (status !== Status.OK) throw new UbusError(status, statusText(status));
  return true;
}
