/** How often a phone registers and speaks, as it was noted, against how long its state lives. Pure. */
import type { CallFlow } from '../observe/calls/facts.ts';
import type { Interval } from '../observe/calls/intervals.ts';
import { lifeOf, valueOf } from './look.ts';
import type { Look } from './look.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

const placeOf = (address: string, port: number): string => `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** What was noted of the phone of a flow and its far end. */
export function intervalsOf({ calls }: Look, { source, sourcePort, destination, destinationPort }: CallFlow): Interval[] {
  const noted = (calls.intervals === undefined ? null : valueOf(calls.intervals)) ?? [];
  const [phone, far] = [placeOf(source, sourcePort), placeOf(destination, destinationPort)];
  return noted.filter((one) => one.phone === phone && one.far === far);
}

/** With how it is known: `it spoke every 60 s (seen 3 times by sipalg watch, 12 min ago)`. @param now milliseconds since 1970 */
export function shownInterval({ how, seconds, times, at, by }: Interval, now: number): Said {
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  const ago =
    minutes < 120
      ? say('ago-minutes', '{minutes} min ago', { minutes })
      : say('ago-hours', '{hours} h ago', { hours: Math.round(minutes / 60) });
  const known = { seconds, times, by, ago };
  if (how === 'granted')
    return say('phone-granted', 'it is registered for {seconds} s (seen {times} {times:time|times} by sipalg {by}, {ago})', known);
  return how === 'renewed'
    ? say('phone-renewed', 'it registered every {seconds} s (seen {times} {times:time|times} by sipalg {by}, {ago})', known)
    : say('phone-spoke', 'it spoke every {seconds} s (seen {times} {times:time|times} by sipalg {by}, {ago})', known);
}

/** Seconds by which a phone may speak later than it was seen to. */
const SLACK = 5;

/**
 * What noted intervals say of a flow: `short`: the phone speaks more rarely than the state lives. `kept`: it speaks before it ends;
 * a registration that is granted for less than that is renewed before, else it is none any more (RFC 3261 §10.2.4). null: they
 * do not tell.
 */
export function stateAgainstInterval(look: Look, flow: CallFlow): { is: 'short' | 'kept'; because: Said } | null {
  const life = lifeOf(look, flow);
  const noted = intervalsOf(look, flow);
  if (life === null || noted.length === 0) return null;
  const { at: now } = look.facts;
  const [most] = noted.filter(({ how }) => how !== 'granted').sort((one, other) => one.seconds - other.seconds);
  const granted = noted.find(({ how }) => how === 'granted');
  const known = most !== undefined && (granted === undefined || most.seconds <= granted.seconds) ? most : granted;
  if (known === undefined) return null;
  const because = say('interval-against-life', '{interval}, and its state lives {life} s', { interval: shownInterval(known, now), life });
  if (known.seconds + SLACK <= life) return { is: 'kept', because };
  // Registered more rarely than that: whether it sends keep-alives in between is not told by it.
  return known.how === 'spoke' && known.seconds > life + SLACK ? { is: 'short', because } : null;
}

/** For the line of a phone: what is known of its interval, and when it is due. '' where these facts do not hold what was noted. */
export function dueSaid(look: Look, flow: CallFlow): Said | '' {
  const { intervals } = look.calls;
  if (intervals === undefined) return '';
  if (intervals.state === 'failed')
    return say('interval-unread', '; how often it registers could not be read: {because}', { because: intervals.because });
  const noted = intervalsOf(look, flow);
  if (noted.length === 0) return '';
  const { at: now } = look.facts;
  const life = lifeOf(look, flow);
  const [often] = noted.filter(({ how }) => how !== 'granted').sort((one, other) => one.seconds - other.seconds);
  const silent = life === null || flow.left === null ? null : life - flow.left;
  const due = often === undefined || silent === null ? null : often.seconds - silent;
  return say('interval-noted', '; {intervals}{due}', {
    intervals: noted.map((one) => shownInterval(one, now)),
    due:
      due === null
        ? ''
        : due >= 0
          ? say('interval-due', ', due again in {seconds} s', { seconds: due })
          : say('interval-overdue', ', overdue by {seconds} s', { seconds: -due }),
  });
}
