/**
 * The intervals at which phones register and speak, as a run that watched them has seen and noted them, in memory (`/var/run`): one
 * look at a router shows none. Each says how it is known, and when it was seen last.
 */
import type { Host, Reading } from '../../host/host.ts';
import { understood } from '../reading.ts';

export const INTERVALS_FILE = '/var/run/sipalg.intervals';
const MOST = 64;
/** Milliseconds: a phone may have been given another interval, and its address another phone. */
const OLDEST = 7 * 86_400_000;

export interface Interval {
  /** `192.168.1.10:5060`, in the LAN. */
  phone: string;
  /** Whom it speaks to, as it names it. */
  far: string;
  /** `granted`: a registrar's answer said so. `renewed`: registrations were so far apart. `spoke`: it sent something, whatever it was. */
  how: 'granted' | 'renewed' | 'spoke';
  seconds: number;
  /** So often it was seen. */
  times: number;
  /** When it was seen last, in milliseconds since 1970. */
  at: number;
  by: 'watch' | 'probe --phones';
}

const isPlace = (text: unknown): text is string => typeof text === 'string' && /^(\[[0-9a-f:]{2,39}\]|[\d.]{7,15}):\d{1,5}$/.test(text);
const isNumber = (number: unknown): number is number => typeof number === 'number' && Number.isFinite(number) && number >= 0;

function intervalOf(one: unknown): Interval | null {
  if (typeof one !== 'object' || one === null) return null;
  const { phone, far, how, seconds, times, at, by } = one as Record<string, unknown>;
  if (!isPlace(phone) || !isPlace(far) || ![seconds, times, at].every(isNumber)) return null;
  if (how !== 'granted' && how !== 'renewed' && how !== 'spoke') return null;
  if (by !== 'watch' && by !== 'probe --phones') return null;
  return { phone, far, how, seconds: seconds as number, times: times as number, at: at as number, by };
}

/** What of a text is an interval; @throws SyntaxError where it is no list at all. */
export function parseIntervals(text: string): Interval[] {
  const all: unknown = JSON.parse(text);
  if (!Array.isArray(all)) throw new SyntaxError('it is no list');
  return all.slice(0, MOST).flatMap((one) => intervalOf(one) ?? []);
}

const keyOf = ({ phone, far, how }: Interval): string => `${phone} ${far} ${how}`;

/** What was noted and what is new, the newest of each kind; the newest ones where there are very many. */
export function mergeIntervals(noted: readonly Interval[], seen: readonly Interval[], now: number): Interval[] {
  const all = new Map<string, Interval>();
  for (const one of [...noted, ...seen]) {
    const known = all.get(keyOf(one));
    if (known === undefined || known.at <= one.at) all.set(keyOf(one), one);
  }
  return [...all.values()]
    .filter(({ at }) => Math.abs(now - at) < OLDEST)
    .sort((one, other) => other.at - one.at)
    .slice(0, MOST);
}

/** Absent: nobody has watched since the router started. */
export async function observeIntervals(host: Host): Promise<Reading<Interval[]>> {
  return understood(await host.read(INTERVALS_FILE, { most: 65_536 }), (text) => mergeIntervals(parseIntervals(text), [], host.now()));
}
