/**
 * The client: everything a program does on ubus, over a {@link Door} that an engine
 * hands in. Node's is connection.ts, with `connect` and `open`.
 */
import { createPresence, invokeSystem, listenerObject, waitFor } from './events.ts';
import type { EventListener } from './events.ts';
import { createLink } from './link.ts';
import { MessageType, SystemObject } from './message.ts';
import { createMonitor } from './monitor.ts';
import type { Monitored } from './monitor.ts';
import { createObjects } from './objects.ts';
import type { Handler } from './objects.ts';
import { publish } from './publication.ts';
import type { Methods, Publication, PublishOptions } from './publication.ts';
import { decodeSignature } from './signature.ts';
import type { Signature } from './signature.ts';
import { sentence, Status, statusText, UbusError } from './status.ts';
import { subscribe } from './subscription.ts';
import type { SubscribeOptions, Subscription } from './subscription.ts';
import type { Door } from './transport.ts';
import { decodeTable, encodeTable } from './value.ts';
import type { Table, TableLike } from './value.ts';

export interface ClientOptions {
  /** Milliseconds a request may take, waiting for a connection included; 0: for ever. Default 30,000, as `ubus -t`. */
  timeout?: number | undefined;
  /** Dial again when the connection is lost. Default true. */
  reconnect?: boolean | undefined;
  /** Milliseconds before the first new attempt; doubled for each one after it. Default 250. */
  pause?: number | undefined;
  /** The longest pause between two attempts, in milliseconds. Default 10,000. */
  longestPause?: number | undefined;
  /** Called at every change of the connection, from the first attempt on. */
  onState?: ((state: ConnectionState) => void) | undefined;
  /**
   * Called with what went wrong where nobody waits: a handler that failed, a damaged
   * message, an object that cannot be published again. Default: such things are dropped.
   */
  onTrouble?: ((error: UbusError) => void) | undefined;
}

/** How it stands with the connection. */
export type ConnectionState =
  /** There is none. `reason` says why, `again` in how many milliseconds the next attempt is made. */
  | { state: 'disconnected'; reason: string; again: number }
  /** ubusd greeted, and all objects, subscriptions and listeners were restored. `id` is this client's. */
  | { state: 'connected'; id: number }
  /** There is none and there will be none: `close` was called, or `reconnect` is off. */
  | { state: 'closed'; reason: string };

/** An object somebody published. */
export interface ObjectInfo {
  path: string;
  id: number;
  /** The id of its signature; objects with equal ids have the same methods. */
  type: number;
  signature: Signature;
}

export interface TimeoutOption {
  /** Milliseconds; 0: for ever. Default: the client's. */
  timeout?: number | undefined;
}

export interface CallOptions extends TimeoutOption {
  /** Called with each part of the reply as it comes, for methods that reply in several. */
  onData?: ((data: Table) => void) | undefined;
}

