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
import { observeCallFlows } from '../survey/call-flows.ts';
import { watchPending } from './pending.ts';
import { countsOf, EMPTY, phonesOf, withLook } from './history.ts';
import type { History, HistoryStore, PhoneState, Span } from './history.ts';
import { wordsOf } from './catalog.ts';
import type { Catalog } from './catalog.ts';
import { createPrograms, languageOf, SHARED } from './programs.ts';
import type { Told } from './programs.ts';
import { createRuns } from './runs.ts';
import type { Last, Running, Runs } from './runs.ts';
import { askToEnd, LONGEST_WATCH, readWatched } from './watched.ts';
import type { Watched } from './watched.ts';
import { WrongArgument } from './wrong.ts';

export { WrongArgument };

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

/** What `history` answers: the last day, and how the phones stand now. */
export interface HistoryReply {
  /** Milliseconds since the epoch. */
  at: number;
  spans: Span[];
  phones: PhoneState[];
  /** Why the phones could not be seen; null where they could. */
  unread: string | null;
}

/** What `watch` and `calls` answer: the watch under way or the last one since boot. */
export interface CallsReply {
  watched: Watched | null;
  words?: Catalog;
}

export type Answer = Reply | Told | HistoryReply | CallsReply;

/** Arguments as a transport hands them over. */
export type Arguments = { readonly [name: string]: unknown };

/** Its name on ubus, and in rpcd's access lists. */
export const OBJECT = 'sipalg';

/**
 * The methods, the arguments they declare, and the right each one asks for; `as`: another one answers the same. `beside`: the
 * answer is no report; an access list made before there was such a method still lets its user see the page.
 */
export const METHODS = {
  status: { args: {}, right: 'read' },
  plan: { args: { towards: 'string' }, right: 'read' },
  policy: { args: {}, right: 'read', as: 'status' },
  disable: { args: { dry_run: 'boolean' }, right: 'write' },
  enable: { args: { dry_run: 'boolean' }, right: 'write' },
  diagnose: { args: { symptom: 'string', language: 'string' }, right: 'read', beside: true },
  probe: { args: { language: 'string' }, right: 'write', beside: true },
  report: { args: { language: 'string' }, right: 'read', beside: true },
  history: { args: {}, right: 'read', beside: true },
  watch: { args: { seconds: 'int32', language: 'string' }, right: 'write', beside: true },
  calls: { args: { language: 'string' }, right: 'read', beside: true },
} as const;

export type MethodName = keyof typeof METHODS;
/** Those that answer with the report. */
export type ReportMethod = { [Name in MethodName]: (typeof METHODS)[Name] extends { beside: true } ? never : Name }[MethodName];

/** What rpcd and uhttpd add to the arguments of whoever calls through them. */
const ADDED = 'ubus_rpc_session';

/** A watch is waited for this long until it has begun to write, or has ended, and looked for this often, in milliseconds. */
const BEGUN_WITHIN = 4000;
const PACE = 100;

/**
 * Its words go to the log, for who has asked for it may be gone. Of whoever starts it, it holds no stream.
 * $@: the program and its words.
 */
const START = '{ "$@" 2>&1 | logger -t sipalg; } </dev/null >/dev/null 2>&1 &';

/** A call waits this long for a pass, in milliseconds, and is then answered with what is known. */
export const PATIENCE = 1500;

export interface SipalgObject {
  /**
   * Answers a method. Rejects with WrongArgument, or with another Error when the program itself is broken.
   * @param forPage the call is a page's, which asks again and again: a report that is a moment old will do. It is anyway where
   *   rpcd or uhttpd hands the call on.
   */
  call(method: ReportMethod, args: Arguments, forPage?: boolean): Promise<Reply>;
  call(method: MethodName, args: Arguments, forPage?: boolean): Promise<Answer>;
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
  /** The command that starts this program. Default: `sipalg`. */
  self?: readonly string[];
  /** The words of a language; null where it is not there. Default: none, and everything is said in English. */
  catalog?: (language: string) => Promise<Catalog | null>;
  /** Where what was counted is kept. Default: in memory. */
  history?: HistoryStore;
}

function historyInMemory(): HistoryStore {
  let kept = EMPTY;
  return {
    read: () => Promise.resolve(kept),
    write(history) {
      kept = history;
      return Promise.resolve();
    },
  };
}

export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/** What ubus calls by its width. */
const plainType = (type: string): string => (type === 'int32' ? 'number' : type);

