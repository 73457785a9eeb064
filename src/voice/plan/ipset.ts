/** What fills and removes sets of ipset. */
import type { Action } from '../../plan/step.ts';

/** A text for `ipset restore`, in which what is there already, or gone already, is no error. */
export const ipsetAction = (input: string): Action => ({ do: 'run', argv: ['ipset', 'restore', '-!'], input });
