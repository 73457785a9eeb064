/** Events: any client may send one, and those that registered a matching pattern get it. */
import type { Link } from './link.ts';
import { MessageType, SystemObject } from './message.ts';
import type { Objects, OwnObject } from './objects.ts';
import { Status, UbusError } from './status.ts';
import { encodeTable, typed } from './value.ts';
import type { Table, TableLike } from './value.ts';

/** What an event brings: its name and its data. */
export type EventListener = (event: string, data: Table) => void;

/** An own object that hands every event matching `pattern` to `heard`. */
export function listenerObject(link: Link, pattern: string, heard: EventListener): OwnObject {
  const what = `listen to ${pattern}`;
  const own: OwnObject = {
    what,
    id: 0,
    attributes: {},
    method: () => ({
      answer(data, { method }) {
        // Whatever a listener returns is no answer: an event has none.
        heard(method, data);
      },
    }),
    attach: (deadline) =>
      invokeSystem(
        link,
        SystemObject.EVENT,
        'register',
        {
          // ubusd takes the id as an int32, whatever its highest bit.
          object: typed('int32', own.id | 0),
          pattern,
        },
        what,
        deadline,
      ),
  };
  return own;
}

/** Calls one of ubusd's own objects, which answer with a status alone. */
export function invokeSystem(link: Link, object: number, method: string, data: TableLike, what: string, deadline: number): Promise<void> {
  const attributes = { object, method, data: encodeTable(data) };
  return link.request({ type: MessageType.INVOKE, peer: object, attributes, what, deadline });
}

/** Tells when named objects come. */
export interface Presence {
  /**
   * Calls `came` with the object's id whenever an object of that path comes, and
   * after each reconnection if it is there. Resolves, once that is sure, with a
   * function that stops it.
   */
  watch(path: string, came: (object: number) => void, deadline: number): Promise<() => void>;
  /** Looks again for everything watched, after a reconnection. */
  refresh(deadline: number): Promise<void>;
  /** No object will come any more: calls every `came` with 0. */
  close(): void;
}

/**
 * One listener, made when it is first needed, serves all watches.
 * @param find the id of the object of this path, or undefined
 */
export function createPresence(
  link: Link,
  objects: Objects,
  find: (path: string, deadline: number) => Promise<number | undefined>,
): Presence {
  const watches = new Map<string, Set<(object: number) => void>>();
  let ready: Promise<void> | undefined;

  const own = listenerObject(link, 'ubus.object.add', (_event, { path, id }) => {
    tell(String(path), Number(id) >>> 0);
  });

  function tell(path: string, object: number): void {
    for (const came of [...(watches.get(path) ?? [])]) came(object);
  }

  return {
    async watch(path, came, deadline) {
      ready ??= objects.add(own, deadline).catch((error: unknown) => {
        ready = undefined;
        throw error;
      });
      await ready;
      const those = watches.get(path) ?? new Set();
      watches.set(path, those.add(came));
      return () => {
        those.delete(came);
        if (those.size === 0 && watches.get(path) === those) watches.delete(path);
      };
    },
    async refresh(deadline) {
      for (const path of [...watches.keys()]) {
        const object = await find(path, deadline);
        if (object !== undefined) tell(path, object);
      }
    },
    close() {
      for (const path of [...watches.keys()]) tell(path, 0);
    },
  };
}

/**
 * Resolves with what `look` finds for `path`, as soon as it finds something.
 * @param look resolves with undefined while there is nothing
 */
export async function waitFor<T>(
  link: Link,
  presence: Presence,
  path: string,
  deadline: number,
  look: (path: string, deadline: number) => Promise<T | undefined>,
): Promise<T> {
  let wake = () => {};
  let cancel = () => {};
  const stop = await presence.watch(path, () => wake(), deadline);
  try {
    for (;;) {
      // Begun before looking, so that nothing that comes meanwhile is missed.
      const came = new Promise<boolean>((resolve) => {
        wake = () => resolve(true);
        if (deadline !== Infinity) cancel = link.after(Math.max(0, deadline - link.now()), () => resolve(false));
      });
      try {
        const found = await look(path, deadline);
        if (found !== undefined) return found;
        if (!(await came)) throw new UbusError(Status.TIMEOUT, `wait for ${path}: it did not come in time`);
      } catch (error) {
        // A lost connection is waited out.
        const { status } = error as UbusError;
        if (status !== Status.CONNECTION_FAILED || link.closed() || link.now() >= deadline) throw error;
      }
      cancel();
    }
  } finally {
    cancel();
    stop();
  }
}
