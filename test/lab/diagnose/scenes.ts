/** All scenes, in the order in which they are played: what a kernel has counted of fragments stays, so that scene is the last one. */
import { OF_AUDIO } from './audio.ts';
import { IN_HEALTH } from './healthy.ts';
import { OF_LINE } from './line.ts';
import { OF_NETWORK } from './network.ts';
import type { Scene } from './scene.ts';
import { OF_STATE } from './state.ts';
import { OF_WAN } from './wan.ts';

export const SCENES: readonly Scene[] = [...OF_STATE, ...OF_AUDIO, ...OF_LINE, ...OF_WAN, ...IN_HEALTH, ...OF_NETWORK];
