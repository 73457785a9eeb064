/** A run that nobody waits for: `sipalg rpcd run`, started by a call that rpcd would not let last so long. */
import type { Host, Lock } from '../host/host.ts';
import { createRuns } from '../object/runs.ts';
import type { Towards } from '../plan/plan.ts';
import type { Surveyor } from '../survey/survey.ts';
import { began, forgetKnown, readRecord, withAnswer, writeKnown, writeRecord } from './record.ts';
import type { RunRecord } from './record.ts';

/** Held by the run under way: there is one record, and one run that writes it. */
const LOCK = '/var/run/sipalg.run.lock';
/** Milliseconds in which the run that is under way ends (see the limits in apply/waiting.ts). */
const ENDS_WITHIN = 90_000;

export interface Carrying {
  host: Host;
  surveyor: Surveyor;
  towards: Towards;
  /** Who asked for it: what the record is to say. */
  id: string;
  goOn: () => boolean;
  /** A line of the log. */
  say: (line: string) => void;
}

const readAnyRecord = (host: Host): Promise<RunRecord | null> => readRecord(host).catch(() => null);

/**
 * The lock, where this run is to be carried out. null: another one has come first. Its end is waited for, and is what this
 * one is answered with: it led to the same, or who asks has been refused meanwhile.
 */
async function begin({ host, towards, id }: Carrying): Promise<Lock | null> {
  const before = await readAnyRecord(host);
  const got = await host.lock(LOCK, ENDS_WITHIN, `process ${host.process().pid} (sipalg rpcd run ${towards})`);
  if ('busy' in got) return null;
  const ended = await readAnyRecord(host);
  const isOther = ended !== null && (ended.id !== before?.id || before.running !== null);
  if (!isOther || ended.last === null) return got.lock;
  await writeRecord(host, withAnswer(ended, { id, last: ended.last })).finally(() => got.lock.release());
  return null;
}

/** Carries out a run and writes down how it goes. Throws an Error in a sentence. */
export async function carryOut(carrying: Carrying): Promise<void> {
  const { host, surveyor, towards, id, goOn, say } = carrying;
  const { pid } = host.process();
  const lock = await begin(carrying);
  if (lock === null) return;
  try {
    const before = await readAnyRecord(host);
    const running = { towards, since: host.now(), commands: [] as string[] };
    const { last = null, answers = [] } = before ?? {};
    let record: RunRecord = { id, pid, began: (await began(host, pid)) ?? '', running, last, answers };
    await writeRecord(host, record);

    // Who asks meanwhile is told what was known before: a look at a router that is being changed sees neither the one nor
    // the other.
    await surveyor
      .look(host)
      .then((facts) => surveyor.report(facts))
      .then((report) => writeKnown(host, report))
      .catch((error: Error) => say(error.message));

    let writing = Promise.resolve();
    const save = (next: RunRecord): Promise<void> => {
      record = next;
      // What comes while a text is being written goes into the next one.
      writing = writing.then(() => (record === next ? writeRecord(host, next) : undefined)).catch((error: Error) => say(error.message));
      return writing;
    };
    const runs = createRuns({
      host,
      surveyor,
      goOn,
      onEcho(command) {
        say(`[#] ${command}`);
        void save({ ...record, running: { ...running, commands: [...(runs.running()?.commands ?? [])] } });
      },
      onEnded({ last }) {
        for (const sentence of last.because) say(sentence);
        void save(withAnswer({ ...record, running: null, last }, { id, last }));
      },
    });
    await runs.run(towards);
    await writing;
    await forgetKnown(host);
  } finally {
    await lock.release();
  }
}
