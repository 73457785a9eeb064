/**
 * Replies that have been handed over and not been taken yet. Nobody need have logged in for one, so none waits for long, and all
 * together have a limit: who asks and does not read costs no memory.
 */
import type { Clock } from '../host/clock.ts';

/** Milliseconds without a byte of a reply being taken, and for the whole of it. */
export const TAKEN_WITHIN = 5000;
export const REPLY_WITHIN = 30_000;
/** Bytes of replies that wait to be taken, of all connections: the largest reply there is (1 MiB, as on ubus) a few times. */
export const MOST_WAITING = 4 << 20;

export interface Held {
  /** Some of it was taken. */
  moved(): void;
  /** It is taken, or its connection has ended. May be called twice. */
  gone(): void;
}

export interface Waiting {
  /** Takes note of a reply of so many bytes. @param end ends its connection */
  add(size: number, end: () => void): Held;
}

export function createWaiting(clock: Clock): Waiting {
  const all = new Set<{ size: number; drop(): void }>(); // the oldest first
  let sum = 0;
  return {
    add(size, end) {
      const reply = { size, drop: (): void => undefined };
      let cancelTaken = (): void => undefined;
      const gone = (): void => {
        cancelTaken();
        cancelWhole();
        if (all.delete(reply)) sum -= size;
      };
      reply.drop = (): void => {
        gone();
        end();
      };
      const moved = (): void => {
        cancelTaken();
        if (all.has(reply)) cancelTaken = clock.after(TAKEN_WITHIN, reply.drop);
      };
      const cancelWhole = clock.after(REPLY_WITHIN, reply.drop);
      sum += size;
      all.add(reply);
      moved();
      // Who reads has little waiting, and so the oldest is somebody's who does not.
      for (const oldest of all) {
        if (sum <= MOST_WAITING || oldest === reply) break;
        oldest.drop();
      }
      return { moved, gone };
    },
  };
}
