/** The way from a router to a plan, with nothing of an engine in it: what quickjs.test.ts packs and runs twice. */
import { judge } from '../../src/judge/judge.ts';
import { observe } from '../../src/observe/observe.ts';
import { plan } from '../../src/plan/plan.ts';
import type { Recording } from './recording.ts';
import { recorded } from './recording.ts';

/** Facts, verdict and both plans, as one JSON text. */
export async function core(recording: Recording): Promise<string> {
  const facts = await observe(recorded(recording));
  return JSON.stringify({
    facts, verdict: judge(facts), disable: plan(facts, 'disabled', true), enable: plan(facts, 'enabled', true),
  });
}
