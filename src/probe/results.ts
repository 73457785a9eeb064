/** From what was sent and what was seen to what happened to each message, and what that comes to. Pure. */
import { differencesOf } from '../compare/differences.ts';
import type { Difference } from '../compare/difference.ts';
import { checksumOf } from './packet.ts';
import type { Ends } from './packet.ts';
import type { Recorded } from './record/recorded.ts';
import { inUri } from './vectors.ts';
import { say, textOf } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

/** `half`: rewritten, and an address of the LAN is left in it. `grown`: lost, for it no longer fits through the way. */
export type Fate = 'unchanged' | 'rewritten' | 'half rewritten' | 'dropped' | 'lost by growth' | 'not tried';

/** `by DEVICE`: another way to the internet. */
export type Part = 'main' | 'TCP' | 'IPv6' | `by ${string}`;

export interface Sent {
  readonly name: Line;
  readonly tests: Line;
  readonly control: boolean;
  readonly toProvider: boolean;
  /** What it belongs to: the test itself, or one beside it, which counts where its own controls came out. */
  readonly part: Part;
  readonly ends: Ends;
  /** Where it has to come out. */
  readonly expected: Ends;
  readonly text: string;
  /** IP id. */
  readonly id: number;
}

export interface Result {
  readonly name: Line;
  readonly tests: Line;
  readonly control: boolean;
  readonly toProvider: boolean;
  readonly part: Part;
  readonly fate: Fate;
  /** `192.168.1.250:5060 -> 192.0.2.33:5060`, as sent and as seen; null where it was not seen. */
  readonly sent: string;
  readonly seen: string | null;
  /** The device it was seen at. */
  readonly device: string | null;
  /** Bytes. */
  readonly length: number;
  readonly seenLength: number | null;
  /** Bytes at the end that could not be recorded, and whose checksum does not vouch for them. */
  readonly unseen: number;
  readonly differences: readonly Difference[];
  /** An answer was delivered to this port instead of the one the request came from; null where it was not. */
  readonly deliveredTo: number | null;
  /** Why the kernel dropped it, where its log shows that. */
  readonly reason: string | null;
  /** TCP: bytes by which what came out is numbered beside what came out before it; another number than 0 breaks the connection. */
  readonly gap: number | null;
}

const shown = ({ from, to }: Ends): string => `${inUri(from.address)}:${from.port} -> ${inUri(to.address)}:${to.port}`;
const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

/**
 * All of what was seen, as far as it is known: what a kernel cannot record is taken as sent, and counts as unseen unless the
 * checksum bears it out. That of a message which the ALG has written into never does: the device is left to finish it
 * (nf_nat_helper.c, CHECKSUM_PARTIAL).
 */
function wholeOf(recorded: Recorded, sent: string): { text: string; unseen: number } {
  const text = latin1(recorded.bytes);
  const lacking = recorded.length - text.length;
  if (lacking <= 0) return { text, unseen: 0 };
  const assumed = text + sent.slice(Math.max(0, sent.length - lacking));
  const vouched = assumed.length === recorded.length && checksumOf(recorded, assumed) === recorded.check;
  return { text: assumed, unseen: vouched ? 0 : lacking };
}

export interface Known {
  /** Addresses of the LAN that a message may not keep once it is rewritten. */
  readonly inside: readonly string[];
  /** Bytes of an IP packet on the way out. */
  readonly mtu: number;
  /** By IP id. */
  readonly reasons: ReadonlyMap<number, string>;
}

/** @param seen null: it did not come out @param gap Result.gap */
export function resultOf(
  sent: Sent,
  seen: Recorded | null,
  device: string | null,
  { inside, reasons }: Known,
  gap: number | null = null,
): Result {
  const base = {
    name: sent.name,
    tests: sent.tests,
    control: sent.control,
    toProvider: sent.toProvider,
    part: sent.part,
    gap,
    sent: shown(sent.ends),
    length: sent.text.length,
  };
  if (seen === null) {
    const reason = reasons.get(sent.id) ?? null;
    return { ...base, fate: 'dropped', seen: null, device: null, seenLength: null, unseen: 0, differences: [], deliveredTo: null, reason };
  }
  const { text, unseen } = wholeOf(seen, sent.text);
  const [near, far] = sent.toProvider ? [sent.ends.from, seen.from] : [seen.to, sent.ends.to];
  const differences = differencesOf(sent.text, text, { inside: near, outside: far }).map((one) => ({ ...one, cause: 'alg' as const }));
  const isLeft = sent.toProvider && inside.some((address) => text.includes(address));
  const isSame = differences.length === 0;
  const fate: Fate = isSame && (gap ?? 0) === 0 ? 'unchanged' : isLeft && !isSame ? 'half rewritten' : 'rewritten';
  const deliveredTo = !sent.toProvider && seen.to.port !== sent.expected.to.port ? seen.to.port : null;
  return { ...base, fate, seen: shown(seen), device, seenLength: seen.length, unseen, differences, deliveredTo, reason: null };
}

/**
 * A message that was dropped, and would have grown beyond what fits: by as much as another one of the phone's grew. One that
 * could not fit at all, for it went another way than was expected, tells nothing.
 * @param mtu of the way it took
 */
