/**
 * Runs for a program that is gone with its answer: each is a program of its own, started beside us and waited for no longer
 * than rpcd and LuCI wait. rpcd ends a plugin after 30 s, and not what the plugin has started (rpcd 4476687, exec.c);
 * LuCI's own calls end after 20 s.
 */
import type { Host } from '../host/host.ts';
import type { Clock } from '../host/clock.ts';
import { underWaySentence } from '../object/runs.ts';
import type { Asked, Last, Runs } from '../object/runs.ts';
import type { Towards } from '../plan/plan.ts';
import type { Report } from '../survey/survey.ts';
import { readRecord } from './record.ts';
import type { RunRecord } from './record.ts';

/** Milliseconds between two looks at how a run stands. */
const PACE = 200;

/**
 * Its words go to the log, for who has asked for it may be gone. Of rpcd's own streams it holds none.
 * $1: where to, $2: who asks.
 */
const START = '{ sipalg rpcd run "$1" "$2" 2>&1 | logger -t sipalg; } </dev/null >/dev/null 2>&1 &';

const beforeUs = ({ towards }: Last): string => `A run towards "${towards}" was asked for at the same time, and has ended.`;

export interface StartedRunsOptions {
  host: Host;
  clock: Clock;
  /** What was known before the run under way; null: nothing. */
  known: () => Promise<Report | null>;
  /** The last run, as it was read just now. */
  record: RunRecord | null;
  /** Milliseconds that may still be waited. */
  left: () => number;
}

export function createStartedRuns({ host, clock, known, record: found, left }: StartedRunsOptions): Runs {
  let record = found;

  const failed = (towards: Towards, because: string): Asked => {
    const last: Last = { towards, at: host.now(), outcome: 'failed', because: [because], commands: [] };
    return { last, report: null };
  };
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      clock.after(Math.min(PACE, left()), resolve);
    });

  async function start(towards: Towards): Promise<string> {
    const id = `${host.process().pid}.${host.now()}`;
    const started = await host.run(['sh', '-c', START, 'sh', towards, id]);
    if (started.state === 'exited' && started.code === 0) return id;
    throw new Error(`The run could not be started: ${started.state === 'failed' ? started.because : 'there is no shell'}.`);
  }

  return {
    running: () => record?.running ?? null,
    last: () => record?.last ?? null,
    async run(towards) {
      let mine = record?.running ? record.id : await start(towards);
      for (;;) {
        const answer = record?.answers.find(({ id }) => id === mine);
        if (answer?.last.towards === towards) return { last: answer.last, report: null };
        if (answer !== undefined) return failed(towards, `${beforeUs(answer.last)} Nothing was done towards "${towards}"; ask again.`);
        if (record?.running && record.running.towards !== towards)
          return failed(towards, underWaySentence(record.running, towards, host.now()));
        // Somebody else's run has begun first: it leads to the same.
        if (record?.running) mine = record.id;
        else if (record?.id === mine) return { last: record.last, report: null };
        if (left() === 0) break;
        await pause();
        record = await readRecord(host);
      }
      if (record?.running) return { last: record.last, report: await known() };
      return failed(
        towards,
        'The run was started and has not begun in time; `sipalg status` tells how the router stands, '
          + 'and `logread -e sipalg` what was said.',
      );
    },
    // It goes on without us.
    stop: () => Promise.resolve(),
  };
}
