/** Time on QuickJS. */
import * as os from 'qjs:os';
import type { Clock } from '../../host/clock.ts';

export const clock: Clock = {
  now: () => os.now(),
  after(milliseconds, task) {
    const timer = os.setTimeout(task, milliseconds);
    return () => os.clearTimeout(timer);
  },
};
