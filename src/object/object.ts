/**
 * The object `sipalg`: its methods as plain functions over a Host. They know of
 * no transport: ubus, the page's own mount and a plugin of rpcd serve the same.
 */
import type { Host } from '../host/host.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Towards } from '../plan/plan.ts';
import type { Report, RouterFacts, Surveyor } from '../survey/survey.ts';
import type { Plan } from '../plan/step.ts';
import { within } from '../host/clock.ts';
import type { Clock } from '../host/clock.ts';
import type { CheckStore } from '../survey/kept-check.ts';
import { createPasses } from './passes.ts';
import type { Passes } from './passes.ts';
import { watchPending } from './pending.ts';
import { createRuns } from './runs.ts';
import type { Last, Running, Runs } from './runs.ts';

/** How it stands with what is under way. */
export interface Now {
  running: Running | null;
  /** What is being waited for: command lines, paths. */
  pending: string[];
  /** Milliseconds since the report was made; 0 where there is none. */
  age: number;
  last: Last | null;
}

/**
 * What every method answers: the report as `sipalg status --json` prints it, all null before there is one.
 * `shortened`: a sentence where a transport could not take all of it.
 */
export type Reply = { version: string; now: Now; shortened?: string } & (
  { facts: RouterFacts; verdict: Verdict; plan: Plan } | { facts: null; verdict: null; plan: null }
);

/** Arguments as a transport hands them over. */
export type Arguments = { readonly [name: string]: unknown };

/** An argument that a method does not take, in one sentence. */
export class WrongArgument extends Error {}

/** Its name on ubus, and in rpcd's access lists. */
export const OBJECT = 'sipalg';

/** The methods, the arguments they declare, and the right each one asks for; `as`: another one answers the same. */
export const METHODS = {
  status: { args: {}, right: 'read' },
  plan: { args: { towards: 'string' }, right: 'read' },
  policy: { args: {}, right: 'read', as: 'status' },
  disable: { args: { dry_run: 'boolean' }, right: 'write' },
  enable: { args: { dry_run: 'boolean' }, right: 'write' },
} as const;

export type MethodName = keyof typeof METHODS;

/** What rpcd and uhttpd add to the arguments of whoever calls through them. */
const ADDED = 'ubus_rpc_session';

/** A call waits this long for a pass, in milliseconds, and is then answered with what is known. */
export const PATIENCE = 1500;

export interface SipalgObject {
  /** Answers a method. Rejects with WrongArgument, or with another Error when the program itself is broken. */
  call(method: MethodName, args: Arguments): Promise<Reply>;
  /** Begins no run any more; resolves when the one under way has ended and every call is answered. */
  stop(): Promise<void>;
  passes: Passes;
  runs: Runs;
}

export interface ObjectOptions {
  host: Host;
  surveyor: Surveyor;
  clock: Clock;
  /** Hears every command of a run before it is run. */
  onEcho?: (command: string) => void;
  /** Hears the verified verdict at the end of a run. */
  onVerified?: (report: Report) => void;
  /** Milliseconds that a call may still wait for a pass. Default: PATIENCE, for each call. */
  patience?: () => number;
  /** Where the answer of `fw4 check` is kept. Default: in memory. */
  checks?: CheckStore;
  /** Who changes the router. Default: this program, as long as it stays. */
  runs?: Runs;
}

export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/** Refuses what a method does not take. */
function check(method: MethodName, args: Arguments): void {
  const known: Record<string, string> = METHODS[method].args;
  for (const [name, value] of Object.entries(args)) {
    if (name === ADDED) continue;
    const type = Object.hasOwn(known, name) ? known[name] : undefined;
    const takes = Object.entries(known)
      .map((one) => one.join(': '))
      .join(', ');
    if (type === undefined)
      throw new WrongArgument(
        `${method} takes no argument "${name.slice(0, 60)}"; ${takes === '' ? 'it takes none' : `it takes ${takes}`}.`,
      );
    if (typeof value !== type && value !== null && value !== undefined) {
      throw new WrongArgument(
        `The argument ${name} of ${method} is ${JSON.stringify(value)?.slice(0, 60) ?? typeof value}; it must be a ${type}.`,
      );
    }
  }
}

function towardsOf(args: Arguments): Towards | null {
  const { towards } = args;
  if (towards === undefined || towards === null) return null;
  if (towards === 'disabled' || towards === 'enabled') return towards;
  throw new WrongArgument(`The argument towards of plan is ${JSON.stringify(towards).slice(0, 60)}; it may be "disabled" or "enabled".`);
}

export function createObject(options: ObjectOptions): SipalgObject {
  const { host: machine, surveyor, clock, onEcho, onVerified, patience = () => PATIENCE } = options;
  const pending = watchPending(machine);
  const { host } = pending;
  const { version } = surveyor;
  const passes = createPasses(host, surveyor, options.checks);
  const runs =
    options.runs
    ?? createRuns({
      host,
      surveyor,
      onEcho: (command) => onEcho?.(command),
      onEnded({ report }) {
        if (report === null) return passes.outdate();
        passes.take(report);
        onVerified?.(report);
      },
    });

  function reply(report: Report | null, last: Last | null = runs.last()): Reply {
    const running = runs.running();
    const age = report === null ? 0 : Math.max(0, host.now() - report.facts.at);
    const now: Now = { running: running && { ...running, commands: [...running.commands] }, pending: pending.list(), age, last };
    return report === null ? { version, facts: null, verdict: null, plan: null, now } : { ...report, now };
  }

  /** The report of a fresh pass, or, when that takes too long, the last known one. */
  async function current(): Promise<Report | null> {
    // The router is being changed: what a pass would see is neither the one nor the other.
    if (runs.running() !== null && passes.known() !== null) return passes.known();
    const most = patience();
    if (most <= 0) return passes.known();
    const seen = await within(clock, most, passes.look());
    return seen === 'late' ? passes.known() : seen;
  }

  async function planned(towards: Towards | null): Promise<Reply> {
    const report = await current();
    return reply(report === null || towards === null ? report : { ...report, plan: await surveyor.plan(report.facts, towards, true) });
  }

  async function reach(towards: Towards, args: Arguments): Promise<Reply> {
    if (args['dry_run'] === true) return planned(towards);
    const { last, report } = await runs.run(towards);
    // A run that broke off has seen nothing to the end: the router is looked at anew.
    return reply(report ?? (await current()), last);
  }

  async function answer(method: MethodName, args: Arguments): Promise<Reply> {
    check(method, args);
    switch (method) {
      // As with `--json`: they differ in what is said of the report, not in the report.
      case 'status':
      case 'policy':
        return reply(await current());
      case 'plan':
        return planned(towardsOf(args));
      case 'disable':
        return reach('disabled', args);
      case 'enable':
        return reach('enabled', args);
    }
  }

  const underWay = new Set<Promise<Reply>>();

  return {
    passes,
    runs,
    call(method, args) {
      const answering = answer(method, args);
      underWay.add(answering);
      const done = (): void => {
        underWay.delete(answering);
      };
      answering.then(done, done);
      return answering;
    },
    async stop() {
      await runs.stop();
      await Promise.allSettled(underWay);
    },
  };
}
