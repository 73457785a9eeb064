/** What a report comes to, in one figure. */
import { isLasting } from '../plan/step.ts';
import type { Plan } from '../plan/step.ts';
import type { Report } from './survey.ts';

/** 0: off, and nothing would bring it back. 1: on, would come back, or a wish is not met. 2: trouble or unknown. */
export type ExitCode = 0 | 1 | 2;

export function exitCode({
  facts,
  verdict,
  plan,
}: Pick<Report, 'facts' | 'verdict'> & { plan: Pick<Plan, 'wish' | 'steps' | 'refused' | 'lacking'> }): ExitCode {
  const { wish, steps, refused, lacking } = plan;
  if (verdict.alg === 'unknown' || verdict.unread.length > 0 || facts.wish.problems.length > 0) return 2;
  if (wish !== 'unmanaged' && refused.length > 0) return 2;
  if (verdict.alg !== 'off' || verdict.returns.length > 0) return 1;
  if (verdict.findings.some(({ weight }) => weight === 'trouble')) return 2;
  return lacking.length > 0 || steps.some((step) => (wish !== 'unmanaged' && isLasting(step)) || step.of === 'policy') ? 1 : 0;
}
