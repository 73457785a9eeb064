/**
 * The objects of this client at ubusd: published ones, and the nameless ones that
 * events and notifications arrive at. All are added again after a reconnection.
 */
import type { Link } from './link.ts';
import { MessageType } from './message.ts';
import type { Attributes, Message } from './message.ts';
import { misfit } from './signature.ts';
import type { Arguments } from './signature.ts';
import { sentence, Status, UbusError } from './status.ts';
import { decodeTable, encodeTable } from './value.ts';
import type { Table, TableLike } from './value.ts';

/** What a handler answers: a table, or nothing (the caller gets status 0 and no data). */
export type Answer = TableLike | undefined | void;

/**
 * Answers a call, now or later (by a promise). To answer with an error status,
 * throw (or reject with) a {@link UbusError}; anything else that is thrown is
 * answered with UNKNOWN_ERROR and told to `onTrouble`.
 */
export type Handler = (args: Table, request: IncomingRequest) => Answer | Promise<Answer>;

/** A call as its handler sees it. */
export interface IncomingRequest {
  /** The method called, or the name of the event or notification. */
  readonly method: string;
  /** The caller's client id. */
  readonly peer: number;
  /** The caller's user and group, as ubusd vouches for them; undefined for an event. */
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** Sends data ahead of the answer, for a reply in several parts. Throws UbusError when it is too large. */
  send(data: TableLike): void;
}

/** An object of this client. */
export interface OwnObject {
  /** What it is, for error sentences. */
  readonly what: string;
  /** Its id at ubusd; 0 while it is not there. */
  id: number;
  /** The attributes it is added with. */
  readonly attributes: Attributes;
  /** Who answers a method, and what arguments it takes; undefined: there is no such method. */
  method(name: string): { answer: Handler; args?: Arguments | undefined } | undefined;
  /** Completes it once it is there, each time: registers, subscribes. */
  attach?(deadline: number): Promise<void>;
  /** Somebody subscribes to it now, or nobody does any more (also: the connection is lost). */
  subscribed?(active: boolean): void;
  /** The object it subscribed to is gone, or the connection is. */
  orphaned?(): void;
}

export interface Objects {
  /** Adds an object and keeps it there across reconnections. Rejects with UbusError, and then it is not kept. */
  add(own: OwnObject, deadline: number): Promise<void>;
  /** Takes an object away. */
  remove(own: OwnObject, deadline: number): Promise<void>;
  /** Adds all objects to a new connection. Resolves when each was tried. */
  restore(deadline: number): Promise<void>;
  /** The connection is gone, and the ids with it. */
  forget(): void;
  /** Takes a message that is no answer. */
  take(message: Message): void;
}