/** Refuses what a method does not take. */
function check(method: MethodName, args: Arguments): void {
  const known: Record<string, string> = METHODS[method].args;
  for (const [name, value] of Object.entries(args)) {
    if (name === ADDED) continue;
    const type = Object.hasOwn(known, name) ? plainType(known[name] as string) : undefined;
    const takes = Object.entries(known)
      .map(([one, its]) => `${one}: ${plainType(its)}`)
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

function secondsOf(args: Arguments): number {
  const seconds = args['seconds'] ?? LONGEST_WATCH;
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 0 && seconds <= LONGEST_WATCH) return seconds;
  throw new WrongArgument(
    `The argument seconds of watch is ${String(seconds)}; it may be 1 to ${LONGEST_WATCH}, or 0, which ends a watch.`,
  );
}

export function createObject(options: ObjectOptions): SipalgObject {
  const { host: machine, surveyor, clock, onEcho, onVerified, patience = () => PATIENCE } = options;
  const { self = ['sipalg'], history = historyInMemory() } = options;
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

  /** When the last report was made, by the clock. */
  let madeAt = -Infinity;
  passes.onReport(() => {
    madeAt = clock.now();
  });

  /** The report of a fresh pass, or, when that takes too long, the last known one. @param shared one that is a moment old will do */
  async function current(shared = false): Promise<Report | null> {
    if (shared && clock.now() - madeAt < SHARED && passes.valid() !== null) return passes.valid();
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

  let stopping = false;
  const program = createPrograms({
    host,
    clock,
    self,
    goOn: () => !stopping,
    ...(options.patience === undefined ? {} : { left: options.patience }),
  });

  /** One look after the other: each is held against the one before. */
  let keeping: Promise<History> = Promise.resolve(EMPTY);
  const keep = (report: Report | null): Promise<History> =>
    (keeping = keeping.then(async () => {
      const before = await history.read();
      const kept = report === null ? before : withLook(before, report.facts.at, countsOf(report.facts));
      if (kept !== before) await history.write(kept);
      return kept;
    }));
  // Where it costs a file it is kept when somebody asks for it alone.
  if (options.history === undefined) passes.onReport((report) => void keep(report));

  let phones: { at: number; seeing: Promise<{ phones: PhoneState[]; unread: string | null }> } | null = null;

  async function seePhones(facts: RouterFacts): Promise<{ phones: PhoneState[]; unread: string | null }> {
    const [flows, watched] = await Promise.all([observeCallFlows(host), readWatched(host)]);
    if (flows.state === 'present')
      return { phones: phonesOf(facts, flows.value.signalling, watched?.summary?.registrations ?? []), unread: null };
    return { phones: [], unread: flows.state === 'failed' ? `${flows.source}: ${flows.because}` : flows.source };
  }

  async function lastDay(): Promise<HistoryReply> {
    const report = await current(true);
    const { spans } = await keep(report);
    const at = host.now();
    if (report === null) return { at, spans, phones: [], unread: pending.list().join(', ') };
    if (phones === null || clock.now() - phones.at >= SHARED) phones = { at: clock.now(), seeing: seePhones(report.facts) };
    return { at, spans, ...(await phones.seeing) };
  }

  /** Waits a few seconds for what a watch does by itself. */
  async function watchedOnce(is: (watched: Watched | null) => boolean): Promise<CallsReply> {
    for (const end = clock.now() + BEGUN_WITHIN; ; ) {
      const watched = await readWatched(host);
      if (is(watched) || clock.now() >= end || stopping) return { watched };
      await new Promise<void>((resolve) => clock.after(PACE, resolve));
    }
  }

  /** Ends the one that goes on, which sums up first; resolves when it has ended, or should have. */
  async function endWatch(before: Watched | null): Promise<CallsReply> {
    if (before?.live !== true) return { watched: before };
    await askToEnd(host, before);
    return watchedOnce((watched) => watched?.live !== true || watched.began !== before.began);
  }

  /** Starts a watch where none goes on; resolves when it has begun to write, or should have. @param seconds 0: ends one */
  async function startWatch(seconds: number): Promise<CallsReply> {
    const before = await readWatched(host);
    if (seconds === 0) return endWatch(before);
    if (before?.live === true) return { watched: before };
    const started = await host.run(['sh', '-c', START, 'sh', ...self, 'rpcd', 'watch', String(seconds)]);
    if (started.state !== 'exited' || started.code !== 0) throw new Error('the watch could not be started, for there is no shell');
    return watchedOnce((watched) => watched !== null && watched.began !== before?.began);
  }

  /** An answer whose sentences have codes, with their words in the language that was asked for. */
  async function worded<T extends object>(method: MethodName, args: Arguments, asked: () => Promise<T>): Promise<T & { words?: Catalog }> {
    const language = languageOf(args, method);
    const [answer, catalog] = await Promise.all([asked(), language === '' ? null : (options.catalog?.(language) ?? null)]);
    return catalog === null ? answer : { ...answer, words: wordsOf(answer, catalog) };
  }

  async function answer(method: MethodName, args: Arguments, forPage: boolean): Promise<Answer> {
    check(method, args);
    switch (method) {
      case 'diagnose':
      case 'probe':
        return worded(method, args, () => program(method, args));
      case 'report':
        return program(method, args);
      case 'history':
        return lastDay();
      case 'watch':
        return worded(method, args, () => startWatch(secondsOf(args)));
      case 'calls':
        return worded(method, args, async () => ({ watched: await readWatched(host) }));
      // As with `--json`: they differ in what is said of the report, not in the report.
      case 'status':
      case 'policy':
        return reply(await current(forPage));
      case 'plan':
        return planned(towardsOf(args));
      case 'disable':
        return reach('disabled', args);
      case 'enable':
        return reach('enabled', args);
    }
  }

  const underWay = new Set<Promise<Answer>>();

  function call(method: ReportMethod, args: Arguments, forPage?: boolean): Promise<Reply>;
  function call(method: MethodName, args: Arguments, forPage?: boolean): Promise<Answer>;
  function call(method: MethodName, args: Arguments, forPage = ADDED in args): Promise<Answer> {
    const answering = answer(method, args, forPage);
    underWay.add(answering);
    const done = (): void => {
      underWay.delete(answering);
    };
    answering.then(done, done);
    return answering;
  }

  return {
    passes,
    runs,
    call,
    async stop() {
      stopping = true;
      await runs.stop();
      await Promise.allSettled(underWay);
      await keeping;
    },
  };
}
