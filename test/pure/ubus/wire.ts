/** A door into a bus in memory, with a clock that tests turn by hand. */
import type { Door, Listening } from '../../../src/ubus/transport.ts';
import type { Attached, Bus } from './bus.ts';

export interface Wire {
  door: Door;
  /** Whoever dials from now on meets this bus; undefined: nobody listens. Those connected are cut off. */
  plug(bus: Bus | undefined): void;
  /** Moves the clock on, running what falls due, in order. */
  advance(milliseconds: number): Promise<void>;
  /** Everything clients sent, in order. */
  readonly sent: Uint8Array[];
  /** Everything clients were sent, in order. */
  readonly received: Uint8Array[];
  /** How often somebody dialled. */
  dials(): number;
  /** How many timers run. */
  timers(): number;
  /** Gives every connected client these bytes, as if ubusd had sent them. */
  inject(bytes: Uint8Array): void;
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** @param piece bytes are handed over in pieces of at most this many */
export function createWire(first: Bus | undefined, piece = Infinity): Wire {
  let bus = first;
  let now = 0;
  let dials = 0;
  const timers = new Set<{ at: number; task: () => void }>();
  const ends = new Set<{ cut(): void; give(bytes: Uint8Array): void }>();
  const sent: Uint8Array[] = [];
  const received: Uint8Array[] = [];

  const inPieces = (bytes: Uint8Array, give: (part: Uint8Array) => void) => {
    for (let at = 0; at < bytes.length; at += piece) give(bytes.slice(at, Math.min(bytes.length, at + piece)));
  };

  const door: Door = {
    now: () => now,
    after(milliseconds, task) {
      const timer = { at: now + milliseconds, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    dial(listening: Listening) {
      dials += 1;
      const waiting: Uint8Array[] = [];
      let peer: Attached | undefined;
      let open = true;
      const end = {
        cut() {
          if (!open) return;
          open = false;
          ends.delete(end);
          peer?.close();
          listening.closed('cut off');
        },
        give(bytes: Uint8Array) {
          inPieces(bytes, (part) => {
            if (open) listening.data(part);
          });
        },
      };
      ends.add(end);
      queueMicrotask(() => {
        if (!open) return;
        if (bus === undefined) return end.cut();
        peer = bus.attach((frame) => {
          received.push(frame.slice());
          const copy = frame.slice();
          queueMicrotask(() => end.give(copy));
        }, end.cut);
        for (const bytes of waiting) peer.data(bytes);
      });
      return {
        send(bytes) {
          sent.push(bytes.slice());
          const copy = bytes.slice();
          queueMicrotask(() =>
            inPieces(copy, (part) => {
              if (peer) peer.data(part);
              else waiting.push(part);
            }),
          );
        },
        close() {
          open = false;
          ends.delete(end);
          queueMicrotask(() => peer?.close());
        },
      };
    },
  };

  return {
    door,
    sent,
    received,
    dials: () => dials,
    timers: () => timers.size,
    plug(next) {
      bus = next;
      for (const end of [...ends]) end.cut();
    },
    inject(bytes) {
      for (const end of [...ends]) end.give(bytes);
    },
    async advance(milliseconds) {
      const until = now + milliseconds;
      await settle();
      for (;;) {
        const [due] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.task();
        await settle();
      }
      now = until;
    },
  };
}
