/** How often a phone registers and speaks, as it was noted, against how long its state lives. Pure. */
import type { CallFlow } from '../observe/calls/facts.ts';
import type { Interval } from '../observe/calls/intervals.ts';
import { lifeOf, valueOf } from './look.ts';
import type { Look } from './look.ts';

const placeOf = (address: string, port: number): string => `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** What was noted of the phone of a flow and its far end. */
export function intervalsOf({ calls }: Look, { source, sourcePort, destination, destinationPort }: CallFlow): Interval[] {
  const noted = (calls.intervals === undefined ? null : valueOf(calls.intervals)) ?? [];
  const [phone, far] = [placeOf(source, sourcePort), placeOf(destination, destinationPort)];
  return noted.filter((one) => one.phone === phone && one.far === far);
}

const SAYS = {
  granted: (seconds: number) => `it is registered for ${seconds} s`,
  renewed: (seconds: number) => `it registered every ${seconds} s`,
  spoke: (seconds: number) => `it spoke every ${seconds} s`,
} as const;

/** With how it is known: `it spoke every 60 s (seen 3 times by sipalg watch, 12 min ago)`. @param now milliseconds since 1970 */
export function shownInterval({ how, seconds, times, at, by }: Interval, now: number): string {
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  const ago = minutes < 120 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
  return `${SAYS[how](seconds)} (seen ${times === 1 ? 'once' : `${times} times`} by sipalg ${by}, ${ago})`;
}

/** Seconds by which a phone may speak later than it was seen to. */
const SLACK = 5;

/**
 * What noted intervals say of a flow: `short`: the phone speaks more rarely than the state lives. `kept`: it speaks before it ends;
 * a registration that is granted for less than that is renewed before, else it is none any more (RFC 3261 §10.2.4). null: they
 * do not tell.
 */
export function stateAgainstInterval(look: Look, flow: CallFlow): { is: 'short' | 'kept'; because: string } | null {
  const life = lifeOf(look, flow);
  const noted = intervalsOf(look, flow);
  if (life === null || noted.length === 0) return null;
  const { at: now } = look.facts;
  const [most] = noted.filter(({ how }) => how !== 'granted').sort((one, other) => one.seconds - other.seconds);
  const granted = noted.find(({ how }) => how === 'granted');
  const known = most !== undefined && (granted === undefined || most.seconds <= granted.seconds) ? most : granted;
  if (known === undefined) return null;
  const because = `${shownInterval(known, now)}, and its state lives ${life} s`;
  if (known.seconds + SLACK <= life) return { is: 'kept', because };
  // Granted for longer: whether it sends keep-alives in between is not told by that.
  return known.how !== 'granted' && known.seconds > life + SLACK ? { is: 'short', because } : null;
}

/** For the line of a phone: what is known of its interval, and when it is due. '' where these facts do not hold what was noted. */
export function dueText(look: Look, flow: CallFlow): string {
  const { intervals } = look.calls;
  if (intervals === undefined) return '';
  if (intervals.state === 'failed') return `; how often it registers could not be read: ${intervals.because}`;
  const noted = intervalsOf(look, flow);
  if (noted.length === 0) return '; how often it registers was not seen (`sipalg watch` tells)';
  const { at: now } = look.facts;
  const life = lifeOf(look, flow);
  const [often] = noted.filter(({ how }) => how !== 'granted').sort((one, other) => one.seconds - other.seconds);
  const silent = life === null || flow.left === null ? null : life - flow.left;
  const due = often === undefined || silent === null ? null : often.seconds - silent;
  const when = due === null ? '' : due >= 0 ? `, due again in ${due} s` : `, overdue by ${-due} s`;
  return `; ${noted.map((one) => shownInterval(one, now)).join(', ')}${when}`;
}
