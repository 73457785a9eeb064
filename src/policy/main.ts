/** The way into the part sipalg-policy.js: opens the doors that the voice firewall rules need. */
import { voiceText } from '../cli/policy.ts';
import { nodeAsking } from '../host/ask.ts';
import type { Policy } from './link.ts';
import { askThrough } from './names.ts';
import { room } from './room.ts';

askThrough(nodeAsking);

export const policy: Policy = { ...room, text: voiceText };
