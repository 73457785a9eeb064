/** A subscription to another client's object, kept while that object comes and goes. */
import type { Presence } from './events.ts';
import type { Link } from './link.ts';
import { MessageType } from './message.ts';
import type { Handler, Objects, OwnObject } from './objects.ts';
import { Status, UbusError } from './status.ts';

export interface Subscription {
  /** The object is there, and its notifications arrive. */
  readonly active: boolean;
  /** Ends the subscription. */
  unsubscribe(): Promise<void>;
}

export interface SubscribeOptions {
  /** Milliseconds; 0: for ever. Default: the client's. */
  timeout?: number | undefined;
  /** The object went away (false), or came back and is subscribed to again (true). */
  onActive?: ((active: boolean) => void) | undefined;
}

export interface SubscribeParts {
  link: Link;
  objects: Objects;
  presence: Presence;
  find(path: string, deadline: number): Promise<number | undefined>;
  trouble(error: UbusError): void;
  until(timeout?: number): number;
}

export async function subscribe(
  parts: SubscribeParts,
  path: string,
  heard: Handler,
  { timeout, onActive }: SubscribeOptions,
): Promise<Subscription> {
  const { link, objects, presence } = parts;
  const what = `subscribe to ${path}`;
  const deadline = () => parts.until(timeout);
  let target = 0;
  let first = true;

  const own: OwnObject = {
    what,
    id: 0,
    attributes: {},
    method: () => ({ answer: heard }),
    async attach(until) {
      target = 0;
      const object = await parts.find(path, until);
      if (object !== undefined) await follow(object, until);
      else if (first) throw new UbusError(Status.NOT_FOUND, `${what}: there is no object of that name`);
    },
    orphaned() {
      if (target === 0) return;
      target = 0;
      onActive?.(false);
    },
  };

  async function follow(object: number, until: number): Promise<void> {
    if (own.id === 0 || target === object) return;
    const attributes = { object: own.id, target: object };
    target = object;
    try {
      await link.request({ type: MessageType.SUBSCRIBE, peer: 0, attributes, what, deadline: until });
    } catch (error) {
      if (target === object) target = 0;
      throw error;
    }
    if (!first) onActive?.(true);
  }

  const stop = await presence.watch(
    path,
    (object) => {
      if (!first) follow(object, deadline()).catch(parts.trouble);
    },
    deadline(),
  );
  try {
    await objects.add(own, deadline());
  } catch (error) {
    stop();
    throw error;
  }
  first = false;

  return {
    get active() {
      return own.id !== 0 && target !== 0;
    },
    async unsubscribe() {
      stop();
      if (own.id !== 0 && target !== 0) {
        const attributes = { object: own.id, target };
        target = 0;
        await link.request({ type: MessageType.UNSUBSCRIBE, peer: 0, attributes, what, deadline: deadline() }).catch((error: UbusError) => {
          // The object, or the connection, is gone in the meantime: so is the subscription.
          if (error.status !== Status.NOT_FOUND && error.status !== Status.CONNECTION_FAILED) throw error;
        });
      }
      await objects.remove(own, deadline());
    },
  };
}
