/** What the counters of the voice firewall rules count, in words; their names are an interface, and stay in JSON. */
import { say } from './say.ts';
import type { Said } from './say.ts';

const COUNTERS: Readonly<Record<string, Said>> = {
  voice_media: say('counter-voice-media', 'Audio, marked'),
  voice_signalling: say('counter-voice-signalling', 'Signalling, marked'),
  plain_signalling: say('counter-plain', 'Signalling in plain text'),
  attempts_register: say('counter-attempts-register', 'REGISTER from strangers'),
  attempts_invite: say('counter-attempts-invite', 'INVITE from strangers'),
  attempts_options: say('counter-attempts-options', 'OPTIONS from strangers'),
  attempts_other: say('counter-attempts-other', 'Other requests from strangers'),
  attempts_tcp: say('counter-attempts-tcp', 'Connections from strangers (TCP)'),
  limited_register: say('counter-limited-register', 'REGISTER from strangers, dropped'),
  limited_invite: say('counter-limited-invite', 'INVITE from strangers, dropped'),
  limited_options: say('counter-limited-options', 'OPTIONS from strangers, dropped'),
  limited_other: say('counter-limited-other', 'Other requests from strangers, dropped'),
  limited_tcp: say('counter-limited-tcp', 'Connections from strangers (TCP), dropped'),
  limited_kilobytes: say('counter-limited-kilobytes', 'Too much from one stranger over TCP, dropped'),
};

/** @returns null for a counter of another version */
export const counterIn = (name: string): Said | null =>
  Object.prototype.hasOwnProperty.call(COUNTERS, name) ? (COUNTERS[name] ?? null) : null;
