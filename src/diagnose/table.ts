/** The one table: symptom, cause, observable, fix and source. Worst first. */
import type { Cause } from './cause.ts';
import { OF_ALG } from './causes-alg.ts';
import { OF_SOUND } from './causes-audio.ts';
import { OF_LINE } from './causes-line.ts';
import { OF_NETWORK } from './causes-network.ts';
import { OF_PORTS } from './causes-ports.ts';
import { OF_SIZES } from './causes-sizes.ts';
import { OF_STATE } from './causes-state.ts';
import { OF_TRAFFIC } from './causes-traffic.ts';
import { OF_WAN } from './causes-wan.ts';

export const CAUSES: readonly Cause[] = [
  ...OF_ALG,
  ...OF_STATE,
  ...OF_PORTS,
  ...OF_SOUND,
  ...OF_LINE,
  ...OF_NETWORK,
  ...OF_SIZES,
  ...OF_WAN,
  ...OF_TRAFFIC,
].sort(
  (one, other) => other.weight - one.weight,
);