/** Every method that returns a promise rejects with {@link UbusError} and with nothing else. */
export interface Client {
  /** This client's id at ubusd; 0 while there is no connection. */
  readonly id: number;
  /** Resolves when there is a connection. */
  ready(options?: TimeoutOption): Promise<void>;
  /**
   * The objects that this client may see. A pattern is a path, or its beginning and
   * `*`; without one, all. None is an empty list, not an error.
   */
  lookup(pattern?: string, options?: TimeoutOption): Promise<ObjectInfo[]>;
  /**
   * Calls a method of an object, given by its path (or its id).
   * Resolves with the reply: `{}` when there was none, the last part when there were several.
   * Status: the one the object answered with, NOT_FOUND, TIMEOUT, or CONNECTION_FAILED; a call
   * that was under way when the connection was lost is not repeated, for it may have run.
   */
  call(object: string | number, method: string, args?: TableLike, options?: CallOptions): Promise<Table>;
  /** Publishes an object, and again after each reconnection. A name that is taken: INVALID_ARGUMENT. */
  publish(path: string, methods: Methods, options?: PublishOptions): Promise<Publication>;
  /**
   * Subscribes to an object's notifications, and again when it or ubusd comes back.
   * What `heard` answers goes to a notifier that waits for replies. The object must
   * be there (NOT_FOUND) and be another client's (INVALID_ARGUMENT).
   */
  subscribe(path: string, heard: Handler, options?: SubscribeOptions): Promise<Subscription>;
  /**
   * Listens to events named by `pattern` (a name, or its beginning and `*`), and again
   * after each reconnection. A client does not hear its own events. Resolves with a
   * function that stops it.
   */
  listen(pattern: string, heard: EventListener, options?: TimeoutOption): Promise<() => Promise<void>>;
  /** Sends an event. Names that begin with `ubus.` are ubusd's own: PERMISSION_DENIED. */
  send(event: string, data?: TableLike, options?: TimeoutOption): Promise<void>;
  /** Resolves when an object of this path is there; TIMEOUT when it does not come. */
  waitFor(path: string, options?: TimeoutOption): Promise<ObjectInfo>;
  /** Shows every message that goes through ubusd (root only). Resolves with a function that stops it. */
  monitor(seen: (message: Monitored) => void, options?: TimeoutOption): Promise<() => Promise<void>>;
  /** Resolves when ubusd has dealt with everything sent before: await it between `notify` and `close`. */
  ping(options?: TimeoutOption): Promise<void>;
  /** Closes the connection for good; what is under way ends with CONNECTION_FAILED. */
  close(): void;
}

/** How many ids of called objects are kept. */
const MOST_KNOWN = 256;

