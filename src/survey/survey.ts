/**
 * The survey: what is, what it means and what would be done, of the ALG and of the voice rules. The one place that
 * knows both. Every face shows its report; nothing but `look` touches a machine, and the same facts give the same
 * report anywhere.
 */
import type { Host, Reading } from '../host/host.ts';
import { judge } from '../judge/judge.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { CallFacts } from '../observe/calls/facts.ts';
import type { Facts } from '../observe/facts.ts';
import { observe } from '../observe/observe.ts';
import type { Also } from '../observe/observe.ts';
import type { Towards } from '../plan/plan.ts';
import type { Plan } from '../plan/step.ts';
import type { PolicyFacts } from '../voice/facts.ts';
import type { ExitCode } from './exit.ts';
import { unreadFindings } from './unread.ts';
import { observeVoice } from './voice.ts';
import type { VoiceRules } from '../voice/voice.ts';
import { say, Trouble } from '../words/say.ts';

export { exitCode } from './exit.ts';
export type { ExitCode } from './exit.ts';

/** Everything that was seen of a router. It can be saved on one machine and judged on another. */
export interface RouterFacts extends Facts {
  /** The voice firewall rules. Absent: they are not wanted, and nothing of them is here. */
  policy: Reading<PolicyFacts>;
  /** What a diagnosis of calls needs besides; only where one was asked for. */
  calls?: CallFacts;
}

export interface Report {
  /** Of this program. */
  version: string;
  facts: RouterFacts;
  verdict: Verdict;
  plan: Plan;
}

/** What a report comes to, for who has very many routers: the plan is made only as far as the exit code needs it. */
export interface Outcome {
  verdict: Verdict;
  exit: ExitCode;
}

/** The same, with the voice rules loaded where facts have some. An engine's main file makes one and hands it to every face. */
export interface Surveyor {
  /** Of this program. */
  readonly version: string;
  /** Looks at a router. Never throws: what could not be read is in its reading. @param checked @param also see `observe` */
  look(host: Host, checked?: Facts['firewall']['check'], also?: Also): Promise<RouterFacts>;
  /** As `reportOn`, `outcomeOn`, `planAll` and `planVoice`; they reject, with a sentence, where needed voice rules cannot be loaded. */
  report(facts: RouterFacts): Promise<Report>;
  outcome(facts: RouterFacts): Promise<Outcome>;
  plan(facts: RouterFacts, towards: Towards, writeDown: boolean): Promise<Plan>;
  planVoice(facts: RouterFacts): Promise<Plan>;
  /**
   * The verdict alone, of facts without voice rules: all that `sipalg status` says under an unmanaged wish, for which no
   * plan needs to be loaded.
   */
  verdict(facts: RouterFacts): Verdict;
  /** Rejects with a sentence where they cannot be loaded. */
  voice(): Promise<VoiceRules>;
}

/** @param load how this engine loads the voice rules; it rejects where their file is missing */
export function createSurveyor(version: string, load: () => Promise<VoiceRules>): Surveyor {
  const voice = (): Promise<VoiceRules> =>
    load().catch((error: Error) => {
      throw new Trouble(
        say(
          'voice-not-loaded',
          'the voice firewall rules live in a file beside the program, and that could not be loaded: {because}. Install sipalg again',
          { because: error.message.split('\n')[0] ?? '' },
        ),
      );
    });
  const neededFor = ({ policy }: RouterFacts): Promise<VoiceRules | null> => (policy.state === 'present' ? voice() : Promise.resolve(null));
  return {
    version,
    voice,
    async look(host, checked, also) {
      const facts = await observe(host, checked, also);
      return { ...facts, policy: await observeVoice(host, facts, facts.wish.wish.policy === true, voice) };
    },
    report: async (facts) => {
      const [rules, { reportOn }] = await Promise.all([neededFor(facts), import('./report.ts')]);
      return reportOn(version, facts, rules);
    },
    outcome: async (facts) => {
      const [rules, { outcomeOn }] = await Promise.all([neededFor(facts), import('./report.ts')]);
      return outcomeOn(facts, rules);
    },
    plan: async (facts, towards, writeDown) => {
      const [rules, { planAll }] = await Promise.all([neededFor(facts), import('./report.ts')]);
      return planAll(facts, rules, towards, writeDown);
    },
    planVoice: async (facts) => {
      const [rules, { planVoice }] = await Promise.all([neededFor(facts), import('./report.ts')]);
      return planVoice(facts, rules);
    },
    verdict(facts) {
      if (facts.policy.state === 'present')
        throw new Trouble(say('verdict-in-report', 'These facts hold voice firewall rules, whose verdict is in the report.'));
      return judge(facts, unreadFindings(facts));
    },
  };
}
