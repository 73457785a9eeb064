/** A clock that a test moves by hand, and a report made of a recorded router. */
import type { Clock } from '../../../src/host/clock.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { recordedRouter } from '../../routers.ts';
import { reportOf as reportOn } from '../../survey.ts';

export interface HandClock extends Clock {
  /** Time passes; what falls due on the way runs, each at its moment. */
  pass(milliseconds: number): Promise<void>;
  /** How many tasks wait. */
  waiting(): number;
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function handClock(): HandClock {
  let now = 0;
  const tasks = new Set<{ at: number; task: () => void }>();
  return {
    now: () => now,
    after(milliseconds, task) {
      const one = { at: now + milliseconds, task };
      tasks.add(one);
      return () => {
        tasks.delete(one);
      };
    },
    async pass(milliseconds) {
      const end = now + milliseconds;
      await settle();
      for (;;) {
        const [next] = [...tasks].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
        if (next === undefined) break;
        now = next.at;
        tasks.delete(next);
        next.task();
        await settle();
      }
      now = end;
      await settle();
    },
    waiting: () => tasks.size,
  };
}

/** The report of a recorded router. */
export const reportOf = (router: string): Promise<Report> => reportOn(recordedRouter(router));

/** A promise and its ends. */
export function later<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** "Random" texts that count. */
export function counting(): (bytes: number) => string {
  let last = 0;
  return (bytes) => `random-${bytes}-${(last += 1)}`;
}
