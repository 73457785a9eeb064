/** The report on facts, and the plans in it: of the ALG and of the voice rules. Pure. Loaded where a plan is asked for. */
import { judge } from '../judge/judge.ts';
import { lineFindings } from '../judge/lines.ts';
import type { Finding, PolicyVerdict, Verdict } from '../judge/verdict.ts';
import { NOTHING, refuse } from '../plan/files.ts';
import type { Part } from '../plan/files.ts';
import { planAlg, wished } from '../plan/plan.ts';
import type { Towards } from '../plan/plan.ts';
import type { Plan } from '../plan/step.ts';
import type { VoiceRules } from '../voice/voice.ts';
import { unreadFindings } from './unread.ts';
import { exitCode } from './exit.ts';
import type { Outcome, Report, RouterFacts } from './survey.ts';
import { coded, say, Trouble } from '../words/say.ts';

/** What was seen of the voice rules held against the wish, and what is to be done; null: these facts have none. */
interface VoicePart {
  part: Part;
  judged(): PolicyVerdict & { findings: Finding[] };
}

/** @throws Error where facts have voice rules and `voice` is null */
function voicePart(facts: RouterFacts, voice: VoiceRules | null): VoicePart | null {
  if (facts.policy.state !== 'present') return null;
  if (voice === null)
    throw new Trouble(
      say('voice-part-missing', 'These facts hold voice firewall rules, and the part of sipalg that judges them is not loaded.'),
    );
  const { value } = facts.policy;
  const compared = voice.compare(facts, value);
  const part = voice.plan(facts, value, compared);
  return { part, judged: () => voice.judge(facts, value, compared, part) };
}

/** Steps of the voice rules alone, with the refusals that keep the rest from being done. */
function voicePlan({ wish, policy }: RouterFacts, voice: VoicePart | null): Pick<Plan, 'steps' | 'lacking' | 'lackingCoded'> {
  const { steps, refused } =
    wish.wish.policy === null
      ? NOTHING
      : policy.state === 'failed'
        ? refuse([say('refused-voice', 'The voice firewall rules are left as they are: {because}.', { because: policy.because })])
        : (voice?.part ?? NOTHING);
  return {
    steps: steps.map((step) => ({ ...step, of: 'policy' as const })).sort((one, other) => one.rank - other.rank),
    lacking: refused.map(({ text }) => text),
    ...(refused.length === 0 ? {} : { lackingCoded: refused.map(coded) }),
  };
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
  const { steps, ...lacking } = voicePlan(facts, voicePart(facts, voice));
  return { ...alg, steps: [...alg.steps, ...steps], ...lacking };
}

function verdictOn(facts: RouterFacts, part: VoicePart | null): Verdict {
  if (part === null) return judge(facts, [...unreadFindings(facts), ...lineFindings(facts)]);
  const { findings, ...policy } = part.judged();
  return { ...judge(facts, [...findings.map(ofVoice), ...lineFindings(facts)]), policy };
}

/**
 * The report on facts, read here or anywhere. With an unmanaged wish the plan shows what `disable` would do. Pure.
 * @param voice null will do where the facts have no voice rules
 */
export function reportOn(version: string, facts: RouterFacts, voice: VoiceRules | null): Report {
  const part = voicePart(facts, voice);
  const alg = planAlg(facts, wished(facts), facts.wish.wish.alg === 'unmanaged');
  const { steps, ...lacking } = voicePlan(facts, part);
  const plan = { ...alg, steps: [...alg.steps, ...steps], ...lacking };
  return { version, facts, verdict: verdictOn(facts, part), plan };
}

/** What `reportOn` comes to. Pure. While nothing is wished of the ALG, its plan is shown and decides nothing, so it is not made. */
export function outcomeOn(facts: RouterFacts, voice: VoiceRules | null): Outcome {
  const part = voicePart(facts, voice);
  const verdict = verdictOn(facts, part);
  const { alg } = facts.wish.wish;
  const shown = alg === 'unmanaged' ? { wish: alg, steps: [], refused: [] } : planAlg(facts, wished(facts), false);
  const { steps, lacking } = voicePlan(facts, part);
  return { verdict, exit: exitCode({ facts, verdict, plan: { ...shown, steps: [...shown.steps, ...steps], lacking } }) };
}
