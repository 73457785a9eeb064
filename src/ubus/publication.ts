/** A published object, and what it tells its subscribers. */
import type { Link } from './link.ts';
import { MessageType } from './message.ts';
import type { Attributes } from './message.ts';
import type { Handler, Objects, OwnObject } from './objects.ts';
import { encodeSignature } from './signature.ts';
import type { Arguments } from './signature.ts';
import { Status, UbusError } from './status.ts';
import { decodeTable, encodeTable } from './value.ts';
import type { Table, TableLike } from './value.ts';

/** A method: who answers it, and the arguments it declares. */
export interface Method {
  /** A call that gives one of these another type is answered with INVALID_ARGUMENT; others may be given too. */
  args?: Arguments;
  answer: Handler;
}

/** The methods of an object: name to method, or to its handler where it takes no arguments. */
export type Methods = { readonly [name: string]: Method | Handler };

export interface PublishOptions {
  /** Milliseconds; 0: for ever. Default: the client's. */
  timeout?: number | undefined;
  /** The first subscriber came (true), or the last one went (false). */
  onSubscribed?: ((active: boolean) => void) | undefined;
}

/** What one subscriber answered to a notification. */
export interface NotifyReply {
  /** The id of the subscribing object. */
  subscriber: number;
  /** Its status; TIMEOUT when it has not answered. */
  status: number;
  /** The last data it sent, if it sent any. */
  data: Table | undefined;
}

export interface Publication {
  readonly path: string;
  /** Its id at ubusd; 0 while it is not there. */
  readonly id: number;
  /** Somebody subscribes to it. */
  readonly subscribed: boolean;
  /** Tells all subscribers, waiting for nothing. Without a connection there are none, and nothing happens. */
  notify(method: string, data?: TableLike): void;
  /** Tells all subscribers and resolves with what each one answered. */
  notifyAndWait(method: string, data?: TableLike, options?: { timeout?: number | undefined }): Promise<NotifyReply[]>;
  /** Takes the object away. Calls that were not answered yet stay without an answer. */
  remove(): Promise<void>;
}

export interface PublishParts {
  link: Link;
  objects: Objects;
  until(timeout?: number): number;
}

export async function publish(
  { link, objects, until }: PublishParts,
  path: string,
  methods: Methods,
  { timeout, onSubscribed }: PublishOptions,
): Promise<Publication> {
  const what = `publish ${path}`;
  const list = Object.entries(methods).map(([name, method]): [string, Method] => [
    name,
    typeof method === 'function' ? { answer: method } : method,
  ]);
  const byName = new Map(list);
  let subscribed = false;

  if (path === '' || path.endsWith('*')) {
    throw new UbusError(
      Status.INVALID_ARGUMENT,
      `${JSON.stringify(path)} cannot be an object's name: ` + 'it is empty, or ends in * and could not be looked up',
    );
  }

  const own: OwnObject = {
    what,
    id: 0,
    attributes: {
      path,
      signature: encodeSignature(Object.fromEntries(list.map(([name, { args = {} }]) => [name, args]))),
    },
    method: (name) => byName.get(name),
    subscribed(active) {
      if (active === subscribed) return;
      subscribed = active;
      onSubscribed?.(active);
    },
  };
  await objects.add(own, until(timeout));

  return {
    path,
    get id() {
      return own.id;
    },
    get subscribed() {
      return subscribed;
    },
    notify(method, data = {}) {
      const attributes: Attributes = { object: own.id, method, data: encodeTable(data), noReply: true };
      if (own.id !== 0) link.post(MessageType.NOTIFY, link.seq(), own.id, attributes);
    },
    notifyAndWait: (method, data = {}, options = {}) => notifyAndWait(link, own, method, data, until(options.timeout)),
    remove: () => objects.remove(own, until()),
  };
}

/** ubusd first says who the notification goes to, then passes on what each of them answers. */
async function notifyAndWait(link: Link, own: OwnObject, method: string, data: TableLike, deadline: number): Promise<NotifyReply[]> {
  const replies = new Map<number, NotifyReply>();
  let open: Set<number> | undefined;
  const request = link.request({
    type: MessageType.NOTIFY,
    peer: own.id,
    attributes: { object: own.id, method, data: encodeTable(data) },
    what: `notify ${method}`,
    deadline,
    accepts: (peer) => peer === own.id || open?.has(peer) === true,
    receive({ type, peer, attributes }) {
      if (open === undefined) {
        if (type !== MessageType.STATUS) return false;
        const status = attributes.status ?? Status.INVALID_ARGUMENT;
        if (status !== Status.OK) throw new UbusError(status);
        open = new Set(attributes.subscribers);
        for (const subscriber of open) replies.set(subscriber, { subscriber, status: Status.TIMEOUT, data: undefined });
      } else {
        const reply = replies.get(peer);
        if (reply === undefined) return false;
        if (type === MessageType.STATUS) {
          reply.status = attributes.status ?? Status.INVALID_ARGUMENT;
          open.delete(peer);
        } else if (attributes.data !== undefined) {
          reply.data = decodeTable(attributes.data);
        }
      }
      return open.size === 0;
    },
  });
  await request.catch((error: UbusError) => {
    // Some subscriber is slow, or went away: what the others said still counts.
    if (error.status !== Status.TIMEOUT || open === undefined) throw error;
  });
  return [...replies.values()];
}
