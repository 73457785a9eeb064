/** A row of the table of causes. */
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Look } from './look.ts';
import type { Symptom } from './symptoms.ts';

/** What to do: a command to type, a setting of something named, or a question to somebody named. */
export type Fix = { command: string; then?: Said } | { setting: Said; of: Said } | { ask: Said; question: Said };

/** What a look says of a cause. */
export type Outcome =
  /** @param fix where this look knows a better one than the table */
  | { is: 'found'; evidence: Line[]; fix?: Fix }
  | { is: 'out'; because: Said }
  /** It cannot be told from here, and `tell` is the one observation that would. */
  | { is: 'unknown'; because: Said; tell: Line };

export interface Cause {
  /** An interface: it never changes meaning. */
  code: string;
  /** Worse is larger: 90 no call works, 70 calls fail, 50 some calls fail, 30 quality, 10 may hurt. */
  weight: number;
  symptoms: readonly Symptom[];
  /** A sentence. */
  what: Said;
  /** What on the router tells it from its neighbours. */
  observable: string;
  /** Causes that look the same on the router, and what would tell them apart. */
  alike?: { codes: readonly string[]; tell: Said };
  fix: Fix;
  source: string;
  /** The test that makes it with real flows: of namespaces (test/lab), or on a virtual machine (test/machine). */
  made: string;
  sees(look: Look): Outcome;
}

export const found = (evidence: Line[], fix?: Fix): Outcome =>
  fix === undefined ? { is: 'found', evidence } : { is: 'found', evidence, fix };
export const out = (because: Said): Outcome => ({ is: 'out', because });
export const unknown = (because: Said, tell: Line): Outcome => ({ is: 'unknown', because, tell });

/** A reading that failed is never "not so". */
export function unread({ state, source, because }: { state: string; source: string; because?: string }): Outcome {
  const what =
    state === 'absent'
      ? say('because-not-there', '{source} is not there', { source })
      : because === undefined
        ? say('cause-unread', '{source} could not be read', { source })
        : say('because-unread', '{source} could not be read: {because}', { source, because });
  return unknown(what, say('tell-as-root', 'run it as root on the router, with the package conntrack installed'));
}

/** Whom a fix is asked of, and where a setting is. */
export const THE_PROVIDER = say('the-provider', 'the provider');
export const THE_FIREWALL = say('of-firewall', "the router's firewall");
export const THE_ROUTER = say('of-router', 'the router');
export const THE_PHONE = say('of-phone', 'the phone');
export const THE_PHONES = say('of-phones', 'the phones');

export const askProvider = (question: Said): Fix => ({ ask: THE_PROVIDER, question });
