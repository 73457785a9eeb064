/** How a run ends, and how it is said that it could not begin or did not work. */
import type { Plan, Step } from '../plan/step.ts';
import type { RouterFacts } from '../survey/survey.ts';
import { say, Trouble } from '../words/say.ts';
import type { Coded, Line, Said } from '../words/say.ts';

export interface Applied {
  /** reached: verified. held: what could be done is done, and what speaks against the rest is in the plan. */
  outcome: 'reached' | 'held' | 'failed';
  /** Why it failed, in sentences; empty otherwise. */
  because: string[];
  /** Those of them that have a code, by their place. */
  coded?: Record<number, Coded>;
  /** Whether anything was changed on the way. */
  changed: boolean;
  /** Whether anything but the wish was. */
  acted: boolean;
  /** The first look. */
  before: RouterFacts;
  /** The last look, and what would still be to do. */
  facts: RouterFacts;
  plan: Plan;
}

/** A run that could not even begin, in one sentence. */
export class NotBegun extends Trouble {}

/** While it was waited for the lock, another run has come to wish otherwise. */
export class WishChanged extends NotBegun {}

const dotted = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

/** What an error says: by its code, or as the system has said it. */
export const saidOf = (error: Error): Line => (error instanceof Trouble ? error.said : dotted(error.message));

/** Where nothing has begun, nothing needs to be taken back. */
export const notBegun = (cause: Error): NotBegun =>
  new NotBegun(say('not-begun', '{cause} Nothing was changed.', { cause: saidOf(cause) }));

/** What a load of the firewall has not brought: it may be ended with 0 though nft refused it, and leaves out sections it does not take. */
export const unheld = ({ code, parameters, text, commands }: Step): Said =>
  say(
    'lacking-unheld',
    '{step} That was done (`{command}`) and has not come about; what the firewall says when it is loaded by hand tells why.',
    { step: { code, ...(parameters === undefined ? {} : { parameters }), text }, command: commands[0] ?? '' },
  );

export const codedAs = (coded: Coded[] | undefined): Pick<Applied, 'coded'> => (coded === undefined ? {} : { coded: { ...coded } });

/** Sentences one behind the other, as one that can be thrown. */
export function together(sentences: readonly Line[]): Trouble {
  const [first = '', ...others] = sentences;
  return new Trouble(
    others.reduce<Said>(
      (before, next) => say('together', '{before} {next}', { before, next }),
      say('alone', '{sentence}', { sentence: first }),
    ),
  );
}
