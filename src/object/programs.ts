/**
 * Methods that a program of their own answers: `sipalg diagnose --json` and its like, started beside the object. Nothing of
 * it stays in memory, and whatever it takes, `status` is answered meanwhile. Who asks the same at the same time, or within a
 * moment, gets the same answer.
 */
import type { Clock } from '../host/clock.ts';
import type { Host, Outcome } from '../host/host.ts';
import type { Arguments } from './object.ts';
import { WrongArgument } from './wrong.ts';
import { isTag } from '../words/tag.ts';
import { coded, say } from '../words/say.ts';
import type { Coded, Said } from '../words/say.ts';

/** What such a program has printed; or, where it has printed none, why, in a sentence and the language that was asked for. */
export type Told = { readonly [name: string]: unknown } | { readonly trouble: string; readonly coded?: { readonly trouble: Coded } };

export type ProgramName = 'diagnose' | 'probe' | 'report';

/** Milliseconds for which an answer holds for who asks the same. */
export const SHARED = 2000;
/** Milliseconds a program may take. rpcd ends a plugin after 30 s, LuCI a call after 20 s. */
export const WITHIN = 17_000;
/** So many may run at a time: each takes a look, and a processor. */
const MOST = 3;
/** Characters of a symptom. */
const LONGEST = 200;

export interface ProgramsOptions {
  host: Host;
  clock: Clock;
  /** The command that starts this program. */
  self: readonly string[];
  /** false once the object is wanted to end: then the programs are ended too. */
  goOn: () => boolean;
  /** Milliseconds a program may still take. Default: WITHIN. */
  left?: () => number;
}

const textOf = (args: Arguments, name: string): string => (typeof args[name] === 'string' ? args[name] : '');

/** @throws WrongArgument in a sentence */
export function languageOf(args: Arguments, method: string): string {
  const language = textOf(args, 'language');
  if (language === '' || isTag(language)) return language;
  throw new WrongArgument(
    `The argument language of ${method} is ${JSON.stringify(language.slice(0, 60))}; it must be as "de" or "de_AT", or "" for English.`,
  );
}

function symptomOf(args: Arguments): string {
  const symptom = textOf(args, 'symptom').trim();
  // What begins so would be an option.
  if (!symptom.startsWith('-') && symptom.length <= LONGEST && !/[\u0000-\u001f\u007f]/.test(symptom)) return symptom;
  throw new WrongArgument(
    `The argument symptom of diagnose is ${JSON.stringify(symptom.slice(0, 60))}; `
      + `it must be a name or a sentence in one line of at most ${LONGEST} characters, which does not begin with "-".`,
  );
}

function wordsOf(method: ProgramName, args: Arguments): string[] {
  if (method === 'probe') return ['probe', '--json'];
  if (method === 'report') return ['report', '--html'];
  const symptom = symptomOf(args);
  return ['diagnose', '--json', ...(symptom === '' ? [] : [symptom])];
}

const troubleOf = (said: Said): Told => ({ trouble: said.text, coded: { trouble: coded(said) } });

function answerOf(method: ProgramName, outcome: Outcome): Told {
  if (outcome.state === 'absent')
    return troubleOf(
      say('program-absent', '`sipalg {method}` could not be started: there is no {command}.', { method, command: outcome.command }),
    );
  if (outcome.state === 'failed')
    return troubleOf(
      say('program-failed', '`sipalg {method}` has not ended as it should: {because}.', { method, because: outcome.because }),
    );
  const { stdout, stderr, code } = outcome;
  if (method === 'report' && stdout.startsWith('<!')) return { html: stdout };
  if (method !== 'report' && stdout.startsWith('{')) {
    try {
      return JSON.parse(stdout) as Told;
    } catch {
      // It was cut off: what it has said of that is told.
    }
  }
  const said = stderr.trim().split('\n').pop() ?? '';
  // What it has said is in the language that was asked for.
  if (said !== '') return { trouble: said.replace(/^sipalg: /, '') };
  return troubleOf(say('program-mute', '`sipalg {method}` has ended with code {code} and said nothing.', { method, code }));
}

export function createPrograms({ host, clock, self, goOn, left = () => WITHIN }: ProgramsOptions) {
  const shared = new Map<string, Promise<Told>>();
  /** Of each answer that is kept for a moment: a program that has nothing else to do would stay for it. */
  const letGo = new Map<string, () => void>();
  let ended = false;
  let running = 0;

  async function run(method: ProgramName, words: readonly string[], language: string): Promise<Told> {
    running += 1;
    try {
      // Some systems know no `C.UTF-8`; a program in English takes what it is given.
      const argv = language === '' ? [...self, ...words] : ['env', `LC_ALL=${language}`, ...self, ...words];
      return answerOf(method, await host.run(argv, { timeout: Math.max(1, Math.min(WITHIN, left())), goOn }));
    } finally {
      running -= 1;
    }
  }

  /** @throws WrongArgument in a sentence */
  function call(method: ProgramName, args: Arguments): Promise<Told> {
    const language = languageOf(args, method);
    const words = wordsOf(method, args);
    const key = JSON.stringify([words, language]);
    const known = shared.get(key);
    if (known !== undefined) return known;
    if (running >= MOST)
      return Promise.resolve(
        troubleOf(say('programs-busy', '{most} questions of this kind are being answered; ask again when one of them is.', { most: MOST })),
      );
    const answering = run(method, words, language);
    shared.set(key, answering);
    const forget = (): void => {
      shared.delete(key);
      letGo.delete(key);
    };
    const settled = (): void => void (ended || letGo.set(key, clock.after(SHARED, forget)));
    answering.then(settled, settled);
    return answering;
  }

  return {
    call,
    end(): void {
      ended = true;
      for (const cancel of letGo.values()) cancel();
    },
  };
}
