/** Looking at calls, for a diagnosis: a file of its own, so that no other command loads it. */
export { observeCalls } from '../observe/calls/observe.ts';
