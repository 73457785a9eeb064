/** Looks of a router made by hand, for causes that no lab can make, and for what a cause must not be taken for. */
import type { AlgState } from '../../../src/judge/verdict.ts';
import { diagnose } from '../../../src/diagnose/diagnose.ts';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import { readAsked } from '../../../src/diagnose/symptoms.ts';
import type { Reading } from '../../../src/host/host.ts';
import type { CallFacts, CallFlow, DropRule } from '../../../src/observe/calls/facts.ts';
import type { RouterFacts } from '../../../src/survey/survey.ts';
import { published } from '../../../src/words/published.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';

export const present = <T>(value: T): Reading<T> => ({ state: 'present', value, source: 'a test' });
export const failed: Reading<never> = { state: 'failed', source: 'a test', because: 'it may not be read' };
export const PHONE = '192.168.1.10';
export const PHONE2 = '192.168.1.11';
export const SERVER = '198.51.100.5';
export const WAN = '203.0.113.7';

/** Signalling of a phone to the server, registered and kept alive, unless said otherwise. */
export const signalling = (changes: Partial<CallFlow> = {}): CallFlow => {
  const flow = { source: PHONE, sourcePort: 5060, destination: SERVER, destinationPort: 5060, ...changes };
  return {
    protocol: 'udp',
    replySource: flow.destination,
    replyDestination: WAN,
    replyPort: flow.sourcePort,
    left: 170,
    out: { packets: 20, bytes: 9000 },
    in: { packets: 20, bytes: 8000 },
    flags: ['ASSURED'],
    ...flow,
  };
};

/** Audio both ways. */
export const audio = (changes: Partial<CallFlow> = {}): CallFlow =>
  signalling({
    sourcePort: 4000,
    destinationPort: 20000,
    out: { packets: 500, bytes: 100_000 },
    in: { packets: 500, bytes: 100_000 },
    ...changes,
  });

export const rule = (changes: Partial<DropRule> = {}): DropRule => ({
  family: 'inet',
  table: 'fw4',
  chain: 'forward_wan',
  handle: 7,
  comment: null,
  packets: 9,
  bytes: 900,
  asks: [],
  more: false,
  limits: false,
  early: false,
  ...changes,
});

export const calls = (changes: Partial<CallFacts> = {}): CallFacts => ({
  wan: present(['wan']),
  lan: [{ device: 'br-lan', address: '192.168.1.1', prefix: 24, zone: 'lan' }],
  flows: present({ signalling: [signalling()], media: [], unseen: 0 }),
  counts: present(true),
  own: ['192.168.1.1', WAN],
  routes: present([{ device: 'wan', metric: 0 }]),
  links: [{ device: 'wan', mtu: 1500, ppp: false, errors: present([{ device: 'wan', packets: 1_000_000, errors: 0, half: false }]) }],
  counters: present({ reasmReqds: 0, reasmOks: 0, reasmFails: 0, fragCreates: 0, fragFails: 0 }),
  table: present({ count: 100, most: 16_384, dropped: 0, early: 0, expectations: 1024 }),
  arrivals: present({ processed: 1_000_000, dropped: 0 }),
  listeners: present([]),
  drops: present([]),
  rejected: { packets: 0, bytes: 0 },
  redirects: present([]),
  randomPorts: present([]),
  marks: present([]),
  queues: { state: 'absent', source: 'tc qdisc show' },
  blocked: { state: 'absent', source: 'nft get element' },
  offload: present({ software: false, hardware: false }),
  shapers: [],
  build: present('#0 SMP Mon Jun 29 12:59:20 2026'),
  moved: null,
  ...changes,
});

export const flows = (sip: CallFlow[], media: CallFlow[] = []): CallFacts['flows'] => present({ signalling: sip, media, unseen: 0 });

let base: Promise<RouterFacts> | undefined;

/** A stock router without an ALG, with what is changed. */
export async function facts(changes: Partial<RouterFacts> = {}): Promise<RouterFacts> {
  base ??= surveyor.look(recordedRouter('stock-alg-absent'));
  return { ...(await base), policy: { state: 'absent', source: 'a test' }, calls: calls(), ...changes };
}

export async function said(
  change: Partial<CallFacts>,
  { ask = '', alg = 'off', more = {} }: { ask?: string; alg?: AlgState; more?: Partial<RouterFacts> } = {},
): Promise<DiagnosisDocument> {
  return published(diagnose(await facts({ ...more, calls: calls(change) }), alg, readAsked(ask)));
}

export const codes = ({ found }: Pick<DiagnosisDocument, 'found'>): string[] => found.map(({ code }) => code).sort();
