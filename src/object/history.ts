/**
 * What a page draws of the last day: how the counters of the voice rules grew, and how long the state of each phone still lives.
 * Kept by whoever keeps it (the daemon in memory, rpcd's plugin in /var/run), never longer and never more than said here. Pure.
 */
import type { CallFlow } from '../observe/calls/facts.ts';
import type { RouterFacts } from '../survey/survey.ts';

/** What is counted, of all families. Attempts are requests of strangers; media and signalling are packets that were marked. */
export const SERIES = {
  register: 'attempts_register',
  invite: 'attempts_invite',
  options: 'attempts_options',
  other: 'attempts_other',
  tcp: 'attempts_tcp',
  media: 'voice_media',
  signalling: 'voice_signalling',
} as const;

export type Counts = Record<keyof typeof SERIES, number>;

/** How much came between two looks. When within them it came, nobody saw. Milliseconds since the epoch. */
export interface Span extends Counts {
  from: number;
  to: number;
}

export interface History {
  /** The last look at which the counters could be read; null: there was none yet. */
  last: { at: number; counts: Counts } | null;
  /** The oldest first; those without anything in them are there too, for "none" was seen. */
  spans: Span[];
}

export interface HistoryStore {
  read(): Promise<History>;
  write(history: History): Promise<void>;
}

/** Milliseconds: how far back it goes, and from when on a span is not made longer. */
const DAY = 86_400_000;
const QUARTER = 900_000;
/** A day of quarters of an hour, and one that is only partly within the day. */
export const MOST_SPANS = 97;

export const EMPTY: History = { last: null, spans: [] };

const NAMES = Object.entries(SERIES) as [keyof Counts, string][];
const zero = (): Counts => Object.fromEntries(NAMES.map(([name]) => [name, 0])) as Counts;

/** null where they are not in force, or a family of them could not be read: half of a sum looks like one that was set back. */
export function countsOf({ policy }: Pick<RouterFacts, 'policy'>): Counts | null {
  if (policy.state !== 'present') return null;
  const { all, ipv4, ipv6 } = policy.value.inForce;
  const readings = policy.value.backend === 'nft' ? [all] : [ipv4, ipv6];
  if (readings.some(({ state }) => state === 'failed') || readings.every(({ state }) => state === 'absent')) return null;
  const counts = zero();
  for (const reading of readings)
    for (const { name, packets } of reading.state === 'present' ? reading.value.counters : []) {
      const series = NAMES.find(([, counter]) => counter === name)?.[0];
      if (series !== undefined) counts[series] += packets;
    }
  return counts;
}

/** The same with one more look. A look that brought no counters changes nothing but what is too old. */
export function withLook(history: History, at: number, counts: Counts | null): History {
  const { last } = history;
  // A clock that was set back or far ahead: what is older cannot be dated any more.
  if (last !== null && (at < last.at || at - last.at > DAY)) return { last: counts === null ? null : { at, counts }, spans: [] };
  const spans = history.spans.filter(({ to }) => to > at - DAY);
  if (counts === null) return { last, spans };
  if (last === null || at === last.at) return { last: { at, counts }, spans };
  // Rules that were loaded anew count from 0.
  const more = Object.fromEntries(NAMES.map(([name]) => [name, counts[name] - (counts[name] < last.counts[name] ? 0 : last.counts[name])]));
  const before = spans[spans.length - 1];
  if (before !== undefined && before.to === last.at && at - before.from <= QUARTER) {
    const longer = Object.fromEntries(NAMES.map(([name]) => [name, before[name] + (more[name] as number)])) as Counts;
    spans[spans.length - 1] = { from: before.from, to: at, ...longer };
  } else spans.push({ from: last.at, to: at, ...(more as Counts) });
  return { last: { at, counts }, spans: spans.slice(-MOST_SPANS) };
}

/** How the state of a phone's signalling stands. Seconds. */
export interface PhoneState {
  /** Address and port, of both ends. */
  phone: string;
  far: string;
  protocol: 'udp' | 'tcp';
  /** Until the state ends if nothing is said; null: the kernel tells nothing of it (offloaded). */
  left: number | null;
  /** What a packet gives it; null where that is not known: TCP, or an ALG keeps it. */
  life: number | null;
  /** How often the phone renews its registration; null where no watch has seen it. */
  every: number | null;
}

/** A registration as a watch has seen it. */
export interface SeenRegistration {
  phone: string;
  far: string;
  expires: number | null;
  every: number | null;
}

const MOST_PHONES = 32;

/** RFC 1918 and RFC 4193. */
const isPrivate = (address: string): boolean => /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\.|^f[cd][0-9a-f]{2}:/i.test(address);

const end = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);

/** @param flows what `conntrack` lists as signalling; @param seen of the last watch */
export function phonesOf(
  { policy, timeouts }: Pick<RouterFacts, 'policy' | 'timeouts'>,
  flows: readonly CallFlow[],
  seen: readonly SeenRegistration[],
): PhoneState[] {
  const rules = policy.state === 'present' ? policy.value : null;
  const inForce = Object.values(rules?.inForce ?? {}).flatMap((one) => (one.state === 'present' ? [one.value] : []));
  const learnt = inForce.flatMap((one) => one.phones);
  const own = rules?.wanted === true && inForce.length > 0 ? rules.wish.timeouts.signallingReplied : null;
  const valueOf = (reading: (typeof timeouts)['udp']): number | null => (reading.state === 'present' ? reading.value : null);
  return flows
    .filter(({ source, replyDestination }) => replyDestination !== source || isPrivate(source) || learnt.includes(source))
    .slice(0, MOST_PHONES)
    .map((flow) => {
      const { protocol, left, flags } = flow;
      const phone = end(flow.source, flow.sourcePort);
      const far = end(flow.destination, flow.destinationPort);
      const life = protocol === 'tcp' ? null : (own ?? valueOf(flags.includes('ASSURED') ? timeouts.udpStream : timeouts.udp));
      const registration = seen.find((one) => one.phone === phone && one.far === far);
      return {
        phone,
        far,
        protocol,
        left,
        life: life !== null && left !== null && left > life ? null : life,
        every: registration?.every ?? registration?.expires ?? null,
      };
    });
}