/** Pauses between attempts to add what ubusd refused after a reconnection, in milliseconds. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

export function createObjects(link: Link, timeout: number, trouble: (error: UbusError) => void): Objects {
  const kept = new Set<OwnObject>();
  const byId = new Map<number, OwnObject>();
  let stopRetry = () => {};

  async function put(own: OwnObject, deadline: number): Promise<void> {
    own.id = 0;
    await link.request({
      type: MessageType.ADD_OBJECT,
      peer: 0,
      attributes: own.attributes,
      what: own.what,
      deadline,
      receive({ type, attributes: { object, status } }, late) {
        if (late) {
          // Nobody waits for it any more: leave nothing behind.
          if (object) link.post(MessageType.REMOVE_OBJECT, link.seq(), 0, { object });
          return type === MessageType.STATUS;
        }
        if (object) {
          // At once, for a call may follow in the same breath.
          own.id = object;
          byId.set(object, own);
        }
        if (type === MessageType.DATA) return false;
        if (status !== Status.OK) {
          throw new UbusError(
            status ?? Status.INVALID_ARGUMENT,
            status === Status.INVALID_ARGUMENT ? 'ubusd refuses it: the name is taken, or this user may not publish it' : undefined,
          );
        }
        return true;
      },
    });
    try {
      await own.attach?.(deadline);
    } catch (error) {
      drop(own);
      throw error;
    }
  }

  /** Takes an object away without waiting. */
  function drop(own: OwnObject): void {
    if (own.id !== 0) link.post(MessageType.REMOVE_OBJECT, link.seq(), 0, { object: own.id });
    byId.delete(own.id);
    own.id = 0;
  }

  async function restore(own: Iterable<OwnObject>, deadline: number, pause: number): Promise<void> {
    const refused: OwnObject[] = [];
    const connection = link.connection();
    for (const one of own) {
      if (link.connection() !== connection || connection === 0) return;
      if (one.id !== 0 || !kept.has(one)) continue;
      try {
        await put(one, deadline);
        if (!kept.has(one)) drop(one);
      } catch (error) {
        if (link.connection() !== connection) return;
        trouble(error as UbusError);
        refused.push(one);
      }
    }
    if (refused.length === 0) return;
    stopRetry = link.after(pause, () => {
      void restore(refused, link.now() + timeout, Math.min(pause * 2, LONGEST_PAUSE));
    });
  }

  function invoke(own: OwnObject, { seq, peer, attributes }: Message): void {
    const { method = '', noReply, user, group, data } = attributes;
    const object = own.id;
    const connection = link.connection();
    const reply = (type: number, answer: Attributes) => {
      // On another connection the caller's id and seq mean nothing.
      if (!noReply && link.connection() === connection) link.post(type, seq, peer, answer);
    };
    const status = (code: number) => reply(MessageType.STATUS, { status: code, object });
    const send = (table: TableLike) => reply(MessageType.DATA, { object, data: encodeTable(table) });
    const fail = (error: unknown) => {
      if (error instanceof UbusError) return status(error.status);
      status(Status.UNKNOWN_ERROR);
      trouble(new UbusError(Status.UNKNOWN_ERROR, `the handler of ${own.what} ${method} failed: ${sentence(error)}`));
    };
    const finish = (answer: Answer) => {
      try {
        if (answer) send(answer);
      } catch (error) {
        // The handler said nothing wrong to the caller; its answer cannot be sent.
        trouble(new UbusError(Status.UNKNOWN_ERROR, `the answer of ${own.what} ${method}: ${sentence(error)}`));
        return status(Status.UNKNOWN_ERROR);
      }
      status(Status.OK);
    };

    const found = own.method(method);
    if (found === undefined) return status(Status.METHOD_NOT_FOUND);
    if (data === undefined) return status(Status.INVALID_ARGUMENT);
    try {
      const args = decodeTable(data);
      if (found.args !== undefined && misfit(found.args, args) !== undefined) return status(Status.INVALID_ARGUMENT);
      const answer = found.answer(args, { method, peer, user, group, send });
      if (answer instanceof Promise) answer.then(finish, fail);
      else finish(answer);
    } catch (error) {
      fail(error);
    }
  }

  /** Runs what may reach into the program that uses this library. */
  function guard(own: OwnObject, task: () => void): void {
    try {
      task();
    } catch (error) {
      trouble(new UbusError(Status.UNKNOWN_ERROR, `a listener of ${own.what} failed: ${sentence(error)}`));
    }
  }

  return {
    async add(own, deadline) {
      for (;;) {
        await link.ready(own.what, deadline);
        const connection = link.connection();
        try {
          await put(own, deadline);
        } catch (error) {
          const { status } = error as UbusError;
          if (status !== Status.CONNECTION_FAILED || link.closed() || link.now() >= deadline) throw error;
          continue;
        }
        // Lost between the answer and now: what was added is gone.
        if (link.connection() !== connection) continue;
        kept.add(own);
        return;
      }
    },
    async remove(own, deadline) {
      kept.delete(own);
      const object = own.id;
      own.id = 0;
      if (object === 0) return;
      try {
        const what = `take back ${own.what}`;
        await link.request({ type: MessageType.REMOVE_OBJECT, peer: 0, attributes: { object }, what, deadline });
      } catch (error) {
        // An object goes with its connection.
        if ((error as UbusError).status !== Status.CONNECTION_FAILED) throw error;
      } finally {
        byId.delete(object);
      }
    },
    restore: (deadline) => restore([...kept], deadline, FIRST_PAUSE),
    forget() {
      stopRetry();
      byId.clear();
      for (const own of kept) {
        own.id = 0;
        guard(own, () => own.orphaned?.());
        guard(own, () => own.subscribed?.(false));
      }
    },
    take(message) {
      const own = byId.get(message.attributes.object ?? 0);
      if (own === undefined) return;
      const { type, attributes } = message;
      if (type === MessageType.INVOKE) invoke(own, message);
      else if (type === MessageType.NOTIFY) guard(own, () => own.subscribed?.(attributes.active === true));
      else if (type === MessageType.UNSUBSCRIBE) guard(own, () => own.orphaned?.());
    },
  };
}
