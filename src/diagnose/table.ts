/** The one table: symptom, cause, observable, fix and source. Worst first. */
import type { Cause } from './cause.ts';
import { OF_SOUND } from './causes-audio.ts';
import { OF_NETWORK } from './causes-network.ts';
import { OF_STATE } from './causes-state.ts';

export const CAUSES: readonly Cause[] = [...OF_STATE, ...OF_SOUND, ...OF_NETWORK].sort((one, other) => other.weight - one.weight);
