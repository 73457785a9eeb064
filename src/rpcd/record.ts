/**
 * What is known of runs that no resident program carries out: a file in memory (/var/run), written by the program that
 * runs, read by whoever is asked meanwhile or afterwards. And the report of before the run, in a file beside it.
 */
import { beginningOf } from '../languages/kernel/process.ts';
import type { Host } from '../host/host.ts';
import type { Last, Running } from '../object/runs.ts';
import { among, coded, fields, list, maybe, moment, number, orNull, record, text } from '../survey/shape.ts';
import type { Report } from '../survey/survey.ts';

export const RECORD = '/var/run/sipalg.run';
const KNOWN = '/var/run/sipalg.run.known';
/** Commands and reports may tell more than everybody is to know. */
const PRIVATE = 0o600;

/** How a run went, for who has asked for it. */
export interface Answer {
  /** Who asked, in words of the asker's own. */
  id: string;
  last: Last;
}

export interface RunRecord {
  /** Who asked for the run. */
  id: string;
  /** Who carries it out: the number of the process, and when it began (see `beginningOf`). */
  pid: number;
  began: string;
  /** null: it has ended, and `last` says how. */
  running: Running | null;
  last: Last | null;
  /** The last few, the newest last: the next run may begin before who asked for one has seen how it went. */
  answers: Answer[];
}

/** How many answers are kept. */
const MOST_ANSWERS = 4;

export const withAnswer = (record: RunRecord, answer: Answer): RunRecord => ({
  ...record,
  answers: [...record.answers, answer].slice(-MOST_ANSWERS),
});

const TOWARDS = among(['disabled', 'enabled'] as const);
const LAST = fields<Last>({
  towards: TOWARDS,
  at: moment,
  outcome: among(['reached', 'held', 'failed'] as const),
  because: list(text),
  coded: maybe(record(coded)),
  commands: list(text),
});
const SHAPE = fields<RunRecord>({
  id: text,
  pid: number,
  began: text,
  running: orNull(fields<Running>({ towards: TOWARDS, since: moment, commands: list(text) })),
  last: orNull(LAST),
  answers: list(fields<Answer>({ id: text, last: LAST })),
});

/** When a process began; null where there is none. */
export async function began(host: Host, pid: number): Promise<string | null> {
  const stat = await host.read(`/proc/${pid}/stat`);
  return stat.state === 'present' ? beginningOf(stat.value) : null;
}

/** Of a run whose program has gone without a word: that is how it went. */
function endedInSilence({ towards, since, commands }: Running): Last {
  return {
    towards,
    at: since,
    outcome: 'failed',
    because: ['The program that carried it out has ended without saying how it went; `sipalg apply` completes what it has begun.'],
    commands,
  };
}

/**
 * The last run, as it stands now; null where there was none since boot.
 * @throws Error in a sentence, where that cannot be told
 */
export async function readRecord(host: Host): Promise<RunRecord | null> {
  const read = await host.read(RECORD);
  if (read.state === 'absent') return null;
  if (read.state === 'failed') throw new Error(`${RECORD}, where runs are written down, could not be read: ${read.because}.`);
  let record: RunRecord;
  try {
    record = JSON.parse(read.value) as RunRecord;
  } catch {
    throw new Error(`${RECORD}, where runs are written down, is no JSON; remove it.`);
  }
  const lacking = SHAPE(record, '');
  if (lacking !== null) throw new Error(`${RECORD}, where runs are written down, has no ${lacking} that sipalg understands; remove it.`);
  const { running, pid } = record;
  if (running === null || (await began(host, pid)) === record.began) return record;
  return { ...record, running: null, last: endedInSilence(running) };
}

/** Throws an Error in a sentence. */
export async function writeRecord(host: Host, record: RunRecord): Promise<void> {
  await host.write(RECORD, JSON.stringify(record), PRIVATE);
}

/** What was known before the run under way; null where its first look has not ended. */
export async function readKnown(host: Host, version: string): Promise<Report | null> {
  const read = await host.read(KNOWN, { most: 64 << 20 });
  if (read.state !== 'present') return null;
  try {
    const report = JSON.parse(read.value) as Report;
    // An upgrade in the middle of a run: another version's report has another shape.
    return report.version === version ? report : null;
  } catch {
    return null;
  }
}

export const writeKnown = (host: Host, report: Report): Promise<void> => host.write(KNOWN, JSON.stringify(report), PRIVATE);

export const forgetKnown = (host: Host): Promise<void> => host.remove(KNOWN);
