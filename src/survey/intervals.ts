/** The intervals of phones that a run has noted, for faces that note more of them. */
export { INTERVALS_FILE, mergeIntervals, observeIntervals } from '../observe/calls/intervals.ts';
export type { Interval } from '../observe/calls/intervals.ts';
