/**
 * Looking, one pass of the way at a time. Who asks while a pass is under way
 * gets its report, unless something has happened since it began: then the next
 * pass is theirs.
 */
import type { Host } from '../host/host.ts';
import type { Report, Surveyor } from '../survey/survey.ts';
import { inMemory, keepingCheck } from '../survey/kept-check.ts';
import type { CheckStore } from '../survey/kept-check.ts';

export interface Passes {
  /** The last report; null before the first pass has ended. */
  known(): Report | null;
  /** The same; null also where something has happened since it was made. */
  valid(): Report | null;
  /** Resolves with the report of the pass under way, or of one begun for it. Rejects only when the way itself is broken. */
  look(): Promise<Report>;
  /** Something happened: the pass under way may have missed it, and is not what is asked for from now on. */
  outdate(): void;
  /** A report that somebody else has made just now (the last look of a run); it outdates the pass under way. */
  take(report: Report): void;
  /** Calls `heard` with every report that becomes the last known one. */
  onReport(heard: (report: Report) => void): void;
}

/** Looks as a page asks for it: fw4 is asked of its rules where its answer may be another. */
function looking(host: Host, surveyor: Surveyor, store: CheckStore): () => Promise<Report> {
  const look = keepingCheck(host, store, (checked) => surveyor.look(host, checked));
  return async () => surveyor.report(await look());
}

/**
 * @param store where fw4's answer is kept
 * @param make  makes a report; the whole way over a Host by default
 */
export function createPasses(
  host: Host,
  surveyor: Surveyor,
  store: CheckStore = inMemory(),
  make: () => Promise<Report> = looking(host, surveyor, store),
): Passes {
  const listeners: ((report: Report) => void)[] = [];
  let known: Report | null = null;
  let isValid = false;
  let underWay: { report: Promise<Report>; outdated: boolean } | null = null;
  let next: Promise<Report> | null = null;

  function set(report: Report): void {
    known = report;
    isValid = true;
    for (const heard of listeners) heard(report);
  }

  function begin(): Promise<Report> {
    next = null;
    // Begun in a turn of its own, so that who asks in the same breath shares it.
    const mine = { report: Promise.resolve().then(make), outdated: false };
    underWay = mine;
    mine.report = mine.report.then(
      (report) => {
        underWay = null;
        if (!mine.outdated) set(report);
        return report;
      },
      (error: unknown) => {
        underWay = null;
        throw error;
      },
    );
    return mine.report;
  }

  return {
    known: () => known,
    valid: () => (isValid ? known : null),
    look() {
      if (underWay === null) return next ?? begin();
      if (!underWay.outdated) return underWay.report;
      return (next ??= underWay.report.then(begin, begin));
    },
    outdate() {
      isValid = false;
      if (underWay !== null) underWay.outdated = true;
    },
    take(report) {
      if (underWay !== null) underWay.outdated = true;
      set(report);
    },
    onReport(heard) {
      listeners.push(heard);
    },
  };
}
