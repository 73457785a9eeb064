/** What a watch of calls has told so far, in a file in memory (/var/run): written by the watch, read by whoever asks. */
import type { Host } from '../host/host.ts';
import { fields, flag, list, moment, number, orNull, text } from '../survey/shape.ts';
import { coded, say } from '../words/say.ts';
import type { Coded, Line } from '../words/say.ts';
import type { SeenRegistration } from './history.ts';

export const CALLS = '/var/run/sipalg.run.calls';
/** The watch that is to end, by when it began; a watch that goes on looks for it as often as it writes. */
const ENDING = `${CALLS}.end`;
/** It names who calls whom. */
const PRIVATE = 0o600;

/** Seconds a watch that a page has asked for may last. */
export const LONGEST_WATCH = 600;
/** Milliseconds after which a watch that has written nothing is over, for it writes every few seconds. */
const SILENT = 15_000;

/** So much of each is kept: of what was told and the calls the newest, of the others the first. */
const MOST = { told: 100, remarks: 20, ladders: 20, rungs: 60, registrations: 64 };

/** A call as it is drawn. Milliseconds since the epoch. */
export interface Ladder {
  call: number;
  phone: string;
  far: string;
  rungs: readonly {
    readonly at: number;
    readonly what: string;
    readonly fromPhone: boolean;
    readonly sdp: boolean;
    readonly again: number;
    readonly fate: 'unknown' | 'passed' | 'changed' | 'dropped';
  }[];
  omitted: number;
}

/** What a watch sums up, as far as it is kept. */
export interface Summary {
  phones: number;
  calls: number;
  answered: number;
  failed: number;
  /** What was named, by its code in a diagnosis, how often, what it means and what mends it: in the words of a diagnosis. */
  causes: readonly (Sentence & { code: string; times: number; fixes: readonly Sentence[] })[];
  registrations: readonly SeenRegistration[];
  ladders: readonly Ladder[];
}

/** In English, and by its code where it has one. */
export interface Sentence {
  text: string;
  coded?: { text: Coded };
}

/** One thing that happened, as `sipalg watch` says it: to which phone, and in which call. */
export interface Event extends Sentence {
  at: number;
  cause: string | null;
  phone: string | null;
  call: number | null;
}

export const sentenceOf = (line: Line): Sentence =>
  typeof line === 'string' ? { text: line } : { text: line.text, coded: { text: coded(line) } };

export interface Watched {
  /** Milliseconds since the epoch: when it began, when it is to end, and when this was written. */
  began: number;
  until: number;
  at: number;
  /** It goes on. */
  live: boolean;
  /** Why nothing could be watched; null where it could. */
  trouble: Sentence | null;
  told: Event[];
  /** How much was told before that and is not kept. */
  omitted: number;
  /** Of the watch itself. */
  remarks: Sentence[];
  summary: Summary | null;
}

/** Keeps what a watch tells, bounded. */
export function keepWatched(began: number, until: number) {
  const kept: Watched = { began, until, at: began, live: true, trouble: null, told: [], omitted: 0, remarks: [], summary: null };
  return {
    kept,
    told(event: Event): void {
      kept.told.push(event);
      if (kept.told.length <= MOST.told) return;
      kept.told.shift();
      kept.omitted += 1;
    },
    remark(remark: Sentence): void {
      if (kept.remarks.length < MOST.remarks) kept.remarks.push(remark);
    },
    summary({ phones, calls, answered, failed, causes, registrations, ladders }: Summary): void {
      kept.summary = {
        phones,
        calls,
        answered,
        failed,
        causes,
        registrations: registrations
          .slice(0, MOST.registrations)
          .map(({ phone, far, expires, every }) => ({ phone, far, expires, every })),
        ladders: ladders.slice(-MOST.ladders).map((ladder) => {
          const { length } = ladder.rungs;
          return { ...ladder, rungs: ladder.rungs.slice(0, MOST.rungs), omitted: ladder.omitted + Math.max(0, length - MOST.rungs) };
        }),
      };
    },
  };
}

export const writeWatched = (host: Host, watched: Watched): Promise<void> => host.write(CALLS, JSON.stringify(watched), PRIVATE);

export const askToEnd = (host: Host, { began }: Pick<Watched, 'began'>): Promise<void> => host.write(ENDING, String(began), PRIVATE);

export async function isToEnd(host: Host, { began }: Pick<Watched, 'began'>): Promise<boolean> {
  const file = await host.read(ENDING);
  return file.state === 'present' && file.value === String(began);
}

export const noneToEnd = (host: Host): Promise<void> => host.remove(ENDING);

const SHAPE = fields<Pick<Watched, 'began' | 'until' | 'at' | 'live' | 'told'>>({
  began: moment,
  until: moment,
  at: moment,
  live: flag,
  told: list(fields<Omit<Event, 'coded'>>({ at: moment, cause: orNull(text), phone: orNull(text), call: orNull(number), text })),
});

/** The last watch since boot; null where there was none. What cannot be read says so as its trouble. */
export async function readWatched(host: Host): Promise<Watched | null> {
  const file = await host.read(CALLS);
  if (file.state === 'absent') return null;
  const unread = (because: string): Watched => ({
    ...keepWatched(0, 0).kept,
    live: false,
    trouble: sentenceOf(
      say('calls-unread', '{path}, where a watch writes down what it sees, could not be read: {because}.', { path: CALLS, because }),
    ),
  });
  if (file.state === 'failed') return unread(file.because);
  try {
    const watched = JSON.parse(file.value) as Watched;
    const lacking = SHAPE(watched, '');
    if (lacking !== null) return unread(`it has no ${lacking} that sipalg understands`);
    const age = host.now() - watched.at;
    return { ...watched, live: watched.live && age < SILENT && age > -SILENT };
  } catch {
    return unread('it is no JSON');
  }
}
