/**
 * The object `sipalg` without a resident program: a call of rpcd's exec plugin (/usr/libexec/rpcd/sipalg), answered by a
 * program that lives no longer than its answer. Same methods, arguments and replies as the daemon's.
 */
import { limitWaiting } from '../apply/waiting.ts';
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import type { Catalog } from '../object/catalog.ts';
import { createObject, isMethod, WrongArgument } from '../object/object.ts';
import type { Arguments, MethodName } from '../object/object.ts';
import type { Surveyor } from '../survey/survey.ts';
import { MOST_SURE, shortened, withoutNul } from '../daemon/reply-size.ts';
import { historyInFile } from './history.ts';
import { keptInFile } from './kept.ts';
import { readKnown, readRecord } from './record.ts';
import { createStartedRuns } from './runs.ts';
import { readShared, writeShared } from './shared.ts';

export { WrongArgument };

/** Milliseconds that tools may take for a look. */
const LOOKING = 12_000;
/** Until when a run is waited for, tools, and the answer: milliseconds from the beginning, below LuCI's 20 s and rpcd's 30 s. */
const RUN_UNTIL = 15_000;
const TOOLS_UNTIL = 17_000;
const ANSWER_UNTIL = 18_000;

/** Methods for which a report that is a moment old will do. */
const SHARING: readonly MethodName[] = ['status', 'policy', 'history'];

/** The words of a language, from the files that the command line has them from too. */
async function catalogOf(language: string): Promise<Catalog | null> {
  const [{ LANGUAGES }, { wholeOf }] = await Promise.all([import('../words/languages.ts'), import('../words/whole.ts')]);
  return wholeOf(LANGUAGES, language);
}

export interface Called {
  host: Host;
  surveyor: Surveyor;
  clock: Clock;
}

/** What a call gives, as JSON. rpcd cuts it off after 65,536 bytes without a word. */
function argumentsOf(method: string, input: string): Arguments {
  let given: unknown;
  try {
    given = JSON.parse(input.trim() === '' ? '{}' : input);
  } catch {
    given = null;
  }
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Arguments;
  throw new WrongArgument(`The arguments of ${method} are ${JSON.stringify(input.slice(0, 60))}; they must be one object in JSON.`);
}

/**
 * Answers a call.
 * @returns the reply as JSON, fit for ubus
 * @throws WrongArgument in a sentence; another Error where the program itself is broken
 */
export async function answer({ host, surveyor, clock }: Called, method: string, input: string): Promise<string> {
  if (!isMethod(method)) throw new WrongArgument(`The object has no method "${method.slice(0, 60)}".`);
  const args = argumentsOf(method, input);
  const begun = clock.now();
  const left = (until: number): number => Math.max(0, begun + until - clock.now());
  // Counted from the first tool on: a run may have been waited for before.
  let limited: Host | null = null;
  const run: Host['run'] = (argv, options) =>
    (limited ??= limitWaiting(host, Math.min(LOOKING, left(TOOLS_UNTIL)), 0, 0).host).run(argv, options);
  const record = await readRecord(host);
  const object = createObject({
    host: { ...host, run },
    surveyor,
    clock,
    patience: () => left(ANSWER_UNTIL),
    checks: keptInFile(host),
    history: historyInFile(host),
    catalog: catalogOf,
    runs: createStartedRuns({
      host,
      clock,
      known: () => readKnown(host, surveyor.version),
      record,
      left: () => left(RUN_UNTIL),
    }),
  });
  const known = record?.running ? await readKnown(host, surveyor.version) : null;
  if (known !== null) object.passes.take(known);
  // Only pages ask again and again. While something is done, its record says how far that is.
  const forPage = SHARING.includes(method) && 'ubus_rpc_session' in args && !record?.running;
  const shared = forPage ? await readShared(host, surveyor.version) : null;
  if (shared !== null) object.passes.take(shared);
  const reply = withoutNul(await object.call(method, args)) as Parameters<typeof shortened>[0];
  await object.stop();
  const made = object.passes.valid();
  if (forPage && shared === null && made !== null) await writeShared(host, made);
  const text = JSON.stringify(reply);
  return text.length <= MOST_SURE ? text : JSON.stringify(shortened(reply, text.length));
}