/** Makes a client and begins to connect. */
export function createClient(door: Door, options: ClientOptions = {}): Client {
  const timeout = options.timeout ?? 30000;
  const trouble = (error: UbusError) => options.onTrouble?.(error);
  const until = (given?: number) => {
    const length = given ?? timeout;
    return length > 0 ? door.now() + length : Infinity;
  };
  const known = new Map<string, number>();

  const link = createLink(
    door,
    {
      reconnect: options.reconnect ?? true,
      pause: options.pause ?? 250,
      longestPause: options.longestPause ?? 10000,
    },
    {
      up() {
        const connection = link.connection();
        restore()
          .catch((error: UbusError) => {
            // What a lost connection left undone, the next one does.
            if (link.connection() === connection) trouble(error);
          })
          .then(() => {
            if (link.connection() === connection) tell({ state: 'connected', id: link.id() });
          });
      },
      down(reason, again) {
        known.clear();
        objects.forget();
        if (again === undefined) presence.close();
        tell(again === undefined ? { state: 'closed', reason } : { state: 'disconnected', reason, again });
      },
      message: (message) => objects.take(message),
      monitored: (bytes) => monitor.take(bytes),
      damaged: ({ type, seq, peer }, error) =>
        trouble(new UbusError(Status.PARSE_ERROR, `dropped a message (type ${type}, seq ${seq}, peer ${peer}): ${error.message}`)),
    },
  );
  const objects = createObjects(link, timeout, trouble);
  const presence = createPresence(link, objects, find);
  const monitor = createMonitor(link, trouble);

  function tell(state: ConnectionState): void {
    try {
      options.onState?.(state);
    } catch (error) {
      trouble(new UbusError(Status.UNKNOWN_ERROR, `onState failed: ${sentence(error)}`));
    }
  }

  async function restore(): Promise<void> {
    const deadline = until();
    await objects.restore(deadline);
    await monitor.restore(deadline);
    await presence.refresh(deadline);
  }

  async function lookup(pattern: string | undefined, deadline: number): Promise<ObjectInfo[]> {
    const what = pattern === undefined ? 'lookup' : `lookup ${pattern}`;
    const found: ObjectInfo[] = [];
    await link.ready(what, deadline);
    await link.request({
      type: MessageType.LOOKUP,
      peer: 0,
      attributes: { path: pattern } as { path?: string },
      what,
      deadline,
      receive({ type: kind, attributes: { status, path, object, type, signature } }) {
        if (kind === MessageType.STATUS) {
          if (status === Status.OK || status === Status.NOT_FOUND) return true;
          throw new UbusError(status ?? Status.INVALID_ARGUMENT, statusText(status ?? Status.INVALID_ARGUMENT));
        }
        if (path !== undefined && object !== undefined && type !== undefined) {
          found.push({ path, id: object, type, signature: signature ? decodeSignature(signature) : {} });
        }
        return false;
      },
    });
    return found;
  }

  async function findInfo(path: string, deadline: number): Promise<ObjectInfo | undefined> {
    // A path that ends in * would be a pattern, and is no object's name; nor is an empty one.
    return path === '' || path.endsWith('*') ? undefined : (await lookup(path, deadline))[0];
  }

  async function find(path: string, deadline: number): Promise<number | undefined> {
    return (await findInfo(path, deadline))?.id;
  }

  async function invoke(
    object: number,
    method: string,
    data: Uint8Array,
    what: string,
    deadline: number,
    onData: CallOptions['onData'],
  ): Promise<{ reply: Table; gone: boolean }> {
    let reply: Table = {};
    let gone = false;
    await link.request({
      type: MessageType.INVOKE,
      peer: object,
      attributes: { object, method, data },
      what,
      deadline,
      receive({ type, attributes }, late) {
        if (type === MessageType.DATA) {
          if (attributes.data === undefined || late) return false;
          reply = decodeTable(attributes.data);
          onData?.(reply);
          return false;
        }
        const status = attributes.status ?? Status.INVALID_ARGUMENT;
        // An object's own answer names the object; one from ubusd does not.
        gone = status === Status.NOT_FOUND && attributes.object === undefined;
        if (status !== Status.OK && !gone) throw new UbusError(status, statusText(status));
        return true;
      },
    });
    return { reply, gone };
  }

  async function call(object: string | number, method: string, args: TableLike, given: CallOptions): Promise<Table> {
    const deadline = until(given.timeout);
    const what = `call ${object} ${method}`;
    const data = encodeTable(args);
    await link.ready(what, deadline);
    const remembered = typeof object === 'number' ? object : known.get(object);
    if (remembered !== undefined) {
      const { reply, gone } = await invoke(remembered, method, data, what, deadline, given.onData);
      if (!gone) return reply;
    }
    if (typeof object === 'string') {
      known.delete(object);
      const found = await find(object, deadline);
      if (found !== undefined) {
        if (known.size >= MOST_KNOWN) known.clear();
        known.set(object, found);
        const { reply, gone } = await invoke(found, method, data, what, deadline, given.onData);
        if (!gone) return reply;
      }
    }
    throw new UbusError(Status.NOT_FOUND, `${what}: there is no such object`);
  }

  return {
    get id() {
      return link.id();
    },
    ready: (given = {}) => link.ready('connect', until(given.timeout)),
    lookup: (pattern, given = {}) => lookup(pattern, until(given.timeout)),
    call: (object, method, args = {}, given = {}) => call(object, method, args, given),
    publish: (path, methods, given = {}) => publish({ link, objects, until }, path, methods, given),
    subscribe: (path, heard, given = {}) => subscribe({ link, objects, presence, find, trouble, until }, path, heard, given),
    async listen(pattern, heard, given = {}) {
      const own = listenerObject(link, pattern, heard);
      await objects.add(own, until(given.timeout));
      return () => objects.remove(own, until());
    },
    async send(event, data = {}, given = {}) {
      const deadline = until(given.timeout);
      await link.ready(`send ${event}`, deadline);
      await invokeSystem(link, SystemObject.EVENT, 'send', { id: event, data }, `send ${event}`, deadline);
    },
    waitFor: (path, given = {}) => waitFor(link, presence, path, until(given.timeout), findInfo),
    async monitor(seen, given = {}) {
      await monitor.add(seen, until(given.timeout));
      return () => monitor.remove(seen, until());
    },
    async ping(given = {}) {
      const deadline = until(given.timeout);
      await link.ready('ping', deadline);
      await link.request({ type: MessageType.PING, peer: 0, attributes: {}, what: 'ping', deadline });
    },
    close: () => link.close(),
  };
}
