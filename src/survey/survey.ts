/**
 * The survey: what is, what it means and what would be done, of the ALG and of the voice rules. The one place that
 * knows both. Every face shows its report; nothing but `look` touches a machine, and the same facts give the same
 * report anywhere.
 */
import type { Host, Reading } from '../host/host.ts';
import { judge } from '../judge/judge.ts';
import type { Finding, Verdict } from '../judge/verdict.ts';
import type { Facts } from '../observe/facts.ts';
import { observe } from '../observe/observe.ts';
import { NOTHING, refuse } from '../plan/files.ts';
import type { Part } from '../plan/files.ts';
import { planAlg, wished } from '../plan/plan.ts';
import type { Towards } from '../plan/plan.ts';
import { isLasting } from '../plan/step.ts';
import type { Plan } from '../plan/step.ts';
import type { PolicyFacts } from '../voice/facts.ts';
import { observeVoice } from './voice.ts';
import type { VoiceRules } from '../voice/voice.ts';

/** Everything that was seen of a router. It can be saved on one machine and judged on another. */
export interface RouterFacts extends Facts {
  /** The voice firewall rules. Absent: they are not wanted, and nothing of them is here. */
  policy: Reading<PolicyFacts>;
}

export interface Report {
  /** Of this program. */
  version: string;
  facts: RouterFacts;
  verdict: Verdict;
  plan: Plan;
}

/** What is to be done about the voice rules; null: these facts have none. @throws Error where they have and `voice` is null */
function voicePart(facts: RouterFacts, voice: VoiceRules | null): Part | null {
  if (facts.policy.state !== 'present') return null;
  if (voice === null) throw new Error('These facts hold voice firewall rules, and the part of sipalg that judges them is not loaded.');
  return voice.plan(facts, facts.policy.value);
}

/** Steps of the voice rules alone, with the refusals that keep the rest from being done. */
function voicePlan({ wish, policy }: RouterFacts, part: Part | null): Pick<Plan, 'steps' | 'lacking'> {
  const { steps, refused } =
    wish.wish.policy === null
      ? NOTHING
      : policy.state === 'failed'
        ? refuse([`The voice firewall rules are left as they are: ${policy.because}.`])
        : (part ?? NOTHING);
  return { steps: steps.map((step) => ({ ...step, of: 'policy' as const })).sort((one, other) => one.rank - other.rank), lacking: refused };
}

function voiceFindings(facts: RouterFacts, voice: VoiceRules | null, part: Part | null): Finding[] {
  const { policy } = facts;
  if (policy.state === 'failed') {
    return [
      {
        code: 'policy-unread',
        weight: 'trouble',
        text: `The voice firewall rules could not be looked at: ${policy.because}.`,
        evidence: [policy.source],
      },
    ];
  }
  return policy.state === 'absent' || voice === null ? [] : voice.judge(facts, policy.value, part ?? NOTHING);
}

/** The voice firewall rules alone; the ALG is left as it is. Pure. */
export function planVoice(facts: RouterFacts, voice: VoiceRules | null): Plan {
  return {
    wish: facts.wish.wish.alg,
    ...(facts.wish.said === false ? { told: false as const } : {}),
    towards: 'unmanaged',
    ...voicePlan(facts, voicePart(facts, voice)),
    takes: [],
    refused: [],
    held: null,
  };
}

/** All that is to be done: what the ALG needs, then the voice rules. Pure. @param writeDown see `planAlg` */
export function planAll(facts: RouterFacts, voice: VoiceRules | null, towards: Towards, writeDown: boolean): Plan {
  const alg = planAlg(facts, towards, writeDown);
  const { steps, lacking } = voicePlan(facts, voicePart(facts, voice));
  return { ...alg, steps: [...alg.steps, ...steps], lacking };
}

/**
 * The report on facts, read here or anywhere. With an unmanaged wish the plan shows what `disable` would do. Pure.
 * @param voice null will do where the facts have no voice rules
 */
export function reportOn(version: string, facts: RouterFacts, voice: VoiceRules | null): Report {
  const part = voicePart(facts, voice);
  const alg = planAlg(facts, wished(facts), facts.wish.wish.alg === 'unmanaged');
  const { steps, lacking } = voicePlan(facts, part);
  const verdict = judge(facts, voiceFindings(facts, voice, part));
  return { version, facts, verdict, plan: { ...alg, steps: [...alg.steps, ...steps], lacking } };
}

/** The same, with the voice rules loaded where facts have some. An engine's main file makes one and hands it to every face. */
export interface Surveyor {
  /** Of this program. */
  readonly version: string;
  /** Looks at a router. Never throws: what could not be read is in its reading. @param checked see `observe` */
  look(host: Host, checked?: Facts['firewall']['check']): Promise<RouterFacts>;
  /** As `reportOn`, `planAll` and `planVoice`; they reject, with a sentence, where the voice rules are needed and cannot be loaded. */
  report(facts: RouterFacts): Promise<Report>;
  plan(facts: RouterFacts, towards: Towards, writeDown: boolean): Promise<Plan>;
  planVoice(facts: RouterFacts): Promise<Plan>;
  /** Rejects with a sentence where they cannot be loaded. */
  voice(): Promise<VoiceRules>;
}

/** @param load how this engine loads the voice rules; it rejects where their file is missing */
export function createSurveyor(version: string, load: () => Promise<VoiceRules>): Surveyor {
  const voice = (): Promise<VoiceRules> =>
    load().catch((error: Error) => {
      throw new Error(
        `the voice firewall rules live in a file beside the program, and that could not be loaded: `
          + `${error.message.split('\n')[0]}. Install sipalg again`,
      );
    });
  const neededFor = ({ policy }: RouterFacts): Promise<VoiceRules | null> => (policy.state === 'present' ? voice() : Promise.resolve(null));
  return {
    version,
    voice,
    async look(host, checked) {
      const facts = await observe(host, checked);
      return { ...facts, policy: await observeVoice(host, facts, facts.wish.wish.policy === true, voice) };
    },
    report: async (facts) => reportOn(version, facts, await neededFor(facts)),
    plan: async (facts, towards, writeDown) => planAll(facts, await neededFor(facts), towards, writeDown),
    planVoice: async (facts) => planVoice(facts, await neededFor(facts)),
  };
}

/** 0: off, and nothing would bring it back. 1: on, would come back, or a wish is not met. 2: trouble or unknown. */
export type ExitCode = 0 | 1 | 2;

export function exitCode({ facts, verdict, plan: { wish, steps, refused, lacking } }: Report): ExitCode {
  if (verdict.alg === 'unknown' || verdict.unread.length > 0 || facts.wish.problems.length > 0) return 2;
  if (wish !== 'unmanaged' && refused.length > 0) return 2;
  if (verdict.alg !== 'off' || verdict.returns.length > 0) return 1;
  if (verdict.findings.some(({ weight }) => weight === 'trouble')) return 2;
  return lacking.length > 0 || steps.some((step) => (wish !== 'unmanaged' && isLasting(step)) || step.of === 'policy') ? 1 : 0;
}
