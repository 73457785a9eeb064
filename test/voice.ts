/** Voice firewall rules made by hand: what was seen of them, and a policy that finds and plans what a test says. */
import type { Reading } from '../src/host/host.ts';
import type { Finding, PolicyVerdict } from '../src/judge/verdict.ts';
import type { Part } from '../src/plan/files.ts';
import type { InForce, PolicyFacts } from '../src/voice/facts.ts';
import { createSurveyor } from '../src/survey/survey.ts';
import type { RouterFacts, Surveyor } from '../src/survey/survey.ts';
import { compare } from '../src/voice/judge/compare.ts';
import type { VoiceRules } from '../src/voice/voice.ts';
import type { Facts } from '../src/observe/facts.ts';
import { NOW } from './routers.ts';
import { VERSION } from './survey.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

const LIST = 'nft -j list table inet sipalg';
const absent = (source: string): Reading<never> => ({ state: 'absent', source });

export const IN_FORCE: InForce = {
  mark: 'text_0123456789ab',
  shape: '5eed',
  loaded: '5eed',
  networks: null,
  objects: [],
  counters: [
    { name: 'voice_media', packets: 90_210, bytes: 18_042_000 },
    { name: 'limited_register', packets: 9990, bytes: 4_000_000 },
  ],
  attempts: [
    { source: '198.51.100.66', method: 'OPTIONS', seen: 3, dropped: 0, first: NOW - 50 * MINUTE, last: NOW - 5 * MINUTE },
    { source: '2001:db8:bad::1', method: 'REGISTER', seen: 10_000, dropped: 9990, first: NOW - 3 * HOUR, last: NOW - 40_000 },
    { source: '192.0.2.99', method: 'TCP', seen: 12, dropped: 2, first: null, last: null },
  ],
  phones: ['192.168.1.10', '192.168.1.11'],
  lists: [],
};

/** A router with two providers, one of whose names has not been answered for a day. */
export function policyFacts(changes: Partial<PolicyFacts> = {}): PolicyFacts {
  return {
    wanted: true,
    wish: {
      timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
      marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS3', value: 24 } },
      limit: { register: 5, invite: 10, options: 10, other: 20, kilobytes: 2 },
      providers: [
        {
          name: 'example',
          hosts: [
            { name: 'sip.example.com', port: null },
            { name: 'Old.example.com', port: 5080 },
            { name: 'new.example.com', port: null },
          ],
          signalling: ['203.0.113.0/24'],
          media: ['198.51.100.0/24', '2001:db8:5::/48'],
          inbound: { pbx: ['192.168.1.20'], ports: [5060], mediaPorts: '10000-20000' },
        },
        { name: 'plain', hosts: [], signalling: ['192.0.2.0/28'], media: [], inbound: null },
      ],
      sites: [],
    },
    backend: 'nft',
    wan: { state: 'present', value: ['pppoe-wan'], source: '/etc/config/firewall' },
    lan: [{ device: 'br-lan', address: '192.168.1.1', prefix: 24, zone: 'lan' }],
    perFlow: { state: 'present', value: true, source: 'nft -c -f -' },
    extensions: {},
    names: {
      'sip.example.com': {
        addresses: ['203.0.113.5', '2001:db8:5::5'],
        ports: [5060],
        tlsPorts: [5061],
        at: NOW - 3 * MINUTE,
        until: NOW + 27 * MINUTE,
        failed: null,
      },
      'old.example.com': {
        addresses: ['203.0.113.9'],
        ports: [],
        tlsPorts: [],
        at: NOW - 26 * HOUR,
        until: NOW + 3 * MINUTE,
        failed: { at: NOW - 90_000, because: 'no server answered within 5 s' },
      },
      'new.example.com': {
        addresses: [],
        ports: [],
        tlsPorts: [],
        at: 0,
        until: NOW,
        failed: { at: NOW - MINUTE, because: 'the name does not exist' },
      },
    },
    inForce: {
      all: { state: 'present', value: IN_FORCE, source: LIST },
      ipv4: absent('nftables is used'),
      ipv6: absent('nftables is used'),
    },
    files: {},
    offload: { state: 'present', value: { software: false, hardware: false, forward: null }, source: '/etc/config/firewall' },
    iptables: null,
    inbound: null,
    shapers: [],
    ...changes,
  };
}

/** These facts, with these voice rules among them. */
export const withVoice = (facts: Facts | RouterFacts, policy: PolicyFacts = policyFacts()): RouterFacts => ({
  ...facts,
  policy: { state: 'present', value: policy, source: 'the voice firewall rules' },
  wish: { ...facts.wish, wish: { ...facts.wish.wish, policy: policy.wanted } },
});

export interface HandPolicy extends VoiceRules {
  found: Finding[];
  /** What else it judges. */
  judged: PolicyVerdict;
  planned: Part;
  /** What `refresh` answers, and how often it was asked. */
  refreshed: { changed: boolean; next: number | null };
  refreshes: number;
  facts: PolicyFacts;
  /** Surveys with this policy linked in. */
  surveyor: Surveyor;
}

/** A policy that says what the test puts into it. */
export function handPolicy(): HandPolicy {
  const policy: HandPolicy = {
    found: [],
    judged: { changed: [], excluded: false, shapers: [] },
    planned: { steps: [], takes: [], refused: [] },
    refreshed: { changed: false, next: null },
    refreshes: 0,
    facts: policyFacts(),
    observe: async () => policy.facts,
    refresh: async () => {
      policy.refreshes += 1;
      return policy.refreshed;
    },
    compare,
    judge: () => ({ ...policy.judged, findings: policy.found }),
    plan: () => policy.planned,
    surveyor: createSurveyor(VERSION, async () => policy),
  };
  return policy;
}
