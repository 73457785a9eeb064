/** The report on facts, and the plans in it: of the ALG and of the voice rules. Pure. Loaded where a plan is asked for. */
import { judge } from '../judge/judge.ts';
import { lineFindings } from '../judge/lines.ts';
import type { Finding, PolicyVerdict } from '../judge/verdict.ts';
import { NOTHING, refuse } from '../plan/files.ts';
import type { Part } from '../plan/files.ts';
import { planAlg, wished } from '../plan/plan.ts';
import type { Towards } from '../plan/plan.ts';
import type { Plan } from '../plan/step.ts';
import type { VoiceRules } from '../voice/voice.ts';
import { unreadFindings } from './unread.ts';
import type { Report, RouterFacts } from './survey.ts';

/** What was seen of the voice rules held against the wish, and what is to be done; null: these facts have none. */
interface VoicePart {
  part: Part;
  judged(): PolicyVerdict & { findings: Finding[] };
}

/** @throws Error where facts have voice rules and `voice` is null */
function voicePart(facts: RouterFacts, voice: VoiceRules | null): VoicePart | null {
  if (facts.policy.state !== 'present') return null;
  if (voice === null) throw new Error('These facts hold voice firewall rules, and the part of sipalg that judges them is not loaded.');
  const { value } = facts.policy;
  const compared = voice.compare(facts, value);
  const part = voice.plan(facts, value, compared);
  return { part, judged: () => voice.judge(facts, value, compared, part) };
}

/** Steps of the voice rules alone, with the refusals that keep the rest from being done. */
function voicePlan({ wish, policy }: RouterFacts, voice: VoicePart | null): Pick<Plan, 'steps' | 'lacking'> {
  const { steps, refused } =
    wish.wish.policy === null
      ? NOTHING
      : policy.state === 'failed'
        ? refuse([`The voice firewall rules are left as they are: ${policy.because}.`])
        : (voice?.part ?? NOTHING);
  return { steps: steps.map((step) => ({ ...step, of: 'policy' as const })).sort((one, other) => one.rank - other.rank), lacking: refused };
}

const ofVoice = (finding: Finding): Finding => ({ ...finding, of: 'policy' });

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
  const plan = { ...alg, steps: [...alg.steps, ...steps], lacking };
  if (part === null) return { version, facts, verdict: judge(facts, [...unreadFindings(facts), ...lineFindings(facts)]), plan };
  const { findings, ...policy } = part.judged();
  return { version, facts, verdict: { ...judge(facts, [...findings.map(ofVoice), ...lineFindings(facts)]), policy }, plan };
}
