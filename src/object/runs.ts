/** Changing: one run of `disable` or `enable` at a time, and how the last one went. */
import { apply } from '../apply/apply.ts';
import type { Host } from '../host/host.ts';
import type { Towards } from '../plan/plan.ts';
import type { Report, Surveyor } from '../survey/survey.ts';
import { coded, Trouble } from '../words/say.ts';
import type { Coded } from '../words/say.ts';

/** A run under way. */
export interface Running {
  towards: Towards;
  /** When it began, milliseconds since the epoch. */
  since: number;
  /** Every command so far, in a form one could type. */
  commands: string[];
}

/** A run that has ended. */
export interface Last {
  towards: Towards;
  /** When it ended, milliseconds since the epoch. */
  at: number;
  /** reached: verified. held: done as far as it can be. failed: taken back, or never begun. */
  outcome: 'reached' | 'held' | 'failed';
  /** Sentences: why it failed, or what holds it. */
  because: string[];
  /** Those of them that have a code, by their place. */
  coded?: Record<number, Coded>;
  commands: string[];
}

/** How a run went. */
export interface Ended {
  last: Last;
  /** On what its last look saw; null where it came to none, or that cannot be judged. */
  report: Report | null;
}

/** What is known of a run when who asked for it is answered. */
export interface Asked {
  /** How it went; of one that goes on elsewhere, how the one before it went, null where there was none. */
  last: Last | null;
  /** What is known of the router then; null: it is to be looked at. */
  report: Report | null;
}

export interface Runs {
  running(): Running | null;
  last(): Last | null;
  /**
   * Runs, or joins the run under way when it leads to the same. Never rejects.
   * Another direction, or a program that is about to end, is a failure said in a
   * sentence; it is not kept as the last run, for it was none.
   */
  run(towards: Towards): Promise<Asked>;
  /** No run begins any more; the one under way stops before its next step and is taken back. Resolves when there is none. */
  stop(): Promise<void>;
}

/** How many commands of a run are kept. */
const MOST_COMMANDS = 500;

export interface RunsOptions {
  host: Host;
  surveyor: Surveyor;
  /** Hears every command before it is run. */
  onEcho: (command: string) => void;
  /** Hears once how each run went, before anybody who asked for it. */
  onEnded: (ended: Ended) => void;
  /** false once the program is wanted to end. */
  goOn?: () => boolean;
}

/** Why another direction is refused while a run goes on. @param now milliseconds since the epoch */
export function underWaySentence({ towards, since }: Running, asked: Towards, now: number): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  return (
    `A run towards "${towards}" has been under way for ${seconds} s. ` + `Nothing was done towards "${asked}"; ask again when it has ended.`
  );
}

export function createRuns({ host, surveyor, onEcho, onEnded, goOn = () => true }: RunsOptions): Runs {
  let underWay: { running: Running; ended: Promise<Ended> } | null = null;
  let last: Last | null = null;
  let stopping = false;

  async function carryOut(running: Running): Promise<Ended> {
    const { towards, commands } = running;
    const end = (outcome: Last['outcome'], because: string[]): Last => ({ towards, at: host.now(), outcome, because, commands });
    try {
      const applied = await apply(host, surveyor, towards, {
        writeDown: true,
        echo(command) {
          if (commands.length < MOST_COMMANDS) commands.push(command);
          onEcho(command);
        },
        goOn: () => !stopping && goOn(),
      });
      const { held } = applied.plan;
      const isHeld = applied.outcome === 'held' && held !== null;
      const known = isHeld ? (held.says === undefined ? undefined : { 0: held.says }) : applied.coded;
      return {
        last: {
          ...end(applied.outcome, isHeld ? [held.because] : applied.because),
          ...(known === undefined ? {} : { coded: known }),
        },
        report: await surveyor.report(applied.facts),
      };
    } catch (error) {
      const known = error instanceof Trouble ? { coded: { 0: coded(error.said) } } : {};
      return { last: { ...end('failed', [(error as Error).message]), ...known }, report: null };
    }
  }

  function refuse(towards: Towards, because: string): Promise<Ended> {
    return Promise.resolve({
      last: { towards, at: host.now(), outcome: 'failed', because: [because], commands: [] },
      report: null,
    });
  }

  return {
    running: () => underWay?.running ?? null,
    last: () => last,
    run(towards) {
      if (stopping) return refuse(towards, 'This program is about to end and begins nothing new. Nothing was changed.');
      if (underWay !== null) {
        const { running } = underWay;
        if (running.towards === towards) return underWay.ended;
        return refuse(towards, underWaySentence(running, towards, host.now()));
      }
      const running: Running = { towards, since: host.now(), commands: [] };
      const ended = carryOut(running).then((result) => {
        last = result.last;
        underWay = null;
        onEnded(result);
        return result;
      });
      underWay = { running, ended };
      return ended;
    },
    async stop() {
      stopping = true;
      await underWay?.ended;
    },
  };
}