export function withGrowth(results: readonly Result[], mtu: number): Result[] {
  const grown = Math.max(
    0,
    ...results.filter(({ toProvider, seenLength }) => toProvider && seenLength !== null).map((one) => one.seenLength! - one.length),
  );
  const isLost = ({ fate, toProvider, part }: Result): boolean => fate === 'dropped' && toProvider && part === 'main';
  return results.map((one) =>
    isLost(one) && one.length + 28 > mtu
      ? { ...one, fate: 'not tried' as const }
      : isLost(one) && one.reason === null && grown > 0 && one.length + 28 <= mtu && one.length + 28 + grown > mtu
        ? { ...one, fate: 'lost by growth' as const }
        : one,
  );
}

/**
 * A part of the test beside the main one: nothing is claimed by it where its controls did not come out as they were sent.
 * @param own its results @param at where a control has to come out, where that matters
 */
export function standsOrNot(own: readonly Result[], at: string | null = null): { results: Result[]; stands: boolean } {
  const controls = own.filter(({ control }) => control);
  const stands = controls.length > 0 && controls.every(({ seen, device }) => seen !== null && (at === null || device === at));
  return { stands, results: stands ? [...own] : own.map((one) => ({ ...one, ...NOTHING_SEEN })) };
}

const NOTHING_SEEN = {
  fate: 'not tried',
  seen: null,
  device: null,
  seenLength: null,
  unseen: 0,
  differences: [],
  deliveredTo: null,
  gap: null,
} as const;

/**
 * Of a flow of the main part nothing came out, and there is a way to the internet of which nothing is known: routing may have sent
 * it there, to a next hop that does not answer. That is no drop.
 */
export function astray(results: readonly Result[]): Result[] {
  const came = new Set(results.filter(({ seen }) => seen !== null).map(({ sent }) => sent));
  return results.map((one) =>
    one.part === 'main' && one.toProvider && one.seen === null && one.reason === null && !came.has(one.sent)
      ? { ...one, fate: 'not tried' as const }
      : one,
  );
}

export type ProbeVerdict = 'unchanged' | 'rewritten here' | 'dropped here' | 'inconclusive';

/** A field that was changed, over all messages. */
export interface Alteration {
  readonly field: string;
  readonly part: string;
  readonly toProvider: boolean;
  readonly before: string | null;
  readonly after: string | null;
  readonly messages: readonly Line[];
}

export function alterationsOf(results: readonly Result[]): Alteration[] {
  const all = new Map<string, Alteration & { messages: Line[] }>();
  for (const { name, toProvider, differences } of results) {
    for (const { field, part, at, before, after } of differences) {
      const key = `${toProvider} ${field} ${at} ${part}`;
      const known = all.get(key);
      if (known === undefined)
        all.set(key, { field, part, toProvider, before: before?.text ?? null, after: after?.text ?? null, messages: [name] });
      else if (!known.messages.some((one) => textOf(one) === textOf(name))) known.messages.push(name);
    }
  }
  return [...all.values()];
}

/** What it comes to; `because` where that is nothing. */
export function verdictOf(results: readonly Result[]): { verdict: ProbeVerdict; because: Said | null } {
  const out = results.filter(({ toProvider, part }) => toProvider && part === 'main');
  const controls = out.filter(({ control }) => control);
  const tried = results.filter(({ control, part, fate }) => (!control || part !== 'main') && fate !== 'not tried');
  if (tried.some(({ fate, deliveredTo }) => fate === 'rewritten' || fate === 'half rewritten' || deliveredTo !== null))
    return { verdict: 'rewritten here', because: null };
  if (controls.length === 0 || controls.some(({ seen }) => seen === null)) {
    const none = out.every(({ seen }) => seen === null);
    return {
      verdict: 'inconclusive',
      because: none
        ? say(
            'probe-nothing-out',
            'nothing of the test came out towards the internet, the control included: what was sent was not ' +
              'forwarded (a rule of the firewall, or a next hop that does not answer), so nothing is known of an ' +
              'ALG',
          )
        : say(
            'probe-control-lost',
            'a control message, which no ALG has business with, did not come out: what else is missing may have ' +
              'been lost in the same way',
          ),
    };
  }
  if (controls.some(({ fate }) => fate !== 'unchanged')) return { verdict: 'rewritten here', because: null };
  const calls = out.filter(({ control }) => !control);
  if (calls.length > 0 && calls.every(({ fate }) => fate === 'not tried'))
    return {
      verdict: 'inconclusive',
      because: say(
        'probe-astray',
        'nothing to a port of SIP came out towards the internet, and of one way there nothing is known: the routing of this ' +
          'router may have sent it by that',
      ),
    };
  if (tried.some(({ fate }) => fate === 'dropped' || fate === 'lost by growth')) return { verdict: 'dropped here', because: null };
  const unseen = tried.find((one) => one.unseen > 0);
  if (unseen !== undefined)
    return {
      verdict: 'inconclusive',
      because: say('probe-unseen', 'the last {bytes} bytes of "{name}" could not be seen here, and its checksum does not vouch for them', {
        bytes: unseen.unseen,
        name: unseen.name,
      }),
    };
  return { verdict: 'unchanged', because: null };
}
