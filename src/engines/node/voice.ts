/** The way into the part sipalg-policy.js: opens the doors that the voice firewall rules need. */
import { voiceText } from '../../cli/policy.ts';
import { nodeAsking } from './name-servers.ts';
import type { Policy } from '../../survey/voice.ts';
import { askThrough } from '../../voice/names/names.ts';
import { room } from '../../voice/voice.ts';

askThrough(nodeAsking);

export const policy: Policy = { ...room, text: voiceText };
