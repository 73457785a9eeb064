/**
 * Watching: looks again when something happened and every few minutes, and says
 * so when the verdict has changed. What is seen only for a moment, while the
 * firewall is being loaded, is not said.
 */
import type { Verdict } from '../judge/verdict.ts';
import type { Report } from '../survey/survey.ts';
import type { Clock } from '../host/clock.ts';

/** What subscribers are told. */
export interface Changed {
  alg: Verdict['alg'];
  /** The verdict in one sentence. */
  text: string;
  /** When it would come back by itself: `boot`, `firewall reload`, ... */
  returns: string[];
}

export interface WatchOptions {
  clock: Clock;
  /** A fresh pass. */
  look: () => Promise<Report>;
  /** What is seen from now on may differ from what the pass under way sees. */
  outdate: () => void;
  /** A run is under way: its end says what is. */
  busy: () => boolean;
  announce: (changed: Changed) => void;
  /** A pass was impossible; the error says why. */
  trouble: (error: Error) => void;
  /** Minutes between two looks that nothing asked for. */
  every: () => number;
}

export interface Watch {
  start(): void;
  /** Something happened that may change the verdict. */
  event(): void;
  /** A report was made, here or for somebody. `verified`: it is the end of a run, and no passing state. */
  seen(report: Report, verified: boolean): void;
  stop(): void;
}

/** Quiet after an event before looking, and the longest wait when events do not end. Milliseconds. */
export const SETTLE = 1500;
export const MOST_SETTLE = 10_000;
/** A changed verdict must be seen so long before it is said; and is said in any case after so long. Milliseconds. */
export const CONFIRM = 2000;
export const MOST_CONFIRM = 30_000;

/** What makes one verdict another. Counters, flows and words of an error are not part of it. */
function keyOf({ alg, returns, findings, unread }: Verdict): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  return JSON.stringify([alg, returns.map(({ at }) => at), codes, unread.map(({ source }) => source)]);
}

function told({ alg, text, returns }: Verdict): Changed {
  return { alg, text, returns: returns.map(({ at }) => at) };
}

export function createWatch({ clock, look, outdate, busy, announce, trouble, every }: WatchOptions): Watch {
  let said: string | null = null;
  /** A verdict that differs from what was said: which, since when, and since when anything has differed. */
  let differs: { key: string; since: number; first: number } | null = null;
  let firstEvent: number | null = null;
  let stopped = false;
  let cancelSettle = (): void => undefined;
  let cancelConfirm = (): void => undefined;
  let cancelEvery = (): void => undefined;

  function lookNow(): void {
    if (stopped) return;
    again();
    if (busy()) return;
    look().catch((error: unknown) => trouble(error as Error));
  }

  function again(): void {
    cancelEvery();
    cancelEvery = clock.after(every() * 60_000, lookNow);
  }

  function confirm(): void {
    cancelConfirm();
    cancelConfirm = clock.after(CONFIRM, lookNow);
  }

  function settled(key: string, verdict: Verdict): void {
    const first = said === null;
    said = key;
    differs = null;
    cancelConfirm();
    if (!first) announce(told(verdict));
  }

  return {
    start: lookNow,
    event() {
      if (stopped) return;
      outdate();
      const now = clock.now();
      firstEvent ??= now;
      cancelSettle();
      cancelSettle = clock.after(Math.max(0, Math.min(SETTLE, firstEvent + MOST_SETTLE - now)), () => {
        firstEvent = null;
        outdate();
        lookNow();
      });
    },
    seen({ verdict }, verified) {
      if (stopped) return;
      const key = keyOf(verdict);
      if (key === said) {
        differs = null;
        cancelConfirm();
        return;
      }
      // The first verdict is news to nobody, and the end of a run has been verified.
      if (said === null || verified) return settled(key, verdict);
      if (busy()) return;
      const now = clock.now();
      if (differs === null) differs = { key, since: now, first: now };
      else if (differs.key !== key) differs = { key, since: now, first: differs.first };
      if (now - differs.since >= CONFIRM || now - differs.first >= MOST_CONFIRM) settled(key, verdict);
      else confirm();
    },
    stop() {
      stopped = true;
      cancelSettle();
      cancelConfirm();
      cancelEvery();
    },
  };
}
