/** Time on Node. */
import type { Clock } from '../../host/clock.ts';

export const clock: Clock = {
  now: () => performance.now(),
  after(milliseconds, task) {
    // Longer delays than 2^31 - 1 ms would run at once.
    const timer = setTimeout(task, Math.min(milliseconds, 0x7fffffff));
    return () => clearTimeout(timer);
  },
};
