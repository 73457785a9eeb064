/** Lines about a process, as /proc/PID/stat has them (proc_pid_stat(5)). */

/** Its fields are counted from 1; the first two are the number and the name. */
const STATE = 3;
const STARTED = 22;

/**
 * When a process began, in ticks since boot, as text: with its number it tells one process from another that has got the
 * same number later. null where the text is not such a line, or the process has ended and is only not waited for yet.
 */
export function beginningOf(stat: string): string | null {
  // The name may hold anything, and stands in brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', started = ''] = [fields[0], fields[STARTED - STATE]];
  return /^[A-Y]$/i.test(state) && /^\d+$/.test(started) ? started : null;
}
