/** How long packets take to the ends of calls, and what else the line carries meanwhile. Pure. */
import type { Path } from '../observe/calls/facts.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { valueOf } from './look.ts';
import type { Look } from './look.ts';

/** What a path shows: how many echoes are missing, and the times. */
export interface Timed {
  path: Path;
  sent: number;
  answered: number;
  /** Milliseconds. */
  middle: number;
  /** The mean of how much one differs from the one before it (RFC 3550 §6.4.1 without its smoothing). */
  jitter: number;
}

const middleOf = (times: readonly number[]): number => {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
};

export function timed(path: Path): Timed | null {
  const echoes = valueOf(path.echoes);
  if (echoes === null || echoes.times.length < 3) return null;
  const { sent, times } = echoes;
  const steps = times.slice(1).map((time, at) => Math.abs(time - (times[at] as number)));
  const jitter = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return { path, sent, answered: times.length, middle: middleOf(times), jitter };
}

/** Who answers less than half of them, and those in time, lets a rate of pings pass: a line that loses so many bears no call. */
export const isSparing = ({ path: { to }, sent, answered }: Timed): boolean => to === 'provider' && answered * 2 < sent;

/** What a call bears (voice practice, several providers: jitter 30 ms, latency 100 ms a way). */
export const isLate = (one: Timed): boolean =>
  one.jitter > 30 || one.middle > 200 || (one.sent - one.answered >= 2 && !isSparing(one));

export const tellPings = ({ path: { address }, sent, answered, middle, jitter }: Timed): Said =>
  say('pings', '{address}: {answered} of {sent} pings answered, after {middle} ms, {jitter} ms from one to the next', {
    address,
    answered,
    sent,
    middle: Math.round(middle),
    jitter: Math.round(jitter),
  });

export const pathsTo = ({ calls: { moved } }: Look, to: Path['to']): Path[] => (moved?.paths ?? []).filter((path) => path.to === to);
export const latePaths = (look: Look, to: Path['to']): Line[] =>
  pathsTo(look, to).flatMap((path) => {
    const one = timed(path);
    return one !== null && isLate(one) ? [tellPings(one)] : [];
  });

/** Bytes a second by which a line of a household is not idle any more: six calls. */
const BUSY = 64_000;

interface Rate {
  device: string;
  out: number;
  in: number;
}
const rates = (traffic: readonly Rate[], seconds: number): Rate[] =>
  traffic.map(({ device, in: taken, out: given }) => ({ device, in: taken / seconds, out: given / seconds }));
const most = (all: readonly Rate[]): number => Math.max(0, ...all.map((one) => Math.max(one.out, one.in)));
const kilo = (bytes: number): number => Math.round(bytes / 1000);

export const busyLinks = ({ calls: { moved } }: Look): Line[] =>
  rates(moved?.traffic ?? [], moved?.seconds ?? 1)
    .filter((one) => most([one]) >= BUSY)
    .map(({ device, in: taken, out: given }) =>
      say('link-busy', '{device} meanwhile: {given} kB a second out, {taken} kB in', { device, given: kilo(given), taken: kilo(taken) }),
    );

/** Milliseconds that packets wait in a queue of this router before it is the one who is late. */
const WAIT = 30;

/** Queues at a way out that are so full, at the beginning and at the end of the look, that what is sent waits in them. */
function standing({ calls: { queues, moved } }: Look): Line[] {
  return (moved?.queues ?? []).flatMap(({ device, backlog }) => {
    const before = (valueOf(queues) ?? []).find((one) => one.device === device)?.backlog ?? 0;
    const rate = rates(moved?.traffic ?? [], moved?.seconds ?? 1).find((one) => one.device === device)?.out ?? 0;
    const wait = rate === 0 ? 0 : (Math.min(backlog, before) / rate) * 1000;
    return wait < WAIT
      ? []
      : [say('queue-standing', '{bytes} bytes wait to leave by {device}: {wait} ms at the rate at which it sends', {
            bytes: Math.min(backlog, before),
            device,
            wait: Math.round(wait),
          })];
  });
}

/** Milliseconds between one ping and the next (`ping -i 0.2`). */
const STEP = 200;
/** Times less than which two parts of a look are not told apart by their load. */
const APART = 4;

/** What the pings of the least and of the most loaded part of the look took; null where the load did not differ, or nothing was counted. */
function byLoad({ calls: { moved } }: Look, path: Path): { idle: number; full: number; idleRate: number; fullRate: number } | null {
  const echoes = valueOf(path.echoes);
  const parts = moved?.parts ?? [];
  if (echoes === null || parts.length < 2 || echoes.numbers?.length !== echoes.times.length) return null;
  const { numbers, times } = echoes;
  let from = 0;
  const all = parts.flatMap(({ seconds, traffic }) => {
    const to = from + seconds * 1000;
    const own = times.filter((_, at) => (numbers[at] as number) * STEP >= from && (numbers[at] as number) * STEP < to);
    from = to;
    return own.length < 2 ? [] : [{ rate: most(rates(traffic, seconds)), middle: middleOf(own) }];
  });
  const sorted = all.sort((one, other) => one.rate - other.rate);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined || last.rate < BUSY || first.rate * APART > last.rate) return null;
  return { idle: first.middle, full: last.middle, idleRate: first.rate, fullRate: last.rate };
}

/** What a delay has to do with the load of the line. */
export type Delay =
  /** It grows with it, or packets wait in this router's own queue. */
  | { is: 'load'; evidence: Line[] }
  /** The line is idle, or packets come as late while it is. */
  | { is: 'line'; evidence: Line[] }
  /** It is loaded all the time: whether an idle one would be better is not seen. */
  | { is: 'untold'; evidence: Line[] };

/** null where nothing is late, or it was not looked at. A line that is far away is as late when it carries something as when not. */
export function delayOf(look: Look): Delay | null {
  const late = pathsTo(look, 'provider').flatMap((path) => {
    const one = timed(path);
    return one !== null && isLate(one) ? [{ path, one }] : [];
  });
  if (late.length === 0) return null;
  const evidence = late.map(({ one }) => tellPings(one));
  const busy = busyLinks(look);
  const waiting = standing(look);
  if (waiting.length > 0) return { is: 'load', evidence: [...evidence, ...waiting] };
  const compared = late.flatMap(({ path }) => byLoad(look, path) ?? []);
  const [first] = compared;
  if (first !== undefined) {
    const { idle, full, idleRate, fullRate } = first;
    const values = { idle: Math.round(idle), full: Math.round(full), idleRate: kilo(idleRate), fullRate: kilo(fullRate) };
    const both = say('pings-by-load', 'pings took {idle} ms at {idleRate} kB a second, and {full} ms at {fullRate} kB a second', values);
    return { is: full - idle >= WAIT && full >= 1.5 * idle ? 'load' : 'line', evidence: [...evidence, both] };
  }
  return busy.length === 0 ? { is: 'line', evidence } : { is: 'untold', evidence: [...evidence, ...busy] };
}
