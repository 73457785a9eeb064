/** The report: what is, what it means and what would be done. Every face shows this one value. */
import type { Host } from '../host/host.ts';
import { judge } from '../judge/judge.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Facts } from '../observe/facts.ts';
import { observe } from '../observe/observe.ts';
import { plan, wished } from '../plan/plan.ts';
import { isLasting } from '../plan/step.ts';
import type { Plan } from '../plan/step.ts';

export interface Report {
  /** Of this program. */
  version: string;
  facts: Facts;
  verdict: Verdict;
  plan: Plan;
}

/** The report on facts that have been read. With an unmanaged wish the plan shows what `disable` would do. */
export function reportOn(version: string, facts: Facts): Report {
  const towards = wished(facts);
  return { version, facts, verdict: judge(facts), plan: plan(facts, towards, facts.wish.wish.alg === 'unmanaged') };
}

/** Looks at the router and reports. */
export async function makeReport(version: string, host: Host): Promise<Report> {
  return reportOn(version, await observe(host));
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
